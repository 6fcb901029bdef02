// write_filters FOLDER: the filters of the benchmarks as files of raw instructions, for commands
// that read files. Prints a line for each: name, path, instructions.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <string>

#include "bench/filters.hpp"

int main(int count, char** words) {
  if (count != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", words[0]);
    return 2;
  }
  const std::filesystem::path folder = words[1];
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const auto& [name, program] : callgate::bench::filters()) {
    const std::filesystem::path path = folder / (name + ".bpf");
    std::ofstream file(path, std::ios::binary);
    file.write(reinterpret_cast<const char*>(program.data()),
               static_cast<std::streamsize>(program.size() * sizeof(program[0])));
    if (!file.flush()) {
      std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
      return 2;
    }
    std::printf("%s %s %zu\n", name.c_str(), path.c_str(), program.size());
  }
  return 0;
}
