#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <utility>

namespace callgate::jit {

/// Pages with code: written first, then made executable, never both at once.
class Pages {
 public:
  /// Copies the code to pages of its own. An error names the call that failed, and why.
  [[nodiscard]] static std::expected<Pages, std::string> holding(
      std::span<const std::uint8_t> code);

  Pages(Pages&& other) noexcept
      : start_(std::exchange(other.start_, nullptr)), size_(other.size_) {}
  Pages& operator=(Pages&&) = delete;
  ~Pages();

  [[nodiscard]] const void* start() const noexcept { return start_; }

 private:
  Pages(void* start, std::size_t size) noexcept : start_(start), size_(size) {}

  void* start_;
  std::size_t size_;
};

}  // namespace callgate::jit
