#include <fmt/format.h>

#include <charconv>
#include <optional>

#include "harness/front_ends/policy_text.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/suite/scanner.hpp"
#include "harness/trace/text.hpp"
#include "harness/workload/table.hpp"
#include "harness/workload/tally.hpp"
#include "harness/workload/tested_arguments.hpp"
#include "vm/syscalls.hpp"

namespace callgate::workload {
namespace {

using suite::Scanner;
using suite::TextError;

constexpr std::string_view kBlanks = " \t";
// How much of a text is looked at to tell what it is.
constexpr std::size_t kLooked = std::size_t{64} * 1024;

std::string_view trimmed(std::string_view text) {
  const std::size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// What follows a word at the begin of a line; nothing where another stands there.
std::optional<std::string_view> after(std::string_view line, std::string_view word) {
  if (!line.starts_with(word)) return std::nullopt;
  line.remove_prefix(word.size());
  if (!line.empty() && kBlanks.find(line.front()) == std::string_view::npos) return std::nullopt;
  return trimmed(line);
}

std::optional<std::uint64_t> decimal(std::string_view text) {
  std::uint64_t value = 0;
  const auto [at, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (text.empty() || error != std::errc{} || at != text.data() + text.size()) return std::nullopt;
  return value;
}

// The ABI that lines are about.
struct Section {
  std::uint32_t token = 0;
  std::optional<Arch> abi;  // nothing: calls have numbers only
  bool known = true;        // false: `arch *`
};

std::optional<Section> section_of(std::string_view word) {
  if (word == "*") return Section{0, std::nullopt, false};
  if (const auto number = suite::number_of(word)) {
    if (*number > 0xffffffffU) return std::nullopt;
    const auto token = static_cast<std::uint32_t>(*number);
    return Section{token, arch_from_token(token), true};
  }
  const auto arch = arch_from_name(word);
  if (!arch) return std::nullopt;
  return Section{info(*arch).token, arch, true};
}

// Whether the value can be the low half of a register, or the high one.
bool fits_half(const suite::Value& value) {
  return value.bits <= 0xffffffffU || (value.negative && value.bits >= 0xffffffff80000000U);
}

class Line {
 public:
  Line(std::string_view text, const Section& section) : scanner_(text), section_(section) {}

  std::expected<KnownCall, TextError> read() {
    KnownCall call;
    call.known = section_.known ? verifier::kArchKnown : KnownWords{0};
    call.data.arch = section_.token;
    if (auto wrong = name(call)) return std::unexpected(*wrong);
    if (scanner_.accept("(")) {
      if (auto wrong = arguments(call)) return std::unexpected(*wrong);
    }
    static_cast<void>(scanner_.accept(":"));
    static_cast<void>(scanner_.peek());
    const std::string_view rest = trimmed(scanner_.text().substr(scanner_.at()));
    const auto count = decimal(rest);
    if (!count) {
      if (rest.empty() || rest.find_first_of(kBlanks) != std::string_view::npos) {
        return scanner_.error("write a call's name and its count, such as `read 120`");
      }
      return scanner_.error(fmt::format("{}: not a count", front_ends::shown(rest)));
    }
    call.count = *count;
    return call;
  }

 private:
  using Wrong = std::optional<TextError>;

  Wrong wrong(std::string message) { return scanner_.error(std::move(message)).error(); }

  Wrong name(KnownCall& call) {
    if (scanner_.accept("*")) return std::nullopt;
    call.known |= verifier::kNumberKnown;
    const char first = scanner_.peek();
    const std::size_t start = scanner_.at();
    if ((first >= '0' && first <= '9') || first == '-') {
      const auto value = suite::read_value(scanner_, section_.abi.value_or(Arch::X86_64));
      if (!value) return value.error();
      if (!fits_half(*value)) {
        scanner_.go_back(start);
        return wrong("a number of a call has 32 bits");
      }
      call.data.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(value->bits));
      return std::nullopt;
    }
    const std::string_view word = scanner_.word();
    if (word.empty()) return wrong("write a call's name and its count, such as `read 120`");
    const auto number =
        section_.abi ? syscall_number(*section_.abi, word) : std::optional<std::uint32_t>();
    if (!number) {
      scanner_.go_back(start);
      return wrong(section_.abi ? suite::no_such_call(word, *section_.abi)
                                : "a number is wanted: the names of this ABI are not known");
    }
    call.data.nr = static_cast<std::int32_t>(*number);
    return std::nullopt;
  }

  Wrong arguments(KnownCall& call) {
    if (scanner_.accept(")")) return std::nullopt;
    for (unsigned i = 0;; ++i) {
      if (i >= call.data.args.size()) return wrong("a call has 6 arguments at most");
      if (auto failed = argument(call, i)) return failed;
      if (scanner_.accept(")")) return std::nullopt;
      if (!scanner_.accept(",")) {
        return wrong(fmt::format("`)` is missing, and {} comes", scanner_.next_words()));
      }
    }
  }

  Wrong argument(KnownCall& call, unsigned i) {
    if (scanner_.accept("*")) return std::nullopt;
    static_cast<void>(scanner_.peek());
    const std::size_t start = scanner_.at();
    const auto value = suite::read_value(scanner_, section_.abi.value_or(Arch::X86_64));
    if (!value) return value.error();
    if (!scanner_.accept(":")) {
      call.data.args[i] = value->bits;
      call.known |= verifier::low_known(i);
      call.known |= verifier::high_known(i);
      return std::nullopt;
    }
    const bool low = scanner_.accept_word("low");
    if (!low && !scanner_.accept_word("high")) {
      return wrong("`low` or `high` is missing after the colon");
    }
    if (!fits_half(*value)) {
      scanner_.go_back(start);
      return wrong("half of an argument has 32 bits");
    }
    call.data.args[i] = low ? value->bits & 0xffffffffU : value->bits << 32U;
    call.known |= low ? verifier::low_known(i) : verifier::high_known(i);
    return std::nullopt;
  }

  Scanner scanner_;
  const Section& section_;
};

}  // namespace

bool looks_like_table(std::string_view bytes) {
  trace::Lines lines(bytes.substr(0, kLooked));
  while (const auto next = lines.next()) {
    const std::string_view line = trimmed(next->substr(0, next->find('#')));
    if (line.empty()) continue;
    if (after(line, "arch") || after(line, "workload")) return true;
    const std::size_t space = line.find_last_of(kBlanks);
    if (space == std::string_view::npos || !decimal(line.substr(space + 1))) return false;
    const std::string_view call = trimmed(line.substr(0, space));
    return call.ends_with(')') || call.find_first_of(kBlanks) == std::string_view::npos;
  }
  return false;
}

std::expected<Workload, ReadError> read_table(std::string_view bytes, Arch arch, Keep keep) {
  Workload out;
  Tally tally(kMostDistinct);
  TestedArguments tested;
  Section section{info(arch).token, arch, true};
  bool at_head = true;
  trace::Lines lines(bytes);
  while (const auto next = lines.next()) {
    const auto fail = [&](std::string message, std::optional<std::size_t> column = {}) {
      return std::unexpected(ReadError{std::move(message), lines.number(), column, {}});
    };
    if (next->size() > trace::kLongestLine) return fail("a line of more than 1 MiB");
    if (const auto name = after(*next, "workload"); name && at_head) {
      out.name = clean_note(*name);
      continue;
    }
    const std::size_t comment = next->find('#');
    const std::string_view line = trimmed(next->substr(0, comment));
    if (line.empty()) {
      if (comment == std::string_view::npos || !at_head) continue;
      std::string note = clean_note(next->substr(comment + 1));
      if (!note.empty()) out.notes.push_back(std::move(note));
      continue;
    }
    if (after(line, "workload")) return fail("`workload NAME` comes before the calls");
    at_head = false;
    if (const auto word = after(line, "arch")) {
      const auto found = section_of(*word);
      if (!found) return fail(fmt::format("{}: no architecture", front_ends::shown(*word)));
      section = *found;
      continue;
    }
    auto call = Line(next->substr(0, comment), section).read();
    if (!call) return fail(call.error().message, call.error().offset + 1);
    if (keep == Keep::Tested) tested.condense(*call);
    if (!tally.add(*call)) return std::unexpected(too_many_calls());
  }
  out.calls = tally.calls();
  if (out.calls.empty()) {
    return std::unexpected(ReadError{"there is no call in it", {}, {}, {}});
  }
  return out;
}

}  // namespace callgate::workload
