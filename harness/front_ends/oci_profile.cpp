// Profiles as they are written.

#include "harness/front_ends/oci_profile.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <span>

#include "harness/front_ends/constants.hpp"
#include "harness/front_ends/formats.hpp"
#include "harness/front_ends/json_tree.hpp"

namespace callgate::front_ends {
namespace {

using Strings = std::vector<std::string>;

bool same_letters(std::string_view a, std::string_view b) {
  return std::ranges::equal(a, b, [](char x, char y) {
    return std::tolower(static_cast<unsigned char>(x)) ==
           std::tolower(static_cast<unsigned char>(y));
  });
}

std::string joined(std::span<const std::string_view> all) {
  std::string out;
  for (const std::string_view each : all) {
    if (!out.empty()) out += ", ";
    out += each;
  }
  return out;
}

// Throws ReadError: the parts of a profile lie deep in each other, and all end at the first error.
class Reader {
 public:
  Reader(std::string_view text, Arch arch) : text_(text), arch_(arch) {}

  OciProfile read() {
    auto tree = read_json(text_);
    if (!tree) throw std::move(tree.error());
    want(*tree, JsonKind::Object, "a profile");
    const JsonNode* linux_part = tree->find("linux");
    if (linux_part != nullptr && tree->find("defaultAction") == nullptr) {
      return from_config(*tree, *linux_part);
    }
    return profile(*tree);
  }

 private:
  [[noreturn]] void fail(std::size_t offset, std::string message) const {
    throw error_at(text_, offset, std::move(message));
  }

  [[nodiscard]] Place place_of(std::size_t offset) const {
    // Rules come in the order of the text, so that the lines are counted once.
    if (offset < seen_) {
      seen_ = 0;
      line_ = 1;
      line_start_ = 0;
    }
    for (; seen_ < offset; ++seen_) {
      if (text_[seen_] != '\n') continue;
      ++line_;
      line_start_ = seen_ + 1;
    }
    return {line_, offset - line_start_ + 1};
  }

  void note(std::size_t offset, std::string message) {
    out_.notes.push_back({place_of(offset), std::move(message)});
  }

  void want(const JsonNode& node, JsonKind kind, std::string_view what) const {
    if (node.kind == kind) return;
    fail(node.offset, fmt::format("{} is {}, not {}", what, words(kind), words(node.kind)));
  }

  // Each key once, and spelled as it is read.
  void keys(const JsonNode& object, std::span<const std::string_view> known) {
    for (std::size_t i = 0; i < object.members.size(); ++i) {
      const JsonMember& member = object.members[i];
      const auto same = [&](const JsonMember& other) { return other.key == member.key; };
      if (std::ranges::any_of(std::span(object.members).first(i), same)) {
        fail(member.offset,
             fmt::format("\"{}\" stands here twice; readers differ in which one counts: remove one",
                         member.key));
      }
      if (std::ranges::find(known, member.key) != known.end()) continue;
      const auto meant = std::ranges::find_if(
          known, [&](std::string_view each) { return same_letters(each, member.key); });
      if (meant != known.end()) {
        fail(member.offset,
             fmt::format("\"{}\": some readers take this for \"{}\", others pass over "
                         "it: write \"{}\"",
                         member.key, *meant, *meant));
      }
      note(member.offset,
           fmt::format("\"{}\" is no key of a seccomp profile: passed over (keys here: "
                       "{})",
                       member.key, joined(known)));
    }
  }

  std::string string(const JsonNode& node, std::string_view what) const {
    want(node, JsonKind::String, what);
    return node.text;
  }

  Strings strings(const JsonNode* node, std::string_view what) const {
    Strings out;
    if (node == nullptr) return out;
    want(*node, JsonKind::Array, what);
    for (const JsonNode& each : node->items) out.push_back(string(each, what));
    return out;
  }

  std::uint64_t number(const JsonNode& node, std::string_view what, std::uint64_t most) const {
    want(node, JsonKind::Integer, what);
    if (node.negative || node.number > most) {
      fail(node.offset, fmt::format("{} is 0 to {}, not {}{}", what, most, node.negative ? "-" : "",
                                    node.number));
    }
    return node.number;
  }

  Action action(const JsonNode& node, std::string_view what) const {
    const std::string name = string(node, what);
    const auto found = action_from_name(name);
    if (found && name.starts_with("SCMP_ACT_")) return *found;
    Strings names{"SCMP_ACT_KILL"};
    for (const ActionInfo& row : actions()) names.emplace_back(row.libseccomp);
    fail(node.offset, fmt::format("{}: not an action; these are: {}", name, fmt::join(names, " ")));
  }

  Arch arch(const JsonNode& node) const {
    const std::string name = string(node, "an architecture");
    const auto found = arch_from_name(name);
    if (found && name.starts_with("SCMP_ARCH_")) return *found;
    fail(node.offset, fmt::format("{}: not an architecture; they are written as SCMP_ARCH_X86_64, "
                                  "SCMP_ARCH_AARCH64, ...",
                                  name));
  }

  // Podman writes errnos by name, or as a decimal in quotes.
  std::uint64_t errno_word(const JsonNode& node) {
    out_.podman = true;
    const std::string word = string(node, "an errno");
    std::uint64_t value = 0;
    const auto [end, error] = std::from_chars(word.data(), word.data() + word.size(), value);
    if (error == std::errc{} && end == word.data() + word.size() && value <= 0xffffffffU) {
      return value;
    }
    const auto named = word.starts_with('E') ? find_constant(word, arch_)
                                             : std::unexpected(std::string("no such errno"));
    if (!named) fail(node.offset, fmt::format("{}: not an errno ({})", word, named.error()));
    return *named;
  }

  std::optional<std::uint64_t> errno_of(const JsonNode& object, std::string_view numeric,
                                        std::string_view named) {
    std::optional<std::uint64_t> out;
    if (const JsonNode* node = object.find(numeric)) {
      out = number(*node, numeric, 0xffffffffU);
    }
    const JsonNode* name = object.find(named);
    if (name == nullptr || (name->kind == JsonKind::String && name->text.empty())) return out;
    const std::uint64_t value = errno_word(*name);
    if (out && *out != value) {
      note(name->offset, fmt::format("\"{}\" says {} and \"{}\" says {}; Podman takes the first",
                                     named, value, numeric, *out));
    }
    return value;
  }

  OciArg argument(const JsonNode& node) {
    want(node, JsonKind::Object, "a member of args");
    constexpr std::array<std::string_view, 4> kKeys = {"index", "value", "valueTwo", "op"};
    keys(node, kKeys);
    OciArg out;
    out.place = place_of(node.offset);
    if (const JsonNode* index = node.find("index")) {
      out.test.index = static_cast<unsigned>(number(*index, "index", 5));
    }
    const JsonNode* value = node.find("value");
    const JsonNode* value_two = node.find("valueTwo");
    if (value != nullptr) out.test.value = number(*value, "value", kAllBits);
    const std::uint64_t second =
        value_two == nullptr ? 0 : number(*value_two, "valueTwo", kAllBits);
    const JsonNode* op = node.find("op");
    if (op == nullptr) fail(node.offset, "an argument is compared by its \"op\", which is missing");
    const std::string name = string(*op, "op");
    constexpr std::pair<std::string_view, Comparison> kOps[] = {
        {"SCMP_CMP_NE", Comparison::NotEqual},     {"SCMP_CMP_LT", Comparison::Less},
        {"SCMP_CMP_LE", Comparison::LessEqual},    {"SCMP_CMP_EQ", Comparison::Equal},
        {"SCMP_CMP_GE", Comparison::GreaterEqual}, {"SCMP_CMP_GT", Comparison::Greater},
        {"SCMP_CMP_MASKED_EQ", Comparison::Equal}};
    const auto* const row =
        std::ranges::find(kOps, name, &std::pair<std::string_view, Comparison>::first);
    return finish(out, *op, name, second, row == std::end(kOps) ? nullptr : &row->second);
  }

  OciArg finish(OciArg out, const JsonNode& op, const std::string& name, std::uint64_t second,
                const Comparison* comparison) {
    if (comparison == nullptr) {
      fail(op.offset, fmt::format("{}: not an operator; these are: SCMP_CMP_NE LT LE EQ GE GT "
                                  "MASKED_EQ",
                                  name));
    }
    out.test.comparison = *comparison;
    if (name == "SCMP_CMP_MASKED_EQ") {
      out.test.mask = out.test.value;
      out.test.value = second;
      if ((second & ~out.test.mask) != 0) {
        note(op.offset,
             fmt::format(
                 "valueTwo 0x{:x} has bits outside of the mask 0x{:x}: libseccomp drops them",
                 second, out.test.mask));
      }
    } else if (second != 0) {
      note(op.offset,
           fmt::format("valueTwo is for SCMP_CMP_MASKED_EQ, {} does not look at it", name));
    }
    return out;
  }

  OciCondition condition(const JsonNode* node) {
    OciCondition out;
    if (node == nullptr) return out;
    want(*node, JsonKind::Object, "includes and excludes");
    constexpr std::array<std::string_view, 3> kKeys = {"caps", "arches", "minKernel"};
    keys(*node, kKeys);
    out.caps = strings(node->find("caps"), "caps");
    out.arches = strings(node->find("arches"), "arches");
    const JsonNode* kernel = node->find("minKernel");
    if (kernel == nullptr) return out;
    const std::string version = string(*kernel, "minKernel");
    std::pair<int, int> parsed{};
    const char* const end = version.data() + version.size();
    const auto major = std::from_chars(version.data(), end, parsed.first);
    const bool dot = major.ec == std::errc{} && major.ptr != end && *major.ptr == '.';
    const auto minor = dot ? std::from_chars(major.ptr + 1, end, parsed.second) : major;
    const auto fits = [](int each) { return each >= 0 && each <= 255; };
    if (!dot || minor.ec != std::errc{} || minor.ptr != end || !fits(parsed.first) ||
        !fits(parsed.second) || version.contains('-')) {
      fail(kernel->offset,
           fmt::format("{}: a minKernel is two numbers of at most 255, such as 4.8", version));
    }
    out.min_kernel = parsed;
    return out;
  }

  OciRule rule(const JsonNode& node) {
    want(node, JsonKind::Object, "a member of syscalls");
    constexpr std::array<std::string_view, 9> kKeys = {
        "names", "name", "action", "errnoRet", "errno", "args", "comment", "includes", "excludes"};
    keys(node, kKeys);
    OciRule out;
    out.place = place_of(node.offset);
    const JsonNode* names = node.find("names");
    const JsonNode* name = node.find("name");
    const bool old_name = name != nullptr && !string(*name, "name").empty();
    if (names != nullptr) {
      want(*names, JsonKind::Array, "names");
      if (old_name && !names->items.empty()) {
        fail(name->offset, "both \"name\" and \"names\"; engines refuse that: keep \"names\"");
      }
      for (const JsonNode& each : names->items) {
        out.names.emplace_back(string(each, "a member of names"), place_of(each.offset));
        if (each.text.empty()) fail(each.offset, "an empty name of a syscall");
      }
    }
    if (old_name) out.names.emplace_back(name->text, place_of(name->offset));
    if (out.names.empty()) {
      note(node.offset, "a rule without names: it is about no call");
    }
    const JsonNode* what = node.find("action");
    if (what == nullptr) fail(node.offset, "a rule has an \"action\", which is missing");
    out.action = action(*what, "action");
    out.errno_ret = errno_of(node, "errnoRet", "errno");
    if (const JsonNode* args = node.find("args")) {
      want(*args, JsonKind::Array, "args");
      for (const JsonNode& each : args->items) out.args.push_back(argument(each));
    }
    out.includes = condition(node.find("includes"));
    out.excludes = condition(node.find("excludes"));
    return out;
  }

  void arch_map(const JsonNode& node) {
    want(node, JsonKind::Array, "archMap");
    constexpr std::array<std::string_view, 2> kKeys = {"architecture", "subArchitectures"};
    for (const JsonNode& each : node.items) {
      want(each, JsonKind::Object, "a member of archMap");
      keys(each, kKeys);
      const JsonNode* main = each.find("architecture");
      if (main == nullptr) fail(each.offset, "an entry of archMap has an \"architecture\"");
      auto& entry = out_.arch_map.emplace_back(arch(*main), std::vector<Arch>{});
      const JsonNode* more = each.find("subArchitectures");
      if (more == nullptr) continue;
      want(*more, JsonKind::Array, "subArchitectures");
      for (const JsonNode& sub : more->items) entry.second.push_back(arch(sub));
    }
  }

  OciProfile profile(const JsonNode& node) {
    constexpr std::array<std::string_view, 10> kKeys = {
        "defaultAction", "defaultErrnoRet", "defaultErrno",     "architectures", "archMap",
        "flags",         "listenerPath",    "listenerMetadata", "syscalls",      "comment"};
    want(node, JsonKind::Object, "a seccomp profile");
    keys(node, kKeys);
    out_.place = place_of(node.offset);
    const JsonNode* standard = node.find("defaultAction");
    const JsonNode* calls = node.find("syscalls");
    if (standard != nullptr) out_.default_action = action(*standard, "defaultAction");
    if (standard == nullptr && calls != nullptr && !calls->items.empty()) {
      fail(node.offset, "it has rules, but no \"defaultAction\"");
    }
    out_.default_errno_ret = errno_of(node, "defaultErrnoRet", "defaultErrno");
    if (const JsonNode* arches = node.find("architectures")) {
      want(*arches, JsonKind::Array, "architectures");
      for (const JsonNode& each : arches->items) out_.architectures.push_back(arch(each));
    }
    if (const JsonNode* map = node.find("archMap")) {
      arch_map(*map);
      if (!out_.architectures.empty() && !out_.arch_map.empty()) {
        fail(map->offset, "both \"architectures\" and \"archMap\"; engines refuse that: keep one");
      }
    }
    if (const JsonNode* flags = node.find("flags")) {
      want(*flags, JsonKind::Array, "flags");
      for (const JsonNode& each : flags->items) {
        out_.flags.emplace_back(string(each, "a flag"), place_of(each.offset));
      }
    }
    const JsonNode* listener = node.find("listenerPath");
    out_.listener = listener != nullptr && !string(*listener, "listenerPath").empty();
    if (calls != nullptr) {
      want(*calls, JsonKind::Array, "syscalls");
      out_.rules.reserve(calls->items.size());
      for (const JsonNode& each : calls->items) out_.rules.push_back(rule(each));
    }
    return std::move(out_);
  }

  // A whole config.json: its seccomp part, and the capabilities of its process.
  OciProfile from_config(const JsonNode& config, const JsonNode& linux_part) {
    want(linux_part, JsonKind::Object, "linux");
    if (const JsonNode* process = config.find("process")) {
      want(*process, JsonKind::Object, "process");
      const JsonNode* caps = process->find("capabilities");
      if (caps != nullptr) {
        want(*caps, JsonKind::Object, "capabilities");
        out_.caps = strings(caps->find("bounding"), "bounding");
      } else {
        out_.caps.emplace();
      }
    }
    const JsonNode* seccomp = linux_part.find("seccomp");
    if (seccomp == nullptr) {
      note(linux_part.offset, "this container has no seccomp profile");
      return std::move(out_);
    }
    return profile(*seccomp);
  }

  std::string_view text_;
  Arch arch_;
  OciProfile out_;
  mutable std::size_t seen_ = 0;
  mutable std::size_t line_ = 1;
  mutable std::size_t line_start_ = 0;
};

}  // namespace

std::expected<OciProfile, ReadError> read_oci_profile(std::string_view text, Arch arch) {
  try {
    return Reader(text, arch).read();
  } catch (ReadError& error) {
    return std::unexpected(std::move(error));
  }
}

}  // namespace callgate::front_ends
