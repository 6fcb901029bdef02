#pragma once

#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/program_reader.hpp"
#include "vm/arches.hpp"

namespace callgate::cost {

/// Which calls a program makes, and how often.
struct Workload {
  struct Call {
    std::uint32_t nr = 0;
    std::string name;
    std::uint64_t count = 0;
  };
  std::vector<Call> calls;  ///< in the order of the text; each number once
};

/// Reads lines of `name count` (or `number count`), where # begins a comment, or the table that
/// `strace -c` prints, told apart by its heading. Names are of `arch`. A name that comes again adds
/// to its count. An error names the line; a text without a call is one too.
[[nodiscard]] std::expected<Workload, front_ends::ReadError> read_workload(std::string_view text,
                                                                           Arch arch);

}  // namespace callgate::cost
