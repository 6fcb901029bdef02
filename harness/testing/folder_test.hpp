#pragma once

#include <unistd.h>

#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <stdexcept>
#include <string>
#include <string_view>
#include <system_error>

/// For tests that need files: a folder that is gone when they are.
namespace callgate {

/// What a file holds; empty where it cannot be read.
inline std::string content(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

/// A new folder among the temporary ones, for its maker alone. Its end removes it with all that it
/// holds; a child that was forked since then leaves it.
class TestFolder {
 public:
  /// std::runtime_error: there can be none.
  TestFolder() : owner_(getpid()) {
    std::string name = (std::filesystem::temp_directory_path() / "callgate-test-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  }
  ~TestFolder() {
    std::error_code ignored;
    if (getpid() == owner_) std::filesystem::remove_all(path_, ignored);
  }
  TestFolder(const TestFolder&) = delete;
  TestFolder& operator=(const TestFolder&) = delete;

  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

  /// A file in it, and the folders that its name asks for; its path.
  std::string file(std::string_view name, std::string_view text) const {
    const std::filesystem::path at = path_ / name;
    std::filesystem::create_directories(at.parent_path());
    std::ofstream(at, std::ios::binary) << text;
    return at.string();
  }

 private:
  pid_t owner_;
  std::filesystem::path path_;
};

}  // namespace callgate
