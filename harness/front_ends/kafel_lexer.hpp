#pragma once

#include <cstddef>
#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/policy_text.hpp"

/// The words of kafel policies.
namespace callgate::front_ends {

enum class KafelToken : std::uint8_t { End, Identifier, Keyword, Number, Mark };

struct KafelWord {
  KafelToken kind = KafelToken::End;
  std::string_view text;
  std::uint64_t value = 0;  ///< of a number
  const PolicyText* source = nullptr;
  std::size_t offset = 0;

  [[nodiscard]] bool is(std::string_view spelling) const noexcept {
    return (kind == KafelToken::Mark || kind == KafelToken::Keyword) && text == spelling;
  }
  /// Ends the reading at this word.
  [[noreturn]] void fail(const std::string& message) const;
};

/// All words of a text and of what it includes, an End last. Keeps the texts that they point into.
class KafelWords {
 public:
  KafelWords(std::string_view text, std::string_view path);

  [[nodiscard]] const std::vector<KafelWord>& words() const noexcept { return words_; }
  /// How many files were included.
  [[nodiscard]] std::size_t included() const noexcept { return kept_.size(); }

 private:
  void scan(const PolicyText& source);
  std::size_t scan_word(const PolicyText& source, std::size_t at);
  std::size_t include(const PolicyText& source, std::size_t at);

  PolicyFiles files_;
  std::vector<std::unique_ptr<PolicyFiles::File>> kept_;
  std::vector<std::unique_ptr<PolicyText>> texts_;
  std::vector<KafelWord> words_;
};

}  // namespace callgate::front_ends
