#pragma once

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/cost/prediction.hpp"
#include "harness/coverage/coverage.hpp"
#include "vm/filter_stack.hpp"

/// A stack of filters as one page of HTML that needs no other file and no network: what it decides,
/// its control flow, and an engine that puts any call to it in the reader's browser.
namespace callgate::report {

/// A stack with the names of its filters, oldest first.
struct NamedStack {
  const FilterStack* stack = nullptr;
  std::vector<std::string> names;
};

/// What was covered of the filters of a page.
struct PageCoverage {
  coverage::Report report;           ///< programs of the page alone, and rules of their files
  std::vector<std::size_t> stack{};  ///< for each filter of the stack: which program
  /// The same for the stack beside it; nothing where a filter's program was not covered.
  std::vector<std::optional<std::size_t>> other{};
};

/// The part of a report of coverage that is about these filters: the same instructions, on the same
/// machine, of the file of the same name where several are the same. Every filter of `stack` has to
/// be there, those of `other` (or nullptr) need not. The error is a sentence about the report.
[[nodiscard]] std::expected<PageCoverage, std::string> page_coverage(const coverage::Report& report,
                                                                     const NamedStack& stack,
                                                                     const NamedStack* other);

/// What a page is made of.
struct PageInput {
  NamedStack stack;
  /// To be put beside it: the same calls are put to both.
  std::optional<NamedStack> other{};
  /// What calls cost, as `callgate cost` predicts.
  std::optional<cost::Report> cost{};
  /// What calls and proofs covered of it.
  std::optional<PageCoverage> coverage{};
};

/// A row of the decision table: calls that get the same under the same condition.
struct TableRow {
  std::string arch;  ///< an ABI's name, or "every other architecture"
  struct Range {
    std::uint32_t first = 0;
    std::uint32_t last = 0;
  };
  std::vector<Range> numbers;         ///< as unsigned, by rising number
  bool numbers_cut = false;           ///< there are more ranges than are listed
  bool rest = false;                  ///< the class that holds most numbers of its architecture
  std::string condition;              ///< empty: none; of the last row of a class: "otherwise"
  std::string action;                 ///< "ERRNO(1)", "ALLOW", "unknown: ..."
  std::optional<std::size_t> filter;  ///< which decides
};

/// The table, and what was left out of it, in words.
struct PageTable {
  std::vector<TableRow> rows;
  std::vector<std::string> left_out;
};

[[nodiscard]] PageTable page_table(const FilterStack& stack);

/// The page.
[[nodiscard]] std::string page(const PageInput& input);

/// The engine for the browser (WebAssembly), and why there is none where it is empty.
[[nodiscard]] std::span<const unsigned char> page_engine() noexcept;
[[nodiscard]] std::string_view page_engine_reason() noexcept;

}  // namespace callgate::report
