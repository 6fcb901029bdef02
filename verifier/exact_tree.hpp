#pragma once

#include <memory>
#include <vector>

#include "verifier/tree_atoms.hpp"

namespace callgate::verifier {

/// More atoms than that are too many for ExactTree.
inline constexpr std::size_t kMostExactAtoms = 452;

/// The best tree, within its limits, of all that part atoms at their borders or test for a single
/// one: the state is a stretch of atoms and how many of the heaviest single ones in it, of ranges
/// and of those set apart, were tested for already.
class ExactTree {
 public:
  ExactTree(std::vector<Atom> atoms, const TreeOptions& options);
  ~ExactTree();

  /// The sum of weight times cost, plus the price of the size.
  [[nodiscard]] double objective() const;
  [[nodiscard]] FlowId emitted(FlowGraph& graph) const;

 private:
  class Exact;
  std::unique_ptr<const Exact> exact_;
};

}  // namespace callgate::verifier
