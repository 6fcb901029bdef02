#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "vm/diagnostics.hpp"
#include "vm/filter_stack.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"
#include "vm/seccomp_data.hpp"

/// The conformance corpus: programs, inputs and what a kernel makes of them, for people who write
/// an implementation of their own. The hand-written vectors are its core; the rest is made from the
/// tables, one case for every operation, edge and rule. The same tree makes the same corpus.
namespace callgate::corpus {

/// How it is known that a case holds.
struct Confirmation {
  bool live = false;        ///< the running kernel was asked, and does the same
  std::string not_asked{};  ///< why it could not be asked; empty where nobody tried
};

/// The kernels that do what a case says: from `from` on, `before` excluded where there is one. The
/// mainline ones: a stable series may have got a change early.
struct Versions {
  Version from = kOldestVersion;
  std::optional<Version> before{};
};

/// What every case has.
struct Header {
  std::string id;      ///< "value/alu/add-k/0x80000000": stable, and never used twice
  std::string reason;  ///< one sentence: the rule that it shows
  KernelModel kernel{};
  Versions versions{};
};

/// A program that is installed alone.
struct CheckCase {
  Header header;
  Program program;
  std::optional<InstallError> refused{};  ///< nothing: accepted
  Diagnostics diagnostics{};              ///< what is wrong with it, for a reader
  std::string neighbour{};  ///< of a refused case: one that is accepted, and all but the same
  Confirmation confirmed{};
};

/// An input, and the 32 bits that the program returns for it.
struct ValueRun {
  SeccompData data;
  std::optional<std::uint32_t> value{};  ///< nothing: the kernel leaves it undefined
  Confirmation confirmed{};
};

struct ValueCase {
  Header header;
  Program program;
  std::vector<ValueRun> runs;
};

/// A filter of a stack, or many equal ones.
struct StackFilter {
  Program program;
  std::size_t times = 1;
  FilterFlags flags{};
};

struct StackRun {
  SeccompData data;
  Verdict verdict{};
  Confirmation confirmed{};
};

/// Filters that are installed one after the other, the oldest first, and what they say together.
struct StackCase {
  Header header;
  std::vector<StackFilter> filters;
  std::vector<StackRun> runs;
};

/// What a thread does about SIGSYS.
enum class Sigsys : std::uint8_t { Handled, Blocked, Ignored };

/// "handled", "blocked", "ignored"
[[nodiscard]] std::string_view to_string(Sigsys sigsys) noexcept;

/// A filter's result, who is there, and what becomes of the call.
struct OutcomeCase {
  Header header;
  std::uint32_t value = 0;  ///< what the filters returned
  bool strict = false;      ///< strict mode instead of filters; then there is no program
  Program program{};        ///< returns `value` for the call, ALLOW for all others; may be empty
  SeccompData data{};
  Surroundings around{};
  Sigsys sigsys = Sigsys::Handled;
  Outcome outcome{};
  Confirmation confirmed{};
};

/// Filters that are installed one after the other until one is refused.
struct LimitCase {
  Header header;
  std::vector<StackFilter> filters;
  std::size_t fits = 0;                   ///< how many are attached
  std::optional<InstallError> refused{};  ///< of the next one; nothing: all are attached
  Confirmation confirmed{};
};

/// Which of the 65,536 codes are accepted in one place of a program.
struct CodesCase {
  Header header;
  Program program;                      ///< with 0 where the code goes
  std::size_t at = 0;                   ///< the place
  std::vector<std::uint16_t> accepted;  ///< by rising code; all others are EINVAL
  Confirmation confirmed{};
};

struct Corpus {
  std::vector<CheckCase> checks;
  std::vector<CodesCase> codes;
  std::vector<ValueCase> values;
  std::vector<StackCase> stacks;
  std::vector<OutcomeCase> outcomes;
  std::vector<LimitCase> limits;
};

/// The whole corpus: the vectors and all that is made from the tables.
[[nodiscard]] Corpus make_corpus();

/// How much there is of one kind.
struct KindCount {
  std::string_view kind;
  std::size_t cases = 0;
  std::size_t expectations = 0;  ///< inputs with what is expected, or the case itself
};

/// The kinds in the order of the files.
[[nodiscard]] std::vector<KindCount> counts(const Corpus& corpus);

/// How many different instruction arrays there are; the templates of codes count once each.
[[nodiscard]] std::size_t distinct_programs(const Corpus& corpus);

/// Only the cases whose id holds `pattern`, in which * stands for anything and ? for one character;
/// without either, those whose id contains it.
[[nodiscard]] Corpus filtered(Corpus corpus, std::string_view pattern);

}  // namespace callgate::corpus
