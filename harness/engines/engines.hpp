#pragma once

#include <span>
#include <string>
#include <string_view>

#include "vm/engine.hpp"

namespace callgate {

/// Every engine that this was built with: those of vm, the reference first, then `jit` where asmjit
/// was there. The one list that tests, fuzz targets, benchmarks, the command and the C library
/// walk.
[[nodiscard]] std::span<const Engine* const> all_engines() noexcept;

/// The engine of that name among them, or nullptr.
[[nodiscard]] const Engine* find_any_engine(std::string_view name) noexcept;

/// Their names: "reference, decoded, specialised, jit".
[[nodiscard]] std::string engine_names();

}  // namespace callgate
