#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <optional>
#include <vector>

#include "harness/cli/cli.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/report/words.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::cli {
namespace {

struct Options {
  ModelOptions model;
  InputOptions input;
  std::vector<std::string> words;  // [FILE] [SYSCALL [ARG... [PC]]]
  std::string instruction_pointer;
  std::string colours = "auto";
  bool quiet = false;
};

struct Collector {
  std::vector<reference::Step>* steps;
  void step(const reference::Step& step) const { steps->push_back(step); }
};

bool wants_colours(const std::string& when) {
  return when == "always" || (when == "auto" && colours_wanted());
}

bool is_number(const std::string& word) {
  return !word.empty() && std::ranges::all_of(word, [](char c) { return c >= '0' && c <= '9'; });
}

// As with ceccomp, a filter that is not named is on standard input: where the first word is a
// syscall, and no file.
std::string take_file(std::vector<std::string>& words, Arch arch) {
  std::error_code error;
  const std::string first = words.front();
  const bool call = syscall_number(arch, first).has_value() || is_number(first);
  if (call && !std::filesystem::exists(first, error)) return "-";
  words.erase(words.begin());
  return first;
}

void print_way(const FilterFile& file, const KernelModel& model,
               const std::vector<reference::Step>& steps, bool colours) {
  const auto lines = report::statements(file.program, model.arch);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    const bool executed = std::ranges::find(steps, at, &reference::Step::at) != steps.end();
    const bool faint = colours && !executed;
    fmt::print("{}{} {:04}: {}{}\n", faint ? "\x1b[2m" : "", executed ? '>' : ' ', at, lines[at],
               faint ? "\x1b[0m" : "");
  }
  fmt::print("\n");
}

int emu(const Options& options) {
  const KernelModel model = options.model.model();
  std::vector<std::string> words = options.words;
  if (words.empty()) throw UserError("emu: name a filter and a call; see `callgate emu --help`");
  const std::string path = take_file(words, model.arch);
  constexpr std::size_t kMostWords = 8;
  if (words.size() > kMostWords) {
    throw UserError("emu: a call has 6 arguments, and the instruction pointer comes after them");
  }
  std::string pointer = options.instruction_pointer;
  if (words.size() == kMostWords) {
    if (!pointer.empty()) {
      throw UserError("emu: the instruction pointer is given twice; leave out -i or the last word");
    }
    pointer = words.back();
    words.pop_back();
  }
  const bool has_number = !words.empty();
  const std::vector<std::string> arguments(words.begin() + (has_number ? 1 : 0), words.end());
  const SeccompData data = parse_call(has_number ? words.front() : "0", arguments,
                                      pointer.empty() ? "0" : pointer, model.arch);
  const FilterFile file = read_filter(path, options.input, options.model);
  if (const auto checked = verifier::check(file.program, model); !checked) {
    fmt::print(stderr, "{}", refusal_lines(file.path, model, checked.error().diagnostics));
    return kWrongUse;
  }
  std::vector<reference::Step> steps;
  const reference::Result result = reference::run(file.program, data, model, Collector{&steps});
  const bool asks_number = std::ranges::any_of(steps, [&](const reference::Step& step) {
    return file.program[step.at].code == 0x20 && file.program[step.at].k == 0;
  });
  if (!has_number && asks_number) {
    throw UserError("emu: the filter asks for the syscall; put its name or number after the file");
  }
  if (!options.quiet) print_way(file, model, steps, wants_colours(options.colours));
  if (result.fault != reference::Fault::None) {
    fmt::print("unknown: {} at line {:04}\n", reference::to_string(result.fault), result.last);
    return kNo;
  }
  fmt::print("return {} at line {:04}\n", report::verdict_words(result.value, model), result.last);
  return kWell;
}

}  // namespace

void add_emu(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "emu", "One call's way through one filter, called as seccomp-tools' or ceccomp's emu is");
  command.add_option("-a,--arch", options->model.arch, "Architecture, this machine's if not given")
      ->type_name("ARCH");
  command.add_option("--kernel", options->model.kernel, "Linux version; the newest if not given")
      ->type_name("VERSION");
  command.add_flag("-q,--quiet,!--no-quiet", options->quiet, "The verdict alone");
  command
      .add_option("-i,--ip", options->instruction_pointer,
                  "The instruction pointer that the filter sees")
      ->type_name("N");
  command.add_option("-c,--color", options->colours, "Colours: auto, always or never")
      ->check(CLI::IsMember({"auto", "always", "never"}))
      ->type_name("WHEN");
  command
      .add_option("FILE SYSCALL ARG", options->words,
                  "[FILE] [SYSCALL [up to 6 arguments [the instruction pointer]]]: the filter, raw "
                  "or text of any kind that is read (standard input where the first word is a "
                  "syscall), and the call")
      ->type_name("");
  command
      .add_option("--input-format", options->input.format,
                  "How FILE is written, told by its content and name if not given")
      ->type_name("FORMAT");
  command.footer(
      "\nExamples:\n"
      "  callgate emu -q filter.bpf 257 0xffffff9c 0 0\n"
      "  callgate emu -c never filter.txt openat 0xffffff9c 0 0\n"
      "\nThe last line is the verdict; executed lines are marked with >. Exit code 2: the filter "
      "is "
      "refused, or cannot be read.");
  command.callback([options, &exit_code] { exit_code = emu(*options); });
}

}  // namespace callgate::cli
