#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/policy.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "vm/filter_stack.hpp"
#include "vm/kernel_model.hpp"

/// Profiles, policies and units: texts that some program makes filters of. A reader says which
/// policies that program would make, and how it would lower them.
namespace callgate::front_ends {

/// Where a profile is deployed.
struct Deployment {
  KernelModel model;  ///< whose kernel, on which machine
  /// "CAP_SYS_ADMIN": the bounding set (OCI, Docker); nothing: the engine's own default
  std::optional<std::vector<std::string>> caps;
  std::string runtime = "runc";    ///< runc, runc-1.1 or crun (OCI)
  std::string systemd;             ///< the version of the sets; empty: those that are installed
  std::vector<std::string> extra;  ///< more files: drop-ins of a unit, a frequency file
  bool denylist = false;           ///< minijail: --denylist
};

/// Something that a reader passes over, or that will not do what it seems to.
struct Note {
  Place place{};
  std::string message;
};

/// How a policy becomes BPF.
enum class Lowering : std::uint8_t { Plain, Libseccomp, LibseccompTree, LibseccompExact };

/// "plain", "libseccomp", "libseccomp-tree", "libseccomp-exact"
[[nodiscard]] std::string_view name_of(Lowering lowering) noexcept;

/// One filter that a profile leads to.
struct Layer {
  std::string name{};  ///< "SystemCallFilter= (x86)"; empty where there is one
  Policy policy{};
  Lowering lowering = Lowering::Plain;
  FilterFlags flags{};
  Program before{};  ///< instructions that stand before what the policy is lowered to
};

/// What a text means.
struct Profile {
  std::vector<Layer> layers;  ///< as they are installed, oldest first
  std::vector<Note> notes;    ///< in the order of the text
};

/// One row of the registry of profiles.
struct ProfileFormatRow {
  std::string_view name;  ///< "oci": what `--input-format` takes
  std::string_view looks_like;
  /// Whether a text looks like this one; it may still prove malformed. `path` is where it comes
  /// from: some are told by their names.
  bool (*detect)(std::string_view text, std::string_view path);
  /// Takes any bytes at all. `path` is what names of further files start from.
  std::expected<Profile, ReadError> (*read)(std::string_view text, std::string_view path,
                                            const Deployment& deployment);
};

/// Every profile format, in the order in which a text is tried.
[[nodiscard]] std::span<const ProfileFormatRow> profile_formats() noexcept;

/// The row of a name, or nullptr.
[[nodiscard]] const ProfileFormatRow* find_profile_format(std::string_view name) noexcept;

/// How libseccomp is asked for a layer that it lowers.
[[nodiscard]] LibseccompOptions libseccomp_options(const Layer& layer, const KernelModel& model);

/// A layer as BPF.
[[nodiscard]] std::expected<Program, LowerError> lower(const Layer& layer,
                                                       const KernelModel& model);

}  // namespace callgate::front_ends
