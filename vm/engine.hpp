#pragma once

#include <cstdint>
#include <expected>
#include <memory>
#include <span>
#include <string>
#include <string_view>

#include "vm/checked_program.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate {

/// A program made ready to run. Never changes, so any number of threads may share it; running
/// neither allocates nor fails.
class Executable {
 public:
  Executable() = default;
  Executable(const Executable&) = delete;
  Executable& operator=(const Executable&) = delete;
  virtual ~Executable() = default;

  /// What the program returns, all 32 bits. 0 where the kernel leaves the result undefined; ask
  /// reference::run() to tell that apart.
  [[nodiscard]] virtual std::uint32_t run(const SeccompData& data) const noexcept = 0;

  /// The same for many inputs; `results` is as long as `inputs`.
  virtual void run_many(std::span<const SeccompData> inputs,
                        std::span<std::uint32_t> results) const noexcept;
};

/// A way to run checked programs.
class Engine {
 public:
  Engine() = default;
  Engine(const Engine&) = delete;
  Engine& operator=(const Engine&) = delete;
  virtual ~Engine() = default;

  [[nodiscard]] virtual std::string_view name() const noexcept = 0;

  /// The program ready to run, or why this engine declines it.
  [[nodiscard]] virtual std::expected<std::unique_ptr<Executable>, std::string> prepare(
      const CheckedProgram& program) const = 0;
};

/// Every engine, the reference first. The one list that tests, fuzz targets, benchmarks and the
/// command walk.
[[nodiscard]] std::span<const Engine* const> engines() noexcept;

/// The engine of that name, or nullptr.
[[nodiscard]] const Engine* find_engine(std::string_view name) noexcept;

/// The engine that is taken where none is named.
[[nodiscard]] const Engine& default_engine() noexcept;

}  // namespace callgate
