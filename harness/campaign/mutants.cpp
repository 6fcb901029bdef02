// Programs that may be refused, put to our checker and to the kernel's.

#include <fmt/format.h>

#include <algorithm>
#include <utility>
#include <vector>

#include "harness/campaign/properties.hpp"
#include "harness/live/acceptor.hpp"
#include "harness/random/shrink.hpp"
#include "harness/suite/vector_writer.hpp"
#include "verifier/check.hpp"

namespace callgate::campaign {
namespace {

constexpr std::uint32_t kExtreme = 256;

// Which of these the kernel judges otherwise; an errno other than ours counts.
std::expected<std::vector<bool>, live::LiveError> differing(Context& context,
                                                            std::span<const Program> programs,
                                                            std::vector<int>& kernel) {
  {
    const std::lock_guard lock(context.kernel);
    auto answers = live::accepted(programs);
    if (!answers) return std::unexpected(std::move(answers.error()));
    kernel = std::move(*answers);
  }
  std::vector<bool> out;
  for (std::size_t i = 0; i < programs.size(); ++i) {
    const auto ours = verifier::check(programs[i], context.model);
    out.push_back((ours ? 0 : static_cast<int>(ours.error().error)) != kernel[i]);
  }
  return out;
}

Finding finding(Context& context, const Unit& unit, std::uint64_t index, const Program& program,
                int kernel) {
  Finding out{unit.property, finding_name(unit, index), {}, "check", {}};
  const bool ours = verifier::check(program, context.model).has_value();
  out.summary = kernel == 0 ? fmt::format("refused by us, accepted by the kernel")
                            : fmt::format("{} by us, refused with errno {} by the kernel",
                                          ours ? "accepted" : "refused otherwise", kernel);
  out.text = finding_story(context, unit, out.summary) + program_block(program);
  // Why it refuses the kernel does not say; a person has to.
  out.text += kernel == 0 ? "accepted\n"
                          : fmt::format("refused: {}\n  # say why: an id of vm/diagnostics.def\n",
                                        kernel == 12 ? "ENOMEM" : "EINVAL");
  return out;
}

// Mostly a changed program; now and then one about as long as programs may be, or of no
// instructions.
Program candidate(random::Source& source) {
  const Program base = random::valid_program(source);
  Program out = random::mutated(source, base, random::valid_program(source));
  if (!source.one_in(kExtreme)) return out;
  if (source.one_in(8)) return {};
  const std::size_t length = kMaxProgramLength - 2 + source.below(5);
  out.insert(out.begin(), length - out.size(), Instruction{});
  return out;
}

}  // namespace

UnitResult run_Mutants(Context& context, const Unit& unit) {
  random::Source source(seed_of(unit, context.settings.seed));
  Tally tally;
  Count& count = tally.count(unit.property);
  std::vector<Program> programs(unit.count);
  for (Program& each : programs) {
    each = candidate(source);
    if (const auto ours = verifier::check(each, context.model)) {
      ++count.accepted;
    } else {
      tally.coverage.add_refusal(ours.error().diagnostics);
    }
  }
  std::vector<int> kernel;
  const auto differs = differing(context, programs, kernel);
  if (!differs) return std::unexpected(differs.error());
  count.made = count.asked = programs.size();
  for (std::size_t i = 0; i < programs.size(); ++i) {
    if (!(*differs)[i]) continue;
    ++count.disagreements;
    if (tally.findings.size() >= kMostFindingsOfUnit) continue;
    int answer = kernel[i];
    const Program small = random::shrunk(programs[i], [&](std::span<const Program> candidates) {
      std::vector<int> answers;
      auto shows = differing(context, candidates, answers);
      if (!shows) return std::vector<bool>(candidates.size(), false);
      const auto first = std::ranges::find(*shows, true);
      if (first != shows->end()) {
        answer = answers[static_cast<std::size_t>(first - shows->begin())];
      }
      return std::move(*shows);
    });
    tally.findings.push_back(finding(context, unit, i, small, answer));
  }
  return tally;
}

}  // namespace callgate::campaign
