#pragma once

#include <expected>
#include <vector>

#include "harness/front_ends/profile.hpp"
#include "harness/front_ends/systemd_options.hpp"

namespace callgate::front_ends::systemd {

/// The programs that systemd 252 installs for options, oldest first: for each option one for each
/// ABI, which lets calls of other ABIs through; for SystemCallArchitectures= one for all. What
/// libseccomp does not take is left out, as there. Refused: a list whose item
/// says what the list says anyway (the service does not start, 228/SECCOMP), machines that are not
/// modelled.
[[nodiscard]] std::expected<std::vector<Layer>, ReadError> layers_of(const Options& options,
                                                                     const SyscallSets& sets,
                                                                     const KernelModel& model,
                                                                     std::vector<Note>& notes);

}  // namespace callgate::front_ends::systemd
