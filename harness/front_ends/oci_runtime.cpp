// The filter that a runtime builds of a profile.
// Sources: runc 1.1 and 1.2 (libcontainer/seccomp), crun 1.8 (src/libcrun/seccomp.c).

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "harness/front_ends/formats.hpp"
#include "harness/front_ends/oci_profile.hpp"
#include "harness/front_ends/profile_formats.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::uint64_t kEperm = 1;
constexpr std::size_t kLinearRules = 32;  // more get a tree, since runc 1.2

struct Runtime {
  std::string_view name;
  std::string_view words;
  bool stub;               ///< ENOSYS above the largest known number
  bool stub_has_native;    ///< for the machine's own architecture, too, if the profile names it not
  bool tree;               ///< for more than kLinearRules rules
  bool checks_notify;      ///< as runc does
  bool errno_is_checked;   ///< errnoRet with another action than ERRNO and TRACE is an error
  bool unknown_flags_end;  ///< flags that it does not know are an error
  std::span<const std::string_view> flags;
};

constexpr std::array<std::string_view, 3> kRuncFlags = {
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG"};
constexpr std::array<std::string_view, 4> kCrunFlags = {
    "SECCOMP_FILTER_FLAG_TSYNC", "SECCOMP_FILTER_FLAG_SPEC_ALLOW", "SECCOMP_FILTER_FLAG_LOG",
    "SECCOMP_FILTER_FLAG_WAIT_KILLABLE_RECV"};

constexpr std::array kRuntimes = {
    Runtime{"runc", "runc since 1.2", true, true, true, true, false, true, kRuncFlags},
    Runtime{"runc-1.1", "runc 1.1", true, false, false, true, false, true, {}},
    Runtime{"crun", "crun", false, false, false, false, true, true, kCrunFlags},
};

ReadError error_of(const Place& place, std::string message) {
  ReadError out{std::move(message), {}, {}, {}};
  if (place.line != 0) {
    out.line = place.line;
    out.column = place.column;
  }
  return out;
}

class Builder {
 public:
  Builder(const OciProfile& profile, const Deployment& deployment, const Runtime& runtime)
      : profile_(profile), deployment_(deployment), runtime_(runtime) {}

  // Throws ReadError, as the runtime would give up.
  Profile build() {
    out_.notes = profile_.notes;
    if (!profile_.default_action) {
      out_.notes.push_back({profile_.place, "neither a default nor rules: no filter is installed"});
      return std::move(out_);
    }
    Layer& layer = out_.layers.emplace_back();
    Policy& policy = layer.policy;
    policy.arches = arches();
    policy.multiplexed = true;
    policy.foreign_value = static_cast<std::uint32_t>(Action::KillThread);
    policy.default_value =
        value(*profile_.default_action, profile_.default_errno_ret, profile_.place);
    flags(layer);
    notifications(layer);
    std::size_t named = 0;
    for (const OciRule& rule : profile_.rules) named += rule.names.size();
    policy.rules.reserve(named);
    for (const OciRule& rule : profile_.rules) add(policy, rule);
    layer.lowering =
        runtime_.tree && named > kLinearRules ? Lowering::LibseccompTree : Lowering::Libseccomp;
    if (runtime_.stub) stub(layer);
    return std::move(out_);
  }

 private:
  [[noreturn]] static void fail(const Place& place, std::string message) {
    throw error_of(place, std::move(message));
  }

  // The machine's own architecture is in every libseccomp filter.
  [[nodiscard]] std::vector<Arch> arches() const {
    std::vector<Arch> out{deployment_.model.arch};
    for (const Arch each : profile_.architectures) {
      if (std::ranges::find(out, each) == out.end()) out.push_back(each);
    }
    return out;
  }

  [[nodiscard]] std::uint32_t value(Action action, std::optional<std::uint64_t> errno_ret,
                                    const Place& place) const {
    const bool takes_errno = action == Action::Errno || action == Action::Trace;
    if (errno_ret && !takes_errno && runtime_.errno_is_checked) {
      fail(place, fmt::format("{} refuses an errno for an action other than ERRNO and TRACE",
                              runtime_.name));
    }
    if (!takes_errno) return static_cast<std::uint32_t>(action);
    const std::uint64_t data = errno_ret.value_or(kEperm) & kDataMask;
    return static_cast<std::uint32_t>(action) | static_cast<std::uint32_t>(data);
  }

  void flags(Layer& layer) const {
    for (const auto& [flag, place] : profile_.flags) {
      if (std::ranges::find(runtime_.flags, flag) == runtime_.flags.end()) {
        fail(place, runtime_.flags.empty()
                        ? fmt::format("{} takes no flags: it refuses the container", runtime_.words)
                        : fmt::format("{}: {} does not know this flag; it knows {}", flag,
                                      runtime_.words, fmt::join(runtime_.flags, " ")));
      }
      layer.flags.log = layer.flags.log || flag == "SECCOMP_FILTER_FLAG_LOG";
    }
  }

  void notifications(Layer& layer) const {
    const bool runc = runtime_.checks_notify;
    layer.flags.new_listener = !runc && profile_.listener;
    if (runc && profile_.default_action == Action::UserNotif) {
      fail(profile_.place, "runc refuses SCMP_ACT_NOTIFY as the default action");
    }
    for (const OciRule& rule : profile_.rules) {
      if (!runc || rule.action != Action::UserNotif || rule.names.empty()) continue;
      layer.flags.new_listener = true;
      if (deployment_.model.version < Version{5, 7, 0}) {
        fail(rule.place, "runc takes SCMP_ACT_NOTIFY on Linux 5.7 and later alone");
      }
      for (const auto& [name, place] : rule.names) {
        if (name == "write") fail(place, "runc refuses SCMP_ACT_NOTIFY for write");
      }
    }
  }

  // What runtimes pass over: names that libseccomp does not know.
  bool known(const std::string& name, const Place& place) {
    const auto [row, is_new] = known_.try_emplace(name, false);
    if (!is_new) return row->second;
    row->second = libseccomp_knows(name);
    if (row->second) return true;
    const auto has = [&](const ArchInfo& each) {
      return syscall_number(each.arch, name).has_value();
    };
    const bool newer = std::ranges::any_of(callgate::arches(), has);
    out_.notes.push_back(
        {place, newer ? fmt::format("{}: libseccomp {} is older than this call; {} passes over it",
                                    name, libseccomp_version(), runtime_.name)
                      : fmt::format("{}: no architecture has such a syscall; {} passes over it",
                                    name, runtime_.name)});
    return false;
  }

  void add(Policy& policy, const OciRule& from) {
    Rule rule;
    rule.value = value(from.action, from.errno_ret, from.place);
    if (rule.value == policy.default_value) return;  // as runtimes do
    std::array<int, 6> tests{};
    bool repeated = false;
    for (const OciArg& arg : from.args) repeated = ++tests[arg.test.index] > 1 || repeated;
    if (repeated) {
      out_.notes.push_back(
          {from.place,
           "an argument is tested twice: runtimes make a rule of each test, so that any "
           "one of them suffices"});
    }
    if (from.args.size() > 6) {
      fail(from.place, "more than 6 tests: not all runtimes look at all of them");
    }
    for (const auto& [name, place] : from.names) {
      if (!known(name, place)) continue;
      rule.syscall = name;
      rule.place = place;
      rule.tests.clear();
      if (!repeated) {
        for (const OciArg& arg : from.args) rule.tests.push_back(arg.test);
        policy.rules.push_back(rule);
        continue;
      }
      for (const OciArg& arg : from.args) {
        rule.tests = {arg.test};
        policy.rules.push_back(rule);
      }
    }
  }

  void stub(Layer& layer) {
    const Action action = *profile_.default_action;
    if (action == Action::Allow || action == Action::Log || action == Action::Trace) return;
    // runc compares with the whole SCMP_ACT_ERRNO(ENOSYS), so that 38 does not end this.
    if (profile_.default_errno_ret == 0x00050026U) return;
    std::vector<LargestNumber> largest;
    const std::vector<Arch> all =
        runtime_.stub_has_native ? layer.policy.arches : profile_.architectures;
    for (const Arch arch : all) {
      if (std::ranges::find(largest, arch, &LargestNumber::arch) != largest.end()) continue;
      LargestNumber& row = largest.emplace_back(LargestNumber{arch, 0});
      std::map<std::string_view, bool> seen;
      for (const OciRule& rule : profile_.rules) {
        for (const auto& [name, place] : rule.names) {
          if (!seen.try_emplace(name, true).second) continue;
          const auto nr = libseccomp_number(arch, name);
          if (nr && *nr > 0) row.nr = std::max(row.nr, static_cast<std::uint32_t>(*nr));
        }
      }
    }
    layer.before = enosys_stub(largest);
  }

  const OciProfile& profile_;
  const Deployment& deployment_;
  const Runtime& runtime_;
  Profile out_;
  std::map<std::string, bool> known_;
};

}  // namespace

std::expected<Profile, ReadError> built(const OciProfile& profile, const Deployment& deployment) {
  const auto* const runtime =
      std::ranges::find(kRuntimes, std::string_view(deployment.runtime), &Runtime::name);
  if (runtime == kRuntimes.end()) {
    return std::unexpected(ReadError{
        fmt::format("{}: not a runtime; these are: runc runc-1.1 crun", deployment.runtime),
        {},
        {},
        {}});
  }
  try {
    return Builder(profile, deployment, *runtime).build();
  } catch (ReadError& error) {
    return std::unexpected(std::move(error));
  }
}

bool detect_oci(std::string_view text, std::string_view /*path*/) {
  const auto start = std::ranges::find_if_not(text, is_space);
  if (start == text.end() || *start != '{') return false;
  return text.contains("\"defaultAction\"") || text.contains("\"ociVersion\"") ||
         text.contains("\"archMap\"");
}

ReadProfile read_oci(std::string_view text, std::string_view /*path*/,
                     const Deployment& deployment) {
  auto profile = read_oci_profile(text, deployment.model.arch);
  if (!profile) return std::unexpected(std::move(profile.error()));
  return built(deployed(std::move(*profile), deployment), deployment);
}

}  // namespace callgate::front_ends
