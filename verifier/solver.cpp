#include "verifier/solver.hpp"

#include <utility>

namespace callgate::verifier {

DiagramSolver::DiagramSolver(Solver* otherwise, std::string why_none)
    : otherwise_(otherwise), why_none_(std::move(why_none)) {}

Decision DiagramSolver::decide(const Space& space, Space::Ref condition) {
  if (condition == Diagrams::kFalse) return {Holds::Never, {}, "the diagram has no way to it"};
  if (auto call = space.find(condition)) return {Holds::Sometimes, call, "a call shows it"};
  if (otherwise_ != nullptr) return otherwise_->decide(space, condition);
  return {Holds::NotKnown, {}, "comparisons of formulas stayed opaque, and " + why_none_};
}

}  // namespace callgate::verifier
