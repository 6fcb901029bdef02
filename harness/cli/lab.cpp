#include <fmt/format.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/cli.hpp"
#include "harness/lab/session.hpp"
#include "harness/suite/vector.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  std::string kernels = "default";
  lab::Amount amount;
  std::string keep;
  std::string vectors;
  std::string format = "text";
};

// The programs of the corpus's check and run vectors, with their inputs.
std::vector<lab::Case> cases_of(const std::string& folder) {
  std::vector<lab::Case> out;
  if (folder.empty()) return out;
  for (const auto kind : {suite::VectorKind::Check, suite::VectorKind::Run}) {
    std::vector<std::filesystem::path> paths;
    std::error_code error;
    const auto below = std::filesystem::path(folder) / suite::folder(kind);
    for (const auto& each : std::filesystem::directory_iterator(below, error)) {
      if (each.path().extension() == ".vec") paths.push_back(each.path());
    }
    if (error) throw UserError(fmt::format("lab: {}: {}", below.string(), error.message()));
    std::ranges::sort(paths);
    for (const auto& path : paths) {
      const auto vector = suite::parse_vector(lab::slurp(path), kind);
      if (!vector) throw UserError(fmt::format("lab: {} cannot be read", path.string()));
      if (vector->programs.empty()) continue;
      lab::Case one{vector->programs.back().instructions, {}};
      for (const auto& each : vector->cases) one.inputs.push_back(each.data);
      out.push_back(std::move(one));
    }
  }
  return out;
}

ordered_json json_of(const lab::Report& report) {
  return {{"name", report.name},
          {"skipped", report.skipped.empty() ? ordered_json() : ordered_json(report.skipped)},
          {"release", report.release},
          {"jit", report.jit},
          {"values", report.values},
          {"acceptances", report.acceptances},
          {"differences", report.differences},
          {"not_asked", report.not_asked},
          {"first", report.first},
          {"seconds", report.seconds}};
}

void print(const lab::Report& report) {
  if (!report.skipped.empty()) {
    fmt::print("{}: skipped: {}\n", report.name, report.skipped);
    return;
  }
  fmt::print(
      "{}: {} ({}, JIT {}): {} values, {} acceptances, {} differences, {} not asked, {:.1f} s\n",
      report.name,
      coloured(report.differences == 0 ? "agrees" : "DIFFERS", report.differences == 0),
      report.release, report.jit, report.values, report.acceptances, report.differences,
      report.not_asked, report.seconds);
  for (const std::string& each : report.first) fmt::print("  {}\n", each);
}

int run_lab(const Options& options) {
  const auto kernels = lab::parse_kernels(options.kernels);
  if (!kernels) {
    throw UserError(
        fmt::format("lab: no kernel is named '{}'; default, all, or some of those "
                    "that --help lists",
                    kernels.error()));
  }
  const auto cases = cases_of(options.vectors);
  const lab::WorkFolder work(options.keep);
  ordered_json document{{"callgate", 1}, {"kernels", ordered_json::array()}};
  bool ran = false;
  bool agree = true;
  for (const lab::LabKernel& each : *kernels) {
    if (lab::interrupted()) throw UserError("lab: interrupted");
    const lab::Report report = lab::examine(each, options.amount, cases, work);
    ran = ran || report.skipped.empty();
    agree = agree && report.differences == 0;
    if (options.format == "json") {
      document["kernels"].push_back(json_of(report));
    } else {
      print(report);
      std::fflush(stdout);
    }
  }
  if (options.format == "json") {
    fmt::print("{}\n", document.dump(2, ' ', false, ordered_json::error_handler_t::replace));
  }
  if (!ran) return kWrongUse;
  return agree ? kWell : kNo;
}

}  // namespace

void add_lab(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "lab", "Boot kernels of other architectures and versions under QEMU, and compare");
  command.add_option("--kernels", options->kernels, "default, all, or names with commas between")
      ->type_name("LIST");
  command.add_option("--programs", options->amount.programs, "Random programs for each kernel")
      ->type_name("N");
  command.add_option("--seed", options->amount.seed, "Of the random programs")->type_name("S");
  command.add_option("--vectors", options->vectors, "corpus/vectors: its programs are asked too")
      ->type_name("DIR");
  command.add_option("--keep", options->keep, "Kernels, agents and consoles stay in this folder")
      ->type_name("DIR");
  command.add_option("--format", options->format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
  std::string names;
  for (const lab::LabKernel& each : lab::lab_kernels()) names += fmt::format(" {}", each.name);
  command.footer(fmt::format(
      "\nExample:\n"
      "  callgate lab --kernels s390x-6.1,arm64-6.1-arm --programs 1000\n"
      "\nKernels:{}\n"
      "Exit code 1: a kernel differs; 2: none could be run. Kernels come from the Debian archive "
      "that this machine's apt uses.",
      names));
  command.callback([options, &exit_code] { exit_code = run_lab(*options); });
}

}  // namespace callgate::cli
