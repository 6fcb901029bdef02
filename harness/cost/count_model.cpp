#include "harness/cost/count_model.hpp"

#include <fmt/format.h>

#include "vm/opcodes.hpp"
#include "vm/reference.hpp"

namespace callgate::cost {
namespace {

constexpr CountedKernel kCounted[] = {
#define COUNTED(arch, major, minor, release, ...) \
  {Arch::arch, {major, minor, 0}, release, {__VA_ARGS__}, {}},
#define COUNTED_ARM64(major, minor, release, load, memory, frame, ...) \
  {Arch::AArch64, {major, minor, 0}, release, {__VA_ARGS__}, {load, memory, frame}},
#include "harness/cost/count_model.def"
#undef COUNTED_ARM64
#undef COUNTED
};

bool same_series(const CountedKernel& kernel, const KernelModel& model) {
  return kernel.version.major == model.version.major && kernel.version.minor == model.version.minor;
}

// Counts what runs.
struct Executed {
  std::span<const Instruction> program{};
  std::size_t all = 0;
  std::size_t jumps = 0;
  std::size_t arithmetic = 0;

  void step(const reference::Step& step) {
    const OpcodeKind kind = find_opcode(program[step.at].code)->kind;
    ++all;
    const bool goes = kind == OpcodeKind::Jump || kind == OpcodeKind::Branch;
    jumps += goes && step.next != step.at + 1 ? 1U : 0U;
    arithmetic += kind == OpcodeKind::Alu ? 1U : 0U;
  }
};

}  // namespace

// The smallest filter, `ld [16]; ret ALLOW`, has a body of its own in what was counted.
double CountedKernel::fixed(bool served, std::size_t filters) const noexcept {
  if (served || arch != Arch::AArch64) return parts.fixed(served, filters);
  constexpr double kReturn = 2;  // a constant of two halves
  const double smallest = static_cast<double>(arm64.load) + kReturn;
  return parts.fixed(served, filters) - smallest * static_cast<double>(filters);
}

std::pair<double, double> CountedKernel::body(const FilterStack& stack, std::uint32_t nr,
                                              const verifier::PathCost& path) const {
  if (arch == Arch::AArch64) {
    const verifier::Count count = arm64_body(stack, nr, arm64);
    return {static_cast<double>(count.least), static_cast<double>(count.most)};
  }
  return parts.bodies(path, stack.size());
}

double CountedKernel::body(const FilterStack& stack, const SeccompData& data) const {
  if (arch == Arch::AArch64) return static_cast<double>(arm64_body(stack, data, arm64));
  Executed sum;
  for (std::size_t i = 0; i < stack.size(); ++i) {
    sum.program = stack.program(i);
    static_cast<void>(reference::run(sum.program, data, stack.model(), sum));
  }
  return parts.instructions(sum.all, sum.jumps, sum.arithmetic, stack.size());
}

std::expected<CountedKernel, std::string_view> counted_kernel(const KernelModel& model) {
  if (model.engine != KernelEngine::Jit)
    return std::unexpected("they were counted with the JIT on");
  if (model.blinds_constants) {
    return std::unexpected("they were counted without net.core.bpf_jit_harden");
  }
  const bool has_cache = model.has(Feature::ConstantActionCache);
  const CountedKernel* found = nullptr;
  bool any = false;
  for (const CountedKernel& each : kCounted) {
    if (each.arch != model.arch) continue;
    any = true;
    // One with a cache has not the costs of one without.
    if ((each.parts.cached > 0) != has_cache) continue;
    const bool is_older = same_series(each, model) || each.version <= model.version;
    // The newest that is no newer; among those with a cache, if all are newer, the first.
    if (is_older || (found == nullptr && has_cache)) found = &each;
  }
  if (found != nullptr) return *found;
  return std::unexpected(any ? std::string_view("no kernel as old as that was counted")
                             : std::string_view("no kernel of this architecture was counted"));
}

std::string source_words(const CountedKernel& kernel, const KernelModel& model) {
  return fmt::format("Linux {} of Debian, counted by callgate lab{}", kernel.release,
                     same_series(kernel, model) ? "" : "; the version asked for was not");
}

}  // namespace callgate::cost
