#include "harness/suite/vector.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

#include "harness/suite/vector_values.hpp"

namespace callgate::suite {
namespace {

constexpr std::array kKinds = {VectorKind::Check, VectorKind::Run, VectorKind::Stack,
                               VectorKind::Outcome};
constexpr std::uint64_t kLargestWord = std::numeric_limits<std::uint32_t>::max();

struct Key {
  std::string_view name;
  std::string_view kinds;  // folders' first letters: c, r, s, o
};

// Which key may stand where. A vector's own keys come before its inputs.
constexpr std::array kKeys = {
    Key{"kernel", "crso"},
    Key{"arch", "crso"},
    Key{"blinding", "c"},
    Key{"engine", "cr"},
    Key{"feature", "crso"},
    Key{"program", "crs"},
    Key{"accepted", "c"},
    Key{"refused", "c"},
    Key{"length", "c"},
    Key{"counts as new", "c"},
    Key{"counts as attached", "c"},
    Key{"value", "o"},
    Key{"tracer", "o"},
    Key{"listener", "o"},
    Key{"threads", "o"},
    Key{"sigsys", "o"},
    Key{"log flag", "o"},
    Key{"mode", "o"},
    Key{"input", "rso"},
    Key{"returns", "r"},
    Key{"executed", "r"},
    Key{"verdict", "s"},
    Key{"outcome", "o"},
    Key{"logged", "so"},
    Key{"core", "o"},
    Key{"siginfo", "o"},
};

class Parser {
 public:
  Parser(std::string_view text, VectorKind kind) : rest_(text) { vector_.kind = kind; }

  std::expected<Vector, VectorError> run() {
    while (next_line()) {
      if (!read_key()) return std::unexpected(error_);
    }
    if (!whole()) return std::unexpected(error_);
    return std::move(vector_);
  }

 private:
  bool fail(std::string message) {
    error_ = {line_.number, std::move(message)};
    return false;
  }

  // Goes to the next line that says something. Comments before the first key are the story.
  bool next_line() {
    if (held_) {
      held_ = false;
      return true;
    }
    while (!rest_.empty()) {
      const std::size_t end = std::min(rest_.find('\n'), rest_.size());
      std::string_view raw = rest_.substr(0, end);
      rest_.remove_prefix(std::min(end + 1, rest_.size()));
      ++number_;
      if (raw.starts_with('#')) {
        if (seen_.empty()) vector_.story += std::string(trim(raw.substr(1))) + "\n";
        continue;
      }
      raw = raw.substr(0, raw.find(';'));
      const std::string_view text = trim(raw);
      if (text.empty()) continue;
      indented_ = raw.front() == ' ' || raw.front() == '\t';
      line_ = {number_, text};
      return true;
    }
    return false;
  }

  std::vector<VectorLine> read_block() {
    std::vector<VectorLine> lines;
    while (next_line()) {
      if (!indented_) {
        held_ = true;
        break;
      }
      lines.push_back(line_);
    }
    return lines;
  }

  bool read_key() {
    if (indented_) return fail("an indented line outside of a block");
    const std::size_t colon = line_.text.find(':');
    const std::string_view name = trim(line_.text.substr(0, colon));
    const std::string_view value =
        colon == std::string_view::npos ? std::string_view{} : trim(line_.text.substr(colon + 1));
    const auto* key = std::ranges::find(kKeys, name, &Key::name);
    if (key == kKeys.end()) return fail("unknown key: " + std::string(name));
    if (!key->kinds.contains(folder(vector_.kind).front())) {
      return fail("not a key of such a vector: " + std::string(name));
    }
    if ((colon == std::string_view::npos) != (name == "accepted")) {
      return fail("KEY: VALUE, or the word accepted");
    }
    return once(name) && read_value(name, value);
  }

  // Only what may be said several times stands twice; what is said of a case, once for each.
  bool once(std::string_view name) {
    if (name == "input" || name == "program" || name == "feature") {
      seen_.emplace_back(name);
      return true;
    }
    const bool of_case = name == "returns" || name == "executed" || name == "verdict" ||
                         name == "outcome" || name == "logged" || name == "core" ||
                         name == "siginfo";
    auto& seen = of_case ? seen_in_case_ : seen_;
    if (std::ranges::find(seen, name) != seen.end()) {
      return fail("stands twice: " + std::string(name));
    }
    if (!of_case && !vector_.cases.empty()) return fail("must stand before the inputs");
    if (of_case && vector_.cases.empty()) add_case();
    seen.emplace_back(name);
    return true;
  }

  void add_case() {
    seen_in_case_.clear();
    VectorCase fresh;
    fresh.data.arch = info(vector_.kernel.arch).token;
    vector_.cases.push_back(fresh);
  }

  bool read_value(std::string_view name, std::string_view value) {
    if (name == "program") return read_program(value);
    if (name == "input") {
      add_case();
      const auto data = parse_input(value, vector_.cases.back().data.arch);
      if (data) vector_.cases.back().data = *data;
      return data.has_value() || fail("bad input: " + std::string(value));
    }
    if (name == "refused") return read_refused(value);
    if (name == "accepted") return true;
    const bool read = read_kernel(name, value) || read_surroundings(name, value) ||
                      read_check(name, value) || read_expectation(name, value);
    return read || fail("bad value of " + std::string(name) + ": " + std::string(value));
  }

  bool read_kernel(std::string_view name, std::string_view value) {
    if (name == "kernel") {
      const auto version = parse_version(value);
      if (version) vector_.kernel.version = *version;
      return version.has_value();
    }
    if (name == "arch") {
      const auto arch = arch_from_name(value);
      if (arch) vector_.kernel.arch = *arch;
      return arch.has_value();
    }
    if (name == "blinding") return read_choice(value, "yes", "no", vector_.kernel.blinds_constants);
    if (name == "engine") {
      bool interpreter = false;
      if (!read_choice(value, "interpreter", "jit", interpreter)) return false;
      vector_.kernel.engine = interpreter ? KernelEngine::Interpreter : KernelEngine::Jit;
      return true;
    }
    if (name == "feature") {
      for (const FeatureInfo& row : features()) {
        if (row.name != value) continue;
        vector_.features.push_back(row.feature);
        return true;
      }
    }
    return false;
  }

  bool read_surroundings(std::string_view name, std::string_view value) {
    if (name == "tracer") return read_choice(value, "yes", "no", vector_.around.tracer);
    if (name == "listener") return read_choice(value, "yes", "no", vector_.around.listener);
    if (name == "log flag") return read_choice(value, "yes", "no", vector_.around.log_flag);
    if (name == "mode") return read_choice(value, "strict", "filter", vector_.strict);
    if (name == "sigsys") {
      return read_choice(value, "blocked", "free", vector_.around.sigsys_blocked_or_ignored);
    }
    if (name == "threads") {
      const auto number = parse_number(value, 0xffff);
      if (!number || *number == 0) return false;
      vector_.around.only_thread = *number == 1;
      return true;
    }
    if (name == "value") {
      vector_.value = parse_result(value);
      return vector_.value.has_value();
    }
    return false;
  }

  bool read_check(std::string_view name, std::string_view value) {
    const auto number = parse_number(value, kLargestWord);
    if (!number) return false;
    if (name == "length") {
      vector_.length = *number;
      return true;
    }
    const bool as_new = name == "counts as new";
    if (!as_new && name != "counts as attached") return false;
    if (!vector_.counts) vector_.counts.emplace();
    (as_new ? vector_.counts->as_new : vector_.counts->as_attached) = *number;
    return true;
  }

  bool read_expectation(std::string_view name, std::string_view value) {
    if (vector_.cases.empty()) return false;
    VectorCase& here = vector_.cases.back();
    if (name == "returns") {
      here.undefined = value == "undefined";
      if (!here.undefined) here.returns = parse_result(value);
      return here.undefined || here.returns.has_value();
    }
    if (name == "executed") {
      const auto number = parse_number(value, kMaxProgramLength);
      if (number) here.executed = *number;
      return number.has_value();
    }
    if (name == "verdict") {
      here.verdict = parse_verdict(value);
      return here.verdict.has_value();
    }
    if (name == "outcome") {
      here.outcome = parse_outcome(value);
      return here.outcome.has_value();
    }
    if (name == "siginfo") {
      const auto siginfo = parse_siginfo(value);
      here.siginfo = siginfo.value_or(ExpectedSiginfo{});
      return siginfo.has_value();
    }
    bool said = false;
    if (name != "logged" && name != "core") return false;
    if (!read_choice(value, "yes", "no", said)) return false;
    (name == "logged" ? here.logged : here.core) = said;
    return true;
  }

  static bool read_choice(std::string_view value, std::string_view yes, std::string_view no,
                          bool& out) {
    out = value == yes;
    return value == yes || value == no;
  }

  bool read_program(std::string_view header) {
    if (!vector_.cases.empty()) return fail("must stand before the inputs: program");
    VectorProgram program;
    const auto parts = split_words(header);
    for (std::size_t i = 0; i < parts.size(); ++i) {
      if (parts[i] == "log") {
        program.flags.log = true;
        continue;
      }
      const auto times = parse_number(parts[i], kMaxInstructionsPerTask);
      if (!times || *times == 0 || i + 1 == parts.size() || parts[i + 1] != "times") {
        return fail("program: [N times] [log]");
      }
      program.times = *times;
      ++i;
    }
    const auto instructions = parse_vector_program(read_block());
    if (!instructions) {
      error_ = instructions.error();
      return false;
    }
    program.instructions = *instructions;
    vector_.programs.push_back(std::move(program));
    return true;
  }

  bool read_refused(std::string_view errno_name) {
    if (errno_name == "EINVAL") {
      vector_.refused = InstallError::Invalid;
    } else if (errno_name == "ENOMEM") {
      vector_.refused = InstallError::NoMemory;
    } else {
      return fail("refused: EINVAL or ENOMEM");
    }
    for (const VectorLine& line : read_block()) {
      const auto diagnostic = parse_diagnostic(line.text);
      if (!diagnostic) {
        error_ = {line.number, "ID [at INSTRUCTION] [(OPERAND[, OPERAND])]"};
        return false;
      }
      vector_.diagnostics.push_back(*diagnostic);
    }
    return true;
  }

  // What a vector must not lack.
  bool whole() {
    if (vector_.story.empty()) return fail("no comment at the top that tells the rule");
    const auto said = [&](std::string_view key) {
      return std::ranges::find(seen_, key) != seen_.end();
    };
    if (vector_.kind == VectorKind::Outcome) {
      if (vector_.value.has_value() == vector_.strict) return fail("value, or mode: strict");
    } else if (vector_.programs.empty()) {
      return fail("no program");
    }
    if (vector_.kind == VectorKind::Run && vector_.programs.size() != 1) {
      return fail("one program");
    }
    if (vector_.kind == VectorKind::Check) {
      if (said("accepted") == said("refused")) return fail("either accepted or refused");
      if (vector_.refused && vector_.diagnostics.empty()) return fail("refused, but not why");
      if (said("counts as new") != said("counts as attached")) {
        return fail("counts as new and counts as attached go together");
      }
      return true;
    }
    if (vector_.cases.empty()) return fail("nothing is expected");
    for (const VectorCase& each : vector_.cases) {
      const bool run = each.returns || each.undefined;
      if (!run && !each.verdict && !each.outcome)
        return fail("an input of which nothing is expected");
    }
    return true;
  }

  std::string_view rest_;
  std::size_t number_ = 0;
  VectorLine line_;
  bool indented_ = false;
  bool held_ = false;  // the line has been looked at, and not taken
  std::vector<std::string> seen_;
  std::vector<std::string> seen_in_case_;
  Vector vector_;
  VectorError error_;
};

}  // namespace

std::span<const VectorKind> vector_kinds() noexcept { return kKinds; }

std::string_view folder(VectorKind kind) noexcept {
  switch (kind) {
    case VectorKind::Check:
      return "check";
    case VectorKind::Run:
      return "run";
    case VectorKind::Stack:
      return "stack";
    case VectorKind::Outcome:
      return "outcome";
  }
  return "";
}

std::expected<Vector, VectorError> parse_vector(std::string_view text, VectorKind kind) {
  return Parser(text, kind).run();
}

}  // namespace callgate::suite
