#include "harness/filters/acceptance.hpp"

#include <nlohmann/json.hpp>
#include <utility>

#include "vm/filter_stack.hpp"

namespace callgate::filters {
namespace {

using nlohmann::ordered_json;

ordered_json json_of(const FilterFile& file, const Acceptance& acceptance) {
  const std::optional<LimitCost>& accepted = acceptance.accepted;
  ordered_json out{{"file", file.path},
                   {"accepted", accepted.has_value()},
                   {"instructions", file.program.size()}};
  out["errno"] = accepted ? ordered_json() : ordered_json("EINVAL");
  out["limit_used"] = accepted ? ordered_json(accepted->as_new) : ordered_json();
  out["diagnostics"] = ordered_json::array();
  for (const Diagnostic& each : acceptance.refusal.diagnostics) {
    ordered_json row{{"id", info(each.id).name}};
    row["instruction"] = each.instruction ? ordered_json(*each.instruction) : ordered_json();
    row["operands"] = each.operands;
    row["message"] = message(each);
    out["diagnostics"].push_back(std::move(row));
  }
  return out;
}

}  // namespace

std::vector<Acceptance> acceptances_of(std::span<const FilterFile> files,
                                       const KernelModel& model) {
  std::vector<Acceptance> out;
  out.reserve(files.size());
  for (const FilterFile& file : files) {
    Acceptance& acceptance = out.emplace_back();
    auto checked = verifier::check(file.program, model);
    if (checked) {
      acceptance.accepted = checked->limit_cost();
    } else {
      acceptance.refusal = std::move(checked.error());
    }
  }
  return out;
}

std::string acceptance_json(std::span<const FilterFile> files,
                            std::span<const Acceptance> acceptances, const KernelModel& model) {
  ordered_json document{{"callgate", 1},
                        {"kernel", callgate::to_string(model.version)},
                        {"arch", info(model.arch).name},
                        {"limit", kMaxInstructionsPerTask},
                        {"filters", ordered_json::array()}};
  for (std::size_t i = 0; i < files.size(); ++i) {
    document["filters"].push_back(json_of(files[i], acceptances[i]));
  }
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + '\n';
}

}  // namespace callgate::filters
