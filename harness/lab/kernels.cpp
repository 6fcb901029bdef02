#include "harness/lab/kernels.hpp"

#include <algorithm>

namespace callgate::lab {
namespace {

#define LAB_PLATFORM(name, debian, flavour, arch, qemu, console, slowness) \
  constexpr LabPlatform name{debian, flavour, Arch::arch, qemu, console, slowness};
#define LAB_KERNEL(...)
#include "harness/lab/kernels.def"
#undef LAB_KERNEL
#undef LAB_PLATFORM

constexpr LabKernel kKernels[] = {
#define LAB_PLATFORM(...)
#define LAB_KERNEL(name, suite, version, platform, calls, target, jit, chosen) \
  {name, suite, version, platform, Arch::calls, target, jit, chosen},
#include "harness/lab/kernels.def"
#undef LAB_KERNEL
#undef LAB_PLATFORM
};

}  // namespace

std::string_view LabKernel::image() const noexcept {
  return name.substr(0, name.find('-', name.find('-') + 1));
}

std::string LabKernel::package_pattern() const {
  std::string out = "^linux-image-";
  for (const char c : version) out += c == '.' ? std::string("\\.") : std::string(1, c);
  // "6.1.0-50", "6.12.95+deb12", "6.12.90+deb12.1"
  return out + "\\.[0-9.+deb-]*-" + std::string(platform.flavour) + "$";
}

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
