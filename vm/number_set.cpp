#include "vm/number_set.hpp"

#include <algorithm>
#include <utility>

namespace callgate {

bool NumberSet::take(std::uint32_t nr) {
  const auto found = std::ranges::lower_bound(ranges_, nr, {}, &NumberRange::last);
  if (found == ranges_.end() || found->first > nr) return false;
  if (found->first == found->last) {
    ranges_.erase(found);
  } else if (found->first == nr) {
    ++found->first;
  } else if (found->last == nr) {
    --found->last;
  } else {
    const NumberRange above{nr + 1, found->last};
    found->last = nr - 1;
    ranges_.insert(found + 1, above);
  }
  return true;
}

NumberSet NumberSet::take(NumberRange range) {
  NumberSet in;
  std::vector<NumberRange> out;
  for (const NumberRange& each : ranges_) {
    if (each.last < range.first || each.first > range.last) {
      out.push_back(each);
      continue;
    }
    in.ranges_.push_back({std::max(each.first, range.first), std::min(each.last, range.last)});
    if (each.first < range.first) out.push_back({each.first, range.first - 1});
    if (each.last > range.last) out.push_back({range.last + 1, each.last});
  }
  ranges_ = std::move(out);
  return in;
}

void NumberSet::append(const NumberSet& above) {
  ranges_.insert(ranges_.end(), above.ranges_.begin(), above.ranges_.end());
}

}  // namespace callgate
