// Output of `perf trace`. It leaves arguments that are 0 out, shortens pointers to 32 bits and
// names what it prints, so that no register can be told: the calls are known, their arguments are
// not.
#include "harness/trace/readers.hpp"
#include "harness/trace/text.hpp"

namespace callgate::trace {
namespace {

// What stands after "0.050 ( 0.015 ms): ", or nothing.
std::optional<std::string_view> after_times(std::string_view line) {
  skip_blanks(line);
  if (!take(line, "?")) {
    if (!take_number(line) || !take(line, ".") || !take_number(line)) return std::nullopt;
  }
  skip_blanks(line);
  if (!take(line, "(")) return std::nullopt;
  const std::size_t end = line.find("): ");
  if (end == std::string_view::npos) return std::nullopt;
  if (line.substr(0, end).find_first_not_of("0123456789. ms") != std::string_view::npos) {
    return std::nullopt;
  }
  return line.substr(end + 3);
}

// "ls/18420 brk(" or "brk(": the thread, where there is one, and the name.
struct Head {
  std::int32_t tid = 0;
  std::string_view name;
};

std::optional<Head> head_of(std::string_view rest) {
  Head head;
  std::string_view plain = rest;
  head.name = take_name(plain);
  if (!head.name.empty() && plain.starts_with("(")) return head;
  // A command's name may hold blanks and slashes: the number is before the call's name.
  for (std::size_t at = rest.find('/'); at != std::string_view::npos; at = rest.find('/', at + 1)) {
    std::string_view tail = rest.substr(at + 1);
    const auto tid = take_number(tail);
    if (!tid || *tid > 0x7fffffff || !take(tail, " ")) continue;
    head.tid = static_cast<std::int32_t>(*tid);
    skip_blanks(tail);
    if (tail.starts_with("...")) return std::nullopt;  // its begin was told before
    head.name = take_name(tail);
    if (!head.name.empty() && tail.starts_with("(")) return head;
  }
  return std::nullopt;
}

}  // namespace

bool detect_perf(std::string_view bytes) {
  Lines lines(bytes.substr(0, std::size_t{64} * 1024));
  while (const auto line = lines.next()) {
    if (after_times(*line)) return true;
  }
  return false;
}

std::expected<Header, ReadError> read_perf(std::string_view bytes, const ReadOptions& options,
                                           const Sink& sink) {
  Header header;
  Lines lines(bytes);
  while (const auto line = lines.next()) {
    if (line->size() > kLongestLine) {
      return std::unexpected(ReadError{"a line of more than 1 MiB", lines.number(), {}, {}});
    }
    const auto rest = after_times(*line);
    if (!rest) continue;
    // "... [continued]: execve())": only the first that was seen has no begin.
    const auto head = head_of(*rest);
    if (!head) {
      if (rest->find("[continued]: ") == std::string_view::npos) {
        note(header, lines.number(), "not a call that can be read; it is passed over");
      }
      continue;
    }
    Call call;
    call.known = 0;
    call.tid = head->tid;
    call.place = lines.number();
    set_name(call, head->name, options.arch);
    ++header.calls;
    sink.call(call);
  }
  if (header.calls == 0) {
    return std::unexpected(ReadError{"there is no call as perf trace prints it", {}, {}, {}});
  }
  return header;
}

}  // namespace callgate::trace
