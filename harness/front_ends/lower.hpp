#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/policy.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

/// Policies as BPF. Nothing here checks the program: what comes out may be too long for a kernel.
namespace callgate::front_ends {

/// Why a policy cannot be lowered.
struct LowerError {
  std::string message;
  std::optional<std::size_t> rule{};  ///< which of the policy's is to blame
};

/// A program that says what PolicyEvaluator does, in plain order: a section for each architecture,
/// in it the numbers as they first occur, their rules in order. For profiles whose own tools do not
/// use libseccomp: the verdicts are theirs, the instructions are not.
[[nodiscard]] std::expected<Program, LowerError> lower_plain(const Policy& policy);

/// The rules of one number, in order.
struct CallRules {
  std::uint32_t nr = 0;
  std::vector<ResolvedRule> rules;
};

/// What a policy says of one of its ABIs, a number at a time, as these first occur.
[[nodiscard]] std::vector<CallRules> rules_by_call(const Policy& policy, Arch arch);

/// The plain code of a number's rules: their tests in order, and `otherwise` for what fits none.
/// Every way through it ends in a return.
[[nodiscard]] Program lower_rules(const CallRules& rules, std::uint32_t otherwise, Arch arch);

/// A program of the code that `section` makes of each of a policy's ABIs, and of what tells these
/// apart: x32 from x86_64, and architectures that the policy does not speak of. Where a section
/// begins, A holds the number; every way through it ends in a return.
[[nodiscard]] std::expected<Program, LowerError> lower_sections(
    const Policy& policy, const std::function<Program(Arch)>& section);

/// How early a call is asked.
struct CallPriority {
  std::string syscall{};                 ///< a name; empty where there is a number
  std::optional<std::int32_t> number{};  ///< of this machine
  std::uint8_t priority = 0;             ///< the higher ones first

  friend bool operator==(const CallPriority&, const CallPriority&) = default;
};

/// How libseccomp is asked.
struct LibseccompOptions {
  bool binary_tree = false;  ///< SCMP_FLTATR_CTL_OPTIMIZE 2
  bool exact = false;        ///< seccomp_rule_add_exact(): refuses what it would have to rewrite
  /// The kernel that libseccomp is told it runs on (its API level): older ones refuse some actions.
  Version kernel = kNewestVersion;
  unsigned seconds = 5;  ///< of processor time that it gets
  /// seccomp_syscall_priority(), after the rules. What 2.5.4 makes of it
  /// (libseccomp_priorities_test.cpp shows each): linear programs ask calls by falling priority, of
  /// equal ones those with the fewest comparisons of arguments first, of these the lower number;
  /// the order of the rules plays no part. Before the rules or after them is the same, a lower one
  /// after a higher one is passed over, calls without a rule stay out of the program, and binary
  /// trees know no priorities.
  std::vector<CallPriority> priorities{};
};

/// The program that the installed libseccomp makes of a policy, as if it ran on the policy's first
/// architecture. It departs from the plain meaning:
///   - in the order of rules and more, see departures();
///   - tests of the first argument of a call behind a multiplexer (socketcall, ipc) are dropped
///     there, and the others are made of the multiplexer's own arguments.
/// Rules for some of the architectures are filters of their own, merged at the end.
/// For a machine of another byte order it is what libseccomp would make there: 2.5.4 forgets to
/// swap some values, which is mended. It works in a child process of its own: some rules keep
/// libseccomp 2.5.4 busy for ever. Refused, with libseccomp's reason in words: a rule equal to the
/// default (EACCES), two tests of one argument (EINVAL), the same tests with another action
/// (EEXIST), a number on an architecture that is not this machine's (EFAULT), an ERRNO above 4094
/// (EINVAL), a name that it does not know, masks with other comparisons than ==.
[[nodiscard]] std::expected<Program, LowerError> lower_libseccomp(
    const Policy& policy, const LibseccompOptions& options = {});

/// Whether the installed libseccomp knows a syscall's name, of any architecture.
[[nodiscard]] bool libseccomp_knows(std::string_view syscall);

/// "2.5.4"
[[nodiscard]] std::string libseccomp_version();

/// How libseccomp's program may say something else than the policy does. All seen with 2.5.4
/// (policy_test.cpp shows each).
enum class DepartureKind : std::uint8_t {
  /// Two rules differ in action and can fit one call: libseccomp tries them in an order of its own,
  /// and a rule without tests wins over all with tests.
  Order,
  /// A masked test whose value has bits outside of the mask: libseccomp drops these bits, where the
  /// test would never hold.
  OutsideMask,
  /// Two rules of one call have tests, one of them by order or with a mask: its tree of tests joins
  /// them wrongly at times, even where their actions are the same.
  Joined,
  /// An architecture lacks one of the calls: where the next call in the program has tests, its
  /// number is never loaded, and the rule never fits. In linear programs alone.
  NumberNotLoaded,
  /// libseccomp's table says otherwise than the kernel's: the rule does not fit the call.
  OtherNumber,
};

/// "order", "outside-mask", "joined", "number-not-loaded", "other-number"
[[nodiscard]] std::string_view name_of(DepartureKind kind) noexcept;

/// A place where a policy and libseccomp's program of it may differ. That they do is another
/// question: run both.
struct Departure {
  DepartureKind kind = DepartureKind::Order;
  std::size_t first = 0;   ///< a rule of the policy
  std::size_t second = 0;  ///< the other one, or the same
  Arch arch{};
};

/// What there is to say of a departure: "this rule and that of line 7 overlap ...".
[[nodiscard]] std::string departure_words(const Departure& departure, const Policy& policy);

/// Every such place, for each of the policy's architectures; at most `limit`.
[[nodiscard]] std::vector<Departure> departures(const Policy& policy, bool binary_tree,
                                                std::size_t limit = 100);

/// The number that the installed libseccomp has for a call on an architecture; below 0 where that
/// has no such call, nothing where libseccomp does not know the name.
[[nodiscard]] std::optional<std::int32_t> libseccomp_number(Arch arch, std::string_view syscall);

}  // namespace callgate::front_ends
