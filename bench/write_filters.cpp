// write_filters FOLDER: the filters of the benchmarks as files of raw instructions, NAME.bpf, and
// their calls, NAME.MIX.calls (seccomp_data), with what the reference returns, NAME.MIX.results
// (words of 32 bits), for those that read files. In this machine's byte order. Prints a line for
// each filter: name, path, instructions.

#include <cstdio>
#include <filesystem>
#include <fstream>
#include <span>
#include <string>
#include <vector>

#include "bench/filters.hpp"
#include "vm/kernel_model.hpp"
#include "vm/reference.hpp"

namespace {

template <typename T>
bool write(const std::filesystem::path& path, std::span<const T> values) {
  std::ofstream file(path, std::ios::binary);
  file.write(reinterpret_cast<const char*>(values.data()),
             static_cast<std::streamsize>(values.size_bytes()));
  if (file.flush()) return true;
  std::fprintf(stderr, "%s: cannot be written\n", path.c_str());
  return false;
}

}  // namespace

int main(int count, char** words) {
  using namespace callgate;
  if (count != 2) {
    std::fprintf(stderr, "usage: %s FOLDER\n", words[0]);
    return 2;
  }
  const std::filesystem::path folder = words[1];
  std::error_code error;
  std::filesystem::create_directories(folder, error);
  for (const auto& [name, program] : bench::filters()) {
    const std::filesystem::path path = folder / (name + ".bpf");
    if (!write<Instruction>(path, program)) return 2;
    for (const bench::Mix mix : {bench::Mix::Traced, bench::Mix::Uniform}) {
      const std::vector<SeccompData> calls = bench::calls(mix, program);
      std::vector<std::uint32_t> results;
      for (const SeccompData& data : calls) {
        results.push_back(reference::run(program, data, KernelModel{}).value);
      }
      const std::string base = (folder / (name + "." + bench::name_of(mix))).string();
      if (!write<SeccompData>(base + ".calls", calls)) return 2;
      if (!write<std::uint32_t>(base + ".results", results)) return 2;
    }
    std::printf("%s %s %zu\n", name.c_str(), path.c_str(), program.size());
  }
  return 0;
}
