#include "harness/suite/verb.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/front_ends/constants.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/scanner.hpp"
#include "harness/suite/vector_program.hpp"
#include "vm/actions.hpp"

namespace callgate::suite {
namespace {

using verifier::Level;
using Quantifier = Verb::Quantifier;

constexpr std::uint32_t kKind = 0xff000000U;
constexpr std::string_view kVerbs =
    "allow, log, notify, trace, trap, errno, kill, kill_thread, kill_process, deny, executes, "
    "returns, sigsys, dies, tracer decides, listener decides; with never or sometimes before it";

std::uint32_t bits_of(Action action) { return static_cast<std::uint32_t>(action); }

// A row of what an author may write: a verb without a number after it.
struct Row {
  std::string_view name;
  Level level;
  std::vector<Wanted> wanted;
  std::string_view words;
  bool permits;
};

const std::vector<Row>& rows() {
  static const std::vector<Row> kRows = {
      {"allow", Level::Verdict, {{0xffffffffU, bits_of(Action::Allow)}}, "ALLOW", true},
      {"log", Level::Verdict, {{kActionMask, bits_of(Action::Log)}}, "LOG", true},
      {"notify", Level::Verdict, {{kActionMask, bits_of(Action::UserNotif)}}, "USER_NOTIF", true},
      {"kill",
       Level::Verdict,
       {{kActionMask, bits_of(Action::KillThread)}, {kActionMask, bits_of(Action::KillProcess)}},
       "KILL_THREAD or KILL_PROCESS",
       false},
      {"kill_thread",
       Level::Verdict,
       {{kActionMask, bits_of(Action::KillThread)}},
       "KILL_THREAD",
       false},
      {"kill_process",
       Level::Verdict,
       {{kActionMask, bits_of(Action::KillProcess)}},
       "KILL_PROCESS",
       false},
      {"deny", Level::Executes, {{0xffffffffU, 0}}, "that it is not simply executed", false},
      {"executes",
       Level::Outcome,
       {{kKind, verifier::outcome_number(OutcomeKind::Executes)}},
       "that it is executed",
       true},
      {"sigsys",
       Level::Outcome,
       {{kKind, verifier::outcome_number(OutcomeKind::Sigsys)}},
       "SIGSYS",
       false},
      {"dies",
       Level::Outcome,
       {{kKind, verifier::outcome_number(OutcomeKind::ThreadDies)},
        {kKind, verifier::outcome_number(OutcomeKind::ProcessDies)}},
       "that the caller dies",
       false},
      {"tracer decides",
       Level::Outcome,
       {{kKind, verifier::outcome_number(OutcomeKind::TracerDecides)}},
       "that the tracer decides",
       true},
      {"listener decides",
       Level::Outcome,
       {{kKind, verifier::outcome_number(OutcomeKind::ListenerDecides)}},
       "that the listener decides",
       true},
  };
  return kRows;
}

// "EPERM", "1"; at most `most`.
std::expected<std::uint32_t, std::string> errno_of(Scanner& scanner, Arch machine,
                                                   std::uint32_t most) {
  // The errno of most suites; the table of constants has none that architectures have differently.
  if (scanner.accept_word("ENOSYS"))
    return static_cast<std::uint32_t>(info(machine).numbers.enosys);
  const auto value = read_value(scanner, machine);
  if (!value) return std::unexpected(value.error().message);
  if (value->bits > most) return std::unexpected(fmt::format("it is {} at most", most));
  return static_cast<std::uint32_t>(value->bits);
}

std::string with_name(std::uint32_t number, Arch machine) {
  const auto name = report::errno_name(number, machine);
  return name ? fmt::format(", {}", *name) : std::string{};
}

// What takes a number: "errno EPERM", "trap 7", "trace", "returns -1 ENOSYS".
std::expected<bool, std::string> with_number(Scanner& scanner, Arch machine, Verb& verb) {
  const auto data = [&](Action action, std::string_view words) -> std::expected<bool, std::string> {
    verb.wanted = {{kActionMask, bits_of(action)}};
    verb.words = std::string(words);
    if (scanner.at_end()) return true;
    const auto number = errno_of(scanner, machine, kDataMask);
    if (!number) return std::unexpected(number.error());
    verb.wanted = {{0xffffffffU, bits_of(action) | *number}};
    verb.words = fmt::format("{}({})", words, *number);
    if (action == Action::Errno) verb.words += with_name(*number, machine);
    return true;
  };
  if (scanner.accept_word("errno")) return data(Action::Errno, "ERRNO");
  if (scanner.accept_word("trap")) return data(Action::Trap, "TRAP");
  if (scanner.accept_word("trace")) {
    verb.high = HighHalf::Extended;
    return data(Action::Trace, "TRACE");
  }
  if (!scanner.accept_word("returns")) return false;
  verb.level = Level::Outcome;
  std::uint32_t number = 0;
  if (scanner.accept("-")) {
    // -1 and what errno holds, as the C library has it; or -ERRNO, as the kernel returns it.
    const std::size_t start = scanner.at();
    if (scanner.accept("1")) {
      const std::string_view rest = scanner.text().substr(scanner.at());
      if (!rest.empty() && rest[0] != ' ' && rest[0] != '\t') scanner.go_back(start);
    }
    const auto found = errno_of(scanner, machine, 4095);
    if (!found) {
      return std::unexpected(
          fmt::format("returns -1 ERRNO says which errno it is: {}", found.error()));
    }
    number = *found;
    if (number == 0) {
      return std::unexpected("with errno 0 the call returns 0: write `returns 0`");
    }
    verb.words = fmt::format("returns -1{}", with_name(number, machine));
    if (!report::errno_name(number, machine)) verb.words += fmt::format(", errno {}", number);
  } else if (scanner.accept("0")) {
    verb.words = "returns 0";
  } else {
    return std::unexpected(
        "after `returns` comes 0, -1 and an errno (returns -1 ENOSYS), or -ENOSYS");
  }
  verb.wanted = {{0xffffffffU, verifier::outcome_number(OutcomeKind::Returns, number)}};
  return true;
}

}  // namespace

bool Verb::names(std::uint32_t number) const noexcept {
  return std::ranges::any_of(
      wanted, [&](const Wanted& each) { return (number & each.mask) == each.value; });
}

std::expected<Verb, std::string> parse_verb(std::string_view text, Arch machine) {
  Scanner scanner(text);
  Verb verb;
  verb.text = std::string(text);
  if (scanner.accept_word("never")) {
    verb.quantifier = Quantifier::Never;
  } else if (scanner.accept_word("sometimes")) {
    verb.quantifier = Quantifier::Sometimes;
  }
  const auto numbered = with_number(scanner, machine, verb);
  if (!numbered) {
    return std::unexpected(fmt::format("{}: {}", front_ends::shown(text), numbered.error()));
  }
  bool permits = verb.high == HighHalf::Extended;
  if (!*numbered) {
    static_cast<void>(scanner.peek());
    std::string rest(scanner.text().substr(scanner.at()));
    while (!rest.empty() && rest.back() == ' ') rest.pop_back();
    const auto row =
        std::ranges::find_if(rows(), [&](const Row& each) { return each.name == rest; });
    if (row == rows().end()) {
      return std::unexpected(fmt::format("{}: nothing that can be expected; there are {}",
                                         front_ends::shown(text), kVerbs));
    }
    verb.level = row->level;
    verb.wanted = row->wanted;
    verb.words = std::string(row->words);
    permits = row->permits;
  } else if (!scanner.at_end()) {
    return std::unexpected(
        fmt::format("{}: {} is too much", front_ends::shown(text), scanner.next_words()));
  }
  if (verb.quantifier == Quantifier::Never) {
    permits = !permits;
    verb.words = fmt::format("anything but {}", verb.words);
  }
  if (verb.quantifier == Quantifier::Sometimes) {
    permits = true;
    verb.words = fmt::format("{} for one of them", verb.words);
  }
  verb.high = permits ? HighHalf::Extended : HighHalf::Any;
  return verb;
}

std::optional<std::uint32_t> parse_recorded_verdict(std::string_view text, Arch machine) {
  if (const auto result = parse_result(text)) return result;
  constexpr std::string_view kErrno = "ERRNO(";
  if (!text.starts_with(kErrno) || !text.ends_with(')')) return std::nullopt;
  text.remove_prefix(kErrno.size());
  text.remove_suffix(1);
  if (text == "ENOSYS") {
    return bits_of(Action::Errno) | static_cast<std::uint32_t>(info(machine).numbers.enosys);
  }
  const auto value = front_ends::find_constant(text, machine);
  if (!value || *value > kDataMask) return std::nullopt;
  return bits_of(Action::Errno) | static_cast<std::uint32_t>(*value);
}

}  // namespace callgate::suite
