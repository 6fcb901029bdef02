#include "harness/cli/workloads.hpp"

#include <fmt/format.h>

#include "harness/cli/cli.hpp"
#include "harness/front_ends/program_reader.hpp"

namespace callgate::cli {
namespace {

std::string shown_path(const std::string& path) { return path == "-" ? "standard input" : path; }

}  // namespace

workload::Workload read_workload(const std::string& path, const trace::ReadOptions& options,
                                 workload::Keep keep) {
  const std::string shown = shown_path(path);
  const auto bytes = front_ends::read_file(path, front_ends::kNoSizeLimit);
  if (!bytes) throw UserError(fmt::format("{}: {}", shown, bytes.error().message));
  auto read = workload::read(*bytes, options, keep);
  if (read) return std::move(*read);
  const front_ends::ReadError& error = read.error();
  if (error.line) throw UserError(fmt::format("{}:{}: {}", shown, *error.line, error.message));
  throw UserError(fmt::format("{}: {}", shown, front_ends::to_string(error)));
}

workload::Workload read_weights(const std::string& path, Arch arch) {
  trace::ReadOptions options;
  options.arch = arch;  // of tables, which say nothing of it
  workload::Workload read = read_workload(path, options, workload::Keep::Tested);
  std::uint64_t sum = 0;
  for (const workload::KnownCall& each : read.calls) {
    if (__builtin_add_overflow(sum, each.count, &sum)) {
      throw UserError(
          fmt::format("{}: its counts come to more than 2^64 - 1 calls: `callgate workload --scale "
                      "1000000 FILE` writes the same with smaller ones",
                      shown_path(path)));
    }
  }
  return read;
}

namespace {

// Counts by number; all that is left out is said.
workload::NumberCounts counted(const workload::Workload& read, const std::string& path, Arch arch) {
  workload::NumberCounts counts = workload::by_number(read, arch);
  const std::string_view name = info(arch).name;
  const std::string shown = shown_path(path);
  if (counts.of_other_abis != 0) {
    tell("callgate: {}: {} calls are not of {}; they are not counted", shown, counts.of_other_abis,
         name);
  }
  if (counts.without_number != 0) {
    tell("callgate: {}: {} calls have no number that is known; they are not counted", shown,
         counts.without_number);
  }
  if (counts.calls.empty()) {
    throw UserError(fmt::format("{}: there is no call of {} in it; see --arch", shown, name));
  }
  return counts;
}

}  // namespace

std::vector<workload::KnownCall> read_calls(const std::string& path, Arch arch) {
  workload::Workload read = read_weights(path, arch);
  static_cast<void>(counted(read, path, arch));
  std::erase_if(read.calls, [&](const workload::KnownCall& each) {
    return (each.known & verifier::kNumberKnown) == 0 ||
           arch_of_call(each.data.arch, static_cast<std::uint32_t>(each.data.nr)) != arch;
  });
  return std::move(read.calls);
}

std::vector<workload::CallCount> read_counts(const std::string& path, Arch arch) {
  return counted(read_weights(path, arch), path, arch).calls;
}

}  // namespace callgate::cli
