#pragma once

#include <algorithm>
#include <array>
#include <cstdint>
#include <cstring>
#include <span>
#include <type_traits>

#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

/// Makes a fuzz target's values of its bytes.
namespace callgate::fuzz {

/// Takes values from the front of the fuzzer's bytes; zeros where they have run out.
class Input {
 public:
  Input(const std::uint8_t* data, std::size_t size) : rest_(data, size) {}

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  T take() {
    T value{};
    const std::size_t count = std::min(sizeof(T), rest_.size());
    if (count > 0) std::memcpy(static_cast<void*>(&value), rest_.data(), count);
    rest_ = rest_.subspan(count);
    return value;
  }

  /// A kernel of any version from 3.0 to 7.31, any architecture.
  KernelModel take_model() {
    KernelModel model;
    const auto bytes = take<std::array<std::uint8_t, 4>>();
    model.version = {3 + bytes[0] % 5, bytes[1] % 32, bytes[2] % 100};
    model.arch = arches()[bytes[3] % arches().size()].arch;
    model.blinds_constants = (bytes[0] & 0x80U) != 0;
    model.engine = (bytes[1] & 0x80U) != 0 ? KernelEngine::Interpreter : KernelEngine::Jit;
    return model;
  }

  /// At most `limit` instructions: as many as there are bytes for.
  Program take_program(std::size_t limit) {
    Program program(std::min(limit, rest_.size() / sizeof(Instruction)));
    for (Instruction& each : program) each = take<Instruction>();
    return program;
  }

  [[nodiscard]] std::size_t left() const noexcept { return rest_.size(); }

 private:
  std::span<const std::uint8_t> rest_;
};

/// Ends the process, so that libFuzzer keeps the input, where a property does not hold.
inline void require(bool holds) {
  if (!holds) __builtin_trap();
}

}  // namespace callgate::fuzz
