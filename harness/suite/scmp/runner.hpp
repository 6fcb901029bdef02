#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <vector>

#include "harness/suite/results.hpp"
#include "harness/suite/scmp/tests_file.hpp"
#include "vm/arches.hpp"
#include "vm/kernel_model.hpp"

/// Runs `.tests` files: each generator once, all calls in this process.
namespace callgate::suite::scmp {

/// How they are run.
struct Options {
  std::string generators = ".";     ///< the folder with the programs that the files name
  Version kernel = kNewestVersion;  ///< whose rules hold
  Arch native = host_arch();        ///< what `all` and a plain architecture mean
  std::uint64_t seed = 1;           ///< of bpf-sim-fuzz: the same seed makes the same calls
  std::optional<std::uint64_t> fuzz_count{};     ///< in place of every COUNT
  std::chrono::milliseconds time_limit{60'000};  ///< for each start of a program
  std::uint64_t most_calls = 10'000'000;         ///< that a line may make for one architecture
  std::size_t most_failures = 5;                 ///< told for each
  /// Only cases with such names ("02-basic", "02-basic%%003", "[arm]"), as name_matches() has it;
  /// empty: all.
  std::vector<std::string> only{};
  std::size_t shard = 1;   ///< of
  std::size_t shards = 1;  ///< so many parts of these cases, this one
  bool names = false;      ///< cases have their names and places alone; nothing is started
  bool fail_fast = false;  ///< after a failure or an error the others are not run
};

/// A case for each data line and architecture, named as libseccomp's log counts: "BATCH%%LLL
/// [arch]"; its failures begin with "BATCH%%LLL-SSSSS". In the order of the files.
/// - bpf-sim: the filter's own word for every call. What the kernel does before it asks a filter
///   (exempt calls) is left out, as libseccomp's simulator does. Absent where no architecture is
///   left, or where the call has no number at all.
/// - bpf-sim-fuzz: COUNT random calls of the native architecture; the word must be one. Of each
///   value a quarter is any 64 bits, a quarter any of a random width, a quarter a constant of the
///   filter or its neighbour, a quarter made of two of these halves.
/// - basic: the program must end with 0.
/// - bpf-valgrind, live: Absent; `note` says what runs them.
/// A filter that the kernel refuses is an Error, and so is a generator that fails.
[[nodiscard]] RunResults run(std::span<const TestsFile> files, const Options& options);

}  // namespace callgate::suite::scmp
