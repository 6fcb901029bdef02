#pragma once

#include <asmjit/core.h>

#include <cstddef>
#include <expected>
#include <string>
#include <vector>

#include "vm/jit/jit.hpp"

namespace callgate::jit {

/// Translates into the text section of `code`, which was not begun yet. How many of its bytes are
/// code, or what asmjit could not do.
[[nodiscard]] std::expected<std::size_t, std::string> translate(const CheckedProgram& program,
                                                                Target target,
                                                                asmjit::CodeHolder& code,
                                                                std::vector<Origin>* origins);

}  // namespace callgate::jit
