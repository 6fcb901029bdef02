// What Docker and Podman make of a profile for one container.

#include <fmt/format.h>

#include <algorithm>
#include <array>

#include "harness/front_ends/oci_profile.hpp"

namespace callgate::front_ends {
namespace {

// The engines' own default bounding sets.
constexpr std::array<std::string_view, 14> kDockerCaps = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE", "CAP_FSETID",           "CAP_FOWNER",
    "CAP_MKNOD",   "CAP_NET_RAW",      "CAP_SETGID",           "CAP_SETUID",
    "CAP_SETFCAP", "CAP_SETPCAP",      "CAP_NET_BIND_SERVICE", "CAP_SYS_CHROOT",
    "CAP_KILL",    "CAP_AUDIT_WRITE"};
constexpr std::array<std::string_view, 11> kPodmanCaps = {
    "CAP_CHOWN",   "CAP_DAC_OVERRIDE",     "CAP_FOWNER",    "CAP_FSETID",
    "CAP_KILL",    "CAP_NET_BIND_SERVICE", "CAP_SETFCAP",   "CAP_SETGID",
    "CAP_SETPCAP", "CAP_SETUID",           "CAP_SYS_CHROOT"};

// Whose archMap Podman looks at: not every architecture is in its table.
constexpr std::array kPodmanArches = {Arch::X86_64,    Arch::AArch64,  Arch::Mips64,
                                      Arch::Mips64n32, Arch::Mipsel64, Arch::Mipsel64n32,
                                      Arch::S390x};

// The machine as profiles name it in `arches`.
std::string_view go_name(Arch arch) {
  if (arch == Arch::X86_64) return "amd64";
  if (arch == Arch::AArch64) return "arm64";
  if (arch == Arch::LoongArch64) return "loong64";
  return info(arch).name;
}

bool contains(const std::vector<std::string>& all, std::string_view one) {
  return std::ranges::find(all, one) != all.end();
}

class Choice {
 public:
  Choice(const std::vector<std::string>& caps, const KernelModel& model)
      : caps_(caps), model_(model) {}

  [[nodiscard]] bool keeps(const OciRule& rule) const {
    const OciCondition& without = rule.excludes;
    const OciCondition& with = rule.includes;
    const auto has = [&](const std::string& cap) { return contains(caps_, cap); };
    const std::string_view machine = go_name(model_.arch);
    if (contains(without.arches, machine)) return false;
    if (std::ranges::any_of(without.caps, has)) return false;
    if (without.min_kernel && reached(*without.min_kernel)) return false;
    if (!with.arches.empty() && !contains(with.arches, machine)) return false;
    if (!std::ranges::all_of(with.caps, has)) return false;
    return !with.min_kernel || reached(*with.min_kernel);
  }

 private:
  [[nodiscard]] bool reached(const std::pair<int, int>& least) const {
    return std::pair(model_.version.major, model_.version.minor) >= least;
  }

  const std::vector<std::string>& caps_;
  const KernelModel& model_;
};

bool asks_for_caps(const OciRule& rule) {
  return !rule.includes.caps.empty() || !rule.excludes.caps.empty();
}

}  // namespace

OciProfile deployed(OciProfile profile, const Deployment& deployment) {
  const Arch machine = deployment.model.arch;
  std::vector<std::string> caps;
  if (deployment.caps) {
    caps = *deployment.caps;
  } else if (profile.caps) {
    caps = *profile.caps;
  } else if (profile.podman) {
    caps.assign(kPodmanCaps.begin(), kPodmanCaps.end());
  } else {
    caps.assign(kDockerCaps.begin(), kDockerCaps.end());
  }
  if (!deployment.caps && !profile.caps && std::ranges::any_of(profile.rules, asks_for_caps)) {
    profile.notes.push_back(
        {profile.place, fmt::format("rules ask for capabilities: taken are the {} that {} gives a "
                                    "container (--caps says others)",
                                    caps.size(), profile.podman ? "Podman" : "Docker")});
  }
  if (!profile.arch_map.empty()) {
    const bool known =
        machine != Arch::LoongArch64 &&
        (!profile.podman || std::ranges::find(kPodmanArches, machine) != kPodmanArches.end());
    const auto entry = std::ranges::find_if(
        profile.arch_map, [&](const auto& each) { return known && each.first == machine; });
    if (entry != profile.arch_map.end()) {
      profile.architectures.push_back(entry->first);
      std::ranges::copy(entry->second, std::back_inserter(profile.architectures));
    } else {
      profile.notes.push_back(
          {profile.place,
           fmt::format("archMap has nothing for {}{}: the filter speaks of {} alone",
                       info(machine).name, known ? "" : " that the engine would look at",
                       info(machine).name)});
    }
    profile.arch_map.clear();
  }
  const Choice choice(caps, deployment.model);
  std::erase_if(profile.rules, [&](const OciRule& rule) { return !choice.keeps(rule); });
  for (OciRule& rule : profile.rules) {
    rule.includes = {};
    rule.excludes = {};
  }
  return profile;
}

}  // namespace callgate::front_ends
