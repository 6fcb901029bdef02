#pragma once

#include <cstdint>
#include <expected>
#include <iosfwd>
#include <memory>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <vector>

#include "harness/suite/results.hpp"
#include "harness/testing/program_of.hpp"
#include "verifier/levels.hpp"
#include "vm/instruction.hpp"
#include "vm/outcome.hpp"
#include "vm/seccomp_data.hpp"

/// Filters as tests in C++ ask them: the same patterns and verbs as those of suites.
namespace callgate::testing {

/// On which machine filters are installed, and how profiles are deployed there: what the command's
/// options of these names say.
struct On {
  std::string arch{};    ///< empty: this machine's
  std::string kernel{};  ///< empty: the newest that is known
  std::string caps{};    ///< of OCI profiles: "CAP_SYS_ADMIN,CAP_CHOWN", "all", "none"
  std::string runtime = "runc";
  std::string format{};  ///< of the files; empty: told by content and name
  std::string systemd{};
  std::vector<std::string> with{};  ///< drop-ins of a unit, a frequency file
  bool denylist = false;            ///< of Minijail's policies
  Surroundings around{};            ///< a tracer, a listener
};

/// A filter that cannot be read, or that the kernel refuses; what() says why, with the place.
class CannotLoad : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

/// A stack of filters on one machine. Copies are of the same stack; not thread-safe.
class Filter {
 public:
  /// What a file stands for, in any format that is read: programs, profiles, policies. Throws
  /// CannotLoad.
  [[nodiscard]] static Filter load(const std::string& path, const On& on = {});
  /// A stack, the oldest first. Throws CannotLoad.
  [[nodiscard]] static Filter load_stack(const std::vector<std::string>& paths, const On& on = {});
  /// Bytes of a file, or of instructions as the kernel takes them. Throws CannotLoad.
  [[nodiscard]] static Filter from_bytes(std::string_view bytes, const On& on = {});
  /// Instructions. Throws CannotLoad.
  [[nodiscard]] static Filter from_program(Program program, const On& on = {});
  /// Of anything with the fields of `struct sock_filter`. Throws CannotLoad.
  template <typename Range>
  [[nodiscard]] static Filter from_instructions(const Range& instructions, const On& on = {}) {
    return from_program(program_of(instructions), on);
  }

  /// What comes of each pattern: whether all its calls get what a verb of suites says ("allow",
  /// "errno EPERM", "never allow").
  [[nodiscard]] std::vector<suite::CaseResult> ask(const std::string& verb,
                                                   const std::vector<std::string>& patterns) const;

  /// Whether two filters of one machine say the same of every call, at a level.
  [[nodiscard]] suite::CaseResult same_as(const Filter& other,
                                          verifier::Level level = verifier::Level::Verdict) const;
  /// Whether no call's action is less strict here than in the other.
  [[nodiscard]] suite::CaseResult no_laxer_than(const Filter& other) const;

  /// What the filters return for one call: action and data. Throws std::domain_error where this
  /// kernel leaves it open, after a shift by 32 or more.
  [[nodiscard]] std::uint32_t run(const SeccompData& call) const;

  /// "default.json on Linux 6.18 x86_64"
  [[nodiscard]] const std::string& words() const noexcept;

 private:
  struct State;
  explicit Filter(std::shared_ptr<State> state) : state_(std::move(state)) {}
  [[nodiscard]] suite::CaseResult compared(const Filter& other, const std::string& name,
                                           verifier::Level level, bool subset) const;
  std::shared_ptr<State> state_;
};

/// For GoogleTest: words().
void PrintTo(const Filter& filter, std::ostream* out);

/// The failing test's text: as `callgate test` writes a case.
[[nodiscard]] std::string case_text(const suite::CaseResult& result);

}  // namespace callgate::testing
