#pragma once

#include <expected>
#include <filesystem>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/corpus/corpus.hpp"

/// The corpus as a folder of JSON files, for others.
namespace callgate::corpus {

/// The version of the files' form; schema.json describes it. It changes with whatever would break a
/// reader.
inline constexpr std::string_view kSchema = "callgate-corpus/1";

/// A file of the export.
struct ExportFile {
  std::string name;
  std::string text;
};

/// What an export says of itself.
struct ExportOrigin {
  std::string version;  ///< of callgate
  std::string release;  ///< of the kernel that was asked; empty: none was
};

/// The files, in the order in which they are written. The same corpus gives the same bytes.
[[nodiscard]] std::vector<ExportFile> render(const Corpus& corpus, const ExportOrigin& origin);

/// Puts the files into a folder, all or nothing: they are written beside it, and it gets its name
/// at the end. A folder that is there must be empty or an earlier export, with nothing else in it.
/// The error is a message for a person.
[[nodiscard]] std::expected<void, std::string> write_export(std::span<const ExportFile> files,
                                                            const std::filesystem::path& folder);

}  // namespace callgate::corpus
