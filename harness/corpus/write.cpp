// The export's folder: whole, or not there.
#include <fcntl.h>
#include <fmt/format.h>
#include <stdlib.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstring>
#include <fstream>
#include <iterator>

#include "harness/corpus/export.hpp"

namespace callgate::corpus {
namespace {

namespace fs = std::filesystem;

// Why this folder must not be replaced; empty where it may.
std::string in_the_way(const fs::path& folder, std::span<const ExportFile> files) {
  std::error_code error;
  const fs::file_status status = fs::status(folder, error);
  if (status.type() == fs::file_type::not_found) return {};
  if (error) return fmt::format("{}: {}", folder.string(), error.message());
  if (!fs::is_directory(status)) {
    return fmt::format("{} is no folder; name one that is new, empty or an earlier export",
                       folder.string());
  }
  std::string foreign;
  bool empty = true;
  bool ours = false;
  for (fs::directory_iterator at(folder, error), end; !error && at != end; at.increment(error)) {
    empty = false;
    const std::string name = at->path().filename().string();
    ours = ours || name == "corpus.json";
    const bool known = std::ranges::any_of(files, [&](const auto& f) { return f.name == name; });
    if (!known && foreign.empty()) foreign = name;
  }
  if (error) return fmt::format("{}: {}", folder.string(), error.message());
  if (empty) return {};
  if (ours && foreign.empty()) {
    std::ifstream index(folder / "corpus.json", std::ios::binary);
    const std::string text((std::istreambuf_iterator<char>(index)), {});
    // Of whatever version: an earlier one is what an export replaces.
    if (text.contains("\"schema\": \"callgate-corpus/")) return {};
  }
  if (!foreign.empty() && ours) {
    return fmt::format("{} holds '{}', which no export has: move it away, or name another folder",
                       folder.string(), foreign);
  }
  return fmt::format("{} is not empty, and no earlier export: name a folder that is new or empty",
                     folder.string());
}

std::string failed(const fs::path& path) {
  return fmt::format("{}: {}", path.string(), std::strerror(errno));
}

// The new folder under the name, and what had it before under `made`.
bool swap_in(const fs::path& made, const fs::path& folder) {
  if (rename(made.c_str(), folder.c_str()) == 0) return true;  // not there, or empty
  if (errno != ENOTEMPTY && errno != EEXIST) return false;
  if (renameat2(AT_FDCWD, made.c_str(), AT_FDCWD, folder.c_str(), RENAME_EXCHANGE) == 0) {
    return true;
  }
  if (errno != EINVAL && errno != ENOSYS) return false;
  // A file system that cannot exchange: the name is free for a moment.
  const fs::path aside = made.string() + ".old";
  if (rename(folder.c_str(), aside.c_str()) != 0) return false;
  if (rename(made.c_str(), folder.c_str()) != 0) {
    const int why = errno;
    rename(aside.c_str(), folder.c_str());
    errno = why;
    return false;
  }
  return rename(aside.c_str(), made.c_str()) == 0;
}

}  // namespace

std::expected<void, std::string> write_export(std::span<const ExportFile> files,
                                              const fs::path& folder) {
  std::error_code error;
  fs::path target = fs::weakly_canonical(folder, error);
  if (error) return std::unexpected(fmt::format("{}: {}", folder.string(), error.message()));
  if (!target.has_filename()) target = target.parent_path();
  if (const std::string why = in_the_way(target, files); !why.empty()) return std::unexpected(why);

  std::string made = target.string() + ".new-XXXXXX";
  if (mkdtemp(made.data()) == nullptr) return std::unexpected(failed(target));
  const auto give_up = [&](std::string why) {
    std::error_code ignored;
    fs::remove_all(made, ignored);
    return std::unexpected(std::move(why));
  };
  for (const ExportFile& each : files) {
    const fs::path path = fs::path(made) / each.name;
    std::ofstream stream(path, std::ios::binary);
    stream << each.text;
    stream.close();
    if (!stream) return give_up(failed(target / each.name));
  }
  // As a folder made by mkdir(1) is; mkdtemp(3)'s is for its owner alone.
  fs::permissions(made, fs::perms(0755), error);
  if (!swap_in(made, target)) return give_up(failed(target));
  fs::remove_all(made, error);  // what was there before, if anything
  return {};
}

}  // namespace callgate::corpus
