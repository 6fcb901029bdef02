#pragma once

#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/suite/vector.hpp"

/// The vector files of corpus/vectors.
namespace callgate::corpus {

/// A vector file.
struct VectorFile {
  suite::VectorKind kind = suite::VectorKind::Check;
  std::filesystem::path path;

  /// "run/shift_by_x_33"
  [[nodiscard]] std::string name() const;
};

/// Every vector file below `vectors`, by folder and name.
[[nodiscard]] std::vector<VectorFile> vector_files(const std::filesystem::path& vectors);

/// The vector in a file, or "PATH:LINE: what is wrong".
[[nodiscard]] std::expected<suite::Vector, std::string> read_vector(const VectorFile& file);

}  // namespace callgate::corpus
