#include <fmt/format.h>

#include "harness/suite/clean_text.hpp"
#include "harness/workload/table.hpp"
#include "harness/workload/tally.hpp"
#include "harness/workload/tested_arguments.hpp"
#include "harness/workload/workload.hpp"

namespace callgate::workload {
namespace {

bool is_trace(std::string_view bytes) {
  if (looks_like_table(bytes)) return false;
  for (const trace::FormatRow& row : trace::formats()) {
    if (row.detect(bytes)) return true;
  }
  return false;
}

std::vector<std::string> notes_of(const trace::Header& header) {
  std::vector<std::string> out;
  std::string from = fmt::format(
      "from {}", header.format == "callgate" ? std::string_view("callgate record") : header.format);
  if (!header.kernel.empty()) from += fmt::format(", Linux {}", header.kernel);
  if (!header.arch.empty()) from += fmt::format(", {}", header.arch);
  if (!header.command.empty()) {
    from += ":";
    for (const std::string& word : header.command) from += " " + word;
  }
  out.push_back(clean_note(from));
  for (const std::string& each : header.notes) out.push_back(clean_note(each));
  return out;
}

std::expected<Workload, ReadError> read_trace(std::string_view bytes,
                                              const trace::ReadOptions& options, Keep keep) {
  Workload out;
  Tally tally(kMostDistinct);
  TestedArguments tested;
  bool too_many = false;
  trace::Sink sink;
  sink.call = [&](const trace::Call& call) {
    if (too_many) return;
    KnownCall each;
    each.data = call.data;
    each.known = call.known;
    each.count = call.count;
    if (keep == Keep::Tested) tested.condense(each);
    too_many = !tally.add(each);
  };
  const auto header = trace::read(bytes, {}, options, sink);
  if (!header) return std::unexpected(header.error());
  if (too_many) return std::unexpected(too_many_calls());
  out.notes = notes_of(*header);
  out.calls = tally.calls();
  if (out.calls.empty()) {
    return std::unexpected(ReadError{"there is no call in it", {}, {}, {}});
  }
  return out;
}

}  // namespace

ReadError too_many_calls() {
  return {fmt::format("more than {} distinct calls; keep the arguments alone that filters test",
                      kMostDistinct),
          {},
          {},
          {}};
}

std::string clean_note(std::string_view text) {
  std::string blanks(text);
  for (char& each : blanks) {
    if (each == '\t' || each == '\r' || each == '\n') each = ' ';
  }
  std::string out = suite::one_line(blanks);
  const std::size_t first = out.find_first_not_of(' ');
  if (first == std::string::npos) return {};
  return out.substr(first, out.find_last_not_of(' ') - first + 1);
}

std::expected<Workload, ReadError> read(std::string_view bytes, const trace::ReadOptions& options,
                                        Keep keep) {
  if (is_trace(bytes)) return read_trace(bytes, options, keep);
  return read_table(bytes, options.arch, keep);
}

}  // namespace callgate::workload
