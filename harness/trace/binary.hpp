#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "harness/trace/trace.hpp"

/// The recorder's own format (harness/process/README.md).
namespace callgate::trace {

inline constexpr std::string_view kMagic = "callgate-trace\n";
inline constexpr char kVersion = 1;
/// The longest header, in bytes; longer commands are cut.
inline constexpr std::size_t kLongestHeader = 65536;

/// Writes records to a string that its owner empties when it likes.
class BinaryWriter {
 public:
  void header(std::string_view kernel, std::string_view arch,
              const std::vector<std::string>& command);
  void call(std::int32_t tid, const SeccompData& data);
  void returned(std::int32_t tid, std::int64_t value);
  /// The last record: a trace without it was cut off.
  void end();

  std::string bytes;

 private:
  void number(std::uint64_t value);
  void difference(std::uint64_t from, std::uint64_t to);
  void words(std::string_view text);

  std::int32_t tid_ = 0;
  SeccompData last_;
  std::uint64_t calls_ = 0;
};

}  // namespace callgate::trace
