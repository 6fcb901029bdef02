#pragma once

#include <string>
#include <vector>

namespace callgate::cli {

/// What `callgate test` is asked for.
struct TestOptions {
  std::vector<std::string> suites;
  std::vector<std::string> filters;
  std::vector<std::string> arches;
  std::vector<std::string> kernels;
  std::vector<std::string> reports;
  std::string shard;
  std::string format = "text";
  unsigned jobs = 0;
  bool fail_fast = false;
  bool strict = false;
  bool list = false;
  bool verbose = false;
  bool quiet = false;
};

}  // namespace callgate::cli
