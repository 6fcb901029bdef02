#pragma once

#include <cstddef>
#include <string>
#include <vector>

#include "harness/suite/runner.hpp"

namespace callgate::cli {

/// What `callgate test` is asked for.
struct TestOptions {
  std::vector<std::string> suites;
  std::vector<std::string> filters;
  std::vector<std::string> arches;
  std::vector<std::string> kernels;
  std::vector<std::string> reports;
  std::vector<std::string> coverage;
  std::string min_coverage;
  std::string generators;
  std::string shard;
  std::string format = "text";
  unsigned jobs = 0;
  bool fail_fast = false;
  bool strict = false;
  bool list = false;
  bool verbose = false;
  bool quiet = false;
  bool update = false;
  bool live = false;
  bool scmp = false;
};

/// UserError where options are given that mean nothing with --scmp, or without it.
void check_scmp(const TestOptions& options);

/// Says that a shard has no case, of so many.
void say_empty_shard(const suite::RunOptions& run, std::size_t all);

/// Runs `.tests` files of libseccomp's format, of which the shard is taken from `parts`; with
/// --list the cases have their names alone, and nothing is started.
[[nodiscard]] suite::RunResults run_scmp(const TestOptions& options,
                                         const suite::RunOptions& parts);

/// Writes recorded verdicts anew and says which; how many.
[[nodiscard]] std::size_t update_recorded(const suite::Plan& plan);

/// UserError where --coverage or --min-coverage are wrong.
void check_coverage(const TestOptions& options);

/// Adds to the results what a least coverage came to, and writes the documents of --coverage.
void finish_coverage(const TestOptions& options, const suite::Plan& plan,
                     suite::RunResults& results);

}  // namespace callgate::cli
