#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/coverage/coverage.hpp"
#include "vm/instruction.hpp"

/// Coverage, as people and other tools read it.
namespace callgate::coverage {

/// Where a document is going to be.
struct Layout {
  std::string path{};          ///< its file; empty: standard output, with nothing beside it
  std::int64_t timestamp = 0;  ///< seconds since 1970, for formats that have one
};

/// A file that goes along.
struct Beside {
  std::string path;
  std::string text;
};

struct Document {
  std::string text;
  /// The listings of programs that the document names as its sources; they belong beside it. They
  /// are named even where Layout has no path, and are then of no use.
  std::vector<Beside> beside{};
};

/// A format that coverage is written in.
struct WriterRow {
  std::string_view name;
  std::string_view looks_like;
  Document (*write)(const Report& report, const Layout& layout);
};

/// Every format, text first.
[[nodiscard]] std::span<const WriterRow> writers() noexcept;

/// The row of a name, or nullptr.
[[nodiscard]] const WriterRow* find_writer(std::string_view name) noexcept;

/// Percentages, and for all that is not covered a call that would come to it.
[[nodiscard]] Document text_summary(const Report& report, const Layout& layout);
/// Each program as a listing, each profile's rules as a list, with counts and marks in the margin.
[[nodiscard]] Document annotated_listing(const Report& report, const Layout& layout);
/// A tracefile of lcov; `genhtml` shows the listings beside it, and the profiles.
[[nodiscard]] Document lcov_tracefile(const Report& report, const Layout& layout);
/// Cobertura's XML (coverage-04.dtd).
[[nodiscard]] Document cobertura(const Report& report, const Layout& layout);
/// JSON by coverage.schema.json.
[[nodiscard]] Document coverage_json(const Report& report, const Layout& layout);

/// For writers: "profile.json", with machine and kernel where the file gives several programs.
[[nodiscard]] std::string program_name(const Report& report, const ProgramCoverage& program);

/// For writers: a call of a machine, with its ABI where the report is of several machines.
[[nodiscard]] std::string call_words(const Report& report, const SeccompData& call, Arch machine);

/// Where a conditional jump leads when it is taken, or is not: "to 0014". A listing may have its
/// condition the other way round. Where both ways lead to one place: "to 0014 (taken)".
[[nodiscard]] std::string way_words(const Instruction& jump, std::size_t at, bool taken);

/// For writers: "98.5 %"; 100 only where nothing is missing.
[[nodiscard]] std::string percent_words(const Count& count);

}  // namespace callgate::coverage
