// Runs a fuzz target without libFuzzer: over its seeds, and over a fixed number of changed copies
// of each, the same every time. An input that breaks a property ends the process; its name is
// printed before.

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <iterator>
#include <string>
#include <string_view>
#include <vector>

#include "harness/random/generator.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size);
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerCustomMutator(std::uint8_t* data,
                                                                     std::size_t size,
                                                                     std::size_t max_size,
                                                                     unsigned seed);

namespace {

using callgate::random::Source;

constexpr unsigned long kCopies = 400;
constexpr std::size_t kRoom = 4096;  // for what a copy has more than its seed

std::vector<std::uint8_t> changed(std::vector<std::uint8_t> bytes, Source& source) {
  const std::uint32_t changes = 1 + source.below(8);
  for (std::uint32_t i = 0; i < changes && !bytes.empty(); ++i) {
    const std::size_t at = source.below(static_cast<std::uint32_t>(bytes.size()));
    switch (source.below(4)) {
      case 0:
        bytes[at] = static_cast<std::uint8_t>(source.next());
        break;
      case 1:
        bytes[at] = static_cast<std::uint8_t>(bytes[at] ^ (1U << source.below(8)));
        break;
      case 2:
        bytes.erase(bytes.begin() + static_cast<std::ptrdiff_t>(at));
        break;
      default:
        bytes.insert(bytes.begin() + static_cast<std::ptrdiff_t>(at),
                     bytes[source.below(static_cast<std::uint32_t>(at) + 1)]);
        break;
    }
  }
  return bytes;
}

// By the target's own mutator, where it has one, three times of four.
std::vector<std::uint8_t> copy_of(const std::vector<std::uint8_t>& seed, Source& source) {
  if (LLVMFuzzerCustomMutator == nullptr || source.one_in(4)) return changed(seed, source);
  std::vector<std::uint8_t> copy = seed;
  copy.resize(seed.size() + kRoom);
  std::size_t size = seed.size();
  const std::uint32_t changes = 1 + source.below(4);
  for (std::uint32_t i = 0; i < changes; ++i) {
    size = LLVMFuzzerCustomMutator(copy.data(), size, copy.size(),
                                   static_cast<unsigned>(source.next()));
  }
  copy.resize(size);
  return copy;
}

std::vector<std::uint8_t> content_of(const std::filesystem::path& path) {
  std::ifstream file(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(file), {}};
}

int usage(const char* program) {
  std::fprintf(stderr,
               "Usage: %s [--copies N] PATH...\n"
               "Runs this fuzz target over inputs (files, or all files of folders), and over N "
               "changed copies of each (%lu, or 0 for the inputs alone).\n"
               "Example: %s --copies 0 crash-da39a3ee\n",
               program, kCopies, program);
  return 2;
}

}  // namespace

int main(int argc, char** argv) {
  unsigned long copies = kCopies;
  int first = 1;
  if (argc > 2 && std::string_view(argv[1]) == "--copies") {
    char* end = nullptr;
    copies = std::strtoul(argv[2], &end, 10);
    if (end == argv[2] || *end != 0) return usage(argv[0]);
    first = 3;
  }
  if (first >= argc || argv[first][0] == '-') return usage(argv[0]);
  std::vector<std::filesystem::path> paths;
  for (int i = first; i < argc; ++i) {
    std::error_code error;
    if (!std::filesystem::is_directory(argv[i], error)) {
      paths.emplace_back(argv[i]);
      continue;
    }
    for (const auto& entry : std::filesystem::directory_iterator(argv[i])) paths.push_back(entry);
  }
  std::ranges::sort(paths);
  for (const auto& path : paths) {
    if (std::filesystem::is_regular_file(path)) continue;
    std::fprintf(stderr, "%s: no such file\n", path.c_str());
    return 2;
  }
  if (paths.empty()) {
    std::fprintf(stderr, "%s holds no inputs\n", argv[first]);
    return 2;
  }
  Source source(1);
  if (copies > 0) LLVMFuzzerTestOneInput(nullptr, 0);
  for (const auto& path : paths) {
    std::printf("%s\n", path.filename().c_str());
    std::fflush(stdout);
    const std::vector<std::uint8_t> seed = content_of(path);
    LLVMFuzzerTestOneInput(seed.data(), seed.size());
    for (unsigned long i = 0; i < copies; ++i) {
      const std::vector<std::uint8_t> copy = copy_of(seed, source);
      LLVMFuzzerTestOneInput(copy.data(), copy.size());
    }
  }
  return 0;
}
