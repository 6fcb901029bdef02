#pragma once

#include <span>
#include <string>

#include "harness/filters/filter_files.hpp"
#include "harness/suite/call_pattern.hpp"
#include "harness/suite/results.hpp"
#include "vm/filter_stack.hpp"
#include "vm/outcome.hpp"
#include "vm/seccomp_data.hpp"

/// One call that shows what is wrong, in words.
namespace callgate::suite {

/// What a stack does with a call, and why. `expected` are the words of what was expected; `pattern`
/// is what the call is of, where there is one.
[[nodiscard]] Failure failure_of(std::span<const filters::FilterFile> files,
                                 const FilterStack& stack, const SeccompData& call,
                                 const Surroundings& around, std::string expected,
                                 const CallPattern* pattern = nullptr);

/// "ERRNO(1), EPERM", "ALLOW"
[[nodiscard]] std::string value_words(std::uint32_t value, const KernelModel& model);

}  // namespace callgate::suite
