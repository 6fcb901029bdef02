#include "harness/suite/vector_values.hpp"

#include <algorithm>
#include <array>
#include <limits>
#include <utility>

namespace callgate::suite {
namespace {

constexpr std::uint64_t kLargestWord = std::numeric_limits<std::uint32_t>::max();
constexpr std::uint64_t kLargest = std::numeric_limits<std::uint64_t>::max();

std::optional<std::int64_t> parse_signed(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto number = parse_number(text, std::numeric_limits<std::int64_t>::max());
  if (!number) return std::nullopt;
  return negative ? -static_cast<std::int64_t>(*number) : static_cast<std::int64_t>(*number);
}

// A syscall number as a person writes it: -1, 39, 0x4000006e.
std::optional<std::int32_t> parse_nr(std::string_view text) {
  if (const auto word = parse_number(text, kLargestWord)) {
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(*word));
  }
  const auto number = parse_signed(text);
  if (!number || *number < std::numeric_limits<std::int32_t>::min() || *number > 0) {
    return std::nullopt;
  }
  return static_cast<std::int32_t>(*number);
}

std::optional<std::uint32_t> parse_token(std::string_view text) {
  if (const auto arch = arch_from_name(text)) return info(*arch).token;
  const auto word = parse_number(text, kLargestWord);
  if (!word) return std::nullopt;
  return static_cast<std::uint32_t>(*word);
}

std::optional<int> parse_int(std::string_view text) {
  const auto number = parse_number(text, std::numeric_limits<int>::max());
  if (!number) return std::nullopt;
  return static_cast<int>(*number);
}

// One number an argument register, at most six; those left out are 0.
bool read_args(std::string_view text, SeccompData& data) {
  for (std::uint64_t& arg : data.args) {
    const std::size_t comma = std::min(text.find(','), text.size());
    const auto number = parse_number(text.substr(0, comma), kLargest);
    if (!number) return false;
    arg = *number;
    if (comma == text.size()) return true;
    text.remove_prefix(comma + 1);
  }
  return false;
}

struct Assignment {
  std::string_view name;
  std::string_view value;
};

Assignment split_assignment(std::string_view word) {
  const std::size_t equals = word.find('=');
  if (equals == std::string_view::npos) return {};
  return {word.substr(0, equals), word.substr(equals + 1)};
}

// Puts what was parsed into its field; whether there was anything.
template <typename Field, typename Parsed>
bool put(Field& field, const std::optional<Parsed>& parsed) {
  if (parsed) field = *parsed;
  return parsed.has_value();
}

}  // namespace

std::vector<std::string_view> split_words(std::string_view text) {
  std::vector<std::string_view> out;
  for (text = trim(text); !text.empty(); text = trim(text)) {
    const std::size_t space = std::min(text.find(' '), text.size());
    out.push_back(text.substr(0, space));
    text.remove_prefix(space);
  }
  return out;
}

std::optional<SeccompData> parse_input(std::string_view text, std::uint32_t token) {
  SeccompData data;
  data.arch = token;
  for (const std::string_view word : split_words(text)) {
    const auto [name, value] = split_assignment(word);
    bool good = false;
    if (name == "nr") good = put(data.nr, parse_nr(value));
    if (name == "arch") good = put(data.arch, parse_token(value));
    if (name == "ip") good = put(data.instruction_pointer, parse_number(value, kLargest));
    if (name == "args") good = read_args(value, data);
    if (!good) return std::nullopt;
  }
  return data;
}

std::optional<Verdict> parse_verdict(std::string_view text) {
  const auto parts = split_words(text);
  if (parts.size() != 3 || parts[1] != "winner") return std::nullopt;
  const auto result = parse_result(parts[0]);
  if (!result) return std::nullopt;
  if (parts[2] == "none") return Verdict{*result, std::nullopt};
  const auto winner = parse_number(parts[2], kMaxInstructionsPerTask);
  if (!winner) return std::nullopt;
  return Verdict{*result, *winner};
}

std::optional<ExpectedOutcome> parse_outcome(std::string_view text) {
  struct Row {
    OutcomeKind kind;
    bool has_number;
  };
  constexpr std::array kRows = {
      Row{OutcomeKind::Executes, false},        Row{OutcomeKind::Returns, true},
      Row{OutcomeKind::Sigsys, true},           Row{OutcomeKind::ThreadDies, true},
      Row{OutcomeKind::ProcessDies, true},      Row{OutcomeKind::TracerDecides, true},
      Row{OutcomeKind::ListenerDecides, false}, Row{OutcomeKind::Unknown, false},
  };
  const auto parts = split_words(text);
  for (const Row& row : kRows) {
    if (parts.size() != (row.has_number ? 2U : 1U) || parts[0] != to_string(row.kind)) continue;
    if (!row.has_number) return ExpectedOutcome{row.kind, 0};
    const auto number = parse_signed(parts[1]);
    if (!number) return std::nullopt;
    return ExpectedOutcome{row.kind, *number};
  }
  return std::nullopt;
}

std::optional<ExpectedSiginfo> parse_siginfo(std::string_view text) {
  ExpectedSiginfo expected;
  for (const std::string_view word : split_words(text)) {
    const auto [name, value] = split_assignment(word);
    bool good = false;
    if (name == "signo") good = put(expected.signo, parse_int(value));
    if (name == "code") good = put(expected.code, parse_int(value));
    if (name == "errno") good = put(expected.error, parse_int(value));
    if (name == "addr") good = put(expected.call_addr, parse_number(value, kLargest));
    if (name == "syscall") good = put(expected.syscall, parse_nr(value));
    if (name == "arch") good = put(expected.arch, parse_token(value));
    if (!good) return std::nullopt;
  }
  return expected;
}

std::optional<Diagnostic> parse_diagnostic(std::string_view text) {
  Diagnostic diagnostic;
  const std::size_t open = std::min(text.find('('), text.size());
  const auto parts = split_words(text.substr(0, open));
  if (parts.size() != 1 && (parts.size() != 3 || parts[1] != "at")) return std::nullopt;
  const auto row = std::ranges::find(diagnostics(), parts[0], &DiagnosticInfo::name);
  if (row == diagnostics().end()) return std::nullopt;
  diagnostic.id = row->id;
  if (parts.size() == 3 && !put(diagnostic.instruction, parse_number(parts[2], kLargestWord))) {
    return std::nullopt;
  }
  std::string_view operands = text.substr(open);
  if (operands.empty()) return diagnostic;
  if (!operands.ends_with(')')) return std::nullopt;
  operands = operands.substr(1, operands.size() - 2);
  for (std::uint64_t& operand : diagnostic.operands) {
    const std::size_t comma = std::min(operands.find(','), operands.size());
    if (!put(operand, parse_number(trim(operands.substr(0, comma)), kLargest))) {
      return std::nullopt;
    }
    if (comma == operands.size()) return diagnostic;
    operands.remove_prefix(comma + 1);
  }
  return std::nullopt;
}

}  // namespace callgate::suite
