#pragma once

#include <expected>
#include <span>
#include <vector>

#include "harness/live/child.hpp"
#include "vm/instruction.hpp"

namespace callgate::live {

/// Asks the running kernel which programs it takes: for each the errno of installing it, 0 where it
/// is accepted. In one child that has no free file descriptor and asks for a listener: a program
/// that passes every check gets EMFILE then, and nothing is attached. Every 256th is installed for
/// real besides, in a child of its own, as a control; where the two disagree the answer is an
/// error. More than 65,535 instructions cannot be said to the kernel and count as EINVAL.
[[nodiscard]] std::expected<std::vector<int>, LiveError> accepted(
    std::span<const Program> programs, int patience_milliseconds = kPatience);

}  // namespace callgate::live
