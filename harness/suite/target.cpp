#include "harness/suite/target.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <memory>

#include "harness/compare/comparison.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"

namespace callgate::suite {
namespace {

using verifier::Diagrams;
using verifier::Ending;
using verifier::Field;
using verifier::Level;
using verifier::Space;
using Ref = Space::Ref;

constexpr std::size_t kMostTried = 400;
constexpr std::chrono::milliseconds kSolving{5000};

}  // namespace

// All that is known of what the stack means.
struct Target::Analysis {
  Space space;
  verifier::Endings endings{space};
  verifier::StackMeaning meaning;
  std::unique_ptr<verifier::Solver> built_in;
  std::unique_ptr<verifier::DiagramSolver> solver;
  std::map<Level, Ref> levels;
  std::map<std::pair<Level, std::uint32_t>, Ref> by_token;
  std::map<std::tuple<Level, std::uint32_t, std::uint32_t>, Ref> by_number;
  std::map<std::pair<Ref, std::string>, Parts> parts;
};

std::expected<front_ends::LoadOptions, std::string> load_options(const Deploy& deploy,
                                                                 const KernelModel& model) {
  front_ends::LoadOptions out;
  out.program.order = info(model.arch).byte_order;
  out.program.arch = model.arch;
  out.deployment.model = model;
  auto caps = filters::caps_of(deploy.caps);
  if (!caps) return std::unexpected(fmt::format("caps: {}", caps.error()));
  out.deployment.caps = std::move(*caps);
  out.deployment.runtime = deploy.runtime;
  out.deployment.systemd = deploy.systemd;
  out.deployment.extra = deploy.with;
  out.deployment.denylist = deploy.denylist;
  out.input_format = deploy.format;
  if (!deploy.format.empty() && !filters::is_format(deploy.format)) {
    return std::unexpected(
        fmt::format("format: {}: not a format; `callgate run --help` lists them", deploy.format));
  }
  return out;
}

std::expected<LoadedStack, StackError> load_stack(const std::vector<FilterName>& names,
                                                  const Deploy& deploy, const KernelModel& model) {
  const auto options = load_options(deploy, model);
  if (!options) return std::unexpected(StackError{options.error(), false});
  std::vector<filters::FilterFile> files;
  std::vector<std::string> notes;
  for (const FilterName& name : names) {
    auto read = filters::read_filters(name.path, *options);
    if (!read) return std::unexpected(StackError{std::move(read.error()), false});
    for (filters::FilterFile& each : read->filters) files.push_back(std::move(each));
    for (const front_ends::Note& note : read->notes) {
      notes.push_back(filters::note_words(name.path, note));
    }
  }
  auto stack = filters::stack_of(files, model);
  if (!stack) {
    const filters::Refusal& refusal = stack.error();
    std::string lines =
        filters::refusal_lines(files[refusal.file].path, model, refusal.diagnostics);
    while (!lines.empty() && lines.back() == '\n') lines.pop_back();
    return std::unexpected(StackError{std::move(lines), true});
  }
  return LoadedStack{std::move(files), std::move(*stack), std::move(notes)};
}

Target::Target(LoadedStack loaded, const Surroundings& around)
    : loaded_(std::move(loaded)), around_(around) {
  for (const filters::FilterFile& file : loaded_.files) {
    may_be_open_ = may_be_open_ || std::ranges::any_of(file.program, [](const Instruction& each) {
                     return each.code == static_cast<std::uint16_t>(Opcode::LshX) ||
                            each.code == static_cast<std::uint16_t>(Opcode::RshX);
                   });
  }
}

Target::Analysis& Target::analysis() {
  if (analysis_) return *analysis_;
  analysis_ = std::make_shared<Analysis>();
  analysis_->meaning = verifier::meaning_of(analysis_->endings, loaded_.stack);
  analysis_->built_in = compare::built_in_solver(kSolving);
  analysis_->solver = std::make_unique<verifier::DiagramSolver>(analysis_->built_in.get());
  return *analysis_;
}

verifier::Endings& Target::endings() { return analysis().endings; }
const verifier::StackMeaning& Target::meaning() { return analysis().meaning; }
verifier::Solver& Target::solver() { return *analysis().solver; }

void Target::start_coverage() {
  collector_ = std::make_unique<coverage::Collector>(files(), stack(), endings(), meaning());
}

std::optional<std::uint32_t> Target::value(const SeccompData& data) const {
  if (is_exempt(data, model())) return static_cast<std::uint32_t>(Action::Allow);
  if (may_be_open_) {
    for (std::size_t i = 0; i < loaded_.stack.size(); ++i) {
      const auto run = reference::run(loaded_.stack.program(i), data, model());
      if (run.fault != reference::Fault::None) return std::nullopt;
    }
  }
  return loaded_.stack.run(data).value;
}

std::optional<std::uint32_t> Target::result(const SeccompData& data, Level level) const {
  const auto returned = value(data);
  if (!returned) return std::nullopt;
  return verifier::at_level(level, *returned, data, model(), around_);
}

const std::vector<std::uint32_t>& Target::constants() {
  if (has_constants_) return constants_;
  has_constants_ = true;
  for (const filters::FilterFile& file : loaded_.files) {
    for (const Instruction& each : file.program) {
      const OpcodeInfo* row = find_opcode(each.code);
      if (row != nullptr && row->kind == OpcodeKind::Branch) constants_.push_back(each.k);
    }
  }
  std::ranges::sort(constants_);
  const auto twice = std::ranges::unique(constants_);
  constants_.erase(twice.begin(), twice.end());
  // Numbers of calls are most of them, and say nothing of arguments; of very many some do.
  if (constants_.size() > 64) constants_.resize(64);
  return constants_;
}

// The function of arguments that calls of a pattern have at a level, or of numbers too where it is
// of several.
Ref Target::behaviour(const CallPattern& pattern, Level level) {
  Analysis& all = analysis();
  Space& space = all.space;
  if (!all.levels.contains(level)) {
    all.levels[level] = verifier::at_level(level, all.endings, all.meaning.value, model(), around_);
  }
  const auto token = std::pair{level, pattern.token};
  if (!all.by_token.contains(token)) {
    Ref here = space.fixed(all.levels[level], Field::Arch, pattern.token);
    const Ref exempt =
        space.fixed(verifier::exempt_calls(space, model()), Field::Arch, pattern.token);
    if (exempt != Diagrams::kFalse) {
      const auto allowed = verifier::at_level(level, static_cast<std::uint32_t>(Action::Allow),
                                              {.nr = 0, .arch = pattern.token}, model(), around_);
      const Ref end = all.endings.end({.kind = Ending::Kind::Value,
                                       .value = space.terms().constant(allowed.value_or(0)),
                                       .filter = {}});
      here = space.diagrams().choose(exempt, end, here);
    }
    all.by_token[token] = here;
  }
  if (!pattern.one_number()) return all.by_token[token];
  const auto number = std::tuple{level, pattern.token, pattern.numbers[0].first};
  const auto found = all.by_number.find(number);
  if (found != all.by_number.end()) return found->second;
  const Ref here = space.fixed(all.by_token[token], Field::Nr, pattern.numbers[0].first);
  all.by_number.emplace(number, here);
  return here;
}

Target::Parts Target::parts(Ref function, const Verb& verb) {
  Analysis& all = analysis();
  const auto key = std::pair{function, verb.text};
  if (const auto found = all.parts.find(key); found != all.parts.end()) return found->second;
  Space& space = all.space;
  Diagrams& diagrams = space.diagrams();
  Parts out;
  // Where the number that a term is fits.
  const auto fits = [&](verifier::TermId term) -> Ref {
    if (const auto constant = space.terms().value(term)) {
      return verb.fits(*constant) ? Diagrams::kTrue : Diagrams::kFalse;
    }
    Ref named = Diagrams::kFalse;
    for (const Wanted& each : verb.wanted) {
      const auto bits = space.terms().bit_and(term, space.terms().constant(each.mask));
      named = diagrams.either(
          named, space.compared(Test::Equal, bits, space.terms().constant(each.value)));
    }
    return verb.quantifier == Verb::Quantifier::Never ? diagrams.negated(named) : named;
  };
  out.unfit = diagrams.changed(function, [&](std::uint32_t number) -> Ref {
    const Ending ending = all.endings.at(diagrams.end(number));
    if (ending.kind != Ending::Kind::Value) return Diagrams::kFalse;
    return diagrams.negated(fits(ending.value));
  });
  out.open = diagrams.changed(function, [&](std::uint32_t number) -> Ref {
    const Ending ending = all.endings.at(diagrams.end(number));
    return ending.kind == Ending::Kind::Value ? Diagrams::kFalse : Diagrams::kTrue;
  });
  all.parts.emplace(key, out);
  return out;
}

Answer Target::prove(const CallPattern& pattern, const Verb& verb) {
  Analysis& all = analysis();
  Space& space = all.space;
  Diagrams& diagrams = space.diagrams();
  const Ref function = behaviour(pattern, verb.level);
  Ref meant = pattern.arguments(space);
  if (!pattern.one_number()) meant = diagrams.both(pattern.number(space), meant);
  // What is found has the pattern's architecture and number, which the functions do not ask for.
  const auto whole = [&](SeccompData data) {
    data.arch = pattern.token;
    if (pattern.one_number()) data.nr = static_cast<std::int32_t>(pattern.numbers[0].first);
    return data;
  };
  if (meant == Diagrams::kFalse) {
    return {Status::Error, "", "no call is of this pattern: its tests exclude each other", {}};
  }
  const Parts parts = this->parts(function, verb);
  const bool sometimes = verb.quantifier == Verb::Quantifier::Sometimes;
  const Ref open = diagrams.both(meant, parts.open);
  Ref wanted = sometimes ? diagrams.without(meant, diagrams.either(parts.unfit, parts.open))
                         : diagrams.both(meant, parts.unfit);
  // Opaque comparisons may be of architecture and number, and so may values that are formulas.
  if (pattern.one_number()) {
    wanted = diagrams.both(space.equal(Field::Nr, pattern.numbers[0].first), wanted);
  }
  wanted = diagrams.both(space.equal(Field::Arch, pattern.token), wanted);
  const verifier::Decision decision = all.solver->decide(space, wanted);
  if (decision.holds == verifier::Holds::Sometimes && decision.call) {
    const SeccompData call = whole(*decision.call);
    const auto number = result(call, verb.level);
    // What is proved is run all the same: it must come to the same.
    if (!number || verb.fits(*number) != sometimes || !pattern.holds(call)) {
      return {Status::Error,
              "",
              "what was proved and what was run do not agree: an error in Callgate; please report "
              "it",
              {call}};
    }
    if (sometimes) return {Status::Passed, "shown by a call", "", {call}};
    return {Status::Failed, "shown by a call", "", {call}};
  }
  if (decision.holds == verifier::Holds::NotKnown) return try_out(pattern, verb, decision.how);
  if (open != Diagrams::kFalse) {
    return try_out(pattern, verb, "the analysis does not follow the filter for all of these calls");
  }
  if (!sometimes) return {Status::Passed, "proved", "", {}};
  const auto any = space.find(meant);
  Answer none{Status::Failed, "proved", "", {}};
  if (any) none.calls = {whole(*any)};
  return none;
}

Answer Target::try_out(const CallPattern& pattern, const Verb& verb, std::string why) {
  const bool sometimes = verb.quantifier == Verb::Quantifier::Sometimes;
  const std::vector<SeccompData> calls = edge_calls(pattern, constants(), kMostTried);
  std::size_t tried = 0;
  for (const SeccompData& call : calls) {
    const auto number = result(call, verb.level);
    if (!number) continue;
    ++tried;
    if (verb.fits(*number) != sometimes) continue;
    return {sometimes ? Status::Passed : Status::Failed, "shown by a call", "", {call}};
  }
  return {Status::Unknown,
          fmt::format("tried {} calls at the edges", tried),
          fmt::format("not proved: {}", why),
          {}};
}

Answer Target::ask(const CallPattern& pattern, const Verb& verb) {
  try {
    return prove(pattern, verb);
  } catch (const Diagrams::Full&) {
    return try_out(pattern, verb, "its diagram grows too large");
  }
}

}  // namespace callgate::suite
