#include "harness/cost/time_model.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cmath>
#include <nlohmann/json.hpp>

namespace callgate::cost {
namespace {

using front_ends::ReadError;

// `ld [16]; ret ALLOW`: what uncached and per_filter were measured with.
constexpr std::size_t kSmallest = 2;

struct Coefficient {
  std::string_view name;
  double TimeModel::* member;
};

constexpr Coefficient kCoefficients[] = {
#define COEFFICIENT(name, ...) {#name, &TimeModel::name},
#include "harness/cost/time_model.def"
#undef COEFFICIENT
};

}  // namespace

double Parts::fixed(bool served, std::size_t filters) const noexcept {
  return served ? cached : uncached + static_cast<double>(filters - 1) * per_filter;
}

double Parts::instructions(std::size_t executed, std::size_t jumps, std::size_t arithmetic,
                           std::size_t filters) const noexcept {
  const std::size_t counted = std::min(executed, kSmallest * filters);
  return static_cast<double>(executed - counted) * per_instruction +
         static_cast<double>(jumps) * per_jump + static_cast<double>(arithmetic) * per_arithmetic;
}

std::pair<double, double> Parts::bodies(const verifier::PathCost& path,
                                        std::size_t filters) const noexcept {
  return {instructions(path.classic.least, path.jumps_taken.least, path.arithmetic.least, filters),
          instructions(path.classic.most, path.jumps_taken.most, path.arithmetic.most, filters)};
}

Parts TimeModel::parts() const noexcept {
  return {.entry = entry_ns,
          .cached = cached_ns,
          .uncached = uncached_ns,
          .per_filter = per_filter_ns,
          .per_instruction = per_instruction_ns,
          .per_jump = per_jump_ns,
          .per_arithmetic = per_arithmetic_ns};
}

std::expected<TimeModel, ReadError> read_time_model(std::string_view json) {
  const auto wrong = [](std::string message) {
    return std::unexpected(ReadError{std::move(message), std::nullopt, std::nullopt, {}});
  };
  const auto document = nlohmann::json::parse(json, nullptr, false);
  if (!document.is_object()) {
    return wrong("this is no JSON object, as `callgate bench --model FILE` writes it");
  }
  TimeModel model;
  for (const Coefficient& each : kCoefficients) {
    const auto found = document.find(each.name);
    if (found == document.end()) return wrong(fmt::format("{} is missing", each.name));
    if (!found->is_number()) return wrong(fmt::format("{} is no number", each.name));
    const double value = found->get<double>();
    if (!std::isfinite(value)) return wrong(fmt::format("{} is not finite", each.name));
    if (value < 0) {
      return wrong(fmt::format(
          "{} is negative: it was lost in noise; measure again with more rounds", each.name));
    }
    model.*each.member = value;
  }
  const auto text = [&](const char* name) {
    const auto found = document.find(name);
    const bool there = found != document.end() && found->is_string();
    return there ? found->get<std::string>() : std::string("unknown");
  };
  model.source = fmt::format("Linux {} on {}", text("kernel"), text("cpu"));
  return model;
}

}  // namespace callgate::cost
