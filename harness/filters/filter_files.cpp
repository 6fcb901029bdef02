#include "harness/filters/filter_files.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <utility>

#include "harness/front_ends/capabilities.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/process/manifest.hpp"
#include "harness/suite/clean_text.hpp"
#include "verifier/check.hpp"

namespace callgate::filters {
namespace {

std::string place_of(const front_ends::ReadError& error) {
  std::string place;
  if (error.line) place += fmt::format(":{}", *error.line);
  if (error.line && error.column) place += fmt::format(":{}", *error.column);
  if (!error.line && error.offset) place += fmt::format(": byte {}", *error.offset);
  return place;
}

// The stack of a captured task.
std::expected<ReadFilters, std::string> read_capture(const std::string& path) {
  constexpr std::uint64_t kLog = 2;          // SECCOMP_FILTER_FLAG_LOG
  constexpr std::uint64_t kNewListener = 8;  // SECCOMP_FILTER_FLAG_NEW_LISTENER
  const auto [folder, tid] = process::split_task(path);
  auto captured = process::read_manifest(folder, tid);
  if (!captured) return std::unexpected(captured.error());
  ReadFilters out{"capture", "a folder that `callgate capture` made", {}, {}};
  for (process::CapturedFilter& each : *captured) {
    const FilterFlags flags{.log = (each.flags & kLog) != 0,
                            .new_listener = (each.flags & kNewListener) != 0};
    out.filters.push_back({std::move(each.name), std::move(each.program), flags, {}, {}});
  }
  return out;
}

// What bytes of the file `path` stand for.
std::expected<ReadFilters, std::string> loaded_as(std::string_view bytes, std::string_view path,
                                                  const std::string& shown,
                                                  const front_ends::LoadOptions& options) {
  auto loaded = front_ends::load(bytes, path, options);
  if (!loaded) {
    return std::unexpected(
        fmt::format("{}{}: {}", shown, place_of(loaded.error()), loaded.error().message));
  }
  ReadFilters out{
      std::move(loaded->format), std::string(loaded->looks_like), {}, std::move(loaded->notes)};
  for (front_ends::LoadedFilter& each : loaded->filters) {
    out.filters.push_back({each.name.empty() ? shown : fmt::format("{} ({})", shown, each.name),
                           std::move(each.program), each.flags, std::move(each.policy),
                           each.lowering});
  }
  return out;
}

}  // namespace

bool is_format(std::string_view name) {
  return front_ends::input_format_from_name(name) ||
         front_ends::find_profile_format(name) != nullptr;
}

std::expected<ReadFilters, std::string> read_filters(const std::string& path,
                                                     const front_ends::LoadOptions& options) {
  if (options.input_format.empty() && process::is_manifest(path)) return read_capture(path);
  const std::string shown = path == "-" ? "standard input" : path;
  // FILE#NAME: one of several in a file; the reader is told the whole of it.
  const std::string file = std::filesystem::exists(path) ? path : path.substr(0, path.rfind('#'));
  const auto bytes = front_ends::read_file(file);
  if (!bytes) return std::unexpected(fmt::format("{}: {}", shown, bytes.error().message));
  return loaded_as(*bytes, path == "-" ? "" : path, shown, options);
}

std::expected<ReadFilters, std::string> read_bytes(std::string_view bytes, const std::string& name,
                                                   const front_ends::LoadOptions& options) {
  return loaded_as(bytes, name, name.empty() ? "the bytes" : name, options);
}

std::string note_words(std::string_view shown, const front_ends::Note& note) {
  if (note.place.line == 0) return suite::one_line(fmt::format("{}: {}", shown, note.message));
  return suite::one_line(
      fmt::format("{}:{}:{}: {}", shown, note.place.line, note.place.column, note.message));
}

std::string file_of(const std::string& path) {
  std::error_code ignored;
  if (std::filesystem::exists(path, ignored)) return path;
  std::string out = path;
  if (out.ends_with(')')) {
    if (const std::size_t layer = out.rfind(" ("); layer != std::string::npos) out.resize(layer);
  }
  if (std::filesystem::exists(out, ignored)) return out;
  const std::string whole = out.substr(0, out.rfind('#'));
  return std::filesystem::exists(whole, ignored) ? whole : out;
}

std::expected<FilterStack, Refusal> stack_of(std::span<const FilterFile> files,
                                             const KernelModel& model, const Engine& engine) {
  FilterStack stack(model);
  for (std::size_t i = 0; i < files.size(); ++i) {
    const auto checked = verifier::check(files[i].program, model);
    if (!checked) return std::unexpected(Refusal{i, checked.error().diagnostics});
    if (const auto pushed = stack.push(*checked, engine, files[i].flags); !pushed) {
      return std::unexpected(Refusal{i, {pushed.error()}});
    }
  }
  return stack;
}

std::expected<std::optional<std::vector<std::string>>, std::string> caps_of(
    const std::string& text) {
  if (text.empty()) return std::nullopt;
  std::vector<std::string> out;
  if (text == "none") return out;
  if (text == "all") {
    for (const std::string_view each : front_ends::capabilities()) out.emplace_back(each);
    return out;
  }
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    std::string name = text.substr(start, end - start);
    if (!name.starts_with("CAP_")) name = "CAP_" + name;
    if (std::ranges::find(front_ends::capabilities(), name) == front_ends::capabilities().end()) {
      return std::unexpected(
          fmt::format("{} is no capability; write names such as CAP_SYS_ADMIN with commas between "
                      "them, or none, or all",
                      name));
    }
    out.push_back(std::move(name));
    start = end + 1;
  }
  return out;
}

std::string refusal_lines(std::string_view path, const KernelModel& model,
                          const Diagnostics& diagnostics) {
  const bool no_memory = info(diagnostics.front().id).error == InstallError::NoMemory;
  return fmt::format("{}: refused by {}: {}\n{}", suite::one_line(path), model_words(model),
                     no_memory ? "ENOMEM" : "EINVAL", diagnostic_lines(path, diagnostics));
}

std::string diagnostic_lines(std::string_view path, const Diagnostics& diagnostics) {
  std::string lines;
  for (const Diagnostic& each : diagnostics) {
    const std::string place =
        each.instruction ? fmt::format("instruction {}: ", *each.instruction) : std::string{};
    lines += fmt::format("{}: {}{} [{}]\n", suite::one_line(path), place, message(each),
                         info(each.id).name);
  }
  return lines;
}

std::string model_words(const KernelModel& model) {
  return fmt::format("Linux {} {}", to_string(model.version), info(model.arch).name);
}

}  // namespace callgate::filters
