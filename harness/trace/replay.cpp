#include "harness/trace/replay.hpp"

#include <fmt/format.h>

#include "harness/report/words.hpp"
#include "vm/outcome.hpp"

namespace callgate::trace {
namespace {

constexpr std::uint16_t kLoadWord = 0x20;

std::string missing_words(unsigned bit, const Call& call) {
  if (bit == 0) {
    return call.name.empty() ? "the call's number is not in the log"
                             : "its name does not tell the call's number";
  }
  if (bit == 1) return "the call's architecture is not in the log";
  if (bit < 4) return "the instruction pointer is not in the log";
  return fmt::format("argument {} is not in the log{}", (bit - 4) / 2,
                     bit % 2 == 0                          ? ""
                     : (call.known >> (bit - 1) & 1U) != 0 ? " as 64 bits"
                                                           : "");
}

struct Watcher {
  std::span<const Instruction> program;
  ByteOrder order;
  KnownWords known;
  std::optional<unsigned>* missing;
  std::vector<reference::Step>* steps;

  void step(const reference::Step& step) const {
    const Instruction& i = program[step.at];
    if (i.code == kLoadWord && !*missing) {
      const unsigned bit = word_bit(i.k, order);
      if ((known >> bit & 1U) == 0) *missing = bit;
    }
    if (steps != nullptr) steps->push_back(step);
  }
};

}  // namespace

Judgement judge(const FilterStack& stack, const Call& call, std::vector<FilterPath>* paths) {
  Judgement out;
  constexpr KnownWords kBoth = kNumberKnown | kArchKnown;
  if ((call.known & kBoth) == kBoth && is_exempt(call.data, stack.model())) {
    out.exempt = true;
    return out;
  }
  // One of the calls that kernels exempt may be behind it.
  if ((call.known & kNumberKnown) == 0 &&
      ((call.known & kArchKnown) == 0 || call.data.arch == info(Arch::X86_64).token)) {
    out.unknown = missing_words(0, call);
    return out;
  }
  std::vector<FilterResult> results;
  std::vector<std::size_t> lasts(stack.size());
  for (std::size_t filter = stack.size(); filter-- > 0;) {
    FilterPath path;
    path.filter = filter;
    std::optional<unsigned> missing;
    const Watcher watcher{stack.program(filter), byte_order(stack.model().arch), call.known,
                          &missing, paths != nullptr ? &path.steps : nullptr};
    path.result = reference::run(stack.program(filter), call.data, stack.model(), watcher);
    if (out.unknown.empty() && missing) {
      out.unknown = missing_words(*missing, call);
    } else if (out.unknown.empty() && path.result.fault != reference::Fault::None) {
      out.unknown = fmt::format("filter {} at instruction {} makes a {}", filter, path.result.last,
                                reference::to_string(path.result.fault));
    }
    results.push_back({filter, path.result.value});
    lasts[filter] = path.result.last;
    if (paths != nullptr) paths->push_back(std::move(path));
  }
  if (!out.unknown.empty()) return out;
  out.verdict = combine(results, stack.model());
  if (out.verdict.winner) out.last = lasts[*out.verdict.winner];
  return out;
}

bool lets_through(std::uint32_t value, const KernelModel& model) {
  const ActionInfo* const row = find_action(action_bits(value, model));
  return row != nullptr && (row->action == Action::Allow || row->action == Action::Log);
}

std::string call_name(const Call& call) {
  if ((call.known & kNumberKnown) != 0) return report::call_name(call.data);
  return call.name.empty() ? "?" : call.name;
}

}  // namespace callgate::trace
