#include "harness/suite/scmp/result_words.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "vm/actions.hpp"
#include "vm/filter_stack.hpp"

namespace callgate::suite::scmp {
namespace {

// The action's word, and whether its data stand behind it.
struct Word {
  std::string_view name;
  bool data;
};

Word word_of(Action action) {
  switch (action) {
    case Action::KillProcess:
      return {"KILL_PROCESS", false};
    case Action::KillThread:
      return {"KILL", false};
    case Action::Trap:
      return {"TRAP", false};
    case Action::Errno:
      return {"ERRNO", true};
    case Action::UserNotif:
      return {"NOTIFY", false};
    case Action::Trace:
      return {"TRACE", true};
    case Action::Log:
      return {"LOG", false};
    case Action::Allow:
      return {"ALLOW", false};
  }
  return {"", false};
}

}  // namespace

std::optional<std::string> result_word(std::uint32_t value, const KernelModel& model) {
  const ActionInfo* const action = find_action(action_bits(value, model));
  if (action == nullptr || model.version < Version{action->since_major, action->since_minor, 0}) {
    return std::nullopt;
  }
  const Word word = word_of(action->action);
  if (!word.data) return std::string(word.name);
  return fmt::format("{}({})", word.name, value & kDataMask);
}

bool is_result_word(std::string_view text) noexcept {
  return std::ranges::any_of(actions(), [&](const ActionInfo& row) {
    const Word word = word_of(row.action);
    if (!word.data) return text == word.name;
    if (!text.starts_with(word.name) || !text.ends_with(')')) return false;
    text.remove_prefix(word.name.size());
    if (!text.starts_with('(')) return false;
    const std::string_view digits = text.substr(1, text.size() - 2);
    if (digits.size() > 1 && digits.front() == '0') return false;
    std::uint16_t data = 0;
    const char* const end = digits.data() + digits.size();
    const auto [at, error] = std::from_chars(digits.data(), end, data);
    return error == std::errc{} && at == end;
  });
}

bool is_live_word(std::string_view text) noexcept {
  return std::ranges::any_of(
      actions(), [&](const ActionInfo& row) { return text == word_of(row.action).name; });
}

}  // namespace callgate::suite::scmp
