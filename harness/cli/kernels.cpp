#include <fmt/format.h>

#include <memory>
#include <nlohmann/json.hpp>

#include "harness/cli/cli.hpp"

namespace callgate::cli {
namespace {

using nlohmann::ordered_json;

struct Options {
  ModelOptions model;
  std::string format = "text";
};

int kernels(const Options& options) {
  const KernelModel model = options.model.model();
  if (options.format == "json") {
    ordered_json document{{"callgate", 1},
                          {"kernel", callgate::to_string(model.version)},
                          {"features", ordered_json::array()}};
    for (const FeatureInfo& row : features()) {
      document["features"].push_back({{"name", row.name},
                                      {"since", callgate::to_string(row.since)},
                                      {"mark", callgate::to_string(row.mark)},
                                      {"has", model.has(row.feature)},
                                      {"text", row.text}});
    }
    fmt::print("{}\n", document.dump(2));
    return kWell;
  }
  fmt::print(
      "What changed between kernels, and Linux {}. The mark says how it is known: live, seen "
      "on a running\nkernel; lab, absent on an older and there on a newer kernel of callgate lab, "
      "the "
      "version lies between;\nsource, read in its source; memory, neither: confirm it before you "
      "depend on it.\n\n",
      callgate::to_string(model.version));
  fmt::print("{:<6} {:<7} {:<5} {}\n", "since", "mark", "has", "what");
  for (const FeatureInfo& row : features()) {
    fmt::print("{:<6} {:<7} {:<5} {}\n", callgate::to_string(row.since),
               callgate::to_string(row.mark), model.has(row.feature) ? "yes" : "no", row.text);
  }
  return kWell;
}

}  // namespace

void add_kernels(CLI::App& root, int& exit_code) {
  auto options = std::make_shared<Options>();
  CLI::App& command = *root.add_subcommand(
      "kernels", "What changed between kernel versions, and how each change is known");
  options->model.add_to(command);
  add_format(command, options->format);
  command.footer(
      "\nExample:\n"
      "  callgate kernels --kernel 5.10");
  command.callback([options, &exit_code] { exit_code = kernels(*options); });
}

}  // namespace callgate::cli
