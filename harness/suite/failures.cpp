#include "harness/suite/failures.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/report/arguments.hpp"
#include "harness/report/why.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/explicit_call.hpp"
#include "vm/syscalls.hpp"

namespace callgate::suite {
namespace {

constexpr std::uint64_t kLow = 0xffffffffU;

// The argument whose upper half the filter looks at, and the kernel does not.
std::string hint_of_halves(const FilterStack& stack, const SeccompData& call,
                           const CallPattern& pattern) {
  for (const ArgumentTest& test : pattern.tests) {
    if (!test.low || test.index > 5) continue;
    // The other value that the kernel takes for the same.
    SeccompData plain = call;
    std::uint64_t& other = plain.args[test.index];
    if ((other >> 32U) != 0) {
      other &= kLow;
    } else if (test.high == HighHalf::Extended && test.is_signed && (other >> 31U) != 0) {
      other |= ~kLow;
    } else {
      continue;
    }
    if (stack.run(plain).value == stack.run(call).value) continue;
    const std::string name = report::argument_words(pattern.call, test.index, pattern.abi).name;
    if (test.high == HighHalf::Extended) {
      return fmt::format(
          "programs may pass a negative {} with its sign above 32 bits, or without; "
          "the filter takes these for different values",
          name);
    }
    return fmt::format(
        "the kernel takes the lower 32 bits of {} and the filter looks at all 64: with something "
        "above them the call is the same, and the verdict is not; high_half: extended leaves such "
        "registers out",
        name);
  }
  return {};
}

std::string hint_of(const FilterStack& stack, const SeccompData& call, const CallPattern* pattern) {
  if (pattern != nullptr) {
    std::string hint = hint_of_halves(stack, call, *pattern);
    if (!hint.empty()) return hint;
  }
  // An x32 call that nobody thought of.
  const auto number = static_cast<std::uint32_t>(call.nr);
  if (call.arch == info(Arch::X86_64).token && (number & kX32Bit) != 0) {
    return "a number of x32, which shares its architecture with x86_64: filters that look at the "
           "architecture alone do not tell them apart";
  }
  return {};
}

// runc's stub decides before the profile does.
std::string hint_of_stub(const filters::FilterFile& file, std::uint32_t value,
                         const SeccompData& call) {
  constexpr std::uint32_t kStub = 0x00050026U;  // ENOSYS by any ABI's number
  if (value != kStub || !file.policy || file.lowering == front_ends::Lowering::Plain) return {};
  const front_ends::Decision said = front_ends::PolicyEvaluator(*file.policy).evaluate(call);
  if (!said.unknown.empty() || said.value == value) return {};
  return "runc answers ENOSYS, whatever the profile says, to numbers above the newest that the "
         "profile names: expect `errno ENOSYS`, or `deny` for any refusal";
}

}  // namespace

std::string value_words(std::uint32_t value, const KernelModel& model) {
  std::string out = report::verdict_words(value, model);
  if (action_bits(value, model) == static_cast<std::uint32_t>(Action::Errno)) {
    const auto name = report::errno_name(value & kDataMask, model.arch);
    if (name) out += ", " + *name;
  }
  return out;
}

Failure failure_of(std::span<const filters::FilterFile> files, const FilterStack& stack,
                   const SeccompData& call, const Surroundings& around, std::string expected,
                   const CallPattern* pattern) {
  const KernelModel& model = stack.model();
  Failure out;
  out.call = explicit_call_text(call, model.arch);
  out.expected = std::move(expected);
  if (is_exempt(call, model)) {
    out.actual = "ALLOW";
    out.outcome = "executes";
    out.hint = "no filter is asked for this call";
    return out;
  }
  const Verdict verdict = stack.run(call);
  out.actual = value_words(verdict.value, model);
  out.outcome =
      report::outcome_words(outcome_of(stack, verdict, call, around), report::call_name(call));
  const auto runs = report::run_filters(stack, call);
  const std::size_t decided = verdict.winner.value_or(stack.size() == 0 ? 0 : stack.size() - 1);
  for (const report::FilterRun& run : runs) {
    if (run.filter != decided) continue;
    if (files.size() > 1) {
      out.path.push_back(
          fmt::format("filter {} of {}: {}", run.filter + 1, files.size(), files[run.filter].path));
    }
    for (std::string& line : report::path_lines(run, files[run.filter].program, model.arch)) {
      while (!line.empty() && line.back() == ' ') line.pop_back();
      out.path.push_back(std::move(line));
    }
  }
  for (const report::ProfileWords& each : report::profiles_of(files, runs, call, model)) {
    if (each.filter != decided) continue;
    out.rule = each.words;
    CasePlace place;
    place.file = filters::file_of(files[each.filter].path);
    place.line = each.place.line;
    place.column = each.place.column;
    out.rule_place = place;
  }
  out.hint = hint_of(stack, call, pattern);
  if (out.hint.empty() && decided < files.size()) {
    out.hint = hint_of_stub(files[decided], verdict.value, call);
  }
  return out;
}

}  // namespace callgate::suite
