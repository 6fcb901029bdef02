#include "harness/trace/binary.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/trace/readers.hpp"

// A record is a byte that says what follows, then numbers in 7-bit pieces (LEB128), the lowest
// first; differences are zigzag coded: 0, -1, 1, -2, … become 0, 1, 2, 3, …
namespace callgate::trace {
namespace {

// The low two bits of a record's first byte.
constexpr unsigned kCall = 1;
constexpr unsigned kReturned = 2;
constexpr unsigned kEnd = 3;
// What differs from the record before; else it is left out.
constexpr unsigned kNewTid = 4;
constexpr unsigned kNewArch = 8;
constexpr unsigned kNewNumber = 16;
constexpr unsigned kNewPointer = 32;
constexpr unsigned kNewArguments = 64;

std::uint64_t zigzag(std::uint64_t difference) {
  return difference << 1U ^ (0 - (difference >> 63U));
}

std::uint64_t unzigzag(std::uint64_t code) { return code >> 1U ^ (0 - (code & 1U)); }

}  // namespace

void BinaryWriter::number(std::uint64_t value) {
  while (value >= 0x80) {
    bytes += static_cast<char>(value | 0x80U);
    value >>= 7U;
  }
  bytes += static_cast<char>(value);
}

void BinaryWriter::difference(std::uint64_t from, std::uint64_t to) { number(zigzag(to - from)); }

void BinaryWriter::words(std::string_view text) {
  number(text.size());
  bytes += text;
}

void BinaryWriter::header(std::string_view kernel, std::string_view arch,
                          const std::vector<std::string>& command) {
  BinaryWriter body;
  body.words(kernel.substr(0, 256));
  body.words(arch.substr(0, 256));
  // Whole words, as many as there is room for.
  std::size_t room = kLongestHeader - 1024;
  std::size_t kept = 0;
  while (kept < command.size() && command[kept].size() + 10 <= room) {
    room -= command[kept].size() + 10;
    ++kept;
  }
  body.number(kept);
  for (std::size_t i = 0; i < kept; ++i) body.words(command[i]);
  bytes += kMagic;
  bytes += kVersion;
  words(body.bytes);
}

void BinaryWriter::call(std::int32_t tid, const SeccompData& data) {
  unsigned changed = 0;
  for (unsigned i = 0; i < 6; ++i) changed |= (data.args[i] != last_.args[i] ? 1U : 0U) << i;
  const unsigned tag = kCall | (tid != tid_ ? kNewTid : 0) |
                       (data.arch != last_.arch ? kNewArch : 0) |
                       (data.nr != last_.nr ? kNewNumber : 0) |
                       (data.instruction_pointer != last_.instruction_pointer ? kNewPointer : 0) |
                       (changed != 0 ? kNewArguments : 0);
  bytes += static_cast<char>(tag);
  if ((tag & kNewTid) != 0) number(static_cast<std::uint32_t>(tid));
  if ((tag & kNewArch) != 0) number(data.arch);
  if ((tag & kNewNumber) != 0) number(static_cast<std::uint32_t>(data.nr));
  if ((tag & kNewPointer) != 0) difference(last_.instruction_pointer, data.instruction_pointer);
  if (changed != 0) {
    bytes += static_cast<char>(changed);
    for (unsigned i = 0; i < 6; ++i) {
      if ((changed >> i & 1U) != 0) difference(last_.args[i], data.args[i]);
    }
  }
  tid_ = tid;
  last_ = data;
  ++calls_;
}

void BinaryWriter::returned(std::int32_t tid, std::int64_t value) {
  bytes += static_cast<char>(kReturned | (tid != tid_ ? kNewTid : 0));
  if (tid != tid_) number(static_cast<std::uint32_t>(tid));
  number(zigzag(static_cast<std::uint64_t>(value)));
  tid_ = tid;
}

void BinaryWriter::end() {
  bytes += static_cast<char>(kEnd);
  number(calls_);
}

namespace {

class BinaryReader {
 public:
  BinaryReader(std::string_view bytes, const Sink& sink) : bytes_(bytes), sink_(sink) {}

  std::expected<Header, ReadError> read();

 private:
  bool head();
  bool record();
  bool call_record(unsigned tag);
  bool fail(std::string message) { return fail_at(at_, std::move(message)); }
  bool fail_at(std::size_t place, std::string message) {
    error_ = ReadError{std::move(message), {}, {}, place};
    return false;
  }
  // False: the bytes have ended (cut_), or it is no number (error_).
  bool byte(unsigned& out);
  bool number(std::uint64_t& out, std::uint64_t most);
  bool words(std::string& out, std::size_t end);
  bool difference(std::uint64_t& value);

  std::string_view bytes_;
  const Sink& sink_;
  std::size_t at_ = 0;
  bool cut_ = false;
  bool ended_ = false;
  std::optional<ReadError> error_;
  Header header_;
  std::int32_t tid_ = 0;
  SeccompData last_;
};

bool BinaryReader::byte(unsigned& out) {
  if (at_ >= bytes_.size()) {
    cut_ = true;
    return false;
  }
  out = static_cast<unsigned char>(bytes_[at_++]);
  return true;
}

bool BinaryReader::number(std::uint64_t& out, std::uint64_t most) {
  const std::size_t start = at_;
  out = 0;
  for (unsigned shift = 0;; shift += 7) {
    unsigned piece = 0;
    if (!byte(piece)) return false;
    if (shift == 63 && piece > 1) return fail_at(start, "a number of more than 64 bits");
    out |= static_cast<std::uint64_t>(piece & 0x7fU) << shift;
    if ((piece & 0x80U) == 0) break;
  }
  if (out > most) return fail_at(start, fmt::format("{} is more than {}", out, most));
  return true;
}

bool BinaryReader::words(std::string& out, std::size_t end) {
  std::uint64_t size = 0;
  if (!number(size, kLongestHeader)) return false;
  if (at_ > end || size > end - at_) return fail("a text is longer than the header");
  out = bytes_.substr(at_, size);
  at_ += size;
  return true;
}

bool BinaryReader::difference(std::uint64_t& value) {
  std::uint64_t code = 0;
  if (!number(code, ~std::uint64_t{0})) return false;
  value += unzigzag(code);
  return true;
}

bool BinaryReader::head() {
  header_.format = "callgate";
  if (!bytes_.starts_with(kMagic)) return fail("it does not begin with \"callgate-trace\"");
  at_ = kMagic.size();
  unsigned version = 0;
  if (!byte(version)) return false;
  if (version != static_cast<unsigned>(kVersion)) {
    return fail_at(at_ - 1, fmt::format("version {}; this reads version {}", version,
                                        static_cast<int>(kVersion)));
  }
  std::uint64_t size = 0;
  if (!number(size, kLongestHeader)) return false;
  if (size > bytes_.size() - at_) {
    cut_ = true;
    return false;
  }
  const std::size_t end = at_ + size;
  std::uint64_t count = 0;
  if (!words(header_.kernel, end) || !words(header_.arch, end) || !number(count, kLongestHeader)) {
    return false;
  }
  for (std::uint64_t i = 0; i < count; ++i) {
    std::string word;
    if (!words(word, end)) return false;
    header_.command.push_back(std::move(word));
  }
  if (at_ != end) return fail("the header does not end where it says");
  return true;
}

bool BinaryReader::call_record(unsigned tag) {
  Call call;
  call.place = at_ - 1;
  std::uint64_t value = 0;
  std::int32_t tid = tid_;
  SeccompData data = last_;
  if ((tag & kNewTid) != 0) {
    if (!number(value, 0x7fffffff)) return false;
    tid = static_cast<std::int32_t>(value);
  }
  if ((tag & kNewArch) != 0) {
    if (!number(value, 0xffffffff)) return false;
    data.arch = static_cast<std::uint32_t>(value);
  }
  if ((tag & kNewNumber) != 0) {
    if (!number(value, 0xffffffff)) return false;
    data.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
  }
  if ((tag & kNewPointer) != 0 && !difference(data.instruction_pointer)) return false;
  if ((tag & kNewArguments) != 0) {
    unsigned changed = 0;
    if (!byte(changed)) return false;
    if (changed > 0x3f) return fail_at(at_ - 1, "a call has six arguments");
    for (unsigned i = 0; i < 6; ++i) {
      if ((changed >> i & 1U) != 0 && !difference(data.args[i])) return false;
    }
  }
  tid_ = tid;
  last_ = data;
  call.tid = tid;
  call.data = data;
  ++header_.calls;
  sink_.call(call);
  return true;
}

bool BinaryReader::record() {
  unsigned tag = 0;
  if (!byte(tag)) return false;
  const std::size_t place = at_ - 1;
  if ((tag & 3U) == kCall && tag < 128) return call_record(tag);
  std::uint64_t value = 0;
  if ((tag & 3U) == kReturned && (tag & ~(3U | kNewTid)) == 0) {
    std::int32_t tid = tid_;
    if ((tag & kNewTid) != 0) {
      if (!number(value, 0x7fffffff)) return false;
      tid = static_cast<std::int32_t>(value);
    }
    if (!number(value, ~std::uint64_t{0})) return false;
    tid_ = tid;
    sink_.returned({tid, static_cast<std::int64_t>(unzigzag(value))});
    return true;
  }
  if (tag != kEnd) return fail_at(place, fmt::format("0x{:02x} begins no record", tag));
  if (!number(value, ~std::uint64_t{0})) return false;
  if (value != header_.calls) {
    return fail_at(place,
                   fmt::format("{} calls were recorded, and {} are here", value, header_.calls));
  }
  if (at_ != bytes_.size()) return fail("bytes after the end");
  ended_ = true;
  return true;
}

std::expected<Header, ReadError> BinaryReader::read() {
  if (!head()) {
    if (error_) return std::unexpected(*error_);
    return std::unexpected(ReadError{"cut off in its header", {}, {}, bytes_.size()});
  }
  while (!ended_) {
    const std::size_t start = at_;
    if (record()) continue;
    if (error_) return std::unexpected(*error_);
    header_.cut = true;
    header_.notes.push_back(
        fmt::format("byte {}: the trace was cut off here: its recorder did not end by itself, or "
                    "the disk was full",
                    start));
    break;
  }
  return header_;
}

}  // namespace

bool detect_binary(std::string_view bytes) { return bytes.starts_with(kMagic.substr(0, 14)); }

std::expected<Header, ReadError> read_binary(std::string_view bytes, const ReadOptions& /*options*/,
                                             const Sink& sink) {
  return BinaryReader(bytes, sink).read();
}

}  // namespace callgate::trace
