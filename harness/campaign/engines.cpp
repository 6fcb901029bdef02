// Every engine beside the reference, for kernels of every architecture. The running kernel is not
// asked.

#include "harness/engines/engines.hpp"

#include <fmt/format.h>

#include <memory>
#include <optional>
#include <utility>
#include <vector>

#include "harness/campaign/properties.hpp"
#include "harness/random/shrink.hpp"
#include "harness/suite/vector_writer.hpp"
#include "verifier/check.hpp"
#include "vm/engine.hpp"
#include "vm/reference.hpp"

namespace callgate::campaign {
namespace {

constexpr std::uint32_t kLongestFilter = 200;

// Mostly the newest kernel: older ones refuse what random programs hold, or shift otherwise.
KernelModel any_model(random::Source& source) {
  static constexpr Version kVersions[] = {{4, 5, 0}, {4, 14, 0}, {5, 10, 0}};
  KernelModel model;
  model.arch = arches()[source.below(static_cast<std::uint32_t>(arches().size()))].arch;
  if (source.one_in(8)) model.version = kVersions[source.below(3)];
  if (source.one_in(4)) model.engine = KernelEngine::Interpreter;
  return model;
}

SeccompData any_input(random::Source& source, const Program& program, std::uint32_t own) {
  const auto& rows = arches();
  const std::uint32_t arch =
      source.one_in(8) ? rows[source.below(static_cast<std::uint32_t>(rows.size()))].token : own;
  return random::input(source, program, source.one_in(64) ? random::edge_word(source) : arch);
}

struct Case {
  Program program;
  KernelModel model;
  std::vector<SeccompData> inputs;
};

// An engine and an input for which it returns something else, and what.
struct Other {
  const Engine* engine;
  SeccompData input;
  std::uint32_t value;
};

std::optional<Other> other(const Engine& engine, const CheckedProgram& checked,
                           std::span<const SeccompData> inputs,
                           std::span<const std::uint32_t> expected) {
  const auto executable = engine.prepare(checked);
  if (!executable) return std::nullopt;  // it declines
  std::vector<std::uint32_t> many(inputs.size());
  (*executable)->run_many(inputs, many);
  for (std::size_t i = 0; i < inputs.size(); ++i) {
    const std::uint32_t one = (*executable)->run(inputs[i]);
    if (one != expected[i]) return Other{&engine, inputs[i], one};
    if (many[i] != expected[i]) return Other{&engine, inputs[i], many[i]};
  }
  return std::nullopt;
}

std::vector<std::uint32_t> expected_of(const Case& a_case) {
  std::vector<std::uint32_t> out;
  for (const SeccompData& input : a_case.inputs) {
    out.push_back(reference::run(a_case.program, input, a_case.model).value);
  }
  return out;
}

Finding finding(Context& context, const Unit& unit, std::uint64_t index, const Case& a_case,
                const Other& first) {
  const auto shows = [&](std::span<const Program> candidates) {
    std::vector<bool> out;
    for (const Program& each : candidates) {
      const Case smaller{each, a_case.model, {first.input}};
      const auto checked = verifier::check(each, a_case.model);
      out.push_back(checked &&
                    other(*first.engine, *checked, smaller.inputs, expected_of(smaller)));
    }
    return out;
  };
  const Program small = random::shrunk(a_case.program, shows);
  const std::uint32_t ours = reference::run(small, first.input, a_case.model).value;
  Finding out{unit.property, finding_name(unit, index), {}, "run", {}};
  out.summary = fmt::format("nr {}: {} does not return 0x{:08x}, as the reference does",
                            first.input.nr, first.engine->name(), ours);
  out.text = finding_story(context, unit, out.summary) +
             fmt::format("kernel: {}\narch: {}\n", to_string(a_case.model.version),
                         info(a_case.model.arch).name);
  if (a_case.model.engine == KernelEngine::Interpreter) out.text += "engine: interpreter\n";
  out.text += program_block(small) + input_line(first.input) +
              fmt::format("returns: {}\n", suite::result_text(ours));
  return out;
}

}  // namespace

UnitResult run_Engines(Context& context, const Unit& unit) {
  random::Source source(seed_of(unit, context.settings.seed));
  Tally tally;
  Count& count = tally.count(unit.property);
  for (; count.made < unit.count; ++count.made) {
    Case a_case;
    a_case.model = any_model(source);
    const std::uint32_t own = info(a_case.model.arch).token;
    a_case.program = source.one_in(2) ? random::valid_program(source)
                                      : random::filter_like(source, kLongestFilter, own);
    const auto checked = verifier::check(a_case.program, a_case.model);
    if (!checked) {
      ++count.not_asked["a kernel of that version refuses the program"];
      continue;
    }
    ++count.accepted;
    for (std::uint64_t i = 0; i < context.settings.inputs; ++i) {
      a_case.inputs.push_back(any_input(source, a_case.program, own));
    }
    const std::vector<std::uint32_t> expected = expected_of(a_case);
    std::optional<Other> differs;
    for (const Engine* engine : all_engines().subspan(1)) {
      count.asked += a_case.inputs.size();
      if (!differs) differs = other(*engine, *checked, a_case.inputs, expected);
    }
    if (!differs) continue;
    ++count.disagreements;
    if (tally.findings.size() < kMostFindingsOfUnit) {
      tally.findings.push_back(finding(context, unit, count.made, a_case, *differs));
    }
  }
  return tally;
}

}  // namespace callgate::campaign
