#include "vm/specialised_stack.hpp"

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "vm/combiner.hpp"

namespace callgate {

using Entry = SpecialisedProgram::Entry;

// Joins the filters' partitions.
class SpecialisedStack::Joiner {
 public:
  explicit Joiner(SpecialisedStack& out) : out_(out) {}

  void join() {
    std::vector<std::uint32_t> arches;
    for (const SpecialisedProgram& program : out_.programs_) {
      const auto planes = program.planes();
      for (const SpecialisedProgram::Plane& plane : planes.first(planes.size() - 1)) {
        if (std::ranges::find(arches, plane.arch) == arches.end()) arches.push_back(plane.arch);
      }
    }
    // Each of them has a plane: the others' planes of the filters know nothing of it.
    for (const std::uint32_t arch : arches) join_plane(arch);
    join_plane(std::nullopt);
  }

 private:
  void join_plane(std::optional<std::uint32_t> arch) {
    std::vector<const SpecialisedProgram::Plane*> planes;
    std::vector<std::uint32_t> borders;
    for (const SpecialisedProgram& program : out_.programs_) {
      const auto all = program.planes();
      std::size_t own = 0;
      while (own + 1 < all.size() && all[own].arch != arch) ++own;  // else the last, for others
      planes.push_back(&all[own]);
      for (const SpecialisedProgram::Range& range : planes.back()->ranges) {
        borders.push_back(range.first);
      }
    }
    std::ranges::sort(borders);
    const auto same = std::ranges::unique(borders);
    borders.erase(same.begin(), same.end());
    if (borders.empty()) borders.push_back(0);  // no filter at all

    std::vector<std::size_t> at(planes.size());
    std::vector<Numbers::Range> ranges;
    for (const std::uint32_t border : borders) {
      std::vector<Entry> entries;
      for (std::size_t p = 0; p < planes.size(); ++p) {
        const auto& own = planes[p]->ranges;
        while (at[p] + 1 < own.size() && own[at[p] + 1].first <= border) ++at[p];
        entries.push_back(own[at[p]].entry);
      }
      const Joined joined = joined_of(entries);
      if (ranges.empty() || ranges.back().value != joined) ranges.push_back({border, joined});
    }
    out_.size_.ranges += ranges.size();
    out_.size_.constant += static_cast<std::size_t>(std::ranges::count_if(
        ranges, [](const auto& range) { return range.value.winner != Joined::kAsk; }));
    out_.planes_.push_back({arch.value_or(0), Numbers(std::move(ranges))});
  }

  Joined joined_of(const std::vector<Entry>& entries) {
    const bool constant = std::ranges::all_of(
        entries, [](const Entry& entry) { return entry.kind == Entry::Kind::Constant; });
    if (constant) {
      Combiner combiner(out_.model_);
      for (std::size_t i = entries.size(); i-- > 0;) combiner.add(i, entries[i].value);
      const Verdict verdict = combiner.verdict();
      return {verdict.value,
              verdict.winner ? static_cast<std::int32_t>(*verdict.winner) : Joined::kNobody};
    }
    std::vector<std::uint64_t> key;
    for (const Entry& entry : entries) {
      key.push_back(std::uint64_t{entry.value} << 32U | static_cast<std::uint32_t>(entry.kind));
    }
    const auto [place, fresh] =
        known_.emplace(std::move(key), static_cast<std::uint32_t>(out_.entries_.size()));
    if (fresh) out_.entries_.insert(out_.entries_.end(), entries.begin(), entries.end());
    return {place->second, Joined::kAsk};
  }

  SpecialisedStack& out_;
  std::map<std::vector<std::uint64_t>, std::uint32_t> known_;
};

SpecialisedStack::SpecialisedStack(const FilterStack& stack) : model_(stack.model()) {
  programs_.reserve(stack.size());
  for (std::size_t i = 0; i < stack.size(); ++i) programs_.emplace_back(stack.checked(i));
  Joiner(*this).join();
}

Verdict SpecialisedStack::ask(std::size_t place, const SeccompData& data) const noexcept {
  Combiner combiner(model_);
  for (std::size_t i = programs_.size(); i-- > 0;) {
    combiner.add(i, programs_[i].result(entries_[place + i], data));
  }
  return combiner.verdict();
}

Verdict SpecialisedStack::run(const SeccompData& data) const noexcept {
  const Plane* plane = planes_.data();
  for (const Plane* const last = plane + planes_.size() - 1; plane != last; ++plane) {
    if (plane->arch == data.arch) break;
  }
  const Joined& joined = plane->numbers.at(static_cast<std::uint32_t>(data.nr));
  if (joined.winner == Joined::kAsk) return ask(joined.value, data);
  if (joined.winner == Joined::kNobody) return {joined.value, std::nullopt};
  return {joined.value, static_cast<std::size_t>(joined.winner)};
}

void SpecialisedStack::run_many(std::span<const SeccompData> inputs,
                                std::span<Verdict> verdicts) const noexcept {
  for (std::size_t i = 0; i < inputs.size(); ++i) verdicts[i] = run(inputs[i]);
}

}  // namespace callgate
