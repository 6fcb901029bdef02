#include "harness/cli/workload_calls.hpp"

#include <fmt/format.h>

#include "harness/cli/cli.hpp"
#include "harness/cost/workload.hpp"
#include "harness/front_ends/program_reader.hpp"

namespace callgate::cli {

std::vector<verifier::KnownCall> workload_calls(const std::string& path, Arch arch) {
  const auto text = front_ends::read_file(path);
  const std::string shown = path == "-" ? "standard input" : path;
  if (!text) throw UserError(fmt::format("{}: {}", shown, text.error().message));
  const auto workload = cost::read_workload(*text, arch);
  if (!workload) {
    const auto& error = workload.error();
    const std::string line = error.line ? fmt::format(":{}", *error.line) : std::string();
    throw UserError(fmt::format("{}{}: {}", shown, line, error.message));
  }
  std::vector<verifier::KnownCall> out;
  for (const auto& each : workload->calls) {
    verifier::KnownCall call;
    call.data.nr = static_cast<std::int32_t>(each.nr);
    call.data.arch = info(arch).token;
    call.known = verifier::kNumberKnown | verifier::kArchKnown;
    call.count = each.count;
    out.push_back(call);
  }
  return out;
}

}  // namespace callgate::cli
