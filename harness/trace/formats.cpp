#include <fmt/format.h>

#include <algorithm>

#include "harness/trace/readers.hpp"

namespace callgate::trace {

// The surest first.
const std::vector<FormatRow>& formats() {
  static const std::vector<FormatRow> rows = {
      {"callgate", "a trace of callgate record", false, detect_binary, read_binary},
      {"audit", "audit records of the kernel (SECCOMP, SYSCALL)", true, detect_audit, read_audit},
      {"strace-counts", "a table of strace -c", true, detect_counts, read_counts},
      {"perf", "output of perf trace", true, detect_perf, read_perf},
      {"strace", "a log of strace", true, detect_strace, read_strace},
      {"perf-summary", "tables of perf trace -s", true, detect_perf_summary, read_perf_summary},
  };
  return rows;
}

const FormatRow* find_format(std::string_view name) {
  const auto& rows = formats();
  const auto found = std::ranges::find(rows, name, &FormatRow::name);
  return found == rows.end() ? nullptr : &*found;
}

std::expected<Header, ReadError> read(std::string_view bytes, std::string_view format,
                                      const ReadOptions& options, const Sink& sink) {
  const FormatRow* row = nullptr;
  std::string names;
  for (const FormatRow& each : formats()) {
    if (row == nullptr && format.empty() && each.detect(bytes)) row = &each;
    if (each.name == format) row = &each;
    names += fmt::format("{}{}", names.empty() ? "" : ", ", each.name);
  }
  if (row == nullptr) {
    return std::unexpected(ReadError{
        format.empty() ? fmt::format("not a trace that is recognised; formats are {}", names)
                       : fmt::format("{} is no format; they are {}", format, names),
        {},
        {},
        {}});
  }
  auto header = row->read(bytes, options, sink);
  if (header) header->format = row->name;
  return header;
}

}  // namespace callgate::trace
