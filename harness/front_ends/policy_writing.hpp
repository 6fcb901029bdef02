#pragma once

#include <array>
#include <cstdint>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/policy_writers.hpp"

/// What writers of policies share. They throw a std::string where a language has no words for
/// something; written() makes the answer of it.
namespace callgate::front_ends {

using Written = std::expected<WrittenPolicy, std::string>;

template <typename Write>
[[nodiscard]] Written written(const Write& write) {
  try {
    return write();
  } catch (std::string& why) {
    return std::unexpected(std::move(why));
  }
}

/// The rules about one number, in order, without what changes nothing: tests that always hold,
/// rules with a test that never does, rules behind one without tests, and rules in the end that say
/// what the default does. Words of 32-bit ABIs have their low halves alone.
struct NumberRules {
  std::uint32_t nr = 0;
  std::string_view name{};  ///< empty: the ABI has none for it
  std::vector<ResolvedRule> rules{};
};

/// All of a policy's, for one of its ABIs, in the order in which they first occur.
[[nodiscard]] std::vector<NumberRules> rules_by_number(const Policy& policy, Arch arch);

/// "read (line 3)", "syscall 5": how messages call a rule.
[[nodiscard]] std::string words_of(const Rule& rule);

/// The only architecture of a policy; throws where there are others, as `language` has one alone.
[[nodiscard]] Arch only_arch(const Policy& policy, std::string_view language);

/// What seccompiler and Firecracker compile for.
inline constexpr std::array kSeccompilerMachines = {Arch::X86_64, Arch::AArch64, Arch::Riscv64};
/// Where kafel takes the halves of arguments from the right places.
inline constexpr std::array kKafelMachines = {Arch::X86_64, Arch::X86, Arch::Arm, Arch::AArch64,
                                              Arch::Riscv64};
/// The same for minijail.
[[nodiscard]] bool minijail_runs_on(Arch arch) noexcept;

/// Throws: a language has no policies for that architecture.
[[noreturn]] void no_policies_for(Arch arch, std::string_view language);

/// The name of a number; throws, with the first rule about it, where there is none.
[[nodiscard]] std::string_view needed_name(const Policy& policy, const NumberRules& rules,
                                           Arch arch, std::string_view language);

/// What of foreign and x32 calls is not kept where a language's filters give the first `foreign`
/// and treat the second as `x32`.
void note_others(const Policy& policy, std::string_view language, std::uint32_t foreign,
                 X32Calls x32, std::vector<std::string>& notes);

/// Throws: `of` has an action, or data, that the language has no words for.
[[noreturn]] void no_word_for(std::uint32_t value, std::string_view of, std::string_view language);

/// "SCMP_CMP_EQ": libseccomp's name, which OCI profiles and LXC's have for comparisons without a
/// mask.
[[nodiscard]] std::string_view libseccomp_word(Comparison comparison) noexcept;

/// The architectures of LXC's filters: the machine's own first, then what it also runs, in the
/// order in which LXC merges them.
[[nodiscard]] std::vector<Arch> lxc_arches(Arch machine);

[[nodiscard]] Written write_oci(const Policy& policy);
[[nodiscard]] Written write_minijail(const Policy& policy);
[[nodiscard]] Written write_minijail_compiler(const Policy& policy);
[[nodiscard]] Written write_seccompiler(const Policy& policy);
[[nodiscard]] Written write_firecracker(const Policy& policy);
[[nodiscard]] Written write_kafel(const Policy& policy);
[[nodiscard]] Written write_lxc(const Policy& policy);

}  // namespace callgate::front_ends
