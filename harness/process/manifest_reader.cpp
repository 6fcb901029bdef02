#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <nlohmann/json.hpp>
#include <stdexcept>

#include "harness/front_ends/program_reader.hpp"
#include "harness/process/manifest.hpp"

namespace callgate::process {
namespace {

namespace fs = std::filesystem;
using nlohmann::json;

constexpr std::string_view kName = "manifest.json";
// Many more than a kernel lets a task have.
constexpr std::size_t kMostFilters = 8192;

class Wrong : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

const json& field(const json& of, std::string_view name, std::string_view where) {
  if (!of.is_object()) throw Wrong(fmt::format("{}: not an object", where));
  const auto found = of.find(name);
  if (found == of.end()) throw Wrong(fmt::format("{}: no field \"{}\"", where, name));
  return *found;
}

std::uint64_t number(const json& of, std::string_view name, std::string_view where,
                     std::uint64_t most) {
  const json& value = field(of, name, where);
  if (value.is_number_unsigned() && value.get<std::uint64_t>() <= most) {
    return value.get<std::uint64_t>();
  }
  throw Wrong(fmt::format("{}.{}: not a number from 0 to {}", where, name, most));
}

const json& list(const json& of, std::string_view name, std::string_view where) {
  const json& value = field(of, name, where);
  if (!value.is_array()) throw Wrong(fmt::format("{}.{}: not a list", where, name));
  return value;
}

constexpr std::uint64_t kMostTid = std::numeric_limits<pid_t>::max();

// A file beside the manifest, and no other.
std::string plain_name(const json& row, const std::string& where) {
  const json& value = field(row, "file", where);
  if (!value.is_string()) {
    throw Wrong(fmt::format("{}.file: there is no program; it could not be read", where));
  }
  auto name = value.get<std::string>();
  const bool plain = name.ends_with(".bpf") && name.find('/') == std::string::npos &&
                     name.find('\0') == std::string::npos && name.size() <= 255;
  if (!plain) throw Wrong(fmt::format("{}.file: not a name such as 001.bpf", where));
  return name;
}

const json& task_of(const json& document, std::optional<pid_t> tid) {
  const json& tasks = list(document, "tasks", "manifest");
  if (!tid) {
    if (field(document, "default_task", "manifest").is_null()) {
      throw Wrong("default_task: there is no task with filters");
    }
    tid = static_cast<pid_t>(number(document, "default_task", "manifest", kMostTid));
  }
  // A number may have been used again: the last one counts.
  for (std::size_t i = tasks.size(); i-- > 0;) {
    if (number(tasks[i], "tid", fmt::format("tasks[{}]", i), kMostTid) ==
        static_cast<std::uint64_t>(*tid)) {
      return tasks[i];
    }
  }
  std::string known;
  for (std::size_t i = 0; i < tasks.size() && i < 16; ++i) {
    known += fmt::format("{}{}", i == 0 ? "" : " ",
                         number(tasks[i], "tid", fmt::format("tasks[{}]", i), kMostTid));
  }
  throw Wrong(fmt::format("tasks: none has tid {}; there are: {}", *tid, known));
}

std::vector<ManifestRow> rows_of(std::string_view text, std::optional<pid_t> tid) {
  const json document = json::parse(text, nullptr, false);
  if (document.is_discarded()) throw Wrong("not JSON");
  if (field(document, "format", "manifest") != "callgate-capture") {
    throw Wrong("format: not \"callgate-capture\"");
  }
  if (number(document, "version", "manifest", std::numeric_limits<int>::max()) != 1) {
    throw Wrong("version: not 1, the one that this callgate reads");
  }
  const json& machine = field(document, "arch", "manifest");
  const auto arch =
      machine.is_string() ? arch_from_name(machine.get_ref<const std::string&>()) : std::nullopt;
  if (!arch) throw Wrong("arch: not an architecture");
  const json& installs = list(document, "installs", "manifest");
  const json& task = task_of(document, tid);
  const json& strict = field(task, "strict", "task");
  if (strict != false) throw Wrong("the task is in strict mode, which is no filter");
  const json& counted = field(task, "counted", "task");
  if (!counted.is_null()) {
    throw Wrong("the task had another number of filters than were seen; capture it again");
  }
  const json& filters = list(task, "filters", "task");
  if (filters.size() > kMostFilters) throw Wrong("task.filters: more than a task can have");
  std::vector<ManifestRow> out;
  for (const json& each : filters) {
    if (!each.is_number_unsigned() || each.get<std::uint64_t>() >= installs.size()) {
      throw Wrong("task.filters: not a place in installs");
    }
    const auto at = each.get<std::size_t>();
    const json& row = installs[at];
    const std::string where = fmt::format("installs[{}]", at);
    ManifestRow filter;
    filter.file = plain_name(row, where);
    filter.length = number(row, "length", where, front_ends::kMaxReadLength);
    filter.flags = number(row, "flags_value", where, std::numeric_limits<std::uint64_t>::max());
    filter.arch = *arch;
    if (const json& own = field(row, "arch", where); !own.is_null()) {
      const auto known =
          own.is_string() ? arch_from_name(own.get_ref<const std::string&>()) : std::nullopt;
      if (!known) throw Wrong(fmt::format("{}.arch: not an architecture", where));
      filter.arch = *known;
    }
    out.push_back(std::move(filter));
  }
  return out;
}

fs::path manifest_path(const std::string& path) {
  std::error_code error;
  return fs::is_directory(path, error) ? fs::path(path) / kName : fs::path(path);
}

}  // namespace

std::pair<std::string, std::optional<pid_t>> split_task(const std::string& path) {
  const std::size_t hash = path.rfind('#');
  if (hash == std::string::npos || hash + 1 == path.size()) return {path, std::nullopt};
  pid_t tid = 0;
  const char* const end = path.data() + path.size();
  const auto [at, error] = std::from_chars(path.data() + hash + 1, end, tid);
  if (error != std::errc{} || at != end || tid < 0) return {path, std::nullopt};
  return {path.substr(0, hash), tid};
}

bool is_manifest(const std::string& path) {
  std::error_code error;
  const fs::path found = manifest_path(split_task(path).first);
  return found.filename() == kName && fs::is_regular_file(found, error);
}

std::expected<std::vector<ManifestRow>, std::string> parse_manifest(std::string_view text,
                                                                    std::optional<pid_t> tid) {
  try {
    return rows_of(text, tid);
  } catch (const Wrong& wrong) {
    return std::unexpected(wrong.what());
  }
}

std::expected<std::vector<CapturedFilter>, std::string> read_manifest(const std::string& path,
                                                                      std::optional<pid_t> tid) {
  const fs::path file = manifest_path(path);
  const auto text = front_ends::read_file(file.string());
  if (!text) return std::unexpected(fmt::format("{}: {}", file.string(), text.error().message));
  const auto rows = parse_manifest(*text, tid);
  if (!rows) return std::unexpected(fmt::format("{}: {}", file.string(), rows.error()));
  std::vector<CapturedFilter> out;
  for (const ManifestRow& row : *rows) {
    const std::string name = (file.parent_path() / row.file).string();
    const auto bytes = front_ends::read_file(name);
    if (!bytes) return std::unexpected(fmt::format("{}: {}", name, bytes.error().message));
    if (bytes->size() != row.length * sizeof(Instruction)) {
      return std::unexpected(fmt::format("{}: {} bytes; its {} instructions have {}", name,
                                         bytes->size(), row.length,
                                         row.length * sizeof(Instruction)));
    }
    front_ends::ReadOptions options;
    options.format = front_ends::InputFormat::Raw;
    options.order = info(row.arch).byte_order;
    auto program = front_ends::read_program(*bytes, options);
    if (!program) {
      return std::unexpected(fmt::format("{}: {}", name, front_ends::to_string(program.error())));
    }
    out.push_back({name, std::move(program->program), row.flags, row.arch});
  }
  return out;
}

}  // namespace callgate::process
