#include "harness/testing/fuzz.hpp"

#include <fmt/format.h>

#include <random>
#include <utility>

#include "harness/filters/filter_files.hpp"
#include "harness/report/disassembly.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/clean_text.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/testing/fuzz_inputs.hpp"
#include "verifier/check.hpp"
#include "verifier/meaning.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"

namespace callgate::testing {
namespace {

using verifier::Space;

// What a run may come to: an instruction, or a way out of a conditional jump.
struct Target {
  enum class Kind : std::uint8_t { Reached, Taken, NotTaken };
  Kind kind = Kind::Reached;
  std::size_t instruction = 0;
  Space::Ref condition = 0;
  verifier::Holds holds = verifier::Holds::NotKnown;
};

bool is_branch(const Instruction& instruction) {
  const OpcodeInfo* row = find_opcode(instruction.code);
  return row != nullptr && row->kind == OpcodeKind::Branch;
}

// One program, and what of it any call comes to.
struct Subject {
  Program program;
  std::vector<Target> targets;  // that are proved unreachable left out
};

// Which targets were hit, in the order of the subject's.
using Hits = std::vector<bool>;

// Notes each step of a run.
struct Tracks {
  std::vector<bool>& reached;
  std::vector<bool>& taken;
  std::vector<bool>& not_taken;
  const Program& program;

  void step(const reference::Step& step) const {
    reached[step.at] = true;
    const Instruction& each = program[step.at];
    if (step.next == step.at + 1 + each.jt) taken[step.at] = true;
    if (step.next == step.at + 1 + each.jf) not_taken[step.at] = true;
  }
};

}  // namespace

struct Differential::State {
  explicit State(const FuzzOptions& given) : options(given), dictionary(given.kernel) {
    for (const std::uint64_t each : options.constants) dictionary.add(each);
  }

  std::expected<void, std::string> add(const Program& program, std::string_view which);
  [[nodiscard]] Hits hits(const Subject& subject, const SeccompData& call) const;
  // What a side returns; nothing where this kernel leaves it open.
  [[nodiscard]] std::optional<std::uint32_t> returned(std::size_t side,
                                                      const SeccompData& call) const;
  [[nodiscard]] std::string words(std::optional<std::uint32_t> value) const;
  [[nodiscard]] FuzzCoverage coverage(const Subject& subject, const Hits& hits) const;

  FuzzOptions options;
  Dictionary dictionary;
  Space space;
  verifier::Endings endings{space};
  std::vector<Subject> subjects;
  PolicyFunction policy;  // the second side, where that is no program
};

std::expected<void, std::string> Differential::State::add(const Program& program,
                                                          std::string_view which) {
  const auto checked = verifier::check(program, options.kernel);
  if (!checked) {
    return std::unexpected(
        filters::refusal_lines(which, options.kernel, checked.error().diagnostics));
  }
  const verifier::ProgramMeaning meaning = verifier::meaning_of(endings, *checked);
  Subject subject{.program = program, .targets = {}};
  const bool whole = meaning.not_followed == verifier::Diagrams::kFalse;
  const auto target = [&](Target::Kind kind, std::size_t at, Space::Ref condition) {
    Target out{.kind = kind, .instruction = at, .condition = condition};
    out.holds = space.holds_ever(condition);
    // Ways that were not followed may lead here too.
    if (out.holds == verifier::Holds::Never && !whole) out.holds = verifier::Holds::NotKnown;
    if (out.holds != verifier::Holds::Never) subject.targets.push_back(out);
  };
  for (std::size_t i = 0; i < program.size(); ++i) {
    target(Target::Kind::Reached, i, meaning.reached[i]);
    if (!is_branch(program[i])) continue;
    target(Target::Kind::Taken, i, meaning.taken[i]);
    target(Target::Kind::NotTaken, i, meaning.not_taken[i]);
  }
  dictionary.add(program);
  subjects.push_back(std::move(subject));
  return {};
}

Hits Differential::State::hits(const Subject& subject, const SeccompData& call) const {
  const std::size_t size = subject.program.size();
  std::vector<bool> reached(size);
  std::vector<bool> taken(size);
  std::vector<bool> not_taken(size);
  const reference::Result result = reference::run(
      subject.program, call, options.kernel, Tracks{reached, taken, not_taken, subject.program});
  // An instruction whose result is left open was reached all the same.
  reached[result.last] = true;
  Hits out;
  for (const Target& each : subject.targets) {
    switch (each.kind) {
      case Target::Kind::Reached:
        out.push_back(reached[each.instruction]);
        break;
      case Target::Kind::Taken:
        out.push_back(taken[each.instruction]);
        break;
      case Target::Kind::NotTaken:
        out.push_back(not_taken[each.instruction]);
        break;
    }
  }
  return out;
}

std::optional<std::uint32_t> Differential::State::returned(std::size_t side,
                                                           const SeccompData& call) const {
  if (side >= subjects.size()) return policy(call);
  const reference::Result result = reference::run(subjects[side].program, call, options.kernel);
  if (result.fault != reference::Fault::None) return std::nullopt;
  return result.value;
}

std::string Differential::State::words(std::optional<std::uint32_t> value) const {
  if (!value) return "what the kernel leaves open";
  return fmt::format("{} ({:#010x})", report::verdict_words(*value, options.kernel), *value);
}

FuzzCoverage Differential::State::coverage(const Subject& subject, const Hits& hits) const {
  const std::vector<std::string> statements =
      report::statements(subject.program, options.kernel.arch);
  FuzzCoverage out;
  for (std::size_t i = 0; i < subject.targets.size(); ++i) {
    const Target& each = subject.targets[i];
    const bool known = each.holds == verifier::Holds::Sometimes;
    const bool instruction = each.kind == Target::Kind::Reached;
    if (known || hits[i]) {
      (instruction ? out.instructions : out.directions) += 1;
      (instruction ? out.instructions_hit : out.directions_hit) += hits[i] ? 1U : 0U;
    }
    if (hits[i]) continue;
    std::string words =
        fmt::format("instruction {} ({})", each.instruction, statements[each.instruction]);
    if (!instruction) {
      words += each.kind == Target::Kind::Taken ? ", where it holds" : ", where it does not hold";
    }
    (known ? out.missing : out.undecided).push_back(std::move(words));
  }
  return out;
}

Differential::Differential(std::unique_ptr<State> state) : state_(std::move(state)) {}
Differential::Differential(Differential&&) noexcept = default;
Differential& Differential::operator=(Differential&&) noexcept = default;
Differential::~Differential() = default;

std::expected<Differential, std::string> Differential::between(const Program& a, const Program& b,
                                                               const FuzzOptions& options) {
  auto state = std::make_unique<State>(options);
  if (auto added = state->add(a, "the first program"); !added) {
    return std::unexpected(std::move(added.error()));
  }
  if (auto added = state->add(b, "the second program"); !added) {
    return std::unexpected(std::move(added.error()));
  }
  return Differential(std::move(state));
}

std::expected<Differential, std::string> Differential::against(const Program& a, PolicyFunction b,
                                                               const FuzzOptions& options) {
  auto state = std::make_unique<State>(options);
  if (!b) return std::unexpected("the function is empty");
  state->policy = std::move(b);
  if (auto added = state->add(a, "the program"); !added) {
    return std::unexpected(std::move(added.error()));
  }
  return Differential(std::move(state));
}

SeccompData Differential::call_from(std::span<const std::uint8_t> bytes) const {
  const State& state = *state_;
  if (bytes.empty() || bytes[0] % 4 != 1) {
    return state.dictionary.call_from(bytes.subspan(bytes.empty() ? 0 : 1));
  }
  // A call that comes to a place of a program, whatever it compares on the way there.
  std::uint64_t seed = 0;
  for (const std::uint8_t each : bytes.subspan(1)) seed = seed * 257 + each;
  std::mt19937_64 chance(seed);
  const Subject& subject = state.subjects[chance() % state.subjects.size()];
  const Target& target = subject.targets[chance() % subject.targets.size()];
  const auto call = state.space.find(target.condition, &chance);
  return call ? *call : state.dictionary.call_from(bytes.subspan(1));
}

std::optional<Counterexample> Differential::ask(const SeccompData& call) const {
  const State& state = *state_;
  const auto a = state.returned(0, call);
  const auto b = state.returned(1, call);
  const auto level = [&](std::optional<std::uint32_t> value) {
    if (!value) return value;
    return verifier::at_level(state.options.level, *value, call, state.options.kernel,
                              state.options.around);
  };
  // The kernel leaves it open what the first does: nobody can have meant that.
  if (a.has_value() == b.has_value() && level(a) == level(b)) return std::nullopt;
  const bool function = state.subjects.size() == 1;
  return Counterexample{
      .call = call,
      .a = a.value_or(0),
      .b = b.value_or(0),
      .message = fmt::format("{}: {} returns {}, {} {}",
                             suite::explicit_call_text(call, state.options.kernel.arch),
                             function ? "the program" : "the first", state.words(a),
                             function ? "the function" : "the second", state.words(b))};
}

Counterexample Differential::shrunk(const Counterexample& found) const {
  Counterexample best = found;
  // Takes what is smaller, if it still shows it.
  const auto attempt = [&](const SeccompData& call) {
    if (call == best.call) return false;
    auto shown = ask(call);
    if (shown) best = std::move(*shown);
    return shown.has_value();
  };
  const auto shrink_field = [&](auto get) {
    bool smaller = false;
    const auto with = [&](auto value) {
      SeccompData call = best.call;
      get(call) = value;
      smaller = attempt(call) || smaller;
    };
    using Value = std::remove_reference_t<decltype(get(best.call))>;
    if (get(best.call) == 0) return false;
    with(Value{0});
    for (int bit = static_cast<int>(sizeof(Value)) * 8; bit-- > 0;) {
      const auto mask = static_cast<Value>(Value{1} << bit);
      if ((get(best.call) & mask) != 0) with(static_cast<Value>(get(best.call) & ~mask));
    }
    return smaller;
  };
  SeccompData native = best.call;
  native.arch = info(state_->options.kernel.arch).token;
  static_cast<void>(attempt(native));
  // What one field allows may depend on another.
  for (bool smaller = true; smaller;) {
    smaller =
        shrink_field([](SeccompData& call) -> std::uint64_t& { return call.instruction_pointer; });
    for (std::size_t i = 0; i < best.call.args.size(); ++i) {
      smaller = shrink_field([i](SeccompData& call) -> std::uint64_t& { return call.args[i]; }) ||
                smaller;
    }
    smaller = shrink_field([](SeccompData& call) -> std::uint32_t& {
                return reinterpret_cast<std::uint32_t&>(call.nr);
              }) ||
              smaller;
  }
  return best;
}

int Differential::fuzz(const std::uint8_t* data, std::size_t size,
                       const std::function<void(const Counterexample&)>& handler) const {
  const auto found = ask(call_from({data, size}));
  if (!found) return 0;
  const Counterexample smallest = shrunk(*found);
  if (!handler) throw DifferenceFound(smallest);
  handler(smallest);
  return 0;
}

FuzzResult Differential::run_for(std::size_t inputs, std::uint64_t seed) const {
  const State& state = *state_;
  std::mt19937_64 chance(seed);
  FuzzResult out;
  std::vector<Hits> hits;
  for (const Subject& each : state.subjects) hits.emplace_back(each.targets.size());

  // By turns: a call that leads to what was not hit yet, and one of random bytes.
  std::size_t subject = 0;
  std::size_t target = 0;
  const auto next_missing = [&]() -> std::optional<SeccompData> {
    for (; subject < state.subjects.size(); ++subject, target = 0) {
      const std::vector<Target>& targets = state.subjects[subject].targets;
      while (target < targets.size()) {
        const std::size_t at = target++;
        if (hits[subject][at]) continue;
        if (auto call = state.space.find(targets[at].condition, &chance)) return call;
      }
    }
    return std::nullopt;
  };
  std::vector<std::uint8_t> bytes(kSeccompDataSize + 32);
  for (; out.inputs < inputs && !out.counterexample; ++out.inputs) {
    auto call = out.inputs % 2 == 0 ? next_missing() : std::nullopt;
    if (!call) {
      for (std::uint8_t& each : bytes) each = static_cast<std::uint8_t>(chance());
      // Some calls are told apart by one field alone.
      if (chance() % 2 == 0) {
        for (std::size_t i = 1; i < bytes.size(); ++i) {
          if (chance() % 4 != 0) bytes[i] = 0;
        }
      }
      call = call_from(bytes);
    }
    out.counterexample = ask(*call);
    for (std::size_t i = 0; i < hits.size(); ++i) {
      const Hits now = state.hits(state.subjects[i], *call);
      for (std::size_t j = 0; j < now.size(); ++j) {
        if (now[j]) hits[i][j] = true;
      }
    }
  }
  out.passed = !out.counterexample;
  if (out.counterexample) out.counterexample = shrunk(*out.counterexample);

  out.text = out.counterexample ? fmt::format("{}\n", out.counterexample->message)
                                : fmt::format("{} inputs, seed {}: no difference\n",
                                              suite::grouped(out.inputs), seed);
  for (std::size_t i = 0; i < state.subjects.size(); ++i) {
    const FuzzCoverage& seen =
        out.coverage.emplace_back(state.coverage(state.subjects[i], hits[i]));
    const bool enough =
        seen.missing.empty() && (seen.undecided.empty() || state.options.accept_undecided);
    out.passed = out.passed && enough;
    out.text +=
        fmt::format("{} program: {} of {} instructions, {} of {} directions of branches\n",
                    state.subjects.size() == 1 ? "the"
                    : i == 0                   ? "first"
                                               : "second",
                    seen.instructions_hit, seen.instructions, seen.directions_hit, seen.directions);
    for (const std::string& each : seen.missing) out.text += fmt::format("  not hit: {}\n", each);
    for (const std::string& each : seen.undecided) {
      out.text += fmt::format("  not hit, and not decided whether it can be: {}\n", each);
    }
  }
  return out;
}

}  // namespace callgate::testing
