#include "harness/cli/cli.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <charconv>
#include <cstdlib>
#include <filesystem>
#include <fstream>

#include "harness/front_ends/capabilities.hpp"
#include "harness/front_ends/constants.hpp"
#include "harness/front_ends/loader.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/front_ends/telling_calls.hpp"
#include "harness/process/manifest.hpp"
#include "harness/report/words.hpp"
#include "vm/syscalls.hpp"

namespace callgate::cli {
namespace {

std::string known_arches() {
  std::string names;
  for (const ArchInfo& row : arches()) {
    if (!names.empty()) names += ' ';
    names += row.name;
  }
  return names;
}

// A number as the whole of `text`: decimal or 0x hexadecimal, with a sign; up to 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  if (hex) text.remove_prefix(2);
  std::uint64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value, hex ? 16 : 10);
  if (error != std::errc{} || at != end) return std::nullopt;
  if (negative && value > std::uint64_t{1} << 63U) return std::nullopt;
  return negative ? 0 - value : value;
}

std::string place_of(const front_ends::ReadError& error) {
  std::string place;
  if (error.line) place += fmt::format(":{}", *error.line);
  if (error.line && error.column) place += fmt::format(":{}", *error.column);
  if (!error.line && error.offset) place += fmt::format(": byte {}", *error.offset);
  return place;
}

}  // namespace

void ModelOptions::add_to(CLI::App& command) {
  command.add_option("--arch", arch, "Architecture, this machine's if not given")
      ->type_name("ARCH");
  command
      .add_option("--kernel", kernel,
                  fmt::format("Linux version, such as 5.10; `host` is the running one; {} if not "
                              "given",
                              to_string(kNewestVersion)))
      ->type_name("VERSION");
  command.add_flag("--jit-harden", jit_harden,
                   "Count instructions as with net.core.bpf_jit_harden in force");
}

KernelModel ModelOptions::model() const {
  KernelModel model;
  model.arch = host_arch();
  if (kernel == "host") {
    model = KernelModel::host();
  } else if (!kernel.empty()) {
    const auto version = parse_version(kernel);
    if (!version) {
      throw UserError(
          fmt::format("--kernel {}: not a version; write it as 5.10 or 6.12.3, or `host`", kernel));
    }
    model.version = *version;
  }
  if (!arch.empty()) {
    const auto named = arch_from_name(arch);
    if (!named) {
      throw UserError(
          fmt::format("--arch {}: not an architecture; these are: {}", arch, known_arches()));
    }
    model.arch = *named;
  }
  model.blinds_constants = model.blinds_constants || jit_harden;
  return model;
}

ByteOrder ModelOptions::file_order() const {
  return arch.empty() ? kHostByteOrder : info(model().arch).byte_order;
}

void InputOptions::add_to(CLI::App& command) {
  std::string names;
  for (const auto& row : front_ends::input_formats()) names += fmt::format(" {}", row.name);
  for (const auto& row : front_ends::profile_formats()) names += fmt::format(" {}", row.name);
  constexpr const char* kGroup = "How FILTER is read";
  command
      .add_option("--input-format", format,
                  "How FILTER is written, told by its content and name if not given:" + names)
      ->type_name("FORMAT")
      ->group(kGroup);
  command
      .add_option("--caps", caps,
                  "Profiles of containers: the bounding set, such as CAP_SYS_ADMIN,CAP_KILL, or "
                  "none, or all; the engine's default if not given")
      ->type_name("CAPS")
      ->group(kGroup);
  command.add_option("--runtime", runtime, "Profiles of containers: who builds the filter")
      ->check(CLI::IsMember({"runc", "runc-1.1", "crun"}))
      ->type_name("RUNTIME")
      ->group(kGroup);
  command
      .add_option("--systemd", systemd,
                  "Units: the version whose sets are meant, 252; the installed one's if not given")
      ->type_name("VERSION")
      ->group(kGroup);
  command
      .add_option("--with", with,
                  "A further file that belongs to FILTER: a drop-in of a unit, a frequency file of "
                  "minijail")
      ->type_name("FILE")
      ->allow_extra_args(false)
      ->group(kGroup);
  command
      .add_flag("--denylist", denylist,
                "Policies of minijail's compiler: as with its own --denylist")
      ->group(kGroup);
  if (command.get_option_no_throw("--verbose") == nullptr) {
    command
        .add_flag(
            "-v,--verbose", verbose,
            "Say what FILTER was recognised as, and where libseccomp may depart from a profile")
        ->group(kGroup);
  }
}

namespace {

std::optional<std::vector<std::string>> caps_of(const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::vector<std::string> out;
  if (text == "none") return out;
  if (text == "all") {
    for (const std::string_view each : front_ends::capabilities()) out.emplace_back(each);
    return out;
  }
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    std::string name = text.substr(start, end - start);
    if (!name.starts_with("CAP_")) name = "CAP_" + name;
    if (std::ranges::find(front_ends::capabilities(), name) == front_ends::capabilities().end()) {
      throw UserError(
          fmt::format("--caps {}: {} is no capability; write names such as "
                      "CAP_SYS_ADMIN with commas between them, or none, or all",
                      text, name));
    }
    out.push_back(std::move(name));
    start = end + 1;
  }
  return out;
}

bool is_input_format(const std::string& name) {
  return front_ends::input_format_from_name(name) ||
         front_ends::find_profile_format(name) != nullptr;
}

// Where libseccomp's program says something else than the profile: calls that show it, and where no
// call does, what might be one.
void print_departures(const std::string& shown, const front_ends::LoadedFilter& filter,
                      const KernelModel& model) {
  const front_ends::Policy& policy = *filter.policy;
  const bool tree = filter.lowering == front_ends::Lowering::LibseccompTree;
  for (const front_ends::Disagreement& each :
       front_ends::disagreements(policy, filter.program, model)) {
    const std::size_t line = each.said.rule ? policy.rules[*each.said.rule].place.line : 0;
    fmt::print(stderr, "{}{}: {}({:#x}) gets {} by the profile, and {} by libseccomp's program\n",
               shown, line == 0 ? "" : fmt::format(":{}", line), report::call_name(each.data),
               fmt::join(each.data.args, ", "), report::verdict_words(each.said.value, model),
               report::verdict_words(each.value, model));
  }
  const auto possible = front_ends::departures(policy, tree, 1000);
  std::vector<front_ends::DepartureKind> said;
  for (const front_ends::Departure& each : possible) {
    if (std::ranges::find(said, each.kind) != said.end()) continue;
    said.push_back(each.kind);
    const auto same = std::ranges::count(possible, each.kind, &front_ends::Departure::kind);
    const front_ends::Rule& rule = policy.rules[each.first];
    fmt::print(stderr, "{}:{}:{}: {} on {}: {}{}\n", shown, rule.place.line, rule.place.column,
               rule.syscall, info(each.arch).name, front_ends::departure_words(each, policy),
               same == 1 ? "" : fmt::format(" (and {} more)", same - 1));
  }
}

// What there is to say of a file, each with its place; what is only worth knowing with -v.
void print_notes(const std::string& shown, const front_ends::Loaded& loaded, bool verbose,
                 const KernelModel& model) {
  if (verbose) {
    fmt::print(stderr, "{}: read as {} ({}), {} filter{}\n", shown, loaded.format,
               loaded.looks_like, loaded.filters.size(), loaded.filters.size() == 1 ? "" : "s");
  }
  for (const front_ends::Note& note : loaded.notes) {
    fmt::print(
        stderr, "{}{}: {}\n", shown,
        note.place.line == 0 ? "" : fmt::format(":{}:{}", note.place.line, note.place.column),
        note.message);
  }
  if (!verbose) return;
  for (const front_ends::LoadedFilter& filter : loaded.filters) {
    if (filter.policy && filter.lowering != front_ends::Lowering::Plain) {
      print_departures(shown, filter, model);
    }
  }
}

}  // namespace

namespace {

// The stack of a captured task; nothing where the path is no capture.
std::optional<std::vector<FilterFile>> read_capture(const std::string& path,
                                                    const InputOptions& input) {
  constexpr std::uint64_t kLog = 2;          // SECCOMP_FILTER_FLAG_LOG
  constexpr std::uint64_t kNewListener = 8;  // SECCOMP_FILTER_FLAG_NEW_LISTENER
  if (!input.format.empty() || !process::is_manifest(path)) return std::nullopt;
  const auto [folder, tid] = process::split_task(path);
  auto captured = process::read_manifest(folder, tid);
  if (!captured) throw UserError(captured.error());
  if (input.verbose) {
    fmt::print(stderr, "{}: read as a capture, {} filters\n", path, captured->size());
  }
  std::vector<FilterFile> out;
  for (process::CapturedFilter& each : *captured) {
    const FilterFlags flags{.log = (each.flags & kLog) != 0,
                            .new_listener = (each.flags & kNewListener) != 0};
    out.push_back({std::move(each.name), std::move(each.program), flags, {}, {}});
  }
  return out;
}

}  // namespace

std::vector<FilterFile> read_filters(const std::string& path, const InputOptions& input,
                                     const ModelOptions& options) {
  if (auto captured = read_capture(path, input)) return std::move(*captured);
  front_ends::LoadOptions load;
  load.program.order = options.file_order();
  load.program.arch = options.model().arch;
  load.deployment.model = options.model();
  load.deployment.caps = caps_of(input.caps);
  load.deployment.runtime = input.runtime;
  load.deployment.systemd = input.systemd;
  load.deployment.extra = input.with;
  load.deployment.denylist = input.denylist;
  load.input_format = input.format;
  if (!input.format.empty() && !is_input_format(input.format)) {
    throw UserError(fmt::format("--input-format {}: not a format; see --help", input.format));
  }
  const std::string shown = path == "-" ? "standard input" : path;
  // FILE#NAME: one of several in a file; the reader is told the whole of it.
  const std::string file = std::filesystem::exists(path) ? path : path.substr(0, path.rfind('#'));
  const auto bytes = front_ends::read_file(file);
  if (!bytes) throw UserError(fmt::format("{}: {}", shown, bytes.error().message));
  auto loaded = front_ends::load(*bytes, path == "-" ? "" : path, load);
  if (!loaded) {
    throw UserError(
        fmt::format("{}{}: {}", shown, place_of(loaded.error()), loaded.error().message));
  }
  print_notes(shown, *loaded, input.verbose, load.deployment.model);
  std::vector<FilterFile> out;
  for (front_ends::LoadedFilter& each : loaded->filters) {
    out.push_back({each.name.empty() ? shown : fmt::format("{} ({})", shown, each.name),
                   std::move(each.program), each.flags, std::move(each.policy), each.lowering});
  }
  return out;
}

std::vector<FilterFile> read_stack(std::span<const std::string> paths, const InputOptions& input,
                                   const ModelOptions& options) {
  std::vector<FilterFile> out;
  for (const std::string& path : paths) {
    for (FilterFile& each : read_filters(path, input, options)) out.push_back(std::move(each));
  }
  return out;
}

FilterFile read_filter(const std::string& path, const InputOptions& input,
                       const ModelOptions& options) {
  std::vector<FilterFile> all = read_filters(path, input, options);
  if (all.size() == 1) return std::move(all.front());
  throw UserError(
      fmt::format("{}: it stands for {} filters, and this takes one: `callgate convert "
                  "-o DIR` writes each into a file",
                  path, all.size()));
}

bool say_unsaid(const std::string& path, const std::string& syntax,
                const std::vector<report::Unsaid>& unsaid) {
  bool whole = true;
  for (const report::Unsaid& each : unsaid) {
    whole = whole && !each.lost;
    fmt::print(stderr, "{}: instruction {}: {}: {}\n", path, each.instruction, syntax, each.what);
  }
  if (!whole) {
    fmt::print(stderr, "callgate: {} cannot say all of {}; callgate's own listing can\n", syntax,
               path);
  }
  return whole;
}

void add_filters(CLI::App& command, std::vector<std::string>& paths) {
  command
      .add_option("-f,--filter", paths,
                  "A filter, or a profile that some are made of, in any format that is read; give "
                  "the option once for each of the stack, the oldest first; - is standard input")
      ->type_name("FILTER")
      ->required()
      ->allow_extra_args(false);
}

std::string refusal_lines(std::string_view path, const KernelModel& model,
                          const Diagnostics& diagnostics) {
  const bool no_memory = info(diagnostics.front().id).error == InstallError::NoMemory;
  return fmt::format("{}: refused by {}: {}\n{}", path, model_words(model),
                     no_memory ? "ENOMEM" : "EINVAL", diagnostic_lines(path, diagnostics));
}

std::string diagnostic_lines(std::string_view path, const Diagnostics& diagnostics) {
  std::string lines;
  for (const Diagnostic& each : diagnostics) {
    const std::string place =
        each.instruction ? fmt::format("instruction {}: ", *each.instruction) : std::string{};
    lines += fmt::format("{}: {}{} [{}]\n", path, place, message(each), info(each.id).name);
  }
  return lines;
}

std::optional<FilterStack> build_stack(std::span<const FilterFile> files, const KernelModel& model,
                                       const Engine& engine) {
  FilterStack stack(model);
  for (const FilterFile& file : files) {
    const auto checked = verifier::check(file.program, model);
    Diagnostics found;
    if (!checked) {
      found = checked.error().diagnostics;
    } else if (const auto pushed = stack.push(*checked, engine, file.flags); !pushed) {
      found = {pushed.error()};
    }
    if (found.empty()) continue;
    fmt::print(stderr, "{}", refusal_lines(file.path, model, found));
    return std::nullopt;
  }
  return stack;
}

std::int32_t parse_syscall(const std::string& text, Arch arch) {
  if (const auto number = syscall_number(arch, text)) return static_cast<std::int32_t>(*number);
  if (const auto number = parse_number(text)) {
    const bool fits = *number <= 0xffffffffU || *number >= 0xffffffff80000000U;
    if (fits) return static_cast<std::int32_t>(static_cast<std::uint32_t>(*number));
    throw UserError(fmt::format("{}: a syscall number has 32 bits", text));
  }
  for (const ArchInfo& row : arches()) {
    if (syscall_number(row.arch, text)) {
      throw UserError(
          fmt::format("{}: {} has no such syscall ({} has); give a number to ask for "
                      "one all the same",
                      text, info(arch).name, row.name));
    }
  }
  throw UserError(fmt::format("{}: not a syscall of any architecture, and not a number", text));
}

std::uint64_t parse_argument(const std::string& text, Arch arch) {
  std::uint64_t value = 0;
  std::string_view rest = text;
  for (;;) {
    const std::size_t bar = rest.find('|');
    const std::string_view part = rest.substr(0, bar);
    if (const auto number = parse_number(part)) {
      value |= *number;
    } else {
      const auto named = front_ends::find_constant(part, arch);
      if (!named) throw UserError(fmt::format("{}: {}", text, named.error()));
      value |= *named;
    }
    if (bar == std::string_view::npos) return value;
    rest.remove_prefix(bar + 1);
  }
}

SeccompData parse_call(const std::string& syscall, std::span<const std::string> arguments,
                       const std::string& instruction_pointer, Arch arch) {
  SeccompData data;
  data.nr = parse_syscall(syscall, arch);
  data.arch = info(arch).token;
  data.instruction_pointer = parse_argument(instruction_pointer, arch);
  if (arguments.size() > data.args.size()) {
    throw UserError(fmt::format("{} arguments; a syscall has 6 at most", arguments.size()));
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    data.args[i] = parse_argument(arguments[i], arch);
  }
  return data;
}

void write_whole(const std::string& path, std::string_view text) {
  const std::string part = path + ".part";
  std::ofstream out(part, std::ios::binary | std::ios::trunc);
  out.write(text.data(), static_cast<std::streamsize>(text.size()));
  out.close();
  std::error_code error;
  if (out) std::filesystem::rename(part, path, error);
  if (out && !error) return;
  std::error_code ignored;
  std::filesystem::remove(part, ignored);
  throw UserError(
      fmt::format("{}: could not be written; is there room, and may you write there?", path));
}

std::string model_words(const KernelModel& model) {
  return fmt::format("Linux {} {}", to_string(model.version), info(model.arch).name);
}

bool colours_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

std::string coloured(std::string_view text, bool good) {
  if (!colours_wanted()) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", good ? 32 : 31, text);
}

std::string padded(std::string_view text, std::size_t width) {
  return fmt::format("{:<{}} ", text, width);
}

}  // namespace callgate::cli
