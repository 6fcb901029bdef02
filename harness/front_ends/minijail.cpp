// Policies of minijail as libminijail itself reads them, in the process that is to be jailed. Facts
// from its source (syscall_filter.c, util.c, bpf.c at f0cae0d): a line is a call; the tests
// of its arguments, a disjunction of conjunctions, allow it; what passes none of them gets the
// errno after `return`, or the default. Comparisons are unsigned, 64 bits wide where a long is.

#include "harness/front_ends/minijail.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>

#include "harness/front_ends/constants.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/policy_writing.hpp"
#include "harness/front_ends/profile_formats.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::size_t kMostLabels = 512;  // BPF_LABELS_MAX
constexpr std::size_t kDeepest = 64;

std::string_view stripped(std::string_view text) {
  const auto blank = [](char c) { return c == ' ' || c == '\t'; };
  while (!text.empty() && blank(text.front())) text.remove_prefix(1);
  while (!text.empty() && blank(text.back())) text.remove_suffix(1);
  return text;
}

// The parts between delimiters, without those that are empty.
std::vector<std::string_view> parts(std::string_view text, std::string_view delimiter) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = text.find(delimiter);
    if (end != 0) out.push_back(text.substr(0, end));
    if (end == std::string_view::npos) break;
    text.remove_prefix(end + delimiter.size());
  }
  return out;
}

// Where the parenthesis ends that the text begins with.
std::size_t closing(std::string_view text) {
  std::size_t open = 0;
  for (std::size_t i = 0; i < text.size(); ++i) {
    if (text[i] == '(') ++open;
    if (text[i] == ')' && --open == 0) return i;
  }
  return std::string_view::npos;
}

bool some_call(std::string_view name) {
  return std::ranges::any_of(
      arches(), [&](const ArchInfo& row) { return syscall_number(row.arch, name).has_value(); });
}

class Reader {
 public:
  Reader(std::string_view path, const Deployment& deployment)
      : files_(path, 2), arch_(deployment.model.arch), bits_(info(arch_).bits) {
    policy_.default_value = kKillThreadValue;
    policy_.foreign_value = kKillThreadValue;
    policy_.arches = {arch_};
    policy_.x32 = X32Calls::Numbers;
  }

  Profile read(std::string_view text) {
    const PolicyText main(text);
    require_minijail_machine(main, arch_);
    notes_.push_back({{},
                      "what is not allowed ends the thread (KILL_THREAD); libminijail is asked for "
                      "KILL_PROCESS by TSYNC, and for LOG by its logging"});
    file(main);
    if (labels_ > kMostLabels) {
      main.fail(0, fmt::format("it takes {} labels, and libminijail has room for {}; use "
                               "compile_seccomp_policy, or fewer tests of arguments",
                               labels_, kMostLabels));
    }
    Profile out;
    out.layers.push_back({.policy = std::move(policy_)});
    out.notes = std::move(notes_);
    return out;
  }

 private:
  // Lines that end in a backslash go on: as blanks in place of both, which keeps the columns.
  void file(const PolicyText& source) {
    require_text(source);
    std::string joined(source.text());
    for (std::size_t i = 0; i + 1 < joined.size(); ++i) {
      if (joined[i] == '\\' && joined[i + 1] == '\n') joined[i] = joined[i + 1] = ' ';
    }
    const std::string_view text = source.text();
    std::size_t at = 0;
    while (at < joined.size()) {
      const std::size_t end = std::min(joined.find('\n', at), joined.size());
      const std::string_view line(joined.data() + at, end - at);
      // The file ends where a line should go on: libminijail gives this line up.
      const bool cut = end == joined.size() && (text.ends_with("\\\n") || text.ends_with('\\'));
      if (cut && !stripped(line).empty()) {
        notes_.push_back(source.note(at,
                                     "the last line ends in a backslash: libminijail passes "
                                     "over all of it"));
      } else {
        this->line(source, at, line);
      }
      at = end + 1;
    }
  }

  void line(const PolicyText& source, std::size_t start, std::string_view whole) {
    const std::string_view text = stripped(whole);
    const auto offset_of = [&](std::string_view part) {
      return start + static_cast<std::size_t>(part.data() - whole.data());
    };
    if (text.empty() || text.front() == '#') return;
    if (text.find('\r') != std::string_view::npos) {
      source.fail(offset_of(text.substr(text.find('\r'))),
                  "a carriage return: libminijail takes it for a part of the line; save the file "
                  "with Unix line ends");
    }
    if (text.front() == '@') {
      statement(source, offset_of(text), text);
      return;
    }
    const std::size_t colon = text.find(':');
    if (colon == std::string_view::npos) {
      source.fail(offset_of(text),
                  fmt::format("{}: a colon is missing after the call's name; write "
                              "\"read: 1\"",
                              shown(text)));
    }
    const std::string_view name = stripped(text.substr(0, colon));
    const std::string_view rest = stripped(text.substr(colon + 1));
    if (rest.empty()) {
      source.fail(offset_of(text) + colon, "nothing after the colon; write 1 to allow the call");
    }
    if (!syscall_number(arch_, name)) {
      source.fail(offset_of(text), no_such_call(name, arch_));
    }
    const auto [first, news] = seen_.emplace(std::string(name), source.words(offset_of(text)));
    if (!news) {
      source.fail(offset_of(text), fmt::format("{} stands twice, first at {}; libminijail refuses "
                                               "that unless it was built to allow it",
                                               shown(name), first->second));
    }
    call(source, name, rest, offset_of(text), offset_of(rest));
  }

  void statement(const PolicyText& source, std::size_t offset, std::string_view text) {
    if (text.starts_with("@frequency")) {
      notes_.push_back(source.note(offset, "@frequency: libminijail passes over it"));
      return;
    }
    constexpr std::string_view kInclude = "@include ";
    if (!text.starts_with(kInclude)) {
      source.fail(offset, fmt::format("{}: libminijail knows @include FILE and @frequency alone; "
                                      "compile_seccomp_policy knows more (minijail-compiler)",
                                      shown(text)));
    }
    const std::string_view name = text.substr(kInclude.size());
    if (!name.starts_with('/') && !name.starts_with("./")) {
      source.fail(offset + kInclude.size(),
                  fmt::format("{}: libminijail wants ./ before it", shown(name)));
    }
    if (!source.name().empty()) {
      source.fail(offset, "libminijail does not let an included file include others");
    }
    if (name.starts_with('.')) {
      notes_.push_back(source.note(offset,
                                   "read from the policy's folder; libminijail starts from its "
                                   "working directory"));
    }
    auto opened = files_.open(name);
    if (!opened) source.fail(offset + kInclude.size(), shown(name) + ": " + opened.error());
    file(PolicyText(opened->text, opened->path));
    files_.close();
  }

  void call(const PolicyText& source, std::string_view name, std::string_view text,
            std::size_t line_offset, std::size_t offset) {
    const Place place = source.place(line_offset);
    const auto add = [&](std::uint32_t value, std::vector<ArgTest> tests) {
      policy_.rules.push_back({std::string(name), {}, value, std::move(tests), {}, place});
    };
    if (text == "1") {
      add(kAllowValue, {});
      return;
    }
    ++labels_;
    if (text.starts_with("return")) {
      add(returned(source, text, offset), {});
      return;
    }
    ++labels_;
    const std::vector<std::string_view> halves = parts(text, ";");
    const auto offset_of = [&](std::string_view part) {
      return offset + static_cast<std::size_t>(part.data() - text.data());
    };
    if (halves.empty()) source.fail(offset, "there is nothing but semicolons");
    for (const std::string_view group : parts(halves[0], "||")) {
      std::vector<ArgTest> tests;
      for (const std::string_view atom : parts(group, "&&")) {
        tests.push_back(test(source, atom, offset_of(atom)));
      }
      if (!tests.empty()) ++labels_;
      add(kAllowValue, std::move(tests));
    }
    const std::uint32_t otherwise =
        halves.size() > 1 ? returned(source, halves[1], offset_of(halves[1])) : kKillThreadValue;
    if (halves.size() > 2) {
      notes_.push_back(source.note(offset_of(halves[2]),
                                   "libminijail passes over what follows the "
                                   "second semicolon"));
    }
    add(otherwise, {});
  }

  // "return 5": the errno; "return" alone: the default.
  std::uint32_t returned(const PolicyText& source, std::string_view text, std::size_t offset) {
    const std::vector<std::string_view> words = parts(text, " ");
    const auto offset_of = [&](std::string_view word) {
      return offset + static_cast<std::size_t>(word.data() - text.data());
    };
    if (words.empty() || !words[0].starts_with("return")) {
      source.fail(words.empty() ? offset : offset_of(words[0]),
                  fmt::format("{}: after the semicolon stands \"return ERRNO\"",
                              shown(words.empty() ? text : words[0])));
    }
    if (words.size() == 1) return kKillThreadValue;
    const std::uint64_t value = constant(source, words[1], offset_of(words[1]));
    if ((value & 0xffffffffU) == 0xffffffffU) {
      source.fail(offset_of(words[1]), "libminijail takes no errno of -1");
    }
    if (words.size() > 2) {
      notes_.push_back(
          source.note(offset_of(words[2]), "libminijail passes over what follows the errno"));
    }
    return kErrnoValue | (static_cast<std::uint32_t>(value) & kDataMask);
  }

  ArgTest test(const PolicyText& source, std::string_view atom, std::size_t offset) {
    const std::vector<std::string_view> words = parts(atom, " ");
    const auto offset_of = [&](std::string_view word) {
      return offset + static_cast<std::size_t>(word.data() - atom.data());
    };
    if (words.size() != 3) {
      source.fail(words.size() > 3 ? offset_of(words[3]) : offset,
                  fmt::format("{}: a test is \"arg1 == 5\", three words with spaces between them",
                              shown(atom)));
    }
    const auto index = argument_index(words[0]);
    if (!index) {
      source.fail(offset_of(words[0]),
                  fmt::format("{}: no argument; there are arg0 to arg5{}", shown(words[0]),
                              words[1] == "#" ? ", and comments on lines of their own" : ""));
    }
    const std::uint64_t value = constant(source, words[2], offset_of(words[2]));
    const auto out = minijail_test(*index, words[1], value);
    if (!out) {
      source.fail(offset_of(words[1]),
                  fmt::format("{}: no operator; there are == != < <= > >= & in", shown(words[1])));
    }
    return *out;
  }

  // Numbers, names and such in parentheses, each perhaps after ~, with | between them.
  std::uint64_t constant(const PolicyText& source, std::string_view text, std::size_t offset,
                         std::size_t depth = 0) {
    if (depth > kDeepest) source.fail(offset, "parentheses are nested too deeply");
    const std::string_view all = text;
    const auto place = [&] { return offset + static_cast<std::size_t>(text.data() - all.data()); };
    std::uint64_t value = 0;
    bool any = false;
    while (!text.empty()) {
      const bool negate = text.starts_with('~');
      if (negate) text.remove_prefix(1);
      std::uint64_t one = 0;
      if (text.starts_with('(')) {
        const std::size_t end = closing(text);
        if (end == std::string_view::npos) source.fail(place(), ") is missing");
        one = constant(source, text.substr(1, end - 1), place() + 1, depth + 1);
        text.remove_prefix(end + 1);
        if (!text.empty() && (text[0] != '|' || text.size() == 1)) {
          source.fail(place(), fmt::format("{}: behind ) comes | and a constant", shown(text)));
        }
      } else {
        const std::string_view word = text.substr(0, text.find('|'));
        if (word.empty() && !negate) {  // passed over
          text.remove_prefix(1);
          continue;
        }
        one = single(source, word, place());
        text.remove_prefix(word.size());
      }
      if (!text.empty()) text.remove_prefix(1);
      value |= negate ? ~one : one;
      any = true;
    }
    if (!any) source.fail(offset, fmt::format("{}: no constant", shown(all)));
    return bits_ == 32 ? value & 0xffffffffU : value;
  }

  std::uint64_t single(const PolicyText& source, std::string_view word, std::size_t at) {
    if (const auto named = find_constant(word, arch_)) return *named;
    const auto number = c_number(word, bits_);
    if (!number) source.fail(at, fmt::format("{}: {}", shown(word), no_constant(word, arch_)));
    if (number->length != word.size()) {
      notes_.push_back(
          source.note(at, fmt::format("{}: libminijail takes its first {} characters alone",
                                      shown(word), number->length)));
    }
    return number->value;
  }

  PolicyFiles files_;
  Arch arch_;
  int bits_;
  Policy policy_;
  std::vector<Note> notes_;
  std::map<std::string, std::string, std::less<>> seen_;
  std::size_t labels_ = 0;
};

}  // namespace

bool minijail_runs_on(Arch arch) noexcept {
  return info(arch).byte_order != ByteOrder::Big && arch != Arch::X32;
}

void require_minijail_machine(const PolicyText& text, Arch arch) {
  if (!minijail_runs_on(arch)) {
    text.fail(0,
              fmt::format("minijail is not known to work on {}: it takes the halves of arguments "
                          "where little-endian machines have them",
                          info(arch).name));
  }
}

std::string no_such_call(std::string_view name, Arch arch) {
  return fmt::format("{}: no call of {}; correct the name, or leave it out for this architecture",
                     shown(name), info(arch).name);
}

std::string no_constant(std::string_view name, Arch arch) {
  const auto found = find_constant(name, arch);
  return found ? std::string() : found.error();
}

std::optional<unsigned> argument_index(std::string_view word) {
  if (word.size() != 4 || !word.starts_with("arg") || word[3] < '0' || word[3] > '5') return {};
  return static_cast<unsigned>(word[3] - '0');
}

std::optional<ArgTest> minijail_test(unsigned index, std::string_view sign, std::uint64_t value) {
  if (sign == "&") return ArgTest{index, Comparison::NotEqual, 0, value};
  if (sign == "in") return ArgTest{index, Comparison::Equal, 0, ~value};
  for (const Comparison each :
       {Comparison::Equal, Comparison::NotEqual, Comparison::Less, Comparison::LessEqual,
        Comparison::Greater, Comparison::GreaterEqual}) {
    if (sign == sign_of(each)) return ArgTest{index, each, value, kAllBits};
  }
  return std::nullopt;
}

bool looks_like_minijail(std::string_view text) {
  // A name, a colon, and what may follow it.
  for (std::size_t at = 0; at < text.size();) {
    const std::size_t end = std::min(text.find('\n', at), text.size());
    const std::string_view line = stripped(text.substr(at, end - at));
    at = end + 1;
    if (line.empty() || line.front() == '#') continue;
    if (line.starts_with("@include") || line.starts_with("@frequency") ||
        line.starts_with("@default") || line == "@denylist") {
      return true;
    }
    const std::size_t name = std::min(
        line.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_"),
        line.size());
    const std::string_view rest = stripped(line.substr(name));
    if (line.front() == '{') {
      const std::string_view first = stripped(line.substr(1));
      return !first.empty() && (first[0] | 0x20) >= 'a' && (first[0] | 0x20) <= 'z' &&
             line.find(':') != line.npos;
    }
    if (rest.starts_with('[')) return line.find(':') != line.npos;
    if (name == 0 || !rest.starts_with(':')) return false;
    const std::string_view value = stripped(rest.substr(1));
    if (!some_call(line.substr(0, name))) return false;
    if (value == "1" || value.starts_with("return") || value.starts_with("arg") ||
        value.starts_with("allow") || value.starts_with("kill") || value.starts_with("trap") ||
        value.starts_with("trace") || value.starts_with("log") ||
        value.starts_with("user-notify") || value.starts_with('{')) {
      return true;
    }
    return false;
  }
  return false;
}

bool detect_minijail(std::string_view text, std::string_view /*path*/) {
  return !has_strange_bytes(text) && looks_like_minijail(text) && !needs_minijail_compiler(text);
}

ReadProfile read_minijail(std::string_view text, std::string_view path,
                          const Deployment& deployment) {
  return reading([&] { return Reader(path, deployment).read(text); });
}

}  // namespace callgate::front_ends
