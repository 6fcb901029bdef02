// The raw bytes as hexadecimal digits. White space may stand between bytes, and 0x before each
// word.

#include <fmt/format.h>

#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

bool has_prefix(std::string_view word) {
  return word.size() > 2 && word[0] == '0' && (word[1] == 'x' || word[1] == 'X');
}

}  // namespace

bool detect_hex(std::string_view bytes) {
  bool any = false;
  for (std::size_t at = 0; at < bytes.size(); ++at) {
    const bool starts_word = at == 0 || is_space(bytes[at - 1]);
    if (starts_word && has_prefix(bytes.substr(at, 3)))
      ++at;
    else if (hex_digit(bytes[at]) >= 0)
      any = true;
    else if (!is_space(bytes[at]))
      return false;
  }
  return any;
}

Parsed parse_hex(std::string_view bytes, const ReadOptions& options) {
  ByteCollector collector(bytes, options.order);
  std::size_t at = 0;
  while (at < bytes.size()) {
    if (is_space(bytes[at])) {
      ++at;
      continue;
    }
    if (has_prefix(bytes.substr(at, 3))) at += 2;
    while (at < bytes.size() && !is_space(bytes[at])) {
      const int high = hex_digit(bytes[at]);
      if (high < 0) return fail_at(bytes, at, "a hexadecimal digit is expected here");
      const int low = at + 1 < bytes.size() ? hex_digit(bytes[at + 1]) : -1;
      if (low < 0) {
        const bool ends = at + 1 >= bytes.size() || is_space(bytes[at + 1]);
        return ends ? fail_at(bytes, at, "half a byte: bytes are written with two digits each")
                    : fail_at(bytes, at + 1, "a hexadecimal digit is expected here");
      }
      if (!collector.add(static_cast<std::uint8_t>(high * 16 + low), at)) return collector.finish();
      at += 2;
    }
  }
  return collector.finish();
}

}  // namespace callgate::front_ends
