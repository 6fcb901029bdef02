#pragma once

#include <algorithm>
#include <cstddef>

#include "verifier/meaning.hpp"

namespace callgate::coverage {

/// The instructions before this one were followed on all ways: what `meaning` says of them is all
/// there is. From here on there may be further calls that come to them.
[[nodiscard]] inline std::size_t followed_before(const verifier::Endings& endings,
                                                 const verifier::ProgramMeaning& meaning,
                                                 std::size_t length) {
  if (meaning.not_followed == verifier::Diagrams::kFalse) return length;
  std::size_t first = length;
  for (const verifier::Space::Ref end : endings.space().diagrams().ends(meaning.value)) {
    const verifier::Ending& ending = endings.at(end);
    if (ending.kind == verifier::Ending::Kind::NotFollowed) {
      first = std::min(first, ending.instruction);
    }
  }
  return first;
}

}  // namespace callgate::coverage
