#include "verifier/cache.hpp"

#include <algorithm>
#include <utility>

#include "vm/actions.hpp"
#include "vm/arches.hpp"

namespace callgate::verifier {
namespace {

// The 335 and 336 of x86_64.
constexpr std::uint32_t kUretprobe = 335;
constexpr std::uint32_t kUprobe = 336;

struct Numbers {
  Version since;
  std::uint32_t count;
  std::uint32_t x86;
  Mark mark;
};

constexpr Numbers kNumbers[] = {
#define NUMBERS(major, minor, count, x86, mark, call) {{major, minor, 0}, count, x86, Mark::mark},
#include "verifier/number_ranges.def"
#undef NUMBERS
};
static_assert(std::ranges::is_sorted(kNumbers, {}, &Numbers::since));
static_assert(std::ranges::is_sorted(kNumbers, {}, &Numbers::count));

struct SeenNumbers {
  Arch arch;
  int major;
  int minor;
  std::uint32_t count;
};

constexpr SeenNumbers kSeen[] = {
#define SEEN_NUMBERS(arch, major, minor, count) {Arch::arch, major, minor, count},
#include "verifier/seen_ranges.def"
#undef SEEN_NUMBERS
};

enum class Holds : std::uint8_t { Yes, No };
enum class Exactness : std::uint8_t { Exact, Bounds };

struct CachedArch {
  Arch arch;
  Holds holds;
  Exactness exactness;
  Mark mark;
};

constexpr CachedArch kArches[] = {
#define CACHED_ARCH(enumerator, holds, exactness, mark) \
  {Arch::enumerator, Holds::holds, Exactness::exactness, Mark::mark},
#include "verifier/cached_arches.def"
#undef CACHED_ARCH
};

const CachedArch* find_arch(Arch arch) noexcept {
  const auto* const row = std::ranges::find(kArches, arch, &CachedArch::arch);
  return row != std::ranges::end(kArches) && row->holds == Holds::Yes ? row : nullptr;
}

bool is_exempt(const KernelModel& model, std::uint32_t nr) noexcept {
  if (model.arch != Arch::X86_64) return false;
  return (nr == kUretprobe && model.has(Feature::UretprobeExempt)) ||
         (nr == kUprobe && model.has(Feature::UprobeExempt));
}

}  // namespace

std::optional<CacheRange> cache_range(const KernelModel& model) noexcept {
  const CachedArch* const arch = find_arch(model.arch);
  if (arch == nullptr || !model.has(Feature::ConstantActionCache)) return std::nullopt;
  for (const SeenNumbers& each : kSeen) {
    const bool here = each.arch == model.arch && each.major == model.version.major &&
                      each.minor == model.version.minor;
    if (here) return CacheRange{each.count, each.count, arch->mark, Mark::Lab};
  }
  const Numbers* row = std::ranges::begin(kNumbers);
  for (const Numbers& each : kNumbers) {
    if (each.since <= model.version) row = &each;
  }
  const std::uint32_t surely = model.arch == Arch::X86 ? row->x86 : row->count;
  CacheRange range{surely, row->count, arch->mark, row->mark};
  if (arch->exactness == Exactness::Bounds) {
    range = {kNumbers[0].count, (row->count + 3) / 4 * 4, arch->mark, Mark::Memory};
  }
  // What a newer kernel than those of the table added; x32's bit stays beyond.
  const bool is_newer = std::pair(model.version.major, model.version.minor) >
                        std::pair(kNewestVersion.major, kNewestVersion.minor);
  if (is_newer) range.at_most = kX32Bit;
  return range;
}

CacheAnswer emulate(std::span<const Instruction> program, std::uint32_t nr,
                    std::uint32_t arch) noexcept {
  std::uint32_t a = 0;
  std::uint64_t next = 0;
  std::size_t pc = 0;
  const auto stops = [&](Cached why, std::uint32_t value = 0) {
    return CacheAnswer{why, 0, pc, value};
  };
  while (next < program.size()) {
    pc = static_cast<std::size_t>(next);
    const Instruction& i = program[pc];
    ++next;
    const auto branch = [&](bool taken) { next += taken ? i.jt : i.jf; };
    switch (i.code) {
      case 0x20:  // A = nr or arch; nothing else can be loaded
        if (i.k != 0 && i.k != 4) return stops(Cached::NotEmulated);
        a = i.k == 0 ? nr : arch;
        break;
      case 0x06:  // return k
        if (i.k == static_cast<std::uint32_t>(Action::Allow)) return {};
        return stops(Cached::NotAllowed, i.k);
      case 0x05:  // jump
        next += i.k;
        break;
      case 0x15:
        branch(a == i.k);
        break;
      case 0x25:
        branch(a > i.k);
        break;
      case 0x35:
        branch(a >= i.k);
        break;
      case 0x45:
        branch((a & i.k) != 0);
        break;
      case 0x54:
        a &= i.k;
        break;
      default:
        return stops(Cached::NotEmulated);
    }
  }
  return stops(Cached::NotEmulated);
}

CacheAnswer cache_answer(const FilterStack& stack, std::uint32_t nr) noexcept {
  const KernelModel& model = stack.model();
  if (is_exempt(model, nr)) return {.cached = Cached::Exempt};
  if (!model.has(Feature::ConstantActionCache)) return {.cached = Cached::NoCache};
  const auto range = cache_range(model);
  if (!range) return {.cached = Cached::NoCacheOnAbi};
  if (nr >= range->at_most) return {.cached = Cached::OutOfRange};
  // A filter that keeps the number out does so whether it is in range or not.
  for (std::size_t filter = 0; filter < stack.size(); ++filter) {
    CacheAnswer answer = emulate(stack.program(filter), nr, info(model.arch).token);
    if (answer.cached == Cached::Yes) continue;
    answer.filter = filter;
    return answer;
  }
  if (nr >= range->surely) return {.cached = Cached::NotKnown};
  return {};
}

}  // namespace callgate::verifier
