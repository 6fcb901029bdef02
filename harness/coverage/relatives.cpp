#include "harness/coverage/relatives.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <set>
#include <string_view>
#include <utility>

#include "harness/report/explanation.hpp"
#include "harness/suite/explicit_call.hpp"
#include "verifier/levels.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::coverage {
namespace {

struct Pair {
  std::string_view refused;
  std::string_view other;
  std::string_view why;
};

constexpr std::array kPairs = {
#define EQUIVALENT(denied, open, how) Pair{#denied, #open, how},
#define IO_URING(...)
#include "harness/audit/equivalent_calls.def"
#undef IO_URING
#undef EQUIVALENT
#define RELATIVE(refused, other, why) Pair{#refused, #other, why},
#include "harness/coverage/relatives.def"
#undef RELATIVE
};

class Search {
 public:
  Search(const FilterStack& stack, std::span<const Arch> abis) : stack_(stack), abis_(abis) {}

  std::vector<Relative> find(std::span<const SeccompData> calls) {
    const Arch machine = stack_.model().arch;
    for (const SeccompData& call : calls) {
      const auto abi = arch_of_call(call.arch, static_cast<std::uint32_t>(call.nr));
      const auto name =
          abi ? syscall_name(*abi, static_cast<std::uint32_t>(call.nr)) : std::nullopt;
      if (!name || *abi != machine || executes(call)) continue;
      const std::string text = suite::explicit_call_text(call, machine);
      for (const Arch other : report::abis_of(machine)) {
        if (other == machine) continue;
        add(other, *name, call,
            fmt::format("refused as {}: the same call of {}", text, info(other).name));
      }
      for (const Pair& pair : kPairs) {
        if (pair.refused != *name) continue;
        add(machine, pair.other, {}, fmt::format("{} is refused: {}", text, pair.why));
      }
    }
    // Calls that have no branch of their own: refused by default here, and another ABI's number of
    // them is one that is allowed.
    constexpr std::size_t kMostOfAnAbi = 12;
    for (const Arch other : report::abis_of(machine)) {
      const std::size_t most = found_.size() + kMostOfAnAbi;
      for (const SyscallRow& row : syscalls(machine)) {
        if (other == machine || found_.size() >= most) break;
        SeccompData call{};
        call.arch = info(machine).token;
        call.nr = static_cast<std::int32_t>(row.nr);
        if (executes(call)) continue;
        add(other, row.name, call,
            fmt::format("refused as {}: the same call of {}",
                        suite::explicit_call_text(call, machine), info(other).name));
      }
    }
    return std::move(found_);
  }

 private:
  [[nodiscard]] bool executes(const SeccompData& call) const {
    const KernelModel& model = stack_.model();
    for (std::size_t i = 0; i < stack_.size(); ++i) {
      // What is left open is not shown as allowed.
      if (reference::run(stack_.program(i), call, model).fault != reference::Fault::None) {
        return false;
      }
    }
    return verifier::at_level(verifier::Level::Executes, stack_.run(call).value, call, model, {}) ==
           1U;
  }

  void add(Arch abi, std::string_view name, const SeccompData& like, std::string why) {
    if (!abis_.empty() && std::ranges::find(abis_, abi) == abis_.end()) return;
    const auto number = syscall_number(abi, name);
    if (!number || !seen_.emplace(abi, *number).second) return;
    SeccompData call = like;
    call.instruction_pointer = 0;
    call.arch = info(abi).token;
    call.nr = static_cast<std::int32_t>(*number);
    if (executes(call)) found_.push_back({call, std::move(why)});
  }

  const FilterStack& stack_;
  std::span<const Arch> abis_;
  std::set<std::pair<Arch, std::uint32_t>> seen_;
  std::vector<Relative> found_;
};

}  // namespace

std::vector<Relative> relatives_of(const FilterStack& stack, std::span<const SeccompData> calls,
                                   std::span<const Arch> abis) {
  return Search(stack, abis).find(calls);
}

}  // namespace callgate::coverage
