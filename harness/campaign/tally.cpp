#include "harness/campaign/tally.hpp"

#include <algorithm>
#include <iterator>
#include <numeric>
#include <utility>

#include "vm/actions.hpp"
#include "vm/filter_stack.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"

namespace callgate::campaign {
namespace {

// After the actions, in their table's order.
std::size_t no_action() { return actions().size(); }
std::size_t division() { return actions().size() + 1; }
std::size_t end_count() { return actions().size() + 2; }

std::size_t row_of(const OpcodeInfo& opcode) {
  return static_cast<std::size_t>(&opcode - opcodes().data());
}

std::size_t end_of(std::span<const Instruction> program, const reference::Result& result,
                   const KernelModel& model) {
  const OpcodeInfo* last = find_opcode(program[result.last].code);
  if (last != nullptr && last->opcode == Opcode::DivX) return division();
  const std::uint32_t bits = action_bits(result.value, model);
  const auto found = std::ranges::find(actions(), static_cast<Action>(bits), &ActionInfo::action);
  return found == actions().end() ? no_action()
                                  : static_cast<std::size_t>(found - actions().begin());
}

bool is_possible(const OpcodeInfo& opcode, std::size_t end) {
  if (opcode.acceptance == Acceptance::ClassicOnly) return false;
  return opcode.kind != OpcodeKind::Return || end != division();
}

// Which instructions ran, a bit for each row of the table.
class Ran {
 public:
  Ran(std::span<const Instruction> program, std::uint64_t& rows) : program_(program), rows_(rows) {}
  void step(const reference::Step& step) const noexcept {
    const OpcodeInfo* row = find_opcode(program_[step.at].code);
    if (row != nullptr) rows_ |= std::uint64_t{1} << row_of(*row);
  }

 private:
  std::span<const Instruction> program_;
  std::uint64_t& rows_;
};

void add_each(std::vector<std::uint64_t>& to, const std::vector<std::uint64_t>& from) {
  std::ranges::transform(to, from, to.begin(), std::plus<>{});
}

std::size_t seen(const std::vector<std::uint64_t>& counts) {
  return static_cast<std::size_t>(std::ranges::count_if(counts, [](auto n) { return n != 0; }));
}

}  // namespace

Coverage::Coverage() : cells_(opcodes().size() * end_count()), refusals_(diagnostics().size()) {}

reference::Result Coverage::add_run(std::span<const Instruction> program, const SeccompData& data,
                                    const KernelModel& model) {
  std::uint64_t rows = 0;
  const auto result = reference::run(program, data, model, Ran(program, rows));
  if (result.fault != reference::Fault::None) return result;
  const std::size_t end = end_of(program, result, model);
  for (std::size_t row = 0; rows != 0; ++row, rows >>= 1U) {
    if ((rows & 1U) != 0) ++cells_[row * end_count() + end];
  }
  return result;
}

void Coverage::add_refusal(const Diagnostics& diagnostics) {
  for (const Diagnostic& each : diagnostics) ++refusals_[static_cast<std::size_t>(each.id)];
}

void Coverage::add(const Coverage& other) {
  add_each(cells_, other.cells_);
  add_each(refusals_, other.refusals_);
}

bool Coverage::restore(std::vector<std::uint64_t> cells, std::vector<std::uint64_t> refusals) {
  if (cells.size() != cells_.size() || refusals.size() != refusals_.size()) return false;
  cells_ = std::move(cells);
  refusals_ = std::move(refusals);
  return true;
}

std::size_t Coverage::cells_seen() const noexcept { return seen(cells_); }

std::size_t Coverage::cells_possible() noexcept {
  std::size_t count = 0;
  for (const OpcodeInfo& row : opcodes()) {
    for (std::size_t end = 0; end < end_count(); ++end) count += is_possible(row, end) ? 1U : 0U;
  }
  return count;
}

std::size_t Coverage::refusals_seen() const noexcept { return seen(refusals_); }

std::vector<std::string> Coverage::ends() {
  std::vector<std::string> out;
  for (const ActionInfo& each : actions()) out.emplace_back(each.name);
  out.emplace_back("no action");
  out.emplace_back("division by 0");
  return out;
}

std::vector<std::string> Coverage::missing() const {
  const std::vector<std::string> names = ends();
  std::vector<std::string> out;
  for (const OpcodeInfo& row : opcodes()) {
    for (std::size_t end = 0; end < end_count(); ++end) {
      if (!is_possible(row, end) || cells_[row_of(row) * end_count() + end] != 0) continue;
      out.push_back(std::string(row.name) + " with " + names[end]);
    }
  }
  return out;
}

void Count::add(const Count& other) {
  made += other.made;
  accepted += other.accepted;
  asked += other.asked;
  disagreements += other.disagreements;
  for (const auto& [why, times] : other.not_asked) not_asked[why] += times;
}

std::uint64_t Tally::disagreements() const noexcept {
  return std::accumulate(counts.begin(), counts.end(), std::uint64_t{0},
                         [](auto sum, const Count& each) { return sum + each.disagreements; });
}

void Tally::add(Tally other) {
  for (std::size_t i = 0; i < counts.size(); ++i) counts[i].add(other.counts[i]);
  coverage.add(other.coverage);
  std::ranges::move(other.findings, std::back_inserter(findings));
}

}  // namespace callgate::campaign
