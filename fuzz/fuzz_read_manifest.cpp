// Any bytes as the manifest of a capture: the filters of a task, or an error that says something;
// what is read stays inside of the folder and within its bounds, and is written as what is read as
// the same. No file is read.

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/require.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/process/manifest.hpp"

namespace {

namespace process = callgate::process;
using callgate::fuzz::require;

// Programs are made for as many instructions as this in all.
constexpr std::size_t kMostWritten = 20'000;

void check(const process::ManifestRow& row) {
  require(row.file.ends_with(".bpf"));
  require(row.file.find('/') == std::string::npos && row.file.find('\0') == std::string::npos);
  require(row.length <= callgate::front_ends::kMaxReadLength);
}

// A capture with the same filters, as `callgate capture` would have caught them.
process::Capture capture_of(const std::vector<process::ManifestRow>& rows, pid_t tid) {
  process::Capture out;
  process::CapturedTask task;
  task.tid = tid;
  for (const process::ManifestRow& row : rows) {
    process::Install install;
    install.program = callgate::Program(row.length);
    install.flags = row.flags;
    install.tid = tid;
    install.arch = row.arch;
    install.result = 0;
    task.filters.push_back(out.installs.size());
    out.installs.push_back(std::move(install));
  }
  out.tasks.push_back(std::move(task));
  out.default_task = tid;
  return out;
}

void check_written(const std::vector<process::ManifestRow>& rows, pid_t tid) {
  const std::string text = process::manifest_text(capture_of(rows, tid));
  const auto again = process::parse_manifest(text);
  require(again.has_value());
  require(again->size() == rows.size());
  for (std::size_t i = 0; i < rows.size(); ++i) {
    require((*again)[i].file == process::file_name(i));
    require((*again)[i].length == rows[i].length);
    require((*again)[i].flags == rows[i].flags);
    require((*again)[i].arch == rows[i].arch);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  // '0' asks for the task that the manifest names, '5' for 53.
  std::optional<pid_t> tid;
  if (bytes[0] % 8 != 0) tid = bytes[0];
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  const auto [path, task] = process::split_task(std::string(text));
  require(task ? path.size() < text.size() && *task >= 0 : path == text);
  const auto rows = process::parse_manifest(text, tid);
  if (!rows) {
    require(!rows.error().empty());
    return 0;
  }
  std::size_t instructions = 0;
  for (const process::ManifestRow& row : *rows) {
    check(row);
    instructions += row.length;
  }
  if (instructions <= kMostWritten) check_written(*rows, tid.value_or(1));
  return 0;
}
