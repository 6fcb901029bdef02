#pragma once

#include <string>
#include <vector>

#include "harness/coverage/cases.hpp"
#include "vm/filter_stack.hpp"

/// Cases as text.
namespace callgate::coverage {

/// What a document of cases says beside them.
struct CasesOf {
  const Cases& cases;
  const FilterStack& stack;
  std::vector<std::string> files;  ///< of the filters, oldest first
  Per per = Per::Branch;
};

/// A section `recorded:` of a suite, which `callgate test` reads, with a comment for each call.
[[nodiscard]] std::string cases_suite(const CasesOf& of);
/// A line for each call.
[[nodiscard]] std::string cases_text(const CasesOf& of);
/// README.md has what is in it.
[[nodiscard]] std::string cases_json(const CasesOf& of);

}  // namespace callgate::coverage
