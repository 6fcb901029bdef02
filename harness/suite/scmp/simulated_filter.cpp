#include "harness/suite/scmp/simulated_filter.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/front_ends/program_reader.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/scmp/result_words.hpp"
#include "verifier/check.hpp"
#include "vm/outcome.hpp"

namespace callgate::suite::scmp {
namespace {

std::string refusal(const KernelModel& model, const Diagnostics& diagnostics) {
  constexpr std::size_t kMost = 3;
  const bool no_memory = info(diagnostics.front().id).error == InstallError::NoMemory;
  std::string out = fmt::format("refused by Linux {} {}: {}", to_string(model.version),
                                info(model.arch).name, no_memory ? "ENOMEM" : "EINVAL");
  for (std::size_t i = 0; i < std::min(kMost, diagnostics.size()); ++i) {
    const Diagnostic& each = diagnostics[i];
    out += each.instruction ? fmt::format("; instruction {}: ", *each.instruction) : "; ";
    out += message(each);
  }
  if (diagnostics.size() > kMost) out += fmt::format("; and {} more", diagnostics.size() - kMost);
  return out;
}

bool may_be_undefined(std::span<const Instruction> program, const KernelModel& model) {
  return std::ranges::any_of(program, [&](const Instruction& each) {
    const bool by_x = each.code == 0x6c || each.code == 0x7c;
    const bool by_k = each.code == 0x64 || each.code == 0x74;
    return (by_x && !shift_count(model, 32).defined) || (by_k && each.k >= 32);
  });
}

struct Collector {
  std::vector<reference::Step>* steps;
  void step(const reference::Step& step) const { steps->push_back(step); }
};

}  // namespace

SimulatedFilter::SimulatedFilter(FilterStack stack) : stack_(std::move(stack)) {
  may_be_undefined_ = may_be_undefined(stack_.program(0), stack_.model());
}

std::expected<SimulatedFilter, std::string> SimulatedFilter::make(std::string_view bytes,
                                                                  const KernelModel& model) {
  const auto read = front_ends::read_program(bytes, {.format = front_ends::InputFormat::Raw,
                                                     .arch = model.arch,
                                                     .order = byte_order(model.arch)});
  if (!read) return std::unexpected(to_string(read.error()));
  const auto checked = verifier::check(read->program, model);
  if (!checked) return std::unexpected(refusal(model, checked.error().diagnostics));
  FilterStack stack(model);
  if (const auto pushed = stack.push(*checked); !pushed) {
    return std::unexpected(refusal(model, {pushed.error()}));
  }
  return SimulatedFilter(std::move(stack));
}

SimulatedFilter::Answer SimulatedFilter::run(const SeccompData& data) const {
  if (!may_be_undefined_) return {stack_.run(data).value, reference::Fault::None};
  const reference::Result result = reference::run(program(), data, stack_.model());
  return {result.value, result.fault};
}

bool SimulatedFilter::is_known(const Answer& answer) const {
  return answer.fault == reference::Fault::None &&
         result_word(answer.value, stack_.model()).has_value();
}

std::string SimulatedFilter::word(const Answer& answer) const {
  if (answer.fault != reference::Fault::None) {
    return fmt::format("unknown: {}", reference::to_string(answer.fault));
  }
  return result_word(answer.value, stack_.model())
      .value_or(report::verdict_words(answer.value, stack_.model()));
}

std::string SimulatedFilter::outcome_words(const SeccompData& data) const {
  if (run(data).fault != reference::Fault::None) return {};
  const Outcome outcome = outcome_of(stack_, stack_.run(data), data, Surroundings{});
  return report::outcome_words(outcome, report::call_name(data));
}

std::size_t SimulatedFilter::last(const SeccompData& data) const {
  return reference::run(program(), data, stack_.model()).last;
}

std::vector<std::string> SimulatedFilter::path(const SeccompData& data) const {
  std::vector<reference::Step> steps;
  static_cast<void>(reference::run(program(), data, stack_.model(), Collector{&steps}));
  const auto lines = report::statements(program(), stack_.model().arch);
  std::vector<std::string> out;
  for (const reference::Step& step : steps) {
    out.push_back(fmt::format("{:04}: {}", step.at, lines[step.at]));
  }
  return out;
}

}  // namespace callgate::suite::scmp
