#include "harness/lab/kernels.hpp"

#include <algorithm>

namespace callgate::lab {
namespace {

constexpr LabKernel kKernels[] = {
#define LAB_KERNEL(name, suite, debian, pattern, arch, calls, target, qemu, console, jit, chosen) \
  {name, suite, debian, pattern, Arch::arch, Arch::calls, target, qemu, console, jit, chosen},
#include "harness/lab/kernels.def"
#undef LAB_KERNEL
};

}  // namespace

std::span<const LabKernel> lab_kernels() noexcept { return kKernels; }

std::expected<std::vector<LabKernel>, std::string> parse_kernels(std::string_view text) {
  std::vector<LabKernel> out;
  if (text == "all" || text == "default") {
    for (const LabKernel& each : kKernels) {
      if (text == "all" || each.in_default) out.push_back(each);
    }
    return out;
  }
  while (true) {
    const std::size_t comma = text.find(',');
    const std::string_view name = text.substr(0, comma);
    const auto* row = std::ranges::find(kKernels, name, &LabKernel::name);
    if (row == std::end(kKernels)) return std::unexpected(std::string(name));
    out.push_back(*row);
    if (comma == std::string_view::npos) return out;
    text.remove_prefix(comma + 1);
  }
}

}  // namespace callgate::lab
