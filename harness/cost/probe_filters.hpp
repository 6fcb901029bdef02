#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <vector>

#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

/// The filters that measurements compare with, and how given filters are changed so that nothing
/// that they allow is executed.
namespace callgate::cost {

/// The errno that refused calls return: none that a kernel gives by itself.
inline constexpr std::uint32_t kRefusedErrno = 4000;
/// What such a call returns.
inline constexpr std::int64_t kRefused = -std::int64_t{kRefusedErrno};
/// SECCOMP_RET_ERRNO with it.
inline constexpr std::uint32_t kRefusal = 0x0005'0000U | kRefusedErrno;
/// SECCOMP_RET_ALLOW with no data: what the kernel's cache of constant actions asks for.
inline constexpr std::uint32_t kPlainAllow = 0x7fff'0000U;

/// Allows every call; every number that the kernel caches is cached.
[[nodiscard]] Program cached_filter();

/// `ld [16]; ret ALLOW`: the smallest filter of which the kernel caches nothing.
[[nodiscard]] Program uncached_filter();

/// `ld [16]; ret ERRNO`.
[[nodiscard]] Program refusing_filter();

/// A run of `compares` of the number that all fail, then a refusal.
[[nodiscard]] Program chain_of_compares(std::size_t compares);

/// The same, but each jumps over an instruction that nothing comes to.
[[nodiscard]] Program chain_of_jumps(std::size_t jumps);

/// A run of additions of a constant to the number, then a refusal.
[[nodiscard]] Program chain_of_additions(std::size_t additions);

/// The program, every return of which is a refusal. The same instructions run, and as many.
[[nodiscard]] Program refusing(std::span<const Instruction> program);

/// The program, where every return but a plain ALLOW is a refusal: the same numbers are cached.
[[nodiscard]] Program refusing_unless_allowed(std::span<const Instruction> program);

/// Whether each filter but the newest plainly allows the call that a child installs the next with.
[[nodiscard]] bool lets_itself_be_installed(std::span<const Program> oldest_first,
                                            const KernelModel& model);

/// A stack as one child can install it: those below another let the installing call pass. Nothing
/// where that makes one too long. The prefix is one that the kernel's cache sees through.
[[nodiscard]] std::optional<std::vector<Program>> installable(std::vector<Program> oldest_first);

/// The program with `and #mask` behind each load of the number: called by a number that has all
/// bits of `mask`, it does what the given program does for `mask`, in the kernel's cache too. For
/// nothing else is it the same. Nothing where it gets too long, or a jump goes nowhere.
[[nodiscard]] std::optional<Program> with_masked_number(std::span<const Instruction> program,
                                                        std::uint32_t mask);

}  // namespace callgate::cost
