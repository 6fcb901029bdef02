#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/program_reader.hpp"
#include "verifier/known_call.hpp"
#include "vm/seccomp_data.hpp"

/// Calls that programs have made: recorded ones, and those that logs of other tools tell of.
namespace callgate::trace {

using verifier::high_known;
using verifier::kAllKnown;
using verifier::kArchKnown;
using verifier::KnownWords;
using verifier::kNumberKnown;
using verifier::kPointerKnown;
using verifier::low_known;
using verifier::word_bit;

/// A call, or several that nothing tells apart.
struct Call {
  SeccompData data;              ///< words that are not known are 0
  KnownWords known = kAllKnown;  ///< which of its words are known
  std::int32_t tid = 0;          ///< 0: not told
  std::uint64_t count = 1;
  std::uint64_t place = 0;  ///< of a text: its line, from 1; else the byte
  std::string name{};       ///< as the text has it, where the number is not known

  friend bool operator==(const Call&, const Call&) = default;
};

/// What a call returned, where a recording has it.
struct Returned {
  std::int32_t tid = 0;
  std::int64_t value = 0;

  friend bool operator==(const Returned&, const Returned&) = default;
};

/// What a trace says besides its calls.
struct Header {
  std::string_view format;             ///< a row of formats()
  std::string kernel{};                ///< release of the machine's, where told
  std::string arch{};                  ///< of the machine, where told
  std::vector<std::string> command{};  ///< empty: not told
  std::vector<std::string> notes{};    ///< what a reader of it should know, with places
  bool cut = false;                    ///< its end is missing
  std::uint64_t calls = 0;             ///< how many were told of, counts added up
};

/// Told of what a trace holds, in its order.
struct Sink {
  std::function<void(const Call&)> call;
  std::function<void(const Returned&)> returned = [](const Returned&) {};
};

/// How a text is read.
struct ReadOptions {
  Arch arch = host_arch();  ///< the ABI of calls where the text does not tell
  /// Takes numbers and constants that a log prints as the whole registers: their high halves are
  /// those of the number as it is printed.
  bool trust_numbers = false;
};

using front_ends::ReadError;

/// One format.
struct FormatRow {
  std::string_view name;
  std::string_view looks_like;
  bool has_lines;  ///< Call::place is a line
  bool (*detect)(std::string_view bytes);
  std::expected<Header, ReadError> (*read)(std::string_view bytes, const ReadOptions& options,
                                           const Sink& sink);
};

/// Every format, in the order in which they are tried.
[[nodiscard]] const std::vector<FormatRow>& formats();
[[nodiscard]] const FormatRow* find_format(std::string_view name);

/// Reads any of them, told by its content, or the one that is named; what was told to the sink
/// before an error stands. The error has its line, or its byte.
[[nodiscard]] std::expected<Header, ReadError> read(std::string_view bytes, std::string_view format,
                                                    const ReadOptions& options, const Sink& sink);

}  // namespace callgate::trace
