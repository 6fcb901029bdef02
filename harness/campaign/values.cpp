// Programs that are accepted: the 32 bits that they return, for several inputs each.

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/campaign/properties.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/random/shrink.hpp"
#include "harness/suite/vector_writer.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace callgate::campaign {
namespace {

using live::Value;

// At one call in 16 from a place of its own, half of what live::CallSites has room for.
constexpr std::uint64_t kCallsAtOnce = 8192;

using Answers = std::expected<std::vector<live::ValueAnswer>, live::LiveError>;

Answers ask(Context& context, std::span<const live::ValueJob> jobs) {
  const std::lock_guard lock(context.kernel);
  live::CallSites sites;  // anew for each batch: places are limited
  return live::values(jobs, sites);
}

// Of a program that the kernel gives another value: which, and for what.
struct Shown {
  Program program;
  Value value;
};

Shown smallest(Context& context, Shown shown) {
  const auto accepted = [&](const Program& program) {
    return verifier::check(program, context.model).has_value();
  };
  // The first of the candidates that shows it becomes `shown`'s value.
  const auto shows = [&](std::span<const Program> candidates, std::span<const SeccompData> inputs) {
    std::vector<live::ValueJob> jobs;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const live::Call call{inputs[inputs.size() == 1 ? 0 : i], true};
      jobs.push_back(accepted(candidates[i]) ? live::ValueJob{candidates[i], {call}}
                                             : live::ValueJob{{}, {}});
    }
    std::vector<bool> out(candidates.size(), false);
    const Answers answers = ask(context, jobs);
    if (!answers) return out;
    bool first = true;
    for (std::size_t i = 0; i < candidates.size(); ++i) {
      const auto& got = (*answers)[i].values;
      out[i] = got.size() == 1 &&
               differs(reference::run(candidates[i], got.front().data, context.model), got.front());
      if (out[i] && first) shown.value = got.front();
      first = first && !out[i];
    }
    return out;
  };
  shown.program = random::shrunk(shown.program, [&](std::span<const Program> candidates) {
    const SeccompData input = shown.value.data;
    return shows(candidates, std::span(&input, 1));
  });
  // What of the input does not matter becomes 0.
  for (std::size_t field = 0; field <= shown.value.data.args.size(); ++field) {
    SeccompData plainer = shown.value.data;
    if (field == shown.value.data.args.size()) {
      plainer.nr = 0;
    } else {
      plainer.args[field] = 0;
    }
    if (plainer == shown.value.data) continue;
    shows(std::span(&shown.program, 1), std::span(&plainer, 1));
  }
  return shown;
}

Finding finding(Context& context, const Unit& unit, std::uint64_t index, const Shown& shown) {
  Finding out{unit.property, finding_name(unit, index), {}, "run", {}};
  const auto ours = reference::run(shown.program, shown.value.data, context.model);
  const bool known = shown.value.state == Value::State::Known;
  out.summary =
      fmt::format("nr {}: we return 0x{:08x}, {}", shown.value.data.nr, ours.value,
                  known ? fmt::format("the kernel 0x{:08x}", shown.value.value)
                        : fmt::format("the kernel's answer was lost: {}", shown.value.why));
  out.text = finding_story(context, unit, out.summary) + program_block(shown.program) +
             input_line(shown.value.data);
  if (known) out.text += fmt::format("returns: {}\n", suite::result_text(shown.value.value));
  return out;
}

// A program that we accept and the kernel does not take, or that could not be asked.
Finding refused(Context& context, const Unit& unit, std::uint64_t index, const Program& program,
                const live::ValueAnswer& answer) {
  Finding out{unit.property, finding_name(unit, index), {}, "check", {}};
  out.summary =
      answer.install_error != 0
          ? fmt::format("accepted by us, refused with errno {} by the kernel", answer.install_error)
          : fmt::format("could not be asked: {}", answer.why);
  out.text = finding_story(context, unit, out.summary) + program_block(program);
  return out;
}

void compare(Context& context, const Unit& unit, std::uint64_t index, const live::ValueJob& job,
             const live::ValueAnswer& answer, Tally& tally) {
  Count& count = tally.count(unit.property);
  const bool room = tally.findings.size() < kMostFindingsOfUnit;
  if (answer.install_error != 0 || !answer.why.empty()) {
    ++count.disagreements;
    if (room) tally.findings.push_back(refused(context, unit, index, job.program, answer));
    return;
  }
  const Value* other = nullptr;
  for (const Value& value : answer.values) {
    reference::Result ours;
    if (value.state == Value::State::Known) {
      ++count.asked;
      ours = tally.coverage.add_run(job.program, value.data, context.model);
    } else {
      ++count.not_asked[std::string(value.why)];
    }
    if (other == nullptr && differs(ours, value)) other = &value;
  }
  if (other == nullptr) return;
  ++count.disagreements;
  if (!room) return;
  const Shown shown = smallest(context, {job.program, *other});
  tally.findings.push_back(finding(context, unit, index, shown));
}

}  // namespace

UnitResult run_Values(Context& context, const Unit& unit) {
  random::Source source(seed_of(unit, context.settings.seed));
  Tally tally;
  Count& count = tally.count(unit.property);
  const std::uint64_t inputs = context.settings.inputs;
  const std::uint64_t at_once =
      std::max<std::uint64_t>(1, kCallsAtOnce / std::max<std::uint64_t>(1, inputs));
  while (count.made < unit.count) {
    const std::uint64_t first = count.made;
    std::vector<live::ValueJob> jobs(std::min(at_once, unit.count - first));
    for (live::ValueJob& job : jobs) {
      job.program = random::valid_program(source);
      for (std::uint64_t i = 0; i < inputs; ++i) {
        job.calls.push_back(any_call(source, job.program));
      }
    }
    const Answers answers = ask(context, jobs);
    if (!answers) return std::unexpected(answers.error());
    for (std::size_t j = 0; j < jobs.size(); ++j) {
      compare(context, unit, first + j, jobs[j], (*answers)[j], tally);
    }
    count.made += jobs.size();
  }
  return tally;
}

}  // namespace callgate::campaign
