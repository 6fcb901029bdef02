#pragma once

#include <cstddef>
#include <cstdint>

/// The mutator of all targets whose bytes are a Case: it changes programs as programs
/// (harness/random/mutations.hpp), and leaves the rest of the time to libFuzzer's own changes of
/// bytes.
namespace callgate::fuzz {

/// What a target wants of programs.
enum class Want : std::uint8_t {
  Any,       ///< accepted or not
  Accepted,  ///< most of them accepted: others are not looked at
};

/// As LLVMFuzzerCustomMutator: changes `data` in place, and returns its new size.
std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed,
                   Want want);

/// As LLVMFuzzerCustomCrossOver: makes one case of two.
std::size_t cross_over(const std::uint8_t* data1, std::size_t size1, const std::uint8_t* data2,
                       std::size_t size2, std::uint8_t* out, std::size_t max_out_size,
                       unsigned seed);

}  // namespace callgate::fuzz

/// In a target's file: has the fuzzer use the mutator.
#define CALLGATE_FUZZ_MUTATOR(want)                                                               \
  extern "C" std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data, std::size_t size,            \
                                                 std::size_t max_size, unsigned seed) {           \
    return callgate::fuzz::mutate(data, size, max_size, seed, want);                              \
  }                                                                                               \
  extern "C" std::size_t LLVMFuzzerCustomCrossOver(                                               \
      const std::uint8_t* data1, std::size_t size1, const std::uint8_t* data2, std::size_t size2, \
      std::uint8_t* out, std::size_t max_out_size, unsigned seed) {                               \
    return callgate::fuzz::cross_over(data1, size1, data2, size2, out, max_out_size, seed);       \
  }
