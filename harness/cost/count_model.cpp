#include "harness/cost/count_model.hpp"

#include <fmt/format.h>

namespace callgate::cost {
namespace {

constexpr CountedKernel kCounted[] = {
#define COUNTED(arch, major, minor, release, ...) \
  {Arch::arch, {major, minor, 0}, release, {__VA_ARGS__}},
#include "harness/cost/count_model.def"
#undef COUNTED
};

bool same_series(const CountedKernel& kernel, const KernelModel& model) {
  return kernel.version.major == model.version.major && kernel.version.minor == model.version.minor;
}

}  // namespace

std::expected<CountedKernel, std::string_view> counted_kernel(const KernelModel& model) {
  if (model.engine != KernelEngine::Jit)
    return std::unexpected("they were counted with the JIT on");
  if (model.blinds_constants) {
    return std::unexpected("they were counted without net.core.bpf_jit_harden");
  }
  const CountedKernel* newest = nullptr;
  bool any = false;
  for (const CountedKernel& each : kCounted) {
    if (each.arch != model.arch) continue;
    any = true;
    // Of the series, whatever the patch level.
    if (!same_series(each, model) && each.version > model.version) continue;
    if (newest == nullptr || newest->version < each.version) newest = &each;
  }
  if (newest != nullptr) return *newest;
  return std::unexpected(any ? std::string_view("no kernel as old as that was counted")
                             : std::string_view("no kernel of this architecture was counted"));
}

std::string source_words(const CountedKernel& kernel, const KernelModel& model) {
  return fmt::format("Linux {} of Debian, counted by callgate lab{}", kernel.release,
                     same_series(kernel, model) ? "" : "; the version asked for was not");
}

}  // namespace callgate::cost
