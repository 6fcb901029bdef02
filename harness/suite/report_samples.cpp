// Writes hostile results, and none at all, with every reporter into a folder: for
// reporters_test.py, which gives them to programs that read such.
#include <fmt/format.h>

#include <fstream>
#include <string>

#include "harness/suite/hostile_results.hpp"
#include "harness/suite/reporters.hpp"

namespace {

bool write(const std::string& path, const std::string& text) {
  std::ofstream file(path, std::ios::binary);
  file << text;
  return file.flush().good();
}

}  // namespace

int main(int argc, char** argv) {
  if (argc != 2) {
    fmt::print(stderr, "usage: callgate_report_samples FOLDER\n");
    return 2;
  }
  const std::string folder = argv[1];
  const callgate::suite::RunResults hostile = callgate::suite::hostile_results();
  callgate::suite::RunResults well;
  well.cases.push_back(hostile.cases.front());
  for (const callgate::suite::Reporter& each : callgate::suite::reporters()) {
    const std::string path = folder + "/" + std::string(each.name);
    const bool written = write(path + ".strict", each.write(hostile, {})) &&
                         write(path + ".lenient", each.write(hostile, {.accept_unknown = true})) &&
                         write(path + ".well", each.write(well, {})) &&
                         write(path + ".empty", each.write({}, {}));
    if (!written) {
      fmt::print(stderr, "callgate_report_samples: {}: cannot be written\n", path);
      return 2;
    }
  }
  return 0;
}
