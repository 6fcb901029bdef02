#pragma once

#include <cstdint>
#include <span>

#include "vm/engine.hpp"

namespace callgate {

/// Inputs that a thread takes at a time, at least.
inline constexpr std::size_t kSmallestShare = 4096;

/// Executable::run_many() by so many threads (0: as many as the machine runs at once), each with an
/// equal share of the inputs; by fewer where shares would be small. `results` is as long as
/// `inputs`. Throws std::system_error where a thread cannot be started.
void run_many(const Executable& executable, std::span<const SeccompData> inputs,
              std::span<std::uint32_t> results, unsigned threads);

}  // namespace callgate
