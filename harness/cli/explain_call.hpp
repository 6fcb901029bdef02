#pragma once

#include <span>
#include <string>

#include "harness/cli/cli.hpp"
#include "verifier/meaning.hpp"
#include "vm/filter_stack.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::cli {

/// Why a call gets what it gets, as text or JSON. The exit code: kNo where it cannot be told.
[[nodiscard]] int explain_call(const SeccompData& data, std::span<const FilterFile> files,
                               const FilterStack& stack, verifier::Endings& endings,
                               const verifier::StackMeaning& meaning, const std::string& format);

}  // namespace callgate::cli
