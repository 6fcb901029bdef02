#pragma once

#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/front_ends/policy.hpp"
#include "harness/front_ends/profile.hpp"

/// Seccomp profiles in JSON: OCI runtime-spec, and what Docker and Podman add to it. First the text
/// (read_oci_profile), then what an engine makes of it for one container (deployed), then the
/// filter that a runtime builds of that (built).
namespace callgate::front_ends {

/// A member of `args`.
struct OciArg {
  ArgTest test;
  Place place{};
};

/// `includes` or `excludes`.
struct OciCondition {
  std::vector<std::string> caps;
  std::vector<std::string> arches;  ///< "amd64": as Go and libseccomp's Go binding name them
  std::optional<std::pair<int, int>> min_kernel;
};

/// A member of `syscalls`.
struct OciRule {
  std::vector<std::pair<std::string, Place>> names;
  Action action = Action::Allow;
  std::optional<std::uint64_t> errno_ret;
  std::vector<OciArg> args;
  OciCondition includes;
  OciCondition excludes;
  Place place{};
};

/// A profile as it is written.
struct OciProfile {
  std::optional<Action> default_action;
  std::optional<std::uint64_t> default_errno_ret;
  std::vector<Arch> architectures;
  std::vector<std::pair<Arch, std::vector<Arch>>> arch_map;
  std::vector<std::pair<std::string, Place>> flags;
  bool listener = false;  ///< listenerPath is there
  std::vector<OciRule> rules;
  bool podman = false;  ///< errno names are there: Podman's dialect
  /// Of a whole config.json: the bounding set of its process
  std::optional<std::vector<std::string>> caps;
  Place place{};
  std::vector<Note> notes;
};

/// Reads a profile, or the `linux.seccomp` of a whole config.json.
[[nodiscard]] std::expected<OciProfile, ReadError> read_oci_profile(std::string_view text,
                                                                    Arch arch);

/// What is left when includes, excludes and archMap have been decided: only runtime-spec fields.
[[nodiscard]] OciProfile deployed(OciProfile profile, const Deployment& deployment);

/// The filter that runc or crun builds of a deployed profile.
[[nodiscard]] std::expected<Profile, ReadError> built(const OciProfile& profile,
                                                      const Deployment& deployment);

/// The largest number that a profile knows of an architecture: what runc's stub works with.
struct LargestNumber {
  Arch arch{};
  std::uint32_t nr = 0;
};

/// The stub that runc puts before a filter: ENOSYS for numbers above the largest known ones. runc
/// goes through the architectures in no certain order; here it is the given one, from the filter
/// backwards. Source: libcontainer/seccomp/patchbpf of runc 1.1 (seen loaded by 1.1.5).
[[nodiscard]] Program enosys_stub(std::span<const LargestNumber> largest);

}  // namespace callgate::front_ends
