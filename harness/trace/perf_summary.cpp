// Tables of `perf trace -s`, one a thread: how often a call was made, and nothing of its arguments.
#include <algorithm>
#include <string>

#include "harness/trace/readers.hpp"
#include "harness/trace/text.hpp"

namespace callgate::trace {
namespace {

// "   syscall            calls  errors  total       min       avg       max       stddev"
bool is_head(std::string_view line) {
  skip_blanks(line);
  if (!take(line, "syscall ")) return false;
  skip_blanks(line);
  return take(line, "calls ") && line.find("total ") != std::string_view::npos &&
         line.find("stddev") != std::string_view::npos;
}

// " ls (19654), 288 events, 97.3%": the thread; a command's name may hold anything.
std::optional<std::int32_t> thread_of(std::string_view line) {
  const std::size_t end = line.rfind("), ");
  if (end == std::string_view::npos || line.find(" events", end) == std::string_view::npos) {
    return std::nullopt;
  }
  const std::size_t begin = line.rfind('(', end);
  if (begin == std::string_view::npos) return std::nullopt;
  std::string_view number = line.substr(begin + 1, end - begin - 1);
  const auto tid = take_number(number);
  if (!tid || !number.empty() || *tid > 0x7fffffff) return std::nullopt;
  return static_cast<std::int32_t>(*tid);
}

}  // namespace

bool detect_perf_summary(std::string_view bytes) {
  Lines lines(bytes.substr(0, std::size_t{64} * 1024));
  while (const auto line = lines.next()) {
    if (is_head(*line)) return true;
  }
  return false;
}

std::expected<Header, ReadError> read_perf_summary(std::string_view bytes,
                                                   const ReadOptions& options, const Sink& sink) {
  Header header;
  Lines lines(bytes);
  std::int32_t tid = 0;
  bool inside = false;
  bool found = false;
  while (const auto line = lines.next()) {
    const auto fail = [&](std::string message) {
      return std::unexpected(ReadError{std::move(message), lines.number(), {}, {}});
    };
    if (line->size() > kLongestLine) return fail("a line of more than 1 MiB");
    if (const auto thread = thread_of(*line)) {
      tid = *thread;
      inside = false;
      continue;
    }
    if (is_head(*line)) {
      inside = found = true;
      continue;
    }
    std::string_view rest = *line;
    skip_blanks(rest);
    // The units, the rule of dashes, and what --errno-summary says of the row before.
    if (!inside || rest.starts_with('(') || rest.starts_with('-')) continue;
    if (rest.empty()) {
      inside = false;
      continue;
    }
    const std::string_view name = take_name(rest);
    if (rest.starts_with(':')) continue;
    skip_blanks(rest);
    const auto calls = take_number(rest);
    if (name.empty() || !calls || !rest.starts_with(' ')) {
      return fail("a row of a table has a name and a count of calls");
    }
    if (*calls > (std::uint64_t{1} << 48U)) return fail("more calls than there can be");
    if (*calls == 0) continue;
    Call call;
    call.known = 0;
    call.tid = tid;
    call.count = *calls;
    call.place = lines.number();
    set_name(call, name, options.arch);
    header.calls += *calls;
    sink.call(call);
  }
  if (!found) return std::unexpected(ReadError{"there is no table of perf trace -s", {}, {}, {}});
  return header;
}

}  // namespace callgate::trace
