// Tables of `strace -c`: how often a call was made, and nothing of its arguments.
#include <algorithm>
#include <vector>

#include "harness/trace/readers.hpp"
#include "harness/trace/text.hpp"

namespace callgate::trace {
namespace {

bool is_head(std::string_view line) {
  return line.find("% time") != std::string_view::npos &&
         line.find("calls") != std::string_view::npos &&
         line.find("syscall") != std::string_view::npos;
}

std::vector<std::string_view> words_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (;;) {
    skip_blanks(line);
    if (line.empty() || out.size() > 12) return out;
    const std::size_t end = std::min(line.find_first_of(" \t"), line.size());
    out.push_back(line.substr(0, end));
    line.remove_prefix(end);
  }
}

}  // namespace

bool detect_counts(std::string_view bytes) {
  Lines lines(bytes.substr(0, std::size_t{64} * 1024));
  while (const auto line = lines.next()) {
    if (is_head(*line)) return true;
  }
  return false;
}

std::expected<Header, ReadError> read_counts(std::string_view bytes, const ReadOptions& options,
                                             const Sink& sink) {
  Header header;
  Lines lines(bytes);
  Arch arch = options.arch;
  bool inside = false;
  bool found = false;
  std::ptrdiff_t from_the_left = 0;  // the column of counts
  while (const auto line = lines.next()) {
    const auto fail = [&](std::string message) {
      return std::unexpected(ReadError{std::move(message), lines.number(), {}, {}});
    };
    if (line->size() > kLongestLine) return fail("a line of more than 1 MiB");
    // "System call usage summary for 32 bit mode:"
    if (line->find("usage summary for 32 bit mode") != std::string_view::npos) arch = Arch::X86;
    if (line->find("usage summary for x32 mode") != std::string_view::npos) arch = Arch::X32;
    if (line->find("usage summary for 64 bit mode") != std::string_view::npos) arch = Arch::X86_64;
    if (is_head(*line)) {
      // "% time" are two words, one column.
      const auto head = words_of(*line);
      from_the_left = std::ranges::find(head, "calls") - head.begin() - 1;
      inside = true;
      found = true;
      continue;
    }
    const auto words = words_of(*line);
    if (!inside || words.empty() || words.front().starts_with("--")) continue;
    if (words.back() == "total") {
      inside = false;
      continue;
    }
    if (from_the_left < 0 || static_cast<std::size_t>(from_the_left) + 1 >= words.size()) {
      return fail("a row of a table has a count of calls and a name");
    }
    std::string_view count = words[static_cast<std::size_t>(from_the_left)];
    const auto calls = take_number(count);
    if (!calls || !count.empty()) return fail("the number of calls is no number");
    if (*calls > (std::uint64_t{1} << 48U)) return fail("more calls than there can be");
    std::string_view rest = words.back();
    const std::string_view name = take_name(rest);
    if (name.empty() || !rest.empty()) return fail("not the name of a syscall");
    if (*calls == 0) continue;
    Call call;
    call.known = 0;
    call.count = *calls;
    call.place = lines.number();
    set_name(call, name, arch);
    header.calls += *calls;
    sink.call(call);
  }
  if (!found) return std::unexpected(ReadError{"there is no table of strace -c", {}, {}, {}});
  return header;
}

}  // namespace callgate::trace
