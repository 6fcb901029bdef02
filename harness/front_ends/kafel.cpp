// Policies in kafel's language. Facts from its source (src/parser.y, range_rules.c, codegen.c at
// commits 79a3ff5, 36a1972 and 00532cc): the first rule that fits a call decides; what none fits
// gets the default, KILL (the thread) if none is given; so do calls of another architecture, always
// KILL; x32 calls are numbers as others. A policy is used once, however often USE names it, which
// changes no verdict.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <iterator>
#include <map>
#include <span>

#include "harness/front_ends/formats.hpp"
#include "harness/front_ends/kafel_expression.hpp"
#include "harness/front_ends/kafel_lexer.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/policy_writing.hpp"
#include "harness/front_ends/profile_formats.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::size_t kMostTests = 20'000;  // of one condition, and of one policy that is used

struct KnownCall {
  std::string_view name;
  std::uint32_t number;
  std::string_view arguments;
};

constexpr KnownCall kKnownCalls[] = {
#define KAFEL_CALL(name, number, arguments) KnownCall{#name, number, arguments},
#include "harness/front_ends/kafel_calls.def"
#undef KAFEL_CALL
};
static_assert(std::ranges::is_sorted(kKnownCalls, {}, &KnownCall::name));

const KnownCall* known_call(std::string_view name) {
  const auto* found = std::ranges::lower_bound(kKnownCalls, name, {}, &KnownCall::name);
  return found != std::ranges::end(kKnownCalls) && found->name == name ? found : nullptr;
}

// "fd:4 buf count"
std::vector<KafelArgument> arguments_of(std::string_view text) {
  std::vector<KafelArgument> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(' '), text.size());
    const std::string_view word = text.substr(0, end);
    const std::size_t colon = word.find(':');
    out.push_back({word.substr(0, colon),
                   colon == word.npos ? 8U : static_cast<unsigned>(word.back() - '0')});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

// A policy's part: rules, or another policy.
struct Entry {
  std::vector<Rule> rules;
  std::string_view used;  // not empty: the other one's name
};

class Reader {
 public:
  Reader(const KafelWords& words, Arch arch) : words_(words.words()), arch_(arch) {}

  Profile read(const PolicyText& main) {
    if (std::ranges::find(kKafelMachines, arch_) == kKafelMachines.end()) {
      main.fail(0,
                fmt::format("kafel has no policies for {}, or takes the halves of arguments from "
                            "wrong places there",
                            info(arch_).name));
    }
    while (next().kind != KafelToken::End) statement();
    Profile out;
    Policy& policy = out.layers.emplace_back().policy;
    policy.default_value = default_.value_or(kKillThreadValue);
    policy.foreign_value = kKillThreadValue;
    policy.arches = {arch_};
    policy.x32 = X32Calls::Numbers;
    add(main_, policy.rules);
    out.notes = std::move(notes_);
    return out;
  }

 private:
  [[nodiscard]] const KafelWord& next() const { return words_[at_]; }
  bool accept(std::string_view spelling) {
    if (!next().is(spelling)) return false;
    ++at_;
    return true;
  }
  void expect(std::string_view spelling, std::string_view where) {
    if (!accept(spelling)) next().fail(fmt::format("{} is wanted {}", spelling, where));
  }
  const KafelWord& name(std::string_view what) {
    if (next().kind != KafelToken::Identifier) next().fail(fmt::format("{} is wanted here", what));
    return words_[at_++];
  }
  const KafelWord& number(std::string_view what) {
    if (next().kind != KafelToken::Number) next().fail(fmt::format("{} is wanted here", what));
    return words_[at_++];
  }

  void statement() {
    if (accept("#")) {
      expect("define", "after #");
      const KafelWord& constant = name("a constant's name");
      const std::uint64_t value = number("a number").value;
      const auto [found, news] = constants_.emplace(constant.text, value);
      if (!news && found->second != value) {
        constant.fail(fmt::format("defined before as {}", found->second));
      }
      return;
    }
    if (next().is("POLICY")) {
      policy();
      return;
    }
    if (next().is("DEFAULT")) {
      const KafelWord& word = next();
      ++at_;
      if (default_) word.fail("there is a default already");
      default_ = action();
      return;
    }
    entries(main_);
  }

  void policy() {
    ++at_;
    const KafelWord& word = name("the policy's name");
    expect("{", "after the policy's name");
    std::vector<Entry> body;
    if (!next().is("}")) entries(body);
    if (!accept("}")) {
      next().fail("a comma between the policy's parts is missing, or } behind the last one");
    }
    if (!policies_.emplace(word.text, std::move(body)).second) {
      word.fail("there is such a policy already");
    }
  }

  // Parts with commas between them.
  void entries(std::vector<Entry>& out) {
    do {
      if (accept("USE")) {
        const KafelWord& word = name("a policy's name");
        if (!policies_.contains(word.text)) {
          word.fail("no policy of this name stands before it");
        }
        out.push_back({{}, word.text});
      } else {
        block(out.emplace_back().rules);
      }
    } while (accept(","));
  }

  // "ALLOW { read, write { fd == 1 } }"
  void block(std::vector<Rule>& out) {
    const std::uint32_t value = action();
    expect("{", "after the action");
    if (accept("}")) return;
    do {
      call(value, out);
    } while (accept(","));
    if (!accept("}")) next().fail("a comma between calls is missing, or } behind the last one");
  }

  std::uint32_t action() {
    const KafelWord& word = next();
    constexpr std::pair<std::string_view, std::uint32_t> kPlain[] = {
        {"ALLOW", kAllowValue},
        {"LOG", kLogValue},
        {"USER_NOTIF", kUserNotifValue},
        {"KILL_PROCESS", kKillProcessValue},
        {"KILL_THREAD", kKillThreadValue},
        {"KILL", kKillThreadValue},
        {"DENY", kKillThreadValue}};
    for (const auto& [spelling, value] : kPlain) {
      if (accept(spelling)) return value;
    }
    constexpr std::pair<std::string_view, std::uint32_t> kWithData[] = {
        {"ERRNO", kErrnoValue}, {"TRACE", kTraceValue}, {"TRAP", kTrapValue}};
    for (const auto& [spelling, value] : kWithData) {
      if (!accept(spelling)) continue;
      expect("(", "after " + std::string(spelling));
      const KafelWord& data = number("a number from 0 to 65535");
      if (data.value > kDataMask) data.fail("0 to 65535");
      expect(")", "behind the number");
      return value | static_cast<std::uint32_t>(data.value);
    }
    word.fail(
        "an action is wanted here: ALLOW, LOG, USER_NOTIF, KILL, KILL_THREAD, KILL_PROCESS, "
        "DENY, ERRNO(n), TRACE(n), TRAP(n), or USE");
  }

  void call(std::uint32_t value, std::vector<Rule>& out) {
    Rule rule;
    rule.value = value;
    rule.place = next().source->place(next().offset);
    KafelScope scope;
    scope.bits = info(arch_).bits;
    scope.constant = [this](std::string_view word) -> const std::uint64_t* {
      const auto found = constants_.find(word);
      return found == constants_.end() ? nullptr : &found->second;
    };
    scope.unknown = "no argument, and no #define before it";
    if (accept("SYSCALL")) {
      expect("[", "after SYSCALL");
      rule.number = static_cast<std::int32_t>(number("the call's number").value);
      expect("]", "behind the number");
    } else {
      named(rule, scope);
    }
    if (accept("(")) declared(scope);
    if (!accept("{")) {
      keep(std::move(rule), out);
      return;
    }
    if (accept("}")) {
      keep(std::move(rule), out);
      return;
    }
    const KafelWord& first = next();
    const Boolean condition = read_kafel_condition(words_, at_, scope);
    if (!accept("}")) next().fail("} is wanted behind the condition");
    const auto clauses = disjunction_of(condition, kMostTests);
    if (!clauses) {
      first.fail(
          fmt::format("as rules this condition takes more than {} tests; part it", kMostTests));
    }
    for (const std::vector<ArgTest>& tests : *clauses) {
      Rule each = rule;
      each.tests = tests;
      keep(std::move(each), out);
    }
  }

  void keep(Rule rule, std::vector<Rule>& out) {
    tests_ += rule.tests.size() + 1;
    if (tests_ > 10 * kMostTests) {
      next().fail(fmt::format("more than {} rules and tests in all", 10 * kMostTests));
    }
    out.push_back(std::move(rule));
  }

  // A constant, a call of kafel's list, or one that newer lists may have.
  void named(Rule& rule, KafelScope& scope) {
    const KafelWord& word = name("a call's name");
    if (const std::uint64_t* constant = scope.constant(word.text)) {
      rule.number = static_cast<std::int32_t>(*constant);
      return;
    }
    const auto number = syscall_number(arch_, word.text);
    if (arch_ == Arch::X86_64) {
      if (const KnownCall* known = known_call(word.text)) {
        scope.arguments = arguments_of(known->arguments);
        if (number == known->number) {
          rule.syscall = word.text;
        } else {
          rule.number = static_cast<std::int32_t>(known->number);
        }
        return;
      }
    }
    if (!number) {
      word.fail(
          fmt::format("no call of {}; correct it, or write SYSCALL[number]", info(arch_).name));
    }
    rule.syscall = word.text;
    if (arch_ == Arch::X86_64) {
      notes_.push_back(word.source->note(
          word.offset,
          fmt::format("{}: not in kafel's list of f67ddf5; newer ones may have it", word.text)));
      scope.unknown =
          "no argument: kafel's list of f67ddf5 has no such call; declare them, call(fd, buf)";
    } else {
      scope.unknown = fmt::format(
          "the arguments of {}'s calls are not known here; declare them, "
          "call(fd, buf)",
          info(arch_).name);
    }
  }

  // "(fd, buf)": 8 bytes each, whatever the call's own are.
  void declared(KafelScope& scope) {
    scope.arguments.clear();
    scope.unknown = "not declared between the parentheses, and no #define before it";
    if (accept(")")) return;
    do {
      const KafelWord& word = name("an argument's name");
      if (std::ranges::find(scope.arguments, word.text, &KafelArgument::name) !=
          scope.arguments.end()) {
        word.fail("declared twice");
      }
      if (scope.arguments.size() == 6) word.fail("a call has 6 arguments");
      scope.arguments.push_back({word.text, 8});
    } while (accept(","));
    expect(")", "behind the arguments");
  }

  // Nesting is as deep as there are policies: each uses earlier ones alone, and once.
  void add(const std::vector<Entry>& entries, std::vector<Rule>& out) {
    std::vector<std::span<const Entry>> open{entries};
    while (!open.empty()) {
      if (open.back().empty()) {
        open.pop_back();
        continue;
      }
      const Entry& entry = open.back().front();
      open.back() = open.back().subspan(1);
      std::ranges::copy(entry.rules, std::back_inserter(out));
      if (entry.used.empty() || !used_.emplace(entry.used, true).second) continue;
      open.emplace_back(policies_.find(entry.used)->second);
    }
  }

  const std::vector<KafelWord>& words_;
  Arch arch_;
  std::size_t at_ = 0;
  std::map<std::string_view, std::uint64_t> constants_;
  std::map<std::string_view, std::vector<Entry>> policies_;
  std::map<std::string_view, bool> used_;
  std::vector<Entry> main_;
  std::optional<std::uint32_t> default_;
  std::vector<Note> notes_;
  std::size_t tests_ = 0;
};

}  // namespace

bool detect_kafel(std::string_view text, std::string_view /*path*/) {
  if (has_strange_bytes(text)) return false;
  // "POLICY name {", or an action and a brace.
  const auto followed = [&](std::string_view word, bool with_name) {
    for (std::size_t at = text.find(word); at != std::string_view::npos;
         at = text.find(word, at + 1)) {
      if (at > 0 && !is_space(text[at - 1]) && text[at - 1] != '{' && text[at - 1] != '}' &&
          text[at - 1] != ',') {
        continue;  // in the middle of a word: whatever the bytes, each is looked at once
      }
      std::size_t end = at + word.size();
      const auto skip = [&](std::string_view what) {
        end = std::min(text.find_first_not_of(what, end), text.size());
      };
      skip(" \t\n");
      if (with_name) {
        skip("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_");
        skip(" \t\n");
      }
      if (end < text.size() && text[end] == '{') return true;
    }
    return false;
  };
  return followed("POLICY", true) || followed("ALLOW", false) || followed("DENY", false) ||
         followed("KILL", false);
}

ReadProfile read_kafel(std::string_view text, std::string_view path, const Deployment& deployment) {
  return reading([&] {
    const PolicyText main(text);
    const KafelWords words(text, path);
    Profile out = Reader(words, deployment.model.arch).read(main);
    if (words.included() > 0) {
      out.notes.insert(out.notes.begin(),
                       {{},
                        "files are included from the policy's folder; kafel looks where its "
                        "caller tells it to"});
    }
    return out;
  });
}

}  // namespace callgate::front_ends
