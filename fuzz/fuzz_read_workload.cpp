// Any bytes as a workload, in any of its formats: calls and counts, or an error that says
// something. What is read is written as what is read as the same. What is condensed says nothing
// that was not known, of as many calls; what is scaled has the sum that was asked for.

#include <algorithm>
#include <cstdint>
#include <string>
#include <string_view>

#include "fuzz/require.hpp"
#include "harness/workload/workload.hpp"

namespace {

namespace workload = callgate::workload;
using callgate::fuzz::require;
using workload::KnownCall;
using workload::KnownWords;
using workload::Workload;

constexpr std::size_t kCompared = 200;

// The bits of an argument that are known.
std::uint64_t mask_of(KnownWords known, unsigned argument) {
  return ((known & callgate::verifier::low_known(argument)) != 0 ? 0xffffffffU : 0) |
         ((known & callgate::verifier::high_known(argument)) != 0 ? 0xffffffff00000000U : 0);
}

// Whether all that is known of `less` is known of `more`, and is the same.
bool agrees(const KnownCall& less, const KnownCall& more) {
  if ((less.known & ~more.known) != 0) return false;
  for (unsigned i = 0; i < less.data.args.size(); ++i) {
    const std::uint64_t differs = less.data.args[i] ^ more.data.args[i];
    if ((differs & mask_of(less.known, i)) != 0) return false;
  }
  return less.data.nr == more.data.nr && less.data.arch == more.data.arch;
}

void whole(const Workload& read) {
  require(!read.calls.empty() && read.total() != 0);
  for (const KnownCall& call : read.calls) {
    require(call.count != 0 && (call.known & callgate::verifier::kPointerKnown) == 0);
    require(call.data.instruction_pointer == 0);
    for (unsigned i = 0; i < call.data.args.size(); ++i) {
      require((call.data.args[i] & ~mask_of(call.known, i)) == 0);
    }
  }
  Workload sorted = read;
  workload::normalise(sorted.calls);
  require(sorted == read);
}

void condense(const Workload& read, std::size_t most) {
  const Workload few = workload::condensed(read, {.most = most});
  whole(few);
  require(few.total() == read.total());
  require(workload::condensed(few, {.most = most}) == few);
  for (std::size_t i = 0; i < read.calls.size() && i < kCompared; ++i) {
    require(std::ranges::any_of(
        few.calls, [&](const KnownCall& each) { return agrees(each, read.calls[i]); }));
  }
}

void scale(const Workload& read, std::uint64_t total) {
  Workload scaled = read;
  const workload::Scaled gone = workload::scale_to(scaled, total);
  require(scaled.total() == total);
  require(scaled.calls.size() + gone.vanished.size() == read.calls.size());
  Workload doubled = read;
  require(workload::scale_by(doubled, 2, 1).vanished.empty());
  require(doubled.calls.size() == read.calls.size());
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const auto arches = callgate::arches();
  callgate::trace::ReadOptions options;
  options.arch = arches[(bytes[0] & 0x3fU) % arches.size()].arch;
  options.trust_numbers = (bytes[0] & 0x40U) != 0;
  const auto keep = (bytes[0] & 0x80U) != 0 ? workload::Keep::Tested : workload::Keep::All;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  const auto read = workload::read(text, options, keep);
  if (!read) {
    require(!read.error().message.empty());
    return 0;
  }
  whole(*read);
  const std::string again_text = workload::written(*read);
  const auto again = workload::read(again_text, options);
  require(again.has_value() && *again == *read);
  condense(*read, 1 + bytes[0] % 4U);
  scale(*read, 1 + size * size);
  const workload::NumberCounts counts = workload::by_number(*read, options.arch);
  require(counts.calls.size() <= read->calls.size());
  return 0;
}
