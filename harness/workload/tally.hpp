#pragma once

#include <cstddef>
#include <cstdint>
#include <limits>
#include <unordered_map>
#include <vector>

#include "verifier/known_call.hpp"

/// How often calls come, those that nothing tells apart as one.
namespace callgate::workload {

/// a + b, at most 2^64 - 1.
[[nodiscard]] constexpr std::uint64_t added(std::uint64_t a, std::uint64_t b) noexcept {
  return b > std::numeric_limits<std::uint64_t>::max() - a
             ? std::numeric_limits<std::uint64_t>::max()
             : a + b;
}

class Tally {
 public:
  explicit Tally(std::size_t most = std::numeric_limits<std::size_t>::max()) : most_(most) {}

  /// Adds the call's count to those of the same words; 0 adds nothing. False: it would be one more
  /// than `most` distinct ones, and is passed over.
  bool add(const verifier::KnownCall& call);

  /// All of them, in the order of Workload::calls.
  [[nodiscard]] std::vector<verifier::KnownCall> calls() const;

 private:
  struct Hash {
    std::size_t operator()(const verifier::KnownCall& call) const noexcept;
  };
  struct SameWords {
    bool operator()(const verifier::KnownCall& a, const verifier::KnownCall& b) const noexcept {
      return a.known == b.known && a.data == b.data;
    }
  };

  std::size_t most_;
  std::unordered_map<verifier::KnownCall, std::uint64_t, Hash, SameWords> counts_;
};

}  // namespace callgate::workload
