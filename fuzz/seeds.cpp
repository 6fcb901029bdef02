// Makes what campaigns start from: seeds out of the vectors of the corpus, dictionaries out of the
// tables, libFuzzer's options out of the table of targets.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cctype>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <map>
#include <set>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/case.hpp"
#include "fuzz/profile_byte.hpp"
#include "fuzz/targets.hpp"
#include "harness/front_ends/profile.hpp"
#include "harness/random/generator.hpp"
#include "harness/suite/vector.hpp"
#include "harness/suite/vector_writer.hpp"
#include "harness/task/live_runner.hpp"
#include "vm/actions.hpp"
#include "vm/diagnostics.hpp"
#include "vm/opcodes.hpp"

namespace {

namespace fs = std::filesystem;
namespace fuzz = callgate::fuzz;
namespace suite = callgate::suite;

// A seed's name, and its bytes.
using Seeds = std::map<std::string, std::string>;

constexpr std::size_t kLargestCommitted = 600;
constexpr std::size_t kScripts = 8;
constexpr std::size_t kChoices = 400;

struct VectorFile {
  std::string name;
  std::string text;
  suite::Vector vector;
};

std::string content_of(const fs::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

std::vector<VectorFile> vectors_below(const fs::path& folder) {
  std::vector<VectorFile> out;
  for (const suite::VectorKind kind : suite::vector_kinds()) {
    for (const auto& entry : fs::directory_iterator(folder / suite::folder(kind))) {
      std::string text = content_of(entry.path());
      auto vector = suite::parse_vector(text, kind);
      if (!vector) throw std::runtime_error(entry.path().string() + ": not a vector");
      out.push_back({entry.path().stem().string(), std::move(text), std::move(*vector)});
    }
  }
  if (out.empty()) throw std::runtime_error(folder.string() + " holds no vectors");
  std::ranges::sort(out, {}, &VectorFile::name);
  return out;
}

bool returns_user_notif(const callgate::Instruction& i) {
  return i.code == static_cast<std::uint16_t>(callgate::Opcode::RetK) &&
         (i.k & callgate::kActionMask) == static_cast<std::uint32_t>(callgate::Action::UserNotif);
}

// The vector's programs and inputs as a case; nothing where it has more than one can hold.
std::optional<std::string> case_bytes(const suite::Vector& vector) {
  fuzz::Case out;
  out.kernel = fuzz::kernel_bytes(vector.kernel);
  for (const suite::VectorProgram& program : vector.programs) {
    if (program.times > fuzz::kMostPrograms) return std::nullopt;
    for (std::size_t i = 0; i < program.times; ++i) out.programs.push_back(program.instructions);
  }
  for (const suite::VectorCase& each : vector.cases) out.inputs.push_back(each.data);
  // The newest filter that notifies somebody has somebody to notify.
  for (std::size_t i = 0; vector.kind == suite::VectorKind::Stack && i < out.programs.size(); ++i) {
    if (std::ranges::any_of(out.programs[i], returns_user_notif)) {
      out.around = fuzz::listener_byte(i);
    }
  }
  if (out.programs.empty() || out.programs.size() > fuzz::kMostPrograms ||
      out.inputs.size() > fuzz::kMostInputs) {
    return std::nullopt;
  }
  const auto bytes = fuzz::bytes_of(out);
  return std::string(bytes.begin(), bytes.end());
}

// What a vector shows: few vectors that show everything make good seeds.
std::set<std::string> shown_by(const suite::Vector& vector) {
  std::set<std::string> out;
  for (const suite::VectorProgram& program : vector.programs) {
    for (const callgate::Instruction& i : program.instructions) {
      out.insert(fmt::format("code {:x}", i.code));
    }
  }
  for (const callgate::Diagnostic& each : vector.diagnostics) {
    out.insert(std::string(info(each.id).name));
  }
  for (const suite::VectorCase& each : vector.cases) {
    if (each.verdict) out.insert("verdict " + suite::result_text(each.verdict->value));
    if (each.outcome) out.insert(std::string(to_string(each.outcome->kind)));
  }
  if (vector.programs.size() > 1) out.insert("several programs");
  if (vector.kernel.arch != callgate::Arch::X86_64) out.insert("another architecture");
  if (vector.kernel.version != callgate::kNewestVersion) out.insert("another version");
  return out;
}

bool belongs(const suite::Vector& vector, fuzz::VectorForm form) {
  using suite::VectorKind;
  switch (form) {
    case fuzz::VectorForm::Check:
      return vector.kind == VectorKind::Check || vector.kind == VectorKind::Run;
    case fuzz::VectorForm::Run:
      return vector.kind == VectorKind::Run;
    case fuzz::VectorForm::Stack:
      return vector.kind == VectorKind::Stack;
    case fuzz::VectorForm::Script:
    case fuzz::VectorForm::Text:
      return true;
  }
  return true;
}

// `all`: every vector; else those that show something that no one before shows, small ones only.
template <typename Bytes>
Seeds seeds_of_vectors(const std::vector<VectorFile>& files, fuzz::VectorForm form, bool all,
                       const Bytes& bytes_of_file) {
  Seeds out;
  std::set<std::string> shown;
  for (const VectorFile& file : files) {
    if (!belongs(file.vector, form)) continue;
    const std::optional<std::string> bytes = bytes_of_file(file);
    if (!bytes || (!all && bytes->size() > kLargestCommitted)) continue;
    std::set<std::string> news = shown_by(file.vector);
    std::erase_if(news, [&](const std::string& each) { return shown.contains(each); });
    if (!all && news.empty()) continue;
    shown.merge(news);
    out.emplace(file.name, *bytes);
  }
  return out;
}

std::string kind_byte(suite::VectorKind kind) { return std::string(1, static_cast<char>(kind)); }

std::string x86_64_byte() {
  const auto row =
      std::ranges::find(callgate::arches(), callgate::Arch::X86_64, &callgate::ArchInfo::arch);
  return std::string(1, static_cast<char>(row - callgate::arches().begin()));
}

constexpr std::string_view kEveryStep =
    "# Every step there is.\n"
    "process nnp=no cap=yes sigsys=handled descriptors=yes\n"
    "nnp\nnnp get\nprctl get\nprctl mode=3\n"
    "seccomp notif-sizes\nseccomp action-avail ERRNO\nseccomp action-avail unreadable\nseccomp "
    "op=7\n"
    "seccomp filter flags=LOG|SPEC_ALLOW program={ld [0]; jeq #39, 0, 1; ret ERRNO(13); ret "
    "ALLOW}\n"
    "seccomp filter flags=NEW_LISTENER|WAIT_KILLABLE_RECV program={ret USER_NOTIF}\n"
    "supervisor: value=5\nshare 2\nclose 2\nclose-outside 2\nsupervisor: none\n"
    "seccomp filter header=null\nseccomp filter program=unreadable length=4096\n"
    "tracer: skip value=-7\ncall getpid args=1,2 ip=0x1000\ntracer: number=getppid "
    "args=1,2\ntracer: continue\ntracer: none\nsupervisor: continue error=-1\n"
    "supervisor: addfd flags=SETFD|SEND newfd=300 newfd-flags=CLOEXEC size=24 source=closed "
    "id=wrong value=1\nsupervisor: addfd\n"
    "fork\nas 2: thread\nas 3: call 39 arch=x86\nas 2: seccomp filter flags=TSYNC|TSYNC_ESRCH "
    "program={ret TRAP(3)}\n"
    "sigsys blocked\ncap no\ndescriptors no\nseccomp strict\nas 2: prctl strict\nexec\nexit\n";

Seeds scripts() {
  Seeds out;
  out.emplace("every_step", x86_64_byte() + std::string(kEveryStep));
  callgate::random::Source source(1);
  for (std::size_t i = 0; i < kScripts; ++i) {
    const auto script = callgate::task::random_script(source, 10, true, callgate::KernelModel{});
    out.emplace(fmt::format("random_{}", i), x86_64_byte() + callgate::task::text_of(script));
  }
  return out;
}

Seeds choices() {
  Seeds out;
  callgate::random::Source source(2);
  for (std::size_t i = 0; i < kScripts; ++i) {
    std::string bytes;
    for (std::size_t at = 0; at < kChoices; ++at) bytes += static_cast<char>(source.below(256));
    out.emplace(fmt::format("random_{}", i), bytes);
  }
  return out;
}

Seeds small_words() {
  const std::map<std::string, std::string_view> texts = {
      {"action", "SCMP_ACT_ERRNO"},
      {"arch", "aarch64"},
      {"constant", "O_RDONLY"},
      {"diagnostic", "slot-not-stored at 4 (0)"},
      {"errno", "EPERM"},
      {"input", "nr=-1 arch=x86_64 ip=0x401005 args=1,2,0xffffffffffffffff"},
      {"number", "0xffffffffffffffff"},
      {"outcome", "process-dies 31"},
      {"result", "ERRNO(65535)"},
      {"siginfo", "signo=31 code=1 errno=7 addr=0x1002 syscall=39 arch=x86"},
      {"syscall", "openat"},
      {"verdict", "ERRNO(2) winner 1"},
      {"version", "v6.18.3-cloud-amd64"}};
  Seeds out;
  for (const auto& [name, text] : texts) out.emplace(name, x86_64_byte() + std::string(text));
  return out;
}

// The examples of profiles, each after the byte of its format.
Seeds profiles(const fs::path& folder) {
  Seeds out;
  for (const auto& file : fs::directory_iterator(folder)) {
    if (!file.is_regular_file()) continue;
    const std::string text = content_of(file.path());
    for (const auto& row : callgate::front_ends::profile_formats()) {
      if (!row.detect(text, file.path().string())) continue;
      out.emplace(file.path().filename(), fuzz::profile_byte(row.name) + text);
      break;
    }
  }
  return out;
}

// Nothing for read_program, read_asm, read_manifest, read_suite, read_trace and read_workload:
// their seeds are written by hand.
Seeds seeds_of(const fuzz::TargetInfo& target, const fs::path& source,
               const std::vector<VectorFile>& files, bool all) {
  switch (target.input) {
    case fuzz::InputKind::Case:
      return seeds_of_vectors(files, target.vector, all,
                              [](const VectorFile& file) { return case_bytes(file.vector); });
    case fuzz::InputKind::Choices:
      return choices();
    case fuzz::InputKind::Text:
      break;
  }
  if (target.name == "read_vector") {
    return seeds_of_vectors(files, target.vector, all,
                            [](const VectorFile& file) -> std::optional<std::string> {
                              return kind_byte(file.vector.kind) + file.text;
                            });
  }
  if (target.name == "read_profile") return profiles(source / "corpus/profiles");
  if (target.name == "read_script") return scripts();
  if (target.name == "read_words") return small_words();
  return {};
}

// An entry of a dictionary: what is no plain character as \xNN.
std::string entry(std::string_view bytes) {
  std::string out = "\"";
  for (const char c : bytes) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = byte > 0x20 && byte < 0x7f && c != '"' && c != '\\';
    out += plain ? std::string(1, c) : fmt::format("\\x{:02x}", byte);
  }
  return out + "\"\n";
}

template <typename T>
std::string little_endian(T value) {
  std::string out;
  for (std::size_t i = 0; i < sizeof(T); ++i) out += static_cast<char>(value >> (8 * i) & 0xff);
  return out;
}

std::set<std::string> words_of_tables(fuzz::InputKind input) {
  std::set<std::string> out;
  const bool text = input == fuzz::InputKind::Text;
  const auto add = [&](std::string_view word, std::uint32_t value) {
    out.insert(text ? std::string(word) : little_endian(value));
  };
  for (const callgate::OpcodeInfo& row : callgate::opcodes()) {
    const auto code = static_cast<std::uint16_t>(row.opcode);
    out.insert(text ? std::string(row.mnemonic) : little_endian(code));
    if (text) out.insert(fmt::format("0x{:02x}", code));
  }
  for (const auto& row : callgate::actions()) add(row.name, static_cast<std::uint32_t>(row.action));
  for (const auto& row : callgate::arches()) add(row.name, row.token);
  if (!text) return out;
  for (const auto& row : callgate::features()) out.insert(std::string(row.name));
  for (const auto& row : callgate::diagnostics()) out.insert(std::string(row.name));
  return out;
}

// The words of a text: letters, digits, and what holds them together.
void add_words(std::string_view text, std::set<std::string>& out) {
  constexpr std::size_t kLongestWord = 32;
  std::string word;
  for (const char c : std::string(text) + " ") {
    if (std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '_' || c == '-' || c == '=') {
      word += c;
      continue;
    }
    if (c == ':' && !word.empty()) word += c;
    if (word.size() > 1 && word.size() <= kLongestWord &&
        std::isalpha(static_cast<unsigned char>(word.front())) != 0) {
      out.insert(word);
    }
    word.clear();
  }
}

void write(const fs::path& path, std::string_view bytes) {
  fs::create_directories(path.parent_path());
  std::ofstream file(path, std::ios::binary);
  file.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  if (!file.flush()) throw std::runtime_error(path.string() + ": cannot be written");
}

// The options that OSS-Fuzz and its like read beside a target.
std::string options_of(const fuzz::TargetInfo& target) {
  std::string out = fmt::format("[libfuzzer]\nmax_len = {}\n", target.longest);
  // Scripts are made of many choices: short inputs are all the same.
  if (target.input == fuzz::InputKind::Choices) out += "len_control = 0\n";
  return out;
}

void write_all(const fs::path& source, const fs::path& out, bool seeds_only, bool all) {
  const std::vector<VectorFile> files = vectors_below(source / "corpus/vectors");
  for (const fuzz::TargetInfo& target : fuzz::kTargets) {
    Seeds seeds = seeds_of(target, source, files, all);
    const fs::path written = source / "fuzz/seeds" / target.name;
    if (seeds.empty()) {
      for (const auto& entry : fs::directory_iterator(written)) {
        seeds.emplace(entry.path().filename(), content_of(entry.path()));
      }
    }
    for (const auto& [name, bytes] : seeds) {
      write(out / (seeds_only ? "" : "seeds") / target.name / name, bytes);
    }
    if (seeds_only) continue;
    std::set<std::string> words = words_of_tables(target.input);
    if (target.input == fuzz::InputKind::Text) {
      for (const auto& [name, bytes] : seeds) add_words(bytes, words);
    }
    std::string dictionary;
    for (const std::string& word : words) dictionary += entry(word);
    write(out / fmt::format("fuzz_{}.dict", target.name), dictionary);
    write(out / fmt::format("fuzz_{}.options", target.name), options_of(target));
  }
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"Seeds, dictionaries and options of the fuzz targets", "callgate_fuzz_seeds"};
  std::string source;
  std::string out;
  bool seeds_only = false;
  bool all = false;
  app.add_option("SOURCE", source, "This source tree")
      ->required()
      ->type_name("")
      ->check(CLI::ExistingDirectory);
  app.add_option("OUT", out, "Where to write")->required()->type_name("");
  app.add_flag("--seeds-only", seeds_only,
               "Write OUT/TARGET/SEED alone; else OUT/seeds/TARGET/SEED, OUT/fuzz_TARGET.dict and "
               "OUT/fuzz_TARGET.options");
  app.add_flag("--all", all, "A seed of every vector, not of a few that show everything");
  app.footer(
      "\nExample, to make fuzz/seeds anew:\n  callgate_fuzz_seeds . fuzz/seeds --seeds-only");
  try {
    app.parse(argc, argv);
    write_all(source, out, seeds_only, all);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "callgate_fuzz_seeds: {}\n", error.what());
    return 2;
  }
}
