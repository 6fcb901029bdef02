#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/report/conditions.hpp"
#include "harness/report/explanation.hpp"
#include "harness/report/page/page.hpp"
#include "verifier/decision_table.hpp"
#include "verifier/meaning.hpp"
#include "vm/arches.hpp"
#include "vm/syscalls.hpp"

namespace callgate::report {
namespace {

using verifier::ArchRow;
using verifier::CallClass;
using verifier::Ending;
using verifier::Field;
using verifier::Space;

std::string arch_words(const ArchRow& row) {
  if (row.arch) return std::string(info(*row.arch).name);
  return row.every_other ? "every other architecture" : "some other architectures";
}

class Writer {
 public:
  Writer(verifier::Endings& endings, const KernelModel& model) : endings_(endings), model_(model) {}

  void add(const ArchRow& row, PageTable& to) const {
    if (row.cut) {
      to.left_out.push_back(
          fmt::format("{}: it tells more classes of numbers apart than the table has room for",
                      arch_words(row)));
    }
    const CallClass* rest = nullptr;
    double most = -1;
    for (const CallClass& each : row.classes) {
      const double count = endings_.space().count(each.numbers, Field::Nr);
      if (count > most) {
        most = count;
        rest = &each;
      }
    }
    for (const CallClass& each : row.classes) add(row, each, &each == rest, to);
  }

 private:
  void add(const ArchRow& row, const CallClass& from, bool rest, PageTable& to) const {
    TableRow base;
    base.arch = arch_words(row);
    base.rest = rest;
    base.numbers_cut = !from.ranges.has_value();
    if (from.ranges) {
      for (const verifier::ValueRange& each : *from.ranges) {
        base.numbers.push_back(
            {static_cast<std::uint32_t>(each.first), static_cast<std::uint32_t>(each.last)});
      }
    }
    CallView view{.arch = row.arch.value_or(model_.arch)};
    if (row.arch && base.numbers.size() == 1 && base.numbers[0].first == base.numbers[0].last) {
      view.call = syscall_name(*row.arch, base.numbers[0].first).value_or("");
    }
    for (const verifier::Path& rule : from.rules) {
      TableRow each = base;
      each.condition = condition_words(endings_.space(), rule, view).text;
      finish(std::move(each), rule.end, to);
    }
    base.condition = from.rules.empty() ? "" : "otherwise";
    if (from.otherwise) {
      finish(std::move(base), *from.otherwise, to);
      return;
    }
    base.condition = "more conditions than are listed";
    for (const Space::Ref end : from.ends) finish(base, end, to);
  }

  void finish(TableRow row, Space::Ref end, PageTable& to) const {
    const Ending& ending = endings_.at(end);
    row.action = ending_words(endings_, ending, model_);
    row.filter = ending.filter;
    to.rows.push_back(std::move(row));
  }

  verifier::Endings& endings_;
  const KernelModel& model_;
};

}  // namespace

PageTable page_table(const FilterStack& stack) {
  PageTable table;
  verifier::Space space;
  verifier::Endings endings(space);
  const verifier::StackMeaning meaning = verifier::meaning_of(endings, stack);
  const std::vector<Arch> shown = abis_of(stack.model().arch);
  // Few rules: what has many is no easier to read as a table than as a program.
  const verifier::DecisionTable found = verifier::decision_table(
      endings, meaning.verdict, shown, {.classes = 2000, .rules = 64, .ranges = 2000});
  const Writer writer(endings, stack.model());
  try {
    for (const ArchRow& row : found.rows) writer.add(row, table);
  } catch (const verifier::Diagrams::Full&) {
    table.left_out.emplace_back("conditions that are too large to be written down");
  }
  if (meaning.not_followed != verifier::Diagrams::kFalse) {
    table.left_out.emplace_back(
        "calls for which the analysis gave up: they stand as unknown; the form above still tells "
        "their verdict");
  }
  return table;
}

}  // namespace callgate::report
