#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <limits>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "vm/actions.hpp"
#include "vm/arches.hpp"
#include "vm/seccomp_data.hpp"

/// What every profile becomes before it is lowered to BPF, and its meaning without BPF.
namespace callgate::front_ends {

/// How an argument is compared; unsigned.
enum class Comparison : std::uint8_t { Equal, NotEqual, Less, LessEqual, Greater, GreaterEqual };

/// "==", "!=", "<", "<=", ">", ">="
[[nodiscard]] std::string_view sign_of(Comparison comparison) noexcept;

inline constexpr std::uint64_t kAllBits = std::numeric_limits<std::uint64_t>::max();

/// (args[index] & mask) compared with value. On a 32-bit ABI only the low words count, of all
/// three.
struct ArgTest {
  unsigned index = 0;  ///< 0 to 5
  Comparison comparison = Comparison::Equal;
  std::uint64_t value = 0;
  std::uint64_t mask = kAllBits;

  friend bool operator==(const ArgTest&, const ArgTest&) = default;
};

/// Whether a call's arguments pass a test.
[[nodiscard]] bool holds(const ArgTest& test, const SeccompData& data, bool low_words) noexcept;

/// Where something stands in a text; 0: nowhere.
struct Place {
  std::size_t line = 0;    ///< from 1
  std::size_t column = 0;  ///< from 1, in bytes

  friend bool operator==(const Place&, const Place&) = default;
};

/// Calls, and what becomes of them.
struct Rule {
  std::string syscall{};                 ///< a name; empty where there is a number
  std::optional<std::int32_t> number{};  ///< the same number on every ABI
  std::uint32_t value = 0;               ///< action and data: what a filter returns
  std::vector<ArgTest> tests{};          ///< all of them hold
  std::vector<Arch> arches{};            ///< only of these ABIs; none: of all of the policy's
  Place place{};

  friend bool operator==(const Rule&, const Rule&) = default;
};

/// What x32 calls get (numbers from 0x40000000 on) from a policy that does not speak of x32.
enum class X32Calls : std::uint8_t {
  Numbers,    ///< what the rules, or the default, say of these numbers
  AsForeign,  ///< what calls of other architectures get, but -1 is x86_64's (libseccomp)
};

/// A profile's meaning: the first rule that fits a call decides.
struct Policy {
  std::uint32_t default_value = static_cast<std::uint32_t>(Action::KillProcess);
  /// What calls of other architectures get; nothing: the only architecture's rules are asked,
  /// without a check; the default where there are several
  std::optional<std::uint32_t> foreign_value = static_cast<std::uint32_t>(Action::KillThread);
  std::vector<Arch> arches;  ///< without duplicates; the first is the machine's own
  std::vector<Rule> rules;
  X32Calls x32 = X32Calls::AsForeign;
  /// Calls that ABIs also have behind socketcall and ipc are meant there, too (libseccomp).
  bool multiplexed = false;
};

/// libseccomp's numbers for calls that an ABI does not have: -20000 to -100.
inline constexpr std::uint32_t kLowestPseudoNumber = static_cast<std::uint32_t>(-20000);
inline constexpr std::uint32_t kHighestPseudoNumber = static_cast<std::uint32_t>(-100);

/// What a policy says of a call.
struct Decision {
  std::uint32_t value = 0;
  std::optional<std::size_t> rule{};  ///< which of the policy's; nothing: default, or foreign
  bool foreign = false;               ///< of an architecture that the policy does not speak of
  std::string_view unknown{};         ///< not empty: why it cannot be told
};

/// A rule as one ABI has it: a number, and tests.
struct ResolvedRule {
  std::uint32_t nr = 0;
  std::vector<ArgTest> tests;
  std::uint32_t value = 0;
  std::size_t rule = 0;  ///< which of the policy's
};

/// The rules of a policy for one of its ABIs, in order. A name that this ABI does not have gives
/// none; one that is also behind a multiplexer gives two where the policy says so.
[[nodiscard]] std::vector<ResolvedRule> resolve(const Policy& policy, Arch arch);

/// Answers for a policy, without BPF. The numbers are those of vm/syscalls.
class PolicyEvaluator {
 public:
  explicit PolicyEvaluator(const Policy& policy);

  /// What the first rule that fits says.
  [[nodiscard]] Decision evaluate(const SeccompData& data) const;

  /// Every rule that fits, in order; none for foreign calls.
  [[nodiscard]] std::vector<std::size_t> fitting(const SeccompData& data) const;

 private:
  struct Abi {
    Arch arch{};
    std::vector<ResolvedRule> rules;  ///< by number, then in order
  };
  [[nodiscard]] const Abi* abi_of(const SeccompData& data) const;

  std::vector<Abi> abis_;
  std::uint32_t default_value_;
  std::optional<std::uint32_t> foreign_value_;
  X32Calls x32_;
  bool multiplexed_;
};

/// PolicyEvaluator(policy).evaluate(data), for one call.
[[nodiscard]] Decision evaluate(const Policy& policy, const SeccompData& data);

/// A call that some ABIs have behind a multiplexer: its first argument says which is meant.
struct MultiplexedCall {
  std::string_view name;         ///< "bind"
  std::string_view multiplexer;  ///< "socketcall" or "ipc"
  std::uint32_t call;            ///< the multiplexer's first argument
};

/// The rows of multiplexed_calls.def.
[[nodiscard]] std::span<const MultiplexedCall> multiplexed_calls() noexcept;

}  // namespace callgate::front_ends
