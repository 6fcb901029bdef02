// Logs of strace, with -f, -o, -r, -t, -y, -n, -i and what goes with them. A call is told of at the
// line where it begins; lines that resume it are passed over.
#include <algorithm>
#include <map>

#include "harness/trace/readers.hpp"
#include "harness/trace/strace_words.hpp"
#include "harness/trace/text.hpp"
#include "vm/syscalls.hpp"

namespace callgate::trace {
namespace {

// What stands before a call's name.
struct Prefix {
  std::optional<std::int32_t> tid;
  std::optional<std::uint64_t> ip;
  std::optional<std::uint32_t> number;
};

bool take_tid(std::string_view& line, Prefix& prefix) {
  const auto tid = take_number(line);
  if (!tid || *tid > 0x7fffffff) return false;
  prefix.tid = static_cast<std::int32_t>(*tid);
  return true;
}

// "[pid 12]", "[00007f…]" (-i), "[ 257]" (-n).
bool take_brackets(std::string_view& line, Prefix& prefix) {
  const std::size_t end = line.find(']');
  if (end == std::string_view::npos) return false;
  std::string_view inside = line.substr(1, end - 1);
  line.remove_prefix(end + 1);
  if (take(inside, "pid")) {
    skip_blanks(inside);
    return take_tid(inside, prefix) && inside.empty();
  }
  if (!inside.empty() && inside.find_first_not_of('?') == std::string_view::npos) return true;
  if (inside.size() == 16 || inside.size() == 8) {
    prefix.ip = take_number(inside, 16);
    return prefix.ip && inside.empty();
  }
  skip_blanks(inside);
  const auto number = take_number(inside);
  if (!number || !inside.empty() || *number > 0xffffffffU) return false;
  prefix.number = static_cast<std::uint32_t>(*number);
  return true;
}

// Clocks of -t, seconds of -r and -ttt, and the number of a thread.
bool take_digits(std::string_view& line, Prefix& prefix) {
  const std::size_t end = line.find_first_not_of("0123456789");
  if (end == std::string_view::npos) return false;
  if (line[end] == '.' || line[end] == ':') {
    line.remove_prefix(std::min(line.find_first_not_of("0123456789.:"), line.size()));
    return true;
  }
  return !prefix.tid && take_tid(line, prefix);
}

// False: no line of strace.
bool take_prefix(std::string_view& line, Prefix& prefix) {
  for (;;) {
    skip_blanks(line);
    if (line.empty()) return true;
    const char c = line.front();
    if (c == '[' && !line.starts_with("[ Process")) {
      if (!take_brackets(line, prefix)) return false;
    } else if (c >= '0' && c <= '9') {
      if (!take_digits(line, prefix)) return false;
    } else if (line.starts_with("(+")) {
      const std::size_t end = line.find(')');
      if (end == std::string_view::npos) return false;
      line.remove_prefix(end + 1);
    } else {
      return true;
    }
  }
}

class StraceReader {
 public:
  StraceReader(const ReadOptions& options, const Sink& sink) : options_(options), sink_(sink) {}
  std::expected<Header, ReadError> read(std::string_view bytes);

 private:
  void line(std::string_view text, std::size_t number);
  void call(std::string_view name, std::string_view arguments, const Prefix& prefix,
            std::size_t number);
  bool mode(std::string_view text);

  const ReadOptions& options_;
  const Sink& sink_;
  Header header_;
  std::map<std::int32_t, Arch> arch_of_;
  bool modes_ = false;    // some process changed its ABI
  bool several_ = false;  // lines have the numbers of threads
};

// "[ Process PID=12 runs in 32 bit mode. ]", wherever in the line.
bool StraceReader::mode(std::string_view text) {
  const std::size_t at = text.find("[ Process PID=");
  if (at == std::string_view::npos) return false;
  std::string_view rest = text.substr(at + 14);
  const auto tid = take_number(rest);
  if (!tid || *tid > 0x7fffffff || !take(rest, " runs in ")) return false;
  const Arch arch = rest.starts_with("32")    ? Arch::X86
                    : rest.starts_with("x32") ? Arch::X32
                                              : Arch::X86_64;
  modes_ = true;
  arch_of_[static_cast<std::int32_t>(*tid)] = arch;
  arch_of_[0] = arch;  // a log of one process has no numbers in it
  return true;
}

void StraceReader::call(std::string_view name, std::string_view arguments, const Prefix& prefix,
                        std::size_t number) {
  Call call;
  call.known = 0;
  call.place = number;
  call.tid = prefix.tid.value_or(0);
  if (prefix.tid) several_ = true;
  if (!modes_) arch_of_.try_emplace(call.tid, options_.arch);
  const auto told = arch_of_.find(call.tid);
  const Arch arch = told == arch_of_.end() ? options_.arch : told->second;
  // A child is as its creator was, which strace does not say; and lines without a number may be
  // anybody's.
  const bool ambiguous = modes_ && (told == arch_of_.end() || (call.tid == 0 && several_));
  std::string_view rest = name;
  if (take(rest, "syscall_0x")) {
    const auto nr = take_number(rest, 16);
    if (nr && rest.empty() && *nr <= 0xffffffffU) {
      call.data.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(*nr));
      call.data.arch = info(arch).token;
      call.known = kNumberKnown | kArchKnown;
    }
  } else {
    set_name(call, name, arch);
  }
  if (prefix.number && !ambiguous) {
    // x32's have bit 30 there as well.
    call.data.nr = static_cast<std::int32_t>(*prefix.number);
    call.data.arch = info(arch).token;
    call.known |= kNumberKnown | kArchKnown;
    call.name.clear();
  }
  if (ambiguous) {
    call.known = 0;
    call.data.nr = 0;
    call.data.arch = 0;
    call.name = name.substr(0, 64);
    note(header_, number, "of 64 bits or of 32? strace does not tell for this process");
  } else if (!call.name.empty()) {
    note(header_, number, call.name + ": this name does not tell the call's number; it is unknown");
  }
  if (prefix.ip) {
    call.data.instruction_pointer = *prefix.ip;
    call.known |= kPointerKnown;
  }
  const Arguments split = split_arguments(arguments);
  // ABIs of 32 bits have numbers of 64 in two registers, and strace prints one.
  const bool ordered =
      !ambiguous && !split.named && (info(arch).bits == 64 || options_.trust_numbers);
  std::size_t most = 6;
  // Their position is in two registers everywhere.
  if (name.starts_with("preadv") || name.starts_with("pwritev")) most = 3;
  for (std::size_t i = 0; ordered && i < std::min(split.pieces.size(), most); ++i) {
    const Register each = register_of(split.pieces[i], arch, options_.trust_numbers);
    call.data.args[i] = each.value;
    if (each.low) call.known |= low_known(i);
    if (each.high) call.known |= high_known(i);
  }
  header_.calls += 1;
  sink_.call(call);
}

void StraceReader::line(std::string_view text, std::size_t number) {
  if (mode(text)) return;
  Prefix prefix;
  std::string_view rest = text;
  if (!take_prefix(rest, prefix)) {
    note(header_, number, "not a line of strace; it is passed over");
    return;
  }
  // Resumed calls, signals and ends, and what strace says of itself; a line that was cut in two by
  // such a message goes on with "<unfinished ...>".
  if (rest.empty() || rest.starts_with("<") || rest.starts_with("+++") || rest.starts_with("---") ||
      rest.starts_with("strace: ") || rest.starts_with("????") || rest.starts_with("Process ") ||
      rest.starts_with(")")) {
    return;
  }
  const std::string_view name = take_name(rest);
  if (name.empty() || !take(rest, "(")) {
    note(header_, number, "not a line of strace; it is passed over");
    return;
  }
  call(name, rest, prefix, number);
}

std::expected<Header, ReadError> StraceReader::read(std::string_view bytes) {
  Lines lines(bytes);
  while (const auto text = lines.next()) {
    if (text->size() > kLongestLine) {
      return std::unexpected(ReadError{"a line of more than 1 MiB", lines.number(), {}, {}});
    }
    line(*text, lines.number());
  }
  if (header_.calls == 0) {
    return std::unexpected(ReadError{"there is no call as strace prints it", {}, {}, {}});
  }
  return header_;
}

}  // namespace

bool detect_strace(std::string_view bytes) {
  Lines lines(bytes.substr(0, std::size_t{64} * 1024));
  while (const auto line = lines.next()) {
    Prefix prefix;
    std::string_view rest = *line;
    if (!take_prefix(rest, prefix)) continue;
    const std::string_view name = take_name(rest);
    if (name.empty() || !rest.starts_with("(")) continue;
    if (rest.find(" = ") != std::string_view::npos ||
        rest.find("<unfinished ...>") != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

std::expected<Header, ReadError> read_strace(std::string_view bytes, const ReadOptions& options,
                                             const Sink& sink) {
  return StraceReader(options, sink).read(bytes);
}

}  // namespace callgate::trace
