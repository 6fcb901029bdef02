// Which folder may include what: vm ◀ verifier ◀ harness ◀ fuzz, bench, corpus.
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <fstream>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace callgate {
namespace {

namespace fs = std::filesystem;

struct Folder {
  std::string_view name;
  int rank;  ///< a file includes its own folder, and folders of lower rank
};

constexpr std::array kFolders = {Folder{"vm", 0},   Folder{"verifier", 1}, Folder{"harness", 2},
                                 Folder{"fuzz", 3}, Folder{"bench", 3},    Folder{"corpus", 3}};

std::optional<Folder> folder_of(std::string_view path) {
  for (const Folder& each : kFolders) {
    if (path.starts_with(each.name) && path.substr(each.name.size()).starts_with('/')) return each;
  }
  return std::nullopt;
}

bool is_test(std::string_view path) {
  return path.ends_with("_test.cpp") || path.ends_with("_test.hpp") || path.ends_with("_test.c");
}

// What is wrong with an include of a file; nothing where it is right.
std::optional<std::string> wrong_with(std::string_view file, std::string_view included,
                                      bool quoted) {
  const auto own = folder_of(file);
  if (!own) return "in no folder";
  if (quoted) {
    // Both are installed beside each other, and no folder of ours is.
    if (file == "harness/capi/callgate_tools.h" && included == "callgate.h") return std::nullopt;
    const auto other = folder_of(included);
    if (!other) return "is not the path from the top";
    if (other->name != own->name && other->rank >= own->rank) return "points the wrong way";
    return std::nullopt;
  }
  if (is_test(file)) return std::nullopt;
  // The lab's agent is a program of its own, for the kernels under QEMU.
  if (included.starts_with("linux/") && !file.starts_with("harness/live/") &&
      !file.starts_with("harness/front_ends/") && !file.starts_with("harness/process/") &&
      file != "harness/lab/agent.c") {
    return "a Linux header outside of harness/live, harness/process and harness/front_ends";
  }
  if (included.starts_with("gtest/") || included.starts_with("gmock/")) {
    // For users who test with it; installed.
    if (file == "harness/testing/gtest.hpp") return std::nullopt;
    return "only for tests";
  }
  if ((included.starts_with("asmjit/") || included.starts_with("capstone/")) &&
      !file.starts_with("vm/jit/")) {
    return "machine code outside of vm/jit";
  }
  if (included.starts_with("z3") && !file.starts_with("verifier/solver/")) {
    return "Z3 outside of verifier/solver";
  }
  if (own->rank >= 2) return std::nullopt;
  for (const std::string_view library : {"fmt/", "nlohmann/", "CLI/", "seccomp.h"}) {
    if (included.starts_with(library)) return "vm and verifier use the standard library alone";
  }
  return std::nullopt;
}

// What stands between the quotes or brackets of an include, or nothing.
struct Include {
  std::string name;
  bool quoted;
};

std::optional<Include> include_in(std::string_view line) {
  const auto skip_blanks = [&] {
    line.remove_prefix(std::min(line.find_first_not_of(" \t"), line.size()));
  };
  skip_blanks();
  if (!line.starts_with('#')) return std::nullopt;
  line.remove_prefix(1);
  skip_blanks();
  if (!line.starts_with("include")) return std::nullopt;
  line.remove_prefix(std::string_view("include").size());
  skip_blanks();
  const bool quoted = line.starts_with('"');
  if (!quoted && !line.starts_with('<')) return std::nullopt;
  line.remove_prefix(1);
  return Include{std::string(line.substr(0, line.find(quoted ? '"' : '>'))), quoted};
}

bool is_source(const fs::path& path) {
  const std::string extension = path.extension().string();
  return extension == ".hpp" || extension == ".cpp" || extension == ".h" || extension == ".c" ||
         extension == ".def";
}

TEST(Includes, point_from_the_users_to_what_they_use) {
  const fs::path top = CALLGATE_SOURCE_DIR;
  std::vector<std::string> wrong;
  std::size_t seen = 0;
  for (const Folder& folder : kFolders) {
    for (const auto& entry : fs::recursive_directory_iterator(top / folder.name)) {
      if (!entry.is_regular_file() || !is_source(entry.path())) continue;
      const std::string file = entry.path().lexically_relative(top).generic_string();
      std::ifstream stream(entry.path());
      for (std::string line; std::getline(stream, line);) {
        const auto include = include_in(line);
        if (!include) continue;
        ++seen;
        if (const auto why = wrong_with(file, include->name, include->quoted)) {
          wrong.push_back(file + ": " + include->name + ": " + *why);
        }
      }
    }
  }
  EXPECT_THAT(wrong, testing::IsEmpty());
  EXPECT_GT(seen, 100U);
}

TEST(Includes, that_point_the_wrong_way_are_found) {
  EXPECT_FALSE(wrong_with("verifier/check.cpp", "vm/opcodes.hpp", true));
  EXPECT_FALSE(wrong_with("fuzz/a.cpp", "harness/suite/vector.hpp", true));
  EXPECT_TRUE(wrong_with("vm/opcodes.cpp", "verifier/check.hpp", true));
  EXPECT_TRUE(wrong_with("harness/cli/main.cpp", "bench/a.hpp", true));
  EXPECT_TRUE(wrong_with("fuzz/a.cpp", "bench/a.hpp", true));
  EXPECT_TRUE(wrong_with("vm/opcodes.cpp", "opcodes.hpp", true));
  EXPECT_TRUE(wrong_with("vm/opcodes.cpp", "fmt/format.h", false));
  EXPECT_TRUE(wrong_with("verifier/check.cpp", "linux/filter.h", false));
  EXPECT_FALSE(wrong_with("harness/live/call.cpp", "linux/filter.h", false));
  EXPECT_FALSE(wrong_with("harness/lab/agent.c", "linux/filter.h", false));
  EXPECT_TRUE(wrong_with("harness/lab/session.cpp", "linux/filter.h", false));
  EXPECT_FALSE(wrong_with("vm/host_constants_test.cpp", "linux/filter.h", false));
  EXPECT_TRUE(wrong_with("vm/opcodes.cpp", "gtest/gtest.h", false));
  EXPECT_TRUE(wrong_with("harness/testing/filter.hpp", "gmock/gmock.h", false));
  EXPECT_FALSE(wrong_with("harness/testing/gtest.hpp", "gmock/gmock.h", false));
  EXPECT_FALSE(wrong_with("vm/jit/plan.cpp", "asmjit/core.h", false));
  EXPECT_TRUE(wrong_with("vm/decoded.cpp", "asmjit/core.h", false));
  EXPECT_FALSE(wrong_with("verifier/solver/z3.cpp", "z3++.h", false));
  EXPECT_TRUE(wrong_with("harness/cli/diff.cpp", "z3++.h", false));
  EXPECT_TRUE(wrong_with("harness/cli/disasm.cpp", "capstone/capstone.h", false));
}

}  // namespace
}  // namespace callgate
