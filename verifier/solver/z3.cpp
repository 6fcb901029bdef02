#include "verifier/solver/z3.hpp"

#include <z3++.h>

#include <algorithm>
#include <map>
#include <string>
#include <vector>

namespace callgate::verifier {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using Ref = Space::Ref;

std::string variable_name(Field field) {
  return "f" + std::to_string(static_cast<unsigned>(field));
}

// One condition, as Z3 has it.
class Question {
 public:
  Question(z3::context& context, const Space& space) : context_(context), space_(space) {
    for (std::size_t i = 0; i < kFields; ++i) {
      const auto field = static_cast<Field>(i);
      fields_.push_back(context_.bv_const(variable_name(field).c_str(), width(field)));
    }
  }

  // Nodes from the ends up, so that nothing is deep.
  z3::expr of(Ref condition) {
    const Diagrams& diagrams = space_.diagrams();
    std::vector<Ref> open{condition};
    while (!open.empty()) {
      const Ref at = open.back();
      if (nodes_.contains(at)) {
        open.pop_back();
        continue;
      }
      if (diagrams.is_end(at)) {
        nodes_.emplace(at, context_.bool_val(at == Diagrams::kTrue));
        continue;
      }
      const auto no = nodes_.find(diagrams.no(at));
      const auto yes = nodes_.find(diagrams.yes(at));
      if (no == nodes_.end()) {
        open.push_back(diagrams.no(at));
      } else if (yes == nodes_.end()) {
        open.push_back(diagrams.yes(at));
      } else {
        nodes_.emplace(at, z3::ite(asked(diagrams.variable_of(at)), yes->second, no->second));
      }
    }
    return nodes_.at(condition);
  }

  [[nodiscard]] SeccompData call(const z3::model& model) const {
    SeccompData data;
    for (std::size_t i = 0; i < kFields; ++i) {
      const z3::expr value = model.eval(fields_[i], true);
      set_value(data, static_cast<Field>(i), value.get_numeral_uint64());
    }
    return data;
  }

 private:
  z3::expr asked(std::uint32_t variable) {
    if (const auto field = Space::field_of(variable)) {
      const unsigned bit = width(*field) - 1 - (variable - Space::first_variable(*field));
      return fields_[static_cast<std::size_t>(*field)].extract(bit, bit) == context_.bv_val(1, 1);
    }
    const Opaque& opaque = space_.opaque(variable);
    const z3::expr a = term(opaque.a);
    const z3::expr b = term(opaque.b);
    switch (opaque.test) {
      case Test::Equal:
        return a == b;
      case Test::Greater:
        return z3::ugt(a, b);
      case Test::GreaterOrEqual:
        return z3::uge(a, b);
      case Test::AnyBit:
        return (a & b) != context_.bv_val(0, 32);
    }
    return context_.bool_val(false);
  }

  // Parts stand before what is made of them.
  z3::expr term(TermId id) {
    std::vector<TermId> open{id};
    while (!open.empty()) {
      const TermId at = open.back();
      const Term& here = space_.terms()[at];
      const bool leaf = here.kind == TermKind::Constant || here.kind == TermKind::Word;
      if (terms_.contains(at)) {
        open.pop_back();
      } else if (leaf || (terms_.contains(here.a) && terms_.contains(here.b))) {
        terms_.emplace(at, made(at, here));
      } else {
        if (!terms_.contains(here.a)) open.push_back(here.a);
        if (!terms_.contains(here.b)) open.push_back(here.b);
      }
    }
    return terms_.at(id);
  }

  z3::expr made(TermId id, const Term& here) {
    if (here.kind == TermKind::Constant) return context_.bv_val(here.a, 32);
    if (here.kind == TermKind::Word) {
      const Word word = space_.terms().word_of(id);
      const z3::expr& field = fields_[static_cast<std::size_t>(word.field)];
      if (width(word.field) == 32) return field;
      return word.high ? field.extract(63, 32) : field.extract(31, 0);
    }
    const z3::expr a = terms_.at(here.a);
    const z3::expr b = terms_.at(here.b);
    const z3::expr zero = context_.bv_val(0, 32);
    switch (here.kind) {
      case TermKind::Constant:
      case TermKind::Word:
        break;
      case TermKind::Add:
        return a + b;
      case TermKind::Multiply:
        return a * b;
      case TermKind::Divide:
        return z3::ite(b == zero, zero, z3::udiv(a, b));
      case TermKind::And:
        return a & b;
      case TermKind::Or:
        return a | b;
      case TermKind::Xor:
        return a ^ b;
      case TermKind::Left:
        return z3::shl(a, b);
      case TermKind::Right:
        return z3::lshr(a, b);
    }
    return zero;
  }

  z3::context& context_;
  const Space& space_;
  std::vector<z3::expr> fields_;
  std::map<Ref, z3::expr> nodes_;
  std::map<TermId, z3::expr> terms_;
};

class Z3Solver final : public Solver {
 public:
  explicit Z3Solver(const Z3Limits& limits) : limits_(limits), left_(limits.in_all) {}

  Decision decide(const Space& space, Ref condition) override {
    if (condition == Diagrams::kFalse) return {Holds::Never, {}, "the diagram has no way to it"};
    if (space.diagrams().size(condition) > limits_.nodes) {
      return {Holds::NotKnown, {}, "Z3 was not asked: the condition is too large"};
    }
    if (left_ <= Milliseconds(0)) {
      return {Holds::NotKnown, {}, "Z3 was not asked: its time for all questions is over"};
    }
    const Clock::time_point start = Clock::now();
    Decision decision;
    try {
      decision = asked(space, condition);
    } catch (const z3::exception& error) {
      decision = {Holds::NotKnown, {}, std::string("Z3 failed: ") + error.msg()};
    }
    const auto took = std::chrono::duration_cast<Milliseconds>(Clock::now() - start);
    left_ -= took;
    decision.how += " in " + std::to_string(took.count()) + " ms";
    return decision;
  }

 private:
  Decision asked(const Space& space, Ref condition) const {
    z3::context context;
    z3::solver solver(context, "QF_BV");
    z3::params params(context);
    params.set("timeout", static_cast<unsigned>(std::min(limits_.of_a_question, left_).count()));
    // Else Z3 would handle SIGINT for as long as it thinks: that is for programs to decide.
    params.set("ctrl_c", false);
    solver.set(params);
    Question question(context, space);
    solver.add(question.of(condition));
    switch (solver.check()) {
      case z3::unsat:
        return {Holds::Never, {}, "Z3: unsat"};
      case z3::sat: {
        const SeccompData call = question.call(solver.get_model());
        if (space.holds(condition, call)) return {Holds::Sometimes, call, "Z3: sat"};
        return {Holds::NotKnown, {}, "Z3 gave a call for which it does not hold: an error"};
      }
      case z3::unknown:
        break;
    }
    return {Holds::NotKnown, {}, "Z3 did not know (" + solver.reason_unknown() + ")"};
  }

  Z3Limits limits_;
  Milliseconds left_;
};

}  // namespace

std::unique_ptr<Solver> z3_solver(const Z3Limits& limits) {
  return std::make_unique<Z3Solver>(limits);
}

}  // namespace callgate::verifier
