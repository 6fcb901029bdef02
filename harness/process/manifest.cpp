#include "harness/process/manifest.hpp"

#include <fmt/format.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cstring>
#include <filesystem>
#include <fstream>
#include <nlohmann/json.hpp>

#include "harness/report/disassembly.hpp"
#include "harness/report/words.hpp"

namespace callgate::process {
namespace {

namespace fs = std::filesystem;
using nlohmann::ordered_json;

constexpr std::array<std::string_view, 6> kFlagNames = {
    "TSYNC", "LOG", "SPEC_ALLOW", "NEW_LISTENER", "TSYNC_ESRCH", "WAIT_KILLABLE_RECV"};
constexpr std::uint64_t kNewListener = 8;

std::string hex(std::uint64_t number) { return fmt::format("0x{:x}", number); }

std::string_view how_name(Install::How how) {
  switch (how) {
    case Install::How::Prctl:
      return "prctl";
    case Install::How::Seccomp:
      return "seccomp";
    case Install::How::GetFilter:
      return "get_filter";
  }
  return {};
}

ordered_json json_of(const Install& install, std::size_t at) {
  ordered_json out;
  out["file"] = install.program ? ordered_json(file_name(at)) : ordered_json();
  out["length"] = install.program ? ordered_json(install.program->size()) : ordered_json();
  out["how"] = how_name(install.how);
  out["mode"] = install.strict ? "strict" : "filter";
  out["flags"] = flag_names(install.flags);
  out["flags_value"] = install.flags;
  out["flags_known"] = install.flags_known;
  out["tid"] = install.tid;
  out["pid"] = install.pid;
  out["comm"] = install.comm;
  out["arch"] = install.arch ? ordered_json(info(*install.arch).name) : ordered_json();
  out["installed"] = install.installed();
  out["result"] = install.result ? ordered_json(*install.result) : ordered_json();
  const bool failed = install.result && *install.result < 0;
  out["errno"] =
      failed ? ordered_json(
                   report::errno_name(-*install.result).value_or(std::to_string(-*install.result)))
             : ordered_json();
  const bool listens =
      install.installed() && (install.flags & kNewListener) != 0 && install.flags_known;
  out["listener"] = listens ? ordered_json(*install.result) : ordered_json();
  out["ip"] = install.backtrace.empty() ? ordered_json()
                                        : ordered_json(hex(install.backtrace.front().address));
  out["backtrace"] = ordered_json::array();
  for (const CodePlace& place : install.backtrace) {
    ordered_json row{{"address", hex(place.address)}};
    row["file"] = place.file.empty() ? ordered_json() : ordered_json(place.file);
    row["offset"] = place.file.empty() ? ordered_json() : ordered_json(hex(place.offset));
    out["backtrace"].push_back(std::move(row));
  }
  return out;
}

ordered_json json_of(const CapturedTask& task) {
  ordered_json out{{"tid", task.tid},   {"pid", task.pid},       {"creator", task.creator},
                   {"comm", task.comm}, {"strict", task.strict}, {"filters", task.filters}};
  out["counted"] = task.counted ? ordered_json(*task.counted) : ordered_json();
  return out;
}

bool write_file(const fs::path& path, std::string_view bytes) {
  std::ofstream out(path, std::ios::binary | std::ios::trunc);
  out.write(bytes.data(), static_cast<std::streamsize>(bytes.size()));
  out.close();
  return static_cast<bool>(out);
}

}  // namespace

bool Install::installed() const {
  if (how == How::GetFilter) return true;
  if (!result || *result < 0) return false;
  // With TSYNC alone a positive result is the thread that stood in the way.
  return *result == 0 || (flags & kNewListener) != 0;
}

std::string file_name(std::size_t install) { return fmt::format("{:03}.bpf", install + 1); }

std::vector<std::string> flag_names(std::uint64_t flags) {
  std::vector<std::string> out;
  for (std::size_t bit = 0; bit < kFlagNames.size(); ++bit) {
    if ((flags >> bit & 1U) != 0) out.emplace_back(kFlagNames[bit]);
  }
  const std::uint64_t rest = flags >> kFlagNames.size() << kFlagNames.size();
  if (rest != 0) out.push_back(hex(rest));
  return out;
}

std::string result_words(const Install& install) {
  if (install.how == Install::How::GetFilter) return "attached";
  if (!install.result) return "did not return";
  if (*install.result < 0) {
    return report::errno_name(-*install.result).value_or(std::to_string(*install.result));
  }
  if (!install.installed()) return fmt::format("thread {} stood in the way", *install.result);
  if ((install.flags & kNewListener) != 0) return fmt::format("listener {}", *install.result);
  return "0";
}

std::string manifest_text(const Capture& capture) {
  utsname machine{};
  uname(&machine);
  ordered_json out{{"format", "callgate-capture"}, {"version", 1}};
  out["kernel"] = std::string(machine.release);
  out["arch"] = info(host_arch()).name;
  out["command"] = capture.command.empty() ? ordered_json() : ordered_json(capture.command);
  out["inherited"] = capture.inherited;
  out["default_task"] = capture.default_task ? ordered_json(*capture.default_task) : ordered_json();
  out["installs"] = ordered_json::array();
  for (std::size_t i = 0; i < capture.installs.size(); ++i) {
    out["installs"].push_back(json_of(capture.installs[i], i));
  }
  out["tasks"] = ordered_json::array();
  for (const CapturedTask& task : capture.tasks) out["tasks"].push_back(json_of(task));
  return out.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::string write_capture(const Capture& capture, const std::string& folder) {
  std::error_code error;
  const fs::path target = fs::path(folder).lexically_normal();
  const fs::path named = target.has_filename() ? target : target.parent_path();
  if (fs::exists(named, error) && !(fs::is_directory(named, error) && fs::is_empty(named, error))) {
    return fmt::format("{}: it is there already; give a folder that is new or empty", folder);
  }
  const fs::path part = named.string() + ".part";
  if (!fs::create_directory(part, error)) {
    return fmt::format("{}: {}", part.string(), error ? error.message() : "it is there already");
  }
  bool well = write_file(part / "manifest.json", manifest_text(capture));
  for (std::size_t i = 0; i < capture.installs.size() && well; ++i) {
    const auto& program = capture.installs[i].program;
    if (!program) continue;
    well = write_file(part / file_name(i), report::raw_bytes(*program, kHostByteOrder));
  }
  if (well) fs::rename(part, named, error);
  if (well && !error) return {};
  std::error_code ignored;
  fs::remove_all(part, ignored);
  return fmt::format("{}: could not be written; is there room, and may you write there?", folder);
}

}  // namespace callgate::process
