#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/program_reader.hpp"
#include "harness/trace/trace.hpp"
#include "verifier/known_call.hpp"
#include "vm/arches.hpp"

/// Which calls a program makes, with which arguments, and how often (README.md).
namespace callgate::workload {

using front_ends::ReadError;
using verifier::KnownCall;
using verifier::KnownWords;

/// Calls and how often each is made.
struct Workload {
  std::string name;                ///< or empty
  std::vector<std::string> notes;  ///< where it is from, a line each: versions, command, kernel
  /// Each distinct (data, known) once, by token, number (those that are not known last) and then
  /// the most frequent first. The instruction pointer is never known. Words that are not known are
  /// 0, counts are not.
  std::vector<KnownCall> calls;

  /// The counts added up; at most 2^64 - 1.
  [[nodiscard]] std::uint64_t total() const noexcept;

  friend bool operator==(const Workload&, const Workload&) = default;
};

/// What is kept of the arguments that a text or a trace tells.
enum class Keep : std::uint8_t {
  All,
  Tested,  ///< those that filters test: see condensed(); a long trace needs little memory then
};

/// The most distinct calls that read() takes.
inline constexpr std::size_t kMostDistinct = std::size_t{1} << 22U;

/// Reads any format of traces (trace::formats(), told by its content), or a table: lines of
/// `name count`, `name: count` (frequencies of minijail) or what written() makes. Counts of the
/// same call are added up, at most to 2^64 - 1; 0 is passed over. `options.arch` is the ABI where
/// the text tells none. An error has its line, or its byte; a text without a call is one too.
[[nodiscard]] std::expected<Workload, ReadError> read(std::string_view bytes,
                                                      const trace::ReadOptions& options,
                                                      Keep keep = Keep::All);

/// The text that read() reads as the same workload, where its notes are lines with words in them:
///
///     workload web
///     # nginx 1.22.1 under wrk
///
///     arch x86_64
///     epoll_wait 1000
///     openat(AT_FDCWD, *, (O_RDONLY|O_CLOEXEC)) 20
///     ioctl(*, 0x5401:low) 3
///
/// `*` is not known, and so are arguments at the end that are left out; `V:low` and `V:high` are
/// one half of 32 bits of an argument of which the other is not known; `*` as a name is a call
/// whose number is not known. Values are as suite::read_value() reads them.
[[nodiscard]] std::string written(const Workload& workload);

/// All of them as one: names joined by +, each note once, counts added up.
[[nodiscard]] Workload merged(std::span<const Workload> workloads);

/// What scaling did besides.
struct Scaled {
  std::vector<KnownCall> vanished;  ///< with their counts before: theirs are 0 now, they are gone
  bool saturated = false;           ///< a count would have been above 2^64 - 1, and is that
};

/// Scales the counts to that sum exactly: each is rounded down or up, up where most was lost.
/// A workload without calls stays as it is.
Scaled scale_to(Workload& workload, std::uint64_t total);

/// Multiplies each count by times / divisor (not 0), rounded to the nearest, halves up.
Scaled scale_by(Workload& workload, std::uint64_t times, std::uint64_t divisor);

/// How much condensed() keeps.
struct CondenseOptions {
  std::size_t most = 64;  ///< entries of one number, at least 1
};

/// Keeps the arguments that filters test (tested_arguments.hpp), all others become unknown. Where a
/// number has more than `options.most` entries then, the most frequent stay and the rest are one
/// entry: of their words those are known that are the same in all of them.
[[nodiscard]] Workload condensed(const Workload& workload, const CondenseOptions& options = {});

/// Brings calls into the order that Workload::calls has, equal ones added up.
void normalise(std::vector<KnownCall>& calls);

/// Whether a word of an argument is known.
[[nodiscard]] constexpr bool has_arguments(KnownWords known) noexcept {
  return (known & 0xfff0U) != 0;
}

/// How often one number is called.
struct CallCount {
  std::uint32_t nr = 0;
  std::string name;  ///< the number as text where the ABI has no such call
  std::uint64_t count = 0;

  friend bool operator==(const CallCount&, const CallCount&) = default;
};

/// A workload by the numbers of one ABI.
struct NumberCounts {
  std::vector<CallCount> calls;      ///< each number once, the most frequent first
  std::uint64_t of_other_abis = 0;   ///< calls that are not in it
  std::uint64_t without_number = 0;  ///< calls of the ABI whose number is not known
};

[[nodiscard]] NumberCounts by_number(const Workload& workload, Arch arch);

}  // namespace callgate::workload
