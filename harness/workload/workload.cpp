#include "harness/workload/workload.hpp"

#include <algorithm>
#include <limits>
#include <map>
#include <tuple>
#include <utility>

#include "harness/workload/tally.hpp"
#include "harness/workload/tested_arguments.hpp"
#include "vm/syscalls.hpp"

namespace callgate::workload {
namespace {

// Products of counts. Both compilers have it; the standard does not.
__extension__ using Wide = unsigned __int128;

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

bool before(const KnownCall& a, const KnownCall& b) {
  const auto head = [](const KnownCall& call) {
    return std::tuple((call.known & verifier::kArchKnown) == 0, call.data.arch,
                      (call.known & verifier::kNumberKnown) == 0,
                      static_cast<std::uint32_t>(call.data.nr), kMost - call.count);
  };
  const auto first = head(a);
  const auto second = head(b);
  if (first != second) return first < second;
  return std::tie(a.data.args, a.known) < std::tie(b.data.args, b.known);
}

// Words that are not known are 0, and so is the pointer.
KnownCall plain(const KnownCall& call) {
  KnownCall out = call;
  out.data.instruction_pointer = 0;
  out.known = static_cast<KnownWords>(out.known & ~verifier::kPointerKnown);
  if ((out.known & verifier::kNumberKnown) == 0) out.data.nr = 0;
  if ((out.known & verifier::kArchKnown) == 0) out.data.arch = 0;
  for (std::size_t i = 0; i < out.data.args.size(); ++i) {
    if ((out.known & verifier::low_known(i)) == 0) out.data.args[i] &= ~std::uint64_t{0xffffffff};
    if ((out.known & verifier::high_known(i)) == 0) out.data.args[i] &= 0xffffffffU;
  }
  return out;
}

// Makes the words unknown that differ in the two.
void meet(KnownCall& into, const KnownCall& other) {
  into.known &= other.known;
  for (std::size_t i = 0; i < into.data.args.size(); ++i) {
    const std::uint64_t differs = into.data.args[i] ^ other.data.args[i];
    if ((differs & 0xffffffffU) != 0)
      into.known &= static_cast<KnownWords>(~verifier::low_known(i));
    if (differs >> 32U != 0) into.known &= static_cast<KnownWords>(~verifier::high_known(i));
  }
  into.count = added(into.count, other.count);
  into = plain(into);
}

bool same_number(const KnownCall& a, const KnownCall& b) {
  constexpr KnownWords kHead = verifier::kNumberKnown | verifier::kArchKnown;
  return a.data.arch == b.data.arch && a.data.nr == b.data.nr &&
         (a.known & kHead) == (b.known & kHead);
}

// Takes the calls whose counts are 0 out, and tells what they were.
void drop_vanished(Workload& workload, const std::vector<std::uint64_t>& were, Scaled& out) {
  for (std::size_t i = 0; i < workload.calls.size(); ++i) {
    if (workload.calls[i].count != 0) continue;
    out.vanished.push_back(workload.calls[i]);
    out.vanished.back().count = were[i];
  }
  std::erase_if(workload.calls, [](const KnownCall& call) { return call.count == 0; });
  std::ranges::sort(workload.calls, before);
}

std::vector<std::uint64_t> counts_of(const Workload& workload) {
  std::vector<std::uint64_t> out;
  out.reserve(workload.calls.size());
  for (const KnownCall& call : workload.calls) out.push_back(call.count);
  return out;
}

}  // namespace

std::size_t Tally::Hash::operator()(const KnownCall& call) const noexcept {
  // FNV-1a by words, and the high bits mixed in at the end.
  std::uint64_t hash = 0xcbf29ce484222325U;
  const auto mix = [&](std::uint64_t word) { hash = (hash ^ word) * 0x100000001b3U; };
  mix(static_cast<std::uint32_t>(call.data.nr));
  mix(call.data.arch);
  mix(call.data.instruction_pointer);
  for (const std::uint64_t each : call.data.args) mix(each ^ each >> 32U);
  mix(call.known);
  return static_cast<std::size_t>(hash ^ hash >> 29U);
}

bool Tally::add(const KnownCall& call) {
  if (call.count == 0) return true;
  const KnownCall key = plain(call);
  const auto found = counts_.find(key);
  if (found != counts_.end()) {
    found->second = added(found->second, call.count);
    return true;
  }
  if (counts_.size() >= most_) return false;
  counts_.emplace(key, call.count);
  return true;
}

std::vector<KnownCall> Tally::calls() const {
  std::vector<KnownCall> out;
  out.reserve(counts_.size());
  for (const auto& [call, count] : counts_) {
    out.push_back(call);
    out.back().count = count;
  }
  std::ranges::sort(out, before);
  return out;
}

std::uint64_t Workload::total() const noexcept {
  std::uint64_t out = 0;
  for (const KnownCall& call : calls) out = added(out, call.count);
  return out;
}

void normalise(std::vector<KnownCall>& calls) {
  Tally tally;
  for (const KnownCall& call : calls) static_cast<void>(tally.add(call));
  calls = tally.calls();
}

Workload merged(std::span<const Workload> workloads) {
  Workload out;
  std::vector<std::string_view> names;
  Tally tally;
  for (const Workload& each : workloads) {
    if (!each.name.empty() && std::ranges::find(names, each.name) == names.end()) {
      out.name += (names.empty() ? "" : " + ") + each.name;
      names.emplace_back(each.name);
    }
    for (const std::string& note : each.notes) {
      if (std::ranges::find(out.notes, note) == out.notes.end()) out.notes.push_back(note);
    }
    for (const KnownCall& call : each.calls) static_cast<void>(tally.add(call));
  }
  out.calls = tally.calls();
  return out;
}

Scaled scale_to(Workload& workload, std::uint64_t total) {
  Scaled out;
  const std::vector<std::uint64_t> were = counts_of(workload);
  Wide sum = 0;
  for (const std::uint64_t each : were) sum += each;
  if (sum == 0) return out;
  // What is left of each share after rounding down; the largest get the rest, the first of equals.
  std::vector<std::pair<Wide, std::size_t>> left;
  std::uint64_t given = 0;
  for (std::size_t i = 0; i < were.size(); ++i) {
    const Wide share = Wide{were[i]} * total;
    workload.calls[i].count = static_cast<std::uint64_t>(share / sum);
    given += workload.calls[i].count;
    left.emplace_back(share % sum, i);
  }
  std::ranges::sort(left, [](const auto& a, const auto& b) {
    return a.first != b.first ? a.first > b.first : a.second < b.second;
  });
  for (std::size_t i = 0; given < total; ++i, ++given) ++workload.calls[left[i].second].count;
  drop_vanished(workload, were, out);
  return out;
}

Scaled scale_by(Workload& workload, std::uint64_t times, std::uint64_t divisor) {
  Scaled out;
  const std::vector<std::uint64_t> were = counts_of(workload);
  for (KnownCall& call : workload.calls) {
    const Wide product = Wide{call.count} * times;
    const Wide rounded = product / divisor + (product % divisor >= divisor - divisor / 2 ? 1 : 0);
    out.saturated = out.saturated || rounded > kMost;
    call.count = rounded > kMost ? kMost : static_cast<std::uint64_t>(rounded);
  }
  drop_vanished(workload, were, out);
  return out;
}

Workload condensed(const Workload& workload, const CondenseOptions& options) {
  Workload out;
  out.name = workload.name;
  out.notes = workload.notes;
  TestedArguments tested;
  for (KnownCall call : workload.calls) {
    tested.condense(call);
    out.calls.push_back(call);
  }
  normalise(out.calls);
  const std::size_t most = std::max(options.most, std::size_t{1});
  std::vector<KnownCall> kept;
  for (auto at = out.calls.begin(); at != out.calls.end();) {
    const auto end = std::find_if(at, out.calls.end(),
                                  [&](const KnownCall& each) { return !same_number(*at, each); });
    for (std::size_t i = 0; at != end; ++at, ++i) {
      if (i < most) {
        kept.push_back(*at);
      } else {
        meet(kept.back(), *at);
      }
    }
  }
  // The rest may be alike to one that stayed.
  normalise(kept);
  out.calls = std::move(kept);
  return out;
}

NumberCounts by_number(const Workload& workload, Arch arch) {
  NumberCounts out;
  std::map<std::uint32_t, std::uint64_t> counts;
  for (const KnownCall& call : workload.calls) {
    const auto nr = static_cast<std::uint32_t>(call.data.nr);
    if ((call.known & verifier::kNumberKnown) == 0) {
      const bool here =
          (call.known & verifier::kArchKnown) != 0 && call.data.arch == info(arch).token;
      std::uint64_t& of = here ? out.without_number : out.of_other_abis;
      of = added(of, call.count);
    } else if ((call.known & verifier::kArchKnown) == 0 ||
               arch_of_call(call.data.arch, nr) != arch) {
      out.of_other_abis = added(out.of_other_abis, call.count);
    } else {
      counts[nr] = added(counts[nr], call.count);
    }
  }
  for (const auto& [nr, count] : counts) {
    const auto name = syscall_name(arch, nr);
    out.calls.push_back(
        {nr, name ? std::string(*name) : std::to_string(static_cast<std::int32_t>(nr)), count});
  }
  std::ranges::sort(out.calls, [](const CallCount& a, const CallCount& b) {
    return a.count != b.count ? a.count > b.count : a.nr < b.nr;
  });
  return out;
}

}  // namespace callgate::workload
