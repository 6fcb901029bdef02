#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "harness/front_ends/policy.hpp"
#include "harness/front_ends/policy_text.hpp"
#include "vm/arches.hpp"

/// What the two readers of minijail's policies share.
namespace callgate::front_ends {

/// Throws where minijail does not do what it should: on big-endian machines.
void require_minijail_machine(const PolicyText& text, Arch arch);

/// Messages for names that are not known.
[[nodiscard]] std::string no_such_call(std::string_view name, Arch arch);
[[nodiscard]] std::string no_constant(std::string_view name, Arch arch);

/// "arg0" to "arg5".
[[nodiscard]] std::optional<unsigned> argument_index(std::string_view word);

/// The test of an operator: == != < <= > >=, "&" (some bit of them), "in" (no other bit).
[[nodiscard]] std::optional<ArgTest> minijail_test(unsigned index, std::string_view sign,
                                                   std::uint64_t value);

/// Whether a text is of either kind, and whether only compile_seccomp_policy reads it.
[[nodiscard]] bool looks_like_minijail(std::string_view text);
[[nodiscard]] bool needs_minijail_compiler(std::string_view text);

}  // namespace callgate::front_ends
