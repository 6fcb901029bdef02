#pragma once

#include <cstddef>
#include <expected>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/policy.hpp"
#include "harness/front_ends/profile.hpp"
#include "harness/front_ends/program_reader.hpp"

/// Unit files: what their text assigns, whatever it means.
namespace callgate::front_ends::systemd {

/// A text that was joined of pieces of lines, and where they stand.
class PlacedText {
 public:
  /// More text, which stands at a place.
  void append(std::string_view more, Place place);

  /// Without blanks at both ends.
  [[nodiscard]] PlacedText stripped() const;

  /// Some of it.
  [[nodiscard]] PlacedText part(std::size_t begin, std::size_t length) const;

  [[nodiscard]] std::string_view text() const { return text_; }

  /// Where a byte of it stands.
  [[nodiscard]] Place at(std::size_t offset) const;

 private:
  struct Piece {
    std::size_t begin = 0;  ///< in the joined text
    Place place{};
  };
  std::string text_;
  std::vector<Piece> pieces_;
};

/// KEY=VALUE
struct Assignment {
  std::string section;  ///< "Service"
  PlacedText key;
  PlacedText value;
};

/// What stands in a unit file.
struct UnitText {
  std::vector<Assignment> assignments;  ///< in order
  std::vector<std::string> sections;    ///< as their headers stand
};

/// Reads a unit file as systemd 252 does: lines may end in a backslash, comments stand on lines of
/// their own (within continued lines too), blanks around keys and values are dropped. What is
/// passed over with a warning there is a note. An error ends the reading; what stands before it is
/// in `out`: of a drop-in, systemd keeps that.
[[nodiscard]] std::expected<void, ReadError> read_unit(std::string_view text, UnitText& out,
                                                       std::vector<Note>& notes);

/// A word of a value.
struct Word {
  std::string text;
  Place place{};
};

/// The words of a value. A backslash stands for the character after it. Where `quotes` count they
/// are dropped, and blanks may stand between them. What follows a quote that never ends, or a
/// backslash at the end, is lost with a note.
[[nodiscard]] std::vector<Word> words_of(const PlacedText& value, bool quotes,
                                         std::vector<Note>& notes);

}  // namespace callgate::front_ends::systemd
