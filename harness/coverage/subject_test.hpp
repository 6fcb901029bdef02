#pragma once

#include <gtest/gtest.h>

#include <utility>
#include <vector>

#include "harness/coverage/coverage.hpp"
#include "harness/filters/filter_files.hpp"
#include "verifier/check.hpp"
#include "verifier/meaning.hpp"

namespace callgate::coverage {

/// Filters, stacked and analysed.
struct Subject {
  explicit Subject(std::vector<filters::FilterFile> its_files, const KernelModel& model = {},
                   verifier::SpaceLimits limits = {}, verifier::AnalysisLimits analysis = {})
      : files(std::move(its_files)), stack(stacked(files, model)), space(limits), endings(space) {
    meaning = verifier::meaning_of(endings, stack, analysis);
  }
  explicit Subject(const std::vector<Program>& programs, const KernelModel& model = {},
                   verifier::SpaceLimits limits = {}, verifier::AnalysisLimits analysis = {})
      : Subject(named(programs), model, limits, analysis) {}
  Subject(const Subject&) = delete;
  Subject& operator=(const Subject&) = delete;

  [[nodiscard]] Collector collector() { return Collector(files, stack, endings, meaning); }

  static std::vector<filters::FilterFile> named(const std::vector<Program>& programs) {
    std::vector<filters::FilterFile> out;
    for (std::size_t i = 0; i < programs.size(); ++i) {
      out.push_back({"filter" + std::to_string(i), programs[i], {}, {}, {}});
    }
    return out;
  }
  static FilterStack stacked(const std::vector<filters::FilterFile>& its_files,
                             const KernelModel& model) {
    auto stack = filters::stack_of(its_files, model);
    if (!stack) throw std::invalid_argument("a filter of a test is refused");
    return std::move(*stack);
  }

  std::vector<filters::FilterFile> files;
  FilterStack stack;
  verifier::Space space;
  verifier::Endings endings;
  verifier::StackMeaning meaning;
};

/// A call of x86_64.
inline SeccompData call(std::int32_t nr, std::uint64_t first = 0) {
  SeccompData data{.nr = nr, .arch = info(Arch::X86_64).token};
  data.args[0] = first;
  return data;
}

/// 0 load nr, 1 if 41 go on else 4, 2 load args[0].low, 3 if 40 then 5 else 4, 4 allow, 5 errno,
/// 6 dead.
inline const Program& small_program() {
  static const Program kProgram{
      {0x20, 0, 0, 0},          {0x15, 0, 2, 41},         {0x20, 0, 0, 16}, {0x15, 1, 0, 40},
      {0x06, 0, 0, 0x7fff0000}, {0x06, 0, 0, 0x00050001}, {0x06, 0, 0, 0}};
  return kProgram;
}

}  // namespace callgate::coverage
