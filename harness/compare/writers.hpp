#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/compare/comparison.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

/// Comparisons as documents: what `callgate diff` and `subset` write.
namespace callgate::compare {

/// How the answer is spoken of.
struct AnswerWords {
  std::string command;    ///< "diff"
  std::string level;      ///< what counts, for the first line: "verdict"
  std::string equal;      ///< "equal"
  std::string different;  ///< "different"
};

/// What is asked, and in which words.
struct Question {
  Request request;
  AnswerWords words;
};

/// What `diff` asks at a level: "raw", "verdict", "outcome"; nothing for another word.
[[nodiscard]] std::optional<Question> diff_question(std::string_view level);

/// What `subset` asks, of all actions or of what executes unasked alone.
[[nodiscard]] Question subset_question(bool allow_only);

/// One side, and how `callgate run` is asked for it.
struct Side {
  std::vector<std::string> paths;  ///< oldest first; empty: what it was read from has no name
  std::string arch;                ///< of --arch; empty: not given
  std::string kernel;              ///< of --kernel; empty: not given
  KernelModel model;
};

/// A result, and of what.
struct Compared {
  const Result& result;
  const AnswerWords& words;
  const Side& a;
  const Side& b;
  bool by_name = false;  ///< as of the request
};

/// "nr 1, arch x86_64, args 0x0 …": a call that cannot be asked for by `run`.
[[nodiscard]] std::string call_words(const SeccompData& data);

/// Lines, each ended by a newline. `verbose`: with every name, and the call of both sides.
[[nodiscard]] std::string comparison_text(const Compared& of, bool verbose);
/// The document is described in harness/cli/README.md.
[[nodiscard]] std::string comparison_json(const Compared& of);

}  // namespace callgate::compare
