// Any bytes, any format: the reader answers with a program or with an error that has a place
// inside; what it has read reads the same again from what every writer makes of it.

#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"
#include "fuzz/writers.hpp"
#include "harness/front_ends/program_reader.hpp"

using callgate::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace front_ends = callgate::front_ends;
  if (size == 0) return 0;
  front_ends::ReadOptions options;
  options.arch = callgate::Arch::X86_64;
  const auto formats = front_ends::input_formats();
  const std::size_t choice = bytes[0] % (formats.size() + 1);
  if (choice > 0) options.format = formats[choice - 1].format;
  options.order = (bytes[0] & 0x80U) != 0 ? callgate::ByteOrder::Big : callgate::ByteOrder::Little;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  const auto read = front_ends::read_program(text, options);
  if (!read) {
    require(!read.error().message.empty());
    require(!read.error().offset || *read.error().offset <= text.size());
    return 0;
  }
  require(!read->program.empty() && read->program.size() <= front_ends::kMaxReadLength);
  for (const front_ends::InputFormatRow& row : formats) {
    options.format = row.format;
    const auto again = callgate::fuzz::written(read->program, row.format, options.order);
    if (!again) continue;
    const auto copy = front_ends::read_program(*again, options);
    require(copy.has_value() && copy->program == read->program);
  }
  return 0;
}
