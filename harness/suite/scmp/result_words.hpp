#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "vm/kernel_model.hpp"

/// The words of libseccomp's simulator.
namespace callgate::suite::scmp {

/// The word for what a filter returns: "ALLOW", "KILL" (of the thread), "KILL_PROCESS", "TRAP",
/// "LOG", "NOTIFY", "ERRNO(1)", "TRACE(1)" with all 16 bits of data; nothing where `model`'s kernel
/// has no such action. libseccomp's simulator itself has no word for NOTIFY.
[[nodiscard]] std::optional<std::string> result_word(std::uint32_t value, const KernelModel& model);

/// Whether it is one of these words, as they are printed: "ERRNO(01)" is none.
[[nodiscard]] bool is_result_word(std::string_view text) noexcept;

/// Whether it is a word of a live test, which names no data: "ERRNO", "TRACE" are, too.
[[nodiscard]] bool is_live_word(std::string_view text) noexcept;

}  // namespace callgate::suite::scmp
