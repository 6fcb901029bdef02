// libseccomp's pseudo filter code (seccomp_export_pfc()), read back: nested ifs by their
// indentation, in the order of the text. What the text does not say is libseccomp's: x32's numbers
// are foreign where the filter has no x32, but -1 is x86_64's.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "harness/front_ends/boolean.hpp"
#include "harness/front_ends/formats.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/profile_formats.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::size_t kDeepest = 200;
constexpr std::size_t kMostTests = 1'000'000;
constexpr std::uint64_t kLowWord = 0xffffffffU;

struct Condition {
  enum class About : std::uint8_t { Arch, Call, Argument };
  About about = About::Arch;
  Arch arch{};     // of Arch
  ArgTest test{};  // of Call (of a number) and Argument
};

// An if that what follows stands in.
struct Open {
  std::size_t level = 0;
  Condition condition;
  bool otherwise = false;  // after its else
};

class Reader {
 public:
  explicit Reader(std::string_view text) : source_(text) {
    policy_.foreign_value.reset();
    policy_.x32 = X32Calls::AsForeign;
  }

  Profile read() {
    require_text(source_);
    const std::string_view text = source_.text();
    for (std::size_t at = 0; at < text.size();) {
      const std::size_t end = std::min(text.find('\n', at), text.size());
      line(at, text.substr(at, end - at));
      at = end + 1;
    }
    if (policy_.arches.empty()) source_.fail(0, "no \"if ($arch == ...)\" in it");
    if (!default_) source_.fail(text.size(), "no default action in it");
    if (!policy_.foreign_value)
      source_.fail(text.size(), "no invalid architecture action at its end");
    policy_.default_value = *default_;
    Profile out;
    out.layers.push_back({.policy = std::move(policy_)});
    return out;
  }

 private:
  void line(std::size_t start, std::string_view whole) {
    const std::size_t blanks = std::min(whole.find_first_not_of(' '), whole.size());
    std::string_view text = whole.substr(blanks);
    while (!text.empty() && (text.back() == ' ' || text.back() == '\r')) text.remove_suffix(1);
    if (text.empty()) return;
    const std::size_t offset = start + blanks;
    constexpr std::string_view kArchComment = "# filter for arch ";
    if (text.starts_with(kArchComment)) {
      const std::string_view name = text.substr(kArchComment.size());
      named_ = arch_from_name(name.substr(0, name.find(' ')));
    }
    if (text.front() == '#') return;
    if (blanks % 2 != 0) source_.fail(offset, "an odd number of blanks before it");
    const std::size_t level = blanks / 2;
    if (level > kDeepest) source_.fail(offset, fmt::format("nested more than {} levels", kDeepest));
    if (text.starts_with("else")) {
      while (!open_.empty() && open_.back().level > level) open_.pop_back();
      if (open_.empty() || open_.back().level != level || open_.back().otherwise) {
        source_.fail(offset, "no if before this else");
      }
      if (open_.back().condition.about == Condition::About::Arch) {
        source_.fail(offset, "libseccomp writes no else for architectures");
      }
      open_.back().otherwise = true;
      return;
    }
    while (!open_.empty() && open_.back().level >= level) open_.pop_back();
    if (level > 0 && (open_.empty() || open_.back().level != level - 1)) {
      source_.fail(offset, "it stands deeper than the if that it belongs to");
    }
    if (text.starts_with("if (") && text.ends_with(')')) {
      open_.push_back({level, condition(offset + 4, text.substr(4, text.size() - 5)), false});
    } else if (text.starts_with("action ") && text.ends_with(';')) {
      action(offset, value_of(offset + 7, text.substr(7, text.size() - 8)));
    } else {
      source_.fail(offset, shown(text) + ": \"if (...)\", \"else\" or \"action ...;\" is wanted");
    }
  }

  static std::optional<std::uint64_t> number(std::string_view text) {
    const int base = text.starts_with("0x") ? 16 : 10;
    if (base == 16) text.remove_prefix(2);
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value, base);
    if (error != std::errc{} || end != text.data() + text.size() || value > kLowWord) return {};
    return value;
  }

  // "$syscall == 65", "$a0.hi32 & 0x000000f0 == 0"
  Condition condition(std::size_t offset, std::string_view text) {
    std::array<std::string_view, 5> words;
    std::size_t count = 0;
    for (std::string_view rest = text; !rest.empty() && count < words.size();) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      if (end > 0) words.at(count++) = rest.substr(0, end);
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
    const bool masked = count == 5 && words[1] == "&";
    const auto mask = masked ? number(words[2]) : std::optional(kLowWord);
    const auto value = count == 3 || masked ? number(words.at(count - 1)) : std::nullopt;
    Condition out;
    bool sign = false;
    for (const Comparison each :
         {Comparison::Equal, Comparison::NotEqual, Comparison::Less, Comparison::LessEqual,
          Comparison::Greater, Comparison::GreaterEqual}) {
      if (count < 3 || words.at(count - 2) != sign_of(each)) continue;
      out.test.comparison = each;
      sign = true;
    }
    if (!value || !mask || !sign) {
      source_.fail(offset, shown(text) + ": no condition, such as $a0.lo32 & 0x0000000f == 5");
    }
    out.test.value = value.value_or(0);
    const std::string_view what = words[0];
    if (what == "$arch" && out.test.comparison == Comparison::Equal && !masked) {
      out.arch = architecture(offset, static_cast<std::uint32_t>(out.test.value));
      return out;
    }
    if (open_.empty()) source_.fail(offset, "\"if ($arch == ...)\" is wanted around it");
    if (what == "$syscall" && !masked) {
      out.about = Condition::About::Call;
      return out;
    }
    if (!what.starts_with("$a") || what.size() < 3 || what[2] < '0' || what[2] > '5') {
      source_.fail(offset, shown(what) + ": there are $arch, $syscall, and $a0 to $a5");
    }
    const std::string_view half = what.substr(3);
    const bool wide = info(open_.front().condition.arch).bits == 64;
    if (wide ? half != ".hi32" && half != ".lo32" : !half.empty()) {
      source_.fail(offset, shown(what) + (wide ? ": .hi32 or .lo32 is wanted behind the argument"
                                               : ": an architecture of 32 bits has no halves"));
    }
    out.about = Condition::About::Argument;
    out.test.index = static_cast<unsigned>(what[2] - '0');
    out.test.mask = mask.value_or(0);
    if (half == ".hi32") {
      out.test.mask <<= 32U;
      out.test.value <<= 32U;
    }
    return out;
  }

  // x86_64 and x32 have one token; the comment before tells them apart.
  Arch architecture(std::size_t offset, std::uint32_t token) {
    if (!open_.empty()) source_.fail(offset, "an architecture in another one");
    auto arch = arch_from_token(token);
    if (named_ && info(*named_).token == token) arch = named_;
    named_.reset();
    if (!arch) source_.fail(offset, fmt::format("{}: no architecture of this token", token));
    if (std::ranges::find(policy_.arches, *arch) != policy_.arches.end()) {
      source_.fail(offset, fmt::format("{} stands twice", info(*arch).name));
    }
    policy_.arches.push_back(*arch);
    return *arch;
  }

  std::uint32_t value_of(std::size_t offset, std::string_view text) const {
    constexpr std::array<std::pair<std::string_view, std::uint32_t>, 8> kPlain = {
        {{"ALLOW", kAllowValue},
         {"KILL", kKillThreadValue},
         {"KILL_THREAD", kKillThreadValue},
         {"KILL_PROCESS", kKillProcessValue},
         {"TRAP", kTrapValue},
         {"LOG", kLogValue},
         {"NOTIFY", kUserNotifValue},
         {"USER_NOTIF", kUserNotifValue}}};
    for (const auto& [name, value] : kPlain) {
      if (text == name) return value;
    }
    constexpr std::array<std::pair<std::string_view, std::uint32_t>, 2> kWithData = {
        {{"ERRNO(", kErrnoValue}, {"TRACE(", kTraceValue}}};
    for (const auto& [name, value] : kWithData) {
      if (!text.starts_with(name) || !text.ends_with(')')) continue;
      const auto data = number(text.substr(name.size(), text.size() - name.size() - 1));
      if (data && *data <= kDataMask) return value | static_cast<std::uint32_t>(*data);
    }
    if (const auto raw = number(text); raw && text.starts_with("0x")) {
      return static_cast<std::uint32_t>(*raw);
    }
    source_.fail(offset, shown(text) +
                             ": no action; there are ALLOW, KILL, KILL_PROCESS, TRAP, LOG, "
                             "ERRNO(n), TRACE(n), and 0x7fc00000 for others");
  }

  void action(std::size_t offset, std::uint32_t value) {
    if (open_.empty()) {
      if (policy_.foreign_value) source_.fail(offset, "a second action for other architectures");
      policy_.foreign_value = value;
      return;
    }
    if (open_.size() == 1) {
      if (default_.value_or(value) != value) {
        source_.fail(offset, "another default than the architectures before it have");
      }
      default_ = value;
      return;
    }
    Rule rule;
    rule.value = value;
    rule.arches = {open_.front().condition.arch};
    rule.place = source_.place(offset);
    std::vector<ArgTest> of_number;
    for (const Open& each : open_) {
      if (each.condition.about == Condition::About::Arch) continue;
      const ArgTest test = each.otherwise ? negated(each.condition.test) : each.condition.test;
      (each.condition.about == Condition::About::Call ? of_number : rule.tests).push_back(test);
    }
    const auto equal = std::ranges::find(of_number, Comparison::Equal, &ArgTest::comparison);
    if (equal == of_number.end()) source_.fail(offset, "no \"$syscall == ...\" around this action");
    SeccompData data;
    data.args[0] = equal->value;
    // A tree's halves that the number is not in: this is never reached.
    for (const ArgTest& each : of_number) {
      if (!holds(each, data, false)) return;
    }
    rule.number = static_cast<std::int32_t>(equal->value);
    tests_ += rule.tests.size() + 1;
    if (tests_ > kMostTests) source_.fail(offset, fmt::format("more than {} tests", kMostTests));
    policy_.rules.push_back(std::move(rule));
  }

  PolicyText source_;
  Policy policy_;
  std::optional<std::uint32_t> default_;
  std::optional<Arch> named_;
  std::vector<Open> open_;
  std::size_t tests_ = 0;
};

}  // namespace

bool detect_pfc(std::string_view text, std::string_view /*path*/) {
  return text.find("# pseudo filter code start") != std::string_view::npos ||
         text.starts_with("if ($arch == ");
}

ReadProfile read_pfc(std::string_view text, std::string_view /*path*/,
                     const Deployment& /*deployment*/) {
  return reading([&] { return Reader(text).read(); });
}

}  // namespace callgate::front_ends
