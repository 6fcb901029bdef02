// Policies of minijail as its compile_seccomp_policy reads them. Facts from its source
// (tools/parser.py at 0d443e7, compiler.py at 7a35365, bpf.py): what stands after the semicolon is
// what becomes of calls that pass the tests, where libminijail means those that do not; statements
// about one call add up; names of calls and constants are those of the machine it compiles for.

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <map>
#include <memory>

#include "harness/front_ends/minijail.hpp"
#include "harness/front_ends/minijail_filter.hpp"
#include "harness/front_ends/minijail_tokens.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/profile_formats.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

using Kind = MinijailToken;
using Word = MinijailWord;
using Words = MinijailWords;

constexpr std::size_t kMostOpenFiles = 9;  // --include-depth-limit 10 counts one for the compiler
constexpr std::size_t kMostFilters = 100'000;

// MINIJAIL_ARCH_NAME of arch.h.
std::string_view minijail_name(Arch arch) {
  if (arch == Arch::AArch64) return "arm64";
  if (arch == Arch::LoongArch64) return "loong64";
  return info(arch).name;
}

struct Placed {
  MinijailFilter filter;
  std::string words;  // where its statement stands
  std::size_t offset = 0;
  const PolicyText* source = nullptr;
  Place place;
};

struct Call {
  std::string name;
  std::vector<Placed> filters;
};

class Reader {
 public:
  Reader(std::string_view path, const Deployment& deployment)
      : files_(path, kMostOpenFiles),
        deployment_(deployment),
        arch_(deployment.model.arch),
        default_value_(deployment.denylist ? kAllowValue : kKillThreadValue) {}

  Profile read(std::string_view text) {
    const PolicyText main(text);
    require_minijail_machine(main, arch_);
    notes_.push_back({{},
                      "kill is KILL_THREAD; compile_seccomp_policy makes it KILL_PROCESS with "
                      "--use-kill-process"});
    file(main);
    for (const std::string& name : deployment_.extra) {
      frequencies(main, 0, name, files_.open_given(name));
    }
    Profile out;
    out.layers.push_back({.policy = policy()});
    out.notes = std::move(notes_);
    return out;
  }

 private:
  void file(const PolicyText& source) {
    require_text(source);
    bool denylist = false;
    bool unfinished = false;
    std::size_t at = 0;
    while (const auto statement = next_minijail_statement(source, at, unfinished)) {
      Words words(source, *statement);
      const Word first = *words.peek();
      if (first.kind == Kind::Denylist) {
        if (!deployment_.denylist) {
          words.fail(
              "a policy of calls that are forbidden; compile_seccomp_policy wants --denylist "
              "for it, and so does this command");
        }
        denylist = true;
        words.skip();
      } else {
        one(words, first);
      }
      if (!words.done()) words.fail("too much: the statement is complete before it");
    }
    if (unfinished) {
      notes_.push_back(
          source.note(source.text().size() - 1,
                      "the file ends behind a backslash: compile_seccomp_policy passes "
                      "over this statement"));
    }
    if (deployment_.denylist && !denylist) {
      source.fail(0,
                  "a denylist is asked for, and compile_seccomp_policy wants @denylist in each of "
                  "its files then");
    }
  }

  void one(Words& words, const Word& first) {
    const PolicyText& source = words.source();
    if (first.kind == Kind::Include) {
      const Word path = named_file(words);
      auto opened = files_.open(path.text);
      if (!opened) words.fail(path, opened.error());
      kept_.push_back(std::make_unique<PolicyFiles::File>(std::move(*opened)));
      texts_.push_back(std::make_unique<PolicyText>(kept_.back()->text, kept_.back()->path));
      file(*texts_.back());
      files_.close();
    } else if (first.kind == Kind::Frequency) {
      const Word path = named_file(words);
      frequencies(source, path.offset, path.text, files_.open(path.text));
    } else if (first.kind == Kind::Default) {
      words.skip();
      default_value_ = default_action(words);
    } else {
      statement(words);
    }
  }

  static Word named_file(Words& words) {
    words.skip();
    const Word path = words.take("a file's name", "write @include ./common.policy");
    if (path.kind != Kind::Path) words.fail(path, "a file's name begins with / or ./");
    return path;
  }

  // Names of calls with how often each is made: they change the order of the program alone.
  void frequencies(const PolicyText& from, std::size_t offset, std::string_view name,
                   const std::expected<PolicyFiles::File, std::string>& opened) {
    if (!opened) from.fail(offset, shown(name) + ": " + opened.error());
    const PolicyText source(opened->text, opened->path);
    require_text(source);
    bool unfinished = false;
    std::size_t at = 0;
    std::size_t lines = 0;
    while (const auto statement = next_minijail_statement(source, at, unfinished)) {
      Words words(source, *statement);
      static_cast<void>(descriptor(words));
      if (!words.take(":")) words.fail("a colon is missing; write \"read: 100\"");
      const Word number = words.take("how often the call is made", "write \"read: 100\"");
      if (number.kind != Kind::Number || number.text.starts_with('-')) {
        words.fail(number, "not a number of calls");
      }
      if (!words.done()) words.fail("too much behind the number");
      ++lines;
    }
    files_.close();
    notes_.push_back(from.note(offset, fmt::format("{}: {} frequencies; they change the order of "
                                                   "the program, no verdict",
                                                   shown(name), lines)));
  }

  static std::uint32_t default_action(Words& words) {
    const Word word = words.take("an action", "write \"@default kill-process\"");
    if (word.kind == Kind::Action) {
      if (word.text == "kill-process") return kKillProcessValue;
      if (word.text == "kill-thread" || word.text == "kill") return kKillThreadValue;
      if (word.text == "trap") return kTrapValue;
      if (word.text == "user-notify") return kUserNotifValue;
    }
    words.fail(word, "not a default; there are kill-process, kill-thread, kill, trap, user-notify");
  }

  void statement(Words& words) {
    std::vector<std::string> names;
    if (words.take("{")) {
      do {
        std::ranges::move(descriptor(words), std::back_inserter(names));
      } while (words.take(","));
      if (!words.take("}")) words.fail("} is missing after the calls' names");
    } else {
      names = descriptor(words);
    }
    if (!words.at(":")) words.fail("a colon is missing after the call; write \"read: allow\"");
    const Word colon = words.take(":", "");
    const std::vector<MinijailFilter> filters =
        read_minijail_filters(words, arch_, deployment_.denylist);
    std::size_t size = 0;
    for (const MinijailFilter& each : filters) {
      size += 1;
      for (const std::vector<ArgTest>& tests : each.clauses) size += 1 + tests.size();
    }
    placed_ += names.size() * size;
    if (placed_ > kMostFilters) {
      words.fail(colon,
                 fmt::format("more than {} actions and tests of calls in all", kMostFilters));
    }
    for (std::string& name : names) {
      Call& call = call_of(words, colon, std::move(name));
      for (const MinijailFilter& each : filters) {
        call.filters.push_back({each, words.source().words(colon.offset), colon.offset,
                                &words.source(), words.source().place(colon.offset)});
      }
    }
  }

  // A name, or none where it is for other architectures.
  std::vector<std::string> descriptor(Words& words) {
    const Word word = words.take("a call's name", "write \"read: allow\"");
    if (word.kind != Kind::Identifier && word.text != "kill") words.fail(word, "no name of a call");
    if (words.take("[") && !for_this_arch(words)) return {};
    if (word.text.find('@') != std::string_view::npos) {
      words.fail(word,
                 "groups of calls stand in the compiler's constants.json, which is not read here; "
                 "write the calls");
    }
    if (!syscall_number(arch_, word.text)) {
      source_fail_no_call(words, word);
    }
    return {std::string(word.text)};
  }

  [[noreturn]] void source_fail_no_call(const Words& words, const Word& word) const {
    words.source().fail(word.offset, no_such_call(word.text, arch_) + ", or write " +
                                         std::string(word.text) + "[arch=...]");
  }

  // "arch=x86_64,arm64; other=word]"
  bool for_this_arch(Words& words) {
    std::vector<std::string_view> keys;
    bool fits = true;
    do {
      const Word key = words.take("a key", "write [arch=x86_64]");
      if (key.kind != Kind::Identifier) words.fail(key, "no key; write [arch=x86_64]");
      if (std::ranges::find(keys, key.text) != keys.end()) words.fail(key, "stands twice");
      keys.push_back(key.text);
      if (!words.take("=")) words.fail("= is missing; write [arch=x86_64]");
      bool listed = false;
      do {
        const Word value = words.take("a value", "write [arch=x86_64]");
        if (value.kind != Kind::Identifier) words.fail(value, "no value; write [arch=x86_64]");
        listed = listed || value.text == minijail_name(arch_);
      } while (words.take(","));
      if (key.text == "arch") fits = listed;
    } while (words.take(";"));
    if (!words.take("]")) words.fail("] is missing");
    return fits;
  }

  Call& call_of(const Words& words, const Word& at, std::string name) {
    const auto [found, news] = index_.emplace(name, calls_.size());
    if (!news) return calls_[found->second];
    const auto [other, first] = numbers_.emplace(*syscall_number(arch_, name), name);
    if (!first) {
      words.source().fail(
          at.offset, fmt::format("{} and {} are one call on {}; what the compiler makes of both "
                                 "is not known: use one of the names",
                                 other->second, name, info(arch_).name));
    }
    calls_.push_back({std::move(name), {}});
    return calls_.back();
  }

  // As the compiler puts the statements about a call together.
  Policy policy() {
    Policy out;
    // Denylists let through what no statement is about, whatever @default says.
    out.default_value = deployment_.denylist ? kAllowValue : default_value_;
    out.foreign_value = kKillThreadValue;
    out.arches = {arch_};
    out.x32 = X32Calls::Numbers;
    for (Call& call : calls_) {
      const auto always =
          std::ranges::find_if(call.filters, [](const Placed& each) { return each.filter.always; });
      if (always != call.filters.end() && always + 1 != call.filters.end()) {
        const Placed& next = *(always + 1);
        next.source->fail(next.offset,
                          fmt::format("{}: an action without tests stands before this, at {}; it "
                                      "must be the last",
                                      call.name, always->words));
      }
      const std::uint32_t otherwise =
          always != call.filters.end() ? always->filter.value : default_value_;
      // The compiler sees that the last action allows, and drops what stands before it.
      const bool all = !deployment_.denylist && otherwise == kAllowValue;
      if (all && call.filters.front().filter.value != kAllowValue) {
        const Placed& first = call.filters.front();
        notes_.push_back(first.source->note(
            first.offset, fmt::format("{}: its last action allows, so compile_seccomp_policy drops "
                                      "the tests before that: every such call is allowed",
                                      call.name)));
      }
      for (Placed& each : call.filters) {
        if (all || each.filter.always) break;
        for (std::vector<ArgTest>& tests : each.filter.clauses) {
          out.rules.push_back({call.name, {}, each.filter.value, std::move(tests), {}, each.place});
        }
      }
      out.rules.push_back({call.name, {}, otherwise, {}, {}, call.filters.front().place});
    }
    return out;
  }

  PolicyFiles files_;
  const Deployment& deployment_;
  Arch arch_;
  std::uint32_t default_value_;
  std::vector<Note> notes_;
  std::vector<Call> calls_;
  std::size_t placed_ = 0;  // actions and tests, of all calls
  std::map<std::string, std::size_t> index_;
  std::map<std::uint32_t, std::string> numbers_;
  std::vector<std::unique_ptr<PolicyFiles::File>> kept_;  // what texts_ are of
  std::vector<std::unique_ptr<PolicyText>> texts_;
};

}  // namespace

bool needs_minijail_compiler(std::string_view text) {
  // What libminijail never takes: a group, an architecture, an action's name, a list, a default.
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    std::string_view line = text.substr(at, end - at);
    at = end + 1;
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
    if (line.starts_with('#') || line.empty()) continue;
    if (line.starts_with('{') || line.starts_with("@default") || line.starts_with("@denylist")) {
      return true;
    }
    const std::size_t colon = line.find(':');
    if (colon == std::string_view::npos) continue;
    if (line.substr(0, colon).find_first_of("[@") < colon && !line.starts_with('@')) return true;
    std::string_view rest = line.substr(colon + 1);
    rest.remove_prefix(std::min(rest.find_first_not_of(" \t"), rest.size()));
    if (rest.find_first_of("{#") != std::string_view::npos) return true;
    for (const std::string_view word : {"allow", "kill", "trap", "trace", "log", "user-notify"}) {
      const std::size_t found = rest.starts_with(word) ? 0 : rest.find("; " + std::string(word));
      if (found != std::string_view::npos) return true;
    }
  }
  return false;
}

bool detect_minijail_compiler(std::string_view text, std::string_view /*path*/) {
  return !has_strange_bytes(text) && looks_like_minijail(text) && needs_minijail_compiler(text);
}

ReadProfile read_minijail_compiler(std::string_view text, std::string_view path,
                                   const Deployment& deployment) {
  return reading([&] { return Reader(path, deployment).read(text); });
}

}  // namespace callgate::front_ends
