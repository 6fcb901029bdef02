#include "harness/front_ends/profile.hpp"

#include <algorithm>
#include <array>
#include <utility>

#include "harness/front_ends/profile_formats.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::array kFormats = {
    ProfileFormatRow{"oci", "a JSON object with defaultAction, of OCI, Docker or Podman",
                     detect_oci, read_oci},
    ProfileFormatRow{"systemd", "a unit file with [Service], [Socket], [Mount] or [Swap]",
                     detect_systemd, read_systemd},
    ProfileFormatRow{"firejail", "a firejail profile: seccomp, seccomp.drop, seccomp.keep",
                     detect_firejail, read_firejail},
    ProfileFormatRow{"pfc", "libseccomp's pseudo filter code, of seccomp_export_pfc()", detect_pfc,
                     read_pfc},
    ProfileFormatRow{"lxc", "LXC's: 2, then allowlist or denylist, then names", detect_lxc,
                     read_lxc},
    ProfileFormatRow{"seccompiler", "JSON of rust-vmm's seccompiler: mismatch_action, filter",
                     detect_seccompiler, read_seccompiler},
    ProfileFormatRow{"firecracker", "JSON of Firecracker: default_action, filter_action, filter",
                     detect_firecracker, read_firecracker},
    ProfileFormatRow{"kafel",
                     "a kafel policy: POLICY name { ALLOW { read } } USE name DEFAULT KILL",
                     detect_kafel, read_kafel},
    ProfileFormatRow{"minijail-compiler",
                     "a policy for minijail's compile_seccomp_policy: read: allow",
                     detect_minijail_compiler, read_minijail_compiler},
    ProfileFormatRow{"minijail", "a policy of libminijail: read: 1", detect_minijail,
                     read_minijail},
};

}  // namespace

std::string_view name_of(Lowering lowering) noexcept {
  switch (lowering) {
    case Lowering::Plain:
      return "plain";
    case Lowering::Libseccomp:
      return "libseccomp";
    case Lowering::LibseccompTree:
      return "libseccomp-tree";
    case Lowering::LibseccompExact:
      return "libseccomp-exact";
  }
  return "";
}

std::span<const ProfileFormatRow> profile_formats() noexcept { return kFormats; }

const ProfileFormatRow* find_profile_format(std::string_view name) noexcept {
  const auto row = std::ranges::find(kFormats, name, &ProfileFormatRow::name);
  return row == kFormats.end() ? nullptr : &*row;
}

LibseccompOptions libseccomp_options(const Layer& layer, const KernelModel& model) {
  LibseccompOptions out;
  out.binary_tree = layer.lowering == Lowering::LibseccompTree;
  out.exact = layer.lowering == Lowering::LibseccompExact;
  out.kernel = model.version;
  return out;
}

std::expected<Program, LowerError> lower(const Layer& layer, const KernelModel& model) {
  auto program = layer.lowering == Lowering::Plain
                     ? lower_plain(layer.policy)
                     : lower_libseccomp(layer.policy, libseccomp_options(layer, model));
  if (program) program->insert(program->begin(), layer.before.begin(), layer.before.end());
  return program;
}

}  // namespace callgate::front_ends
