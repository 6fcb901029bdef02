// Which calls of a workload a model's tasks make.
#include <algorithm>

#include "harness/cost/compared_calls.hpp"
#include "harness/tune/tune.hpp"
#include "vm/arches.hpp"
#include "vm/syscalls.hpp"

namespace callgate::tune {
namespace {

// The ABI of a call of which the token and the number are known.
std::optional<Arch> abi_of(const verifier::KnownCall& call) {
  constexpr verifier::KnownWords kNeeded = verifier::kNumberKnown | verifier::kArchKnown;
  if ((call.known & kNeeded) != kNeeded) return std::nullopt;
  return arch_of_call(call.data.arch, static_cast<std::uint32_t>(call.data.nr));
}

}  // namespace

Calls calls_for(std::span<const verifier::KnownCall> workload, Arch arch) {
  Calls out;
  const bool own = std::ranges::any_of(
      workload, [&](const verifier::KnownCall& each) { return abi_of(each) == arch; });
  for (const verifier::KnownCall& each : workload) {
    const std::optional<Arch> abi = abi_of(each);
    verifier::KnownCall call = each;
    bool taken = abi == arch;
    if (!own && abi) {
      const auto name = syscall_name(*abi, static_cast<std::uint32_t>(each.data.nr));
      const auto nr = name ? syscall_number(arch, *name) : std::nullopt;
      taken = nr.has_value();
      if (nr) {
        call.data.nr = static_cast<std::int32_t>(*nr);
        call.data.arch = info(arch).token;
      }
    }
    std::uint64_t& total = taken ? out.total : out.left_out;
    total = cost::saturated_sum(total, each.count);
    if (taken) out.calls.push_back(call);
  }
  out.by_name = !own && !out.calls.empty();
  return out;
}

std::string_view to_string(Unit unit) noexcept {
  switch (unit) {
    case Unit::Nanoseconds:
      return "ns";
    case Unit::MachineInstructions:
      return "machine instructions";
    case Unit::Instructions:
      return "instructions";
  }
  return {};
}

}  // namespace callgate::tune
