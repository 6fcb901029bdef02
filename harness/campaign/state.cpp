// A campaign's state as a file: JSON, one object.

#include <fmt/format.h>

#include <nlohmann/json.hpp>
#include <utility>

#include "harness/campaign/campaign.hpp"

namespace callgate::campaign {
namespace {

using nlohmann::ordered_json;

constexpr int kFormat = 1;

ordered_json json_of(const Count& count) {
  ordered_json not_asked = ordered_json::object();
  for (const auto& [why, times] : count.not_asked) not_asked[why] = times;
  return {{"made", count.made},
          {"accepted", count.accepted},
          {"asked", count.asked},
          {"disagreements", count.disagreements},
          {"not_asked", not_asked}};
}

Count count_of(const ordered_json& json) {
  Count out;
  json.at("made").get_to(out.made);
  json.at("accepted").get_to(out.accepted);
  json.at("asked").get_to(out.asked);
  json.at("disagreements").get_to(out.disagreements);
  for (const auto& [why, times] : json.at("not_asked").items()) {
    out.not_asked[why] = times.get<std::uint64_t>();
  }
  return out;
}

State state_of(const ordered_json& json) {
  if (json.at("callgate_campaign").get<int>() != kFormat) {
    throw std::runtime_error(fmt::format("its format is not {}", kFormat));
  }
  State out;
  json.at("kernel").get_to(out.kernel);
  json.at("seed").get_to(out.settings.seed);
  json.at("inputs").get_to(out.settings.inputs);
  const auto shard = parse_shard(json.at("shard").get<std::string>());
  if (!shard) throw std::runtime_error("its shard is none");
  out.settings.shard = *shard;
  json.at("units_done").get_to(out.done);
  json.at("seconds").get_to(out.seconds);
  for (const PropertyInfo& row : properties()) {
    const ordered_json& here = json.at("properties").at(std::string(row.token));
    here.at("amount").get_to(out.settings.amounts[static_cast<std::size_t>(row.property)]);
    out.tally.count(row.property) = count_of(here);
  }
  if (!out.tally.coverage.restore(json.at("cells").get<std::vector<std::uint64_t>>(),
                                  json.at("refusals").get<std::vector<std::uint64_t>>())) {
    throw std::runtime_error("its coverage is of another version of callgate");
  }
  for (const ordered_json& each : json.at("findings")) {
    Finding finding;
    const auto token = each.at("property").get<std::string>();
    for (const PropertyInfo& row : properties()) {
      if (row.token == token) finding.property = row.property;
    }
    each.at("name").get_to(finding.name);
    each.at("summary").get_to(finding.summary);
    each.at("folder").get_to(finding.folder);
    each.at("text").get_to(finding.text);
    out.tally.findings.push_back(std::move(finding));
  }
  if (out.done > plan(out.settings).size()) {
    throw std::runtime_error("more units are done than there are");
  }
  return out;
}

}  // namespace

std::string state_text(const State& state) {
  const Settings& settings = state.settings;
  ordered_json json{{"callgate_campaign", kFormat},
                    {"kernel", state.kernel},
                    {"seed", settings.seed},
                    {"inputs", settings.inputs},
                    {"shard", fmt::format("{}/{}", settings.shard.index, settings.shard.count)},
                    {"units_done", state.done},
                    {"units", plan(settings).size()},
                    {"seconds", state.seconds},
                    {"properties", ordered_json::object()}};
  for (const PropertyInfo& row : properties()) {
    ordered_json here{{"amount", settings.amount(row.property)}};
    here.update(json_of(state.tally.count(row.property)));
    json["properties"][std::string(row.token)] = here;
  }
  json["cells"] = state.tally.coverage.cells();
  json["refusals"] = state.tally.coverage.refusals();
  json["findings"] = ordered_json::array();
  for (const Finding& each : state.tally.findings) {
    json["findings"].push_back({{"property", info(each.property).token},
                                {"name", each.name},
                                {"summary", each.summary},
                                {"folder", each.folder},
                                {"text", each.text}});
  }
  return json.dump(1, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

std::expected<State, std::string> parse_state(const std::string& text) {
  try {
    return state_of(ordered_json::parse(text));
  } catch (const std::exception& error) {
    return std::unexpected(std::string(error.what()));
  }
}

}  // namespace callgate::campaign
