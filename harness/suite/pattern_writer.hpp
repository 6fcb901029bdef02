#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "verifier/paths.hpp"
#include "verifier/space.hpp"
#include "vm/arches.hpp"

/// Conditions, written as patterns of calls.
namespace callgate::suite {

/// A value as patterns have it, read on that ABI as the same register: "AF_VSOCK",
/// "(O_RDWR|O_CREAT)", "0x541b".
[[nodiscard]] std::string pattern_value(std::uint64_t value, std::string_view call, unsigned index,
                                        Arch abi);

/// The patterns that are, together, the calls of that name on a path: "socket(domain in {AF_UNIX,
/// AF_INET})". They mean whole registers (HighHalf::Exact). Nothing where the path asks for more
/// than patterns can say, or for too many values.
[[nodiscard]] std::optional<std::vector<std::string>> path_patterns(verifier::Space& space,
                                                                    const verifier::Path& path,
                                                                    std::string_view call,
                                                                    Arch abi);

}  // namespace callgate::suite
