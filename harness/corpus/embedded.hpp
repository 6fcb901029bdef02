#pragma once

#include <span>
#include <string_view>

/// Files of the tree that the command carries with it: harness/corpus/CMakeLists.txt makes them.
namespace callgate::corpus {

/// A file, by its path without the ending below corpus/vectors: "run/lsh_k_0_changes_nothing".
struct EmbeddedFile {
  std::string_view name;
  std::string_view text;
};

/// Every file of corpus/vectors, by path.
[[nodiscard]] std::span<const EmbeddedFile> embedded_vectors();

/// What the export brings along: README.md, schema.json and the example of a consumer.
[[nodiscard]] std::span<const EmbeddedFile> embedded_export_files();

}  // namespace callgate::corpus
