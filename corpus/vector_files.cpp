#include "corpus/vector_files.hpp"

#include <algorithm>
#include <fstream>
#include <iterator>

namespace callgate::corpus {

std::string VectorFile::name() const {
  return std::string(suite::folder(kind)) + "/" + path.stem().string();
}

std::vector<VectorFile> vector_files(const std::filesystem::path& vectors) {
  std::vector<VectorFile> files;
  for (const suite::VectorKind kind : suite::vector_kinds()) {
    for (const auto& entry : std::filesystem::directory_iterator(vectors / suite::folder(kind))) {
      files.push_back({kind, entry.path()});
    }
  }
  std::ranges::sort(files, {}, [](const VectorFile& file) { return file.path; });
  return files;
}

std::expected<suite::Vector, std::string> read_vector(const VectorFile& file) {
  std::ifstream stream(file.path, std::ios::binary);
  const std::string text((std::istreambuf_iterator<char>(stream)), {});
  auto vector = suite::parse_vector(text, file.kind);
  if (!vector) {
    return std::unexpected(file.path.string() + ":" + std::to_string(vector.error().line) + ": " +
                           vector.error().message);
  }
  return std::move(*vector);
}

}  // namespace callgate::corpus
