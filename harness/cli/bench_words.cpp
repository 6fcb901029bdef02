#include "harness/cli/bench_words.hpp"

#include <fmt/format.h>

namespace callgate::cli {

using nlohmann::ordered_json;

namespace {

std::string or_unknown(const std::optional<int>& value) {
  return value ? fmt::format("{}", *value) : std::string("unknown");
}

ordered_json json_of(const std::optional<int>& value) {
  return value ? ordered_json(*value) : ordered_json(nullptr);
}

}  // namespace

std::string ns(const cost::Estimate& figure) {
  return fmt::format("{:8.1f} ±{:<6.1f}", figure.median, figure.spread);
}

std::string difference(const cost::Estimate& figure) {
  if (figure.below_spread()) return fmt::format("below the spread (±{:.1f})", figure.spread);
  return fmt::format("{:+.1f} ±{:.1f}", figure.median, figure.spread);
}

void print_conditions(const cost::Conditions& here, int core, unsigned rounds,
                      std::uint64_t preemptions) {
  fmt::print("Linux {}, {}; {}; {} rounds, {} preemptions, load {}\n", here.kernel,
             here.cpu.empty() ? "unknown processor" : here.cpu,
             core >= 0 ? fmt::format("core {}", core) : "no core chosen", rounds, preemptions,
             here.load ? fmt::format("{:.2f}", *here.load) : "unknown");
  fmt::print(
      "bpf_jit_enable {}, bpf_jit_harden {}; speculative store bypass: {}, under a filter {}; "
      "indirect branches: {}, under a filter {}\n\n",
      or_unknown(here.jit), or_unknown(here.hardened), here.store_bypass,
      here.store_bypass_filtered, here.indirect_branch, here.indirect_branch_filtered);
  if (here.filters_before != 0) {
    fmt::print("This process has filters already ({}): all figures come on top of theirs.\n\n",
               or_unknown(here.filters_before));
  }
}

ordered_json json_of(const cost::Estimate& figure) {
  return {{"median", figure.median},
          {"spread", figure.spread},
          {"below_spread", figure.below_spread()}};
}

ordered_json json_of(const std::optional<cost::Estimate>& figure) {
  return figure ? json_of(*figure) : ordered_json(nullptr);
}

ordered_json json_of(const cost::Conditions& here) {
  return {{"kernel", here.kernel},
          {"cpu", here.cpu},
          {"core", json_of(here.core)},
          {"bpf_jit_enable", json_of(here.jit)},
          {"bpf_jit_harden", json_of(here.hardened)},
          {"store_bypass", here.store_bypass},
          {"store_bypass_filtered", here.store_bypass_filtered},
          {"indirect_branch", here.indirect_branch},
          {"indirect_branch_filtered", here.indirect_branch_filtered},
          {"filters_before", json_of(here.filters_before)},
          {"load", here.load ? ordered_json(*here.load) : ordered_json(nullptr)}};
}

std::string dump(const ordered_json& document) {
  return document.dump(2, ' ', false, ordered_json::error_handler_t::replace) + "\n";
}

}  // namespace callgate::cli
