#include "harness/tune/proposals.hpp"

#include <algorithm>
#include <expected>
#include <functional>
#include <string>
#include <utility>

#include "harness/front_ends/lower.hpp"
#include "harness/tune/frequency_tree.hpp"

namespace callgate::tune {
namespace {

using Lowered = std::expected<Program, front_ends::LowerError>;

// The filters' programs made in one way, each by itself.
Proposal made(std::string id, std::string title, std::span<const filters::FilterFile> files,
              const std::function<Lowered(const front_ends::Policy&)>& lower) {
  Proposal out;
  out.id = std::move(id);
  out.title = std::move(title);
  out.yardstick = true;
  for (const filters::FilterFile& each : files) {
    Lowered program = lower(*each.policy);
    if (!program) {
      out.refused = program.error().message;
      return out;
    }
    out.programs.push_back(std::move(*program));
  }
  return out;
}

}  // namespace

CallWeights weights_of(const cost::Prediction& prediction) {
  CallWeights out;
  for (const cost::CallCost& each : prediction.calls) {
    out[each.name] += each.cache.is_served() ? 0 : static_cast<double>(each.count);
  }
  return out;
}

std::vector<Proposal> profile_proposals(const ProfileText& profile, const CallWeights& weights) {
  std::vector<Proposal> out;
  // They are proved as all proposals are.
  auto found = orders(profile, weights, {.prove = false});
  if (!found) {
    Proposal none;
    none.id = "order";
    none.title = "the profile in another order";
    none.refused = found.error();
    out.push_back(std::move(none));
    return out;
  }
  for (Order& each : found->orders) {
    Proposal proposal;
    proposal.id = std::move(each.id);
    proposal.title = std::move(each.title);
    proposal.advice = std::move(each.advice);
    proposal.programs = std::move(each.programs);
    proposal.text = std::move(each.text);
    proposal.text_format = std::move(each.text_format);
    if (proposal.programs.empty()) proposal.refused = std::move(each.unpriced);
    out.push_back(std::move(proposal));
  }
  for (std::string& reason : found->reasons) {
    Proposal none;
    none.id = "order";
    none.title = "the profile in another order";
    none.refused = std::move(reason);
    out.push_back(std::move(none));
  }
  return out;
}

std::vector<Proposal> yardsticks(std::span<const filters::FilterFile> files,
                                 const KernelModel& model, const cost::Prediction& prediction) {
  const bool of_profiles = std::ranges::all_of(
      files, [](const filters::FilterFile& each) { return each.policy.has_value(); });
  if (files.empty() || !of_profiles) return {};
  CallWeights all;
  for (const cost::CallCost& each : prediction.calls) {
    all[each.name] += static_cast<double>(each.count);
  }
  const auto by_libseccomp = [&](bool binary_tree) {
    return [&model, binary_tree](const front_ends::Policy& policy) {
      front_ends::LibseccompOptions how;
      how.binary_tree = binary_tree;
      how.kernel = model.version;
      return front_ends::lower_libseccomp(policy, how);
    };
  };
  std::vector<Proposal> out;
  out.push_back(made("linear", "libseccomp's linear form", files, by_libseccomp(false)));
  out.push_back(made("tree", "libseccomp's binary tree", files, by_libseccomp(true)));
  out.push_back(
      made("frequency-tree", "an optimal search tree over frequencies alone", files,
           [&](const front_ends::Policy& policy) { return frequency_tree(policy, all); }));
  return out;
}

}  // namespace callgate::tune
