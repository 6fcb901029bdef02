#pragma once

#include <expected>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/policy.hpp"
#include "harness/front_ends/telling_calls.hpp"

/// Policies in the languages of profiles.
namespace callgate::front_ends {

/// A policy as text; `notes` say what is not kept, each a sentence.
struct WrittenPolicy {
  std::string text;
  std::vector<std::string> notes;
};

/// A language that policies are written in.
struct PolicyWriterRow {
  std::string_view name;  ///< that of the format it is read as
  std::string_view looks_like;
  std::string_view suffix;  ///< of files
  /// Fails, with the reason, where the language has no words for a rule.
  std::expected<WrittenPolicy, std::string> (*write)(const Policy& policy);
};

/// Every such language.
[[nodiscard]] std::span<const PolicyWriterRow> policy_writers() noexcept;

/// The row of a name, or nullptr.
[[nodiscard]] const PolicyWriterRow* find_policy_writer(std::string_view name) noexcept;

/// What a written text says otherwise than its policy: it is read as its tool would read it, and
/// asked every number and all that telling_calls() has. Or why it is refused, or gives no filter.
[[nodiscard]] std::expected<std::vector<Disagreement>, std::string> read_again(
    const Policy& policy, const PolicyWriterRow& writer, const std::string& text,
    const KernelModel& model);

}  // namespace callgate::front_ends
