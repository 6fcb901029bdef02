#include "verifier/solver/z3.hpp"

#include <z3.h>

#include <algorithm>
#include <map>
#include <string>
#include <type_traits>
#include <vector>

#include "vm/shared_library.hpp"

namespace callgate::verifier {
namespace {

using Clock = std::chrono::steady_clock;
using Milliseconds = std::chrono::milliseconds;
using Ref = Space::Ref;

// What is called here of Z3's interface for C.
#define CALLGATE_Z3_FUNCTIONS(F) \
  F(mk_config)                   \
  F(del_config)                  \
  F(mk_context)                  \
  F(del_context)                 \
  F(set_error_handler)           \
  F(get_error_code)              \
  F(get_error_msg)               \
  F(mk_string_symbol)            \
  F(mk_bv_sort)                  \
  F(mk_const)                    \
  F(mk_unsigned_int64)           \
  F(mk_true)                     \
  F(mk_false)                    \
  F(mk_not)                      \
  F(mk_ite)                      \
  F(mk_eq)                       \
  F(mk_extract)                  \
  F(mk_bvugt)                    \
  F(mk_bvuge)                    \
  F(mk_bvadd)                    \
  F(mk_bvmul)                    \
  F(mk_bvudiv)                   \
  F(mk_bvand)                    \
  F(mk_bvor)                     \
  F(mk_bvxor)                    \
  F(mk_bvshl)                    \
  F(mk_bvlshr)                   \
  F(mk_params)                   \
  F(params_inc_ref)              \
  F(params_dec_ref)              \
  F(params_set_uint)             \
  F(params_set_bool)             \
  F(mk_solver_for_logic)         \
  F(solver_inc_ref)              \
  F(solver_dec_ref)              \
  F(solver_set_params)           \
  F(solver_assert)               \
  F(solver_check)                \
  F(solver_get_model)            \
  F(solver_get_reason_unknown)   \
  F(model_inc_ref)               \
  F(model_dec_ref)               \
  F(model_eval)                  \
  F(get_numeral_uint64)

struct Functions {
  SharedLibrary library{CALLGATE_Z3_SONAME};
#define CALLGATE_Z3_FIND(name) \
  decltype(&Z3_##name) name = library.function<decltype(&Z3_##name)>("Z3_" #name);
  CALLGATE_Z3_FUNCTIONS(CALLGATE_Z3_FIND)
#undef CALLGATE_Z3_FIND
};

// Loaded with the first question: it takes longer to start than most commands take.
const Functions& z3() {
  static const Functions functions;
  return functions;
}

// An error that Z3 told of, in its words.
struct Failure {
  std::string words;
};

// One context of Z3. Terms live as long as it does.
class Context {
 public:
  Context() {
    Z3_config config = z3().mk_config();
    context_ = z3().mk_context(config);
    z3().del_config(config);
    // Else it would end the process.
    z3().set_error_handler(context_, [](Z3_context, Z3_error_code) {});
  }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;
  ~Context() { z3().del_context(context_); }

  // What a function gives; Failure is thrown where Z3 tells of an error.
  template <typename Result, typename... Parameters, typename... Arguments>
  Result operator()(Result (*Functions::*function)(Z3_context, Parameters...),
                    Arguments... arguments) const {
    if constexpr (std::is_void_v<Result>) {
      (z3().*function)(context_, arguments...);
      check();
    } else {
      const Result result = (z3().*function)(context_, arguments...);
      check();
      return result;
    }
  }

  [[nodiscard]] Z3_ast number(std::uint64_t value, unsigned bits) const {
    return (*this)(&Functions::mk_unsigned_int64, value, (*this)(&Functions::mk_bv_sort, bits));
  }

 private:
  void check() const {
    const Z3_error_code code = z3().get_error_code(context_);
    if (code != Z3_OK) throw Failure{z3().get_error_msg(context_, code)};
  }

  Z3_context context_;
};

// An object of Z3 that is counted: given back in the end.
template <typename Object>
class Counted {
 public:
  using Count = void (*Functions::*)(Z3_context, Object);
  Counted(const Context& context, Object object, Count more, Count less)
      : context_(context), object_(object), less_(less) {
    context_(more, object_);
  }
  Counted(const Counted&) = delete;
  Counted& operator=(const Counted&) = delete;
  ~Counted() {
    try {
      context_(less_, object_);
    } catch (const Failure&) {
      // It goes with the context.
    }
  }

  [[nodiscard]] Object get() const noexcept { return object_; }

 private:
  const Context& context_;
  Object object_;
  Count less_;
};

// One condition, as Z3 has it.
class Question {
 public:
  Question(const Context& context, const Space& space) : z3_(context), space_(space) {
    for (std::size_t i = 0; i < kFields; ++i) {
      const Z3_symbol name = z3_(&Functions::mk_string_symbol, ("f" + std::to_string(i)).c_str());
      fields_.push_back(z3_(&Functions::mk_const, name,
                            z3_(&Functions::mk_bv_sort, width(static_cast<Field>(i)))));
    }
  }

  // Nodes from the ends up, so that nothing is deep.
  Z3_ast of(Ref condition) {
    const Diagrams& diagrams = space_.diagrams();
    std::vector<Ref> open{condition};
    while (!open.empty()) {
      const Ref at = open.back();
      if (nodes_.contains(at)) {
        open.pop_back();
        continue;
      }
      if (diagrams.is_end(at)) {
        nodes_.emplace(at, truth(at == Diagrams::kTrue));
        continue;
      }
      const auto no = nodes_.find(diagrams.no(at));
      const auto yes = nodes_.find(diagrams.yes(at));
      if (no == nodes_.end()) {
        open.push_back(diagrams.no(at));
      } else if (yes == nodes_.end()) {
        open.push_back(diagrams.yes(at));
      } else {
        nodes_.emplace(
            at, z3_(&Functions::mk_ite, asked(diagrams.variable_of(at)), yes->second, no->second));
      }
    }
    return nodes_.at(condition);
  }

  [[nodiscard]] SeccompData call(Z3_model model) const {
    SeccompData data;
    for (std::size_t i = 0; i < kFields; ++i) {
      Z3_ast value = nullptr;
      std::uint64_t number = 0;
      if (!z3_(&Functions::model_eval, model, fields_[i], true, &value) ||
          !z3_(&Functions::get_numeral_uint64, value, &number)) {
        throw Failure{"its model has no value for a word"};
      }
      set_value(data, static_cast<Field>(i), number);
    }
    return data;
  }

 private:
  [[nodiscard]] Z3_ast truth(bool value) const {
    return value ? z3_(&Functions::mk_true) : z3_(&Functions::mk_false);
  }

  Z3_ast asked(std::uint32_t variable) {
    if (const auto field = Space::field_of(variable)) {
      const unsigned bit = width(*field) - 1 - (variable - Space::first_variable(*field));
      const Z3_ast word = fields_[static_cast<std::size_t>(*field)];
      return z3_(&Functions::mk_eq, z3_(&Functions::mk_extract, bit, bit, word), z3_.number(1, 1));
    }
    const Opaque& opaque = space_.opaque(variable);
    const Z3_ast a = term(opaque.a);
    const Z3_ast b = term(opaque.b);
    switch (opaque.test) {
      case Test::Equal:
        return z3_(&Functions::mk_eq, a, b);
      case Test::Greater:
        return z3_(&Functions::mk_bvugt, a, b);
      case Test::GreaterOrEqual:
        return z3_(&Functions::mk_bvuge, a, b);
      case Test::AnyBit: {
        const Z3_ast both = z3_(&Functions::mk_bvand, a, b);
        return z3_(&Functions::mk_not, z3_(&Functions::mk_eq, both, z3_.number(0, 32)));
      }
    }
    return truth(false);
  }

  // Parts stand before what is made of them.
  Z3_ast term(TermId id) {
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

  Z3_ast made(TermId id, const Term& here) {
    if (here.kind == TermKind::Constant) return z3_.number(here.a, 32);
    if (here.kind == TermKind::Word) {
      const Word word = space_.terms().word_of(id);
      const Z3_ast field = fields_[static_cast<std::size_t>(word.field)];
      if (width(word.field) == 32) return field;
      return word.high ? z3_(&Functions::mk_extract, 63U, 32U, field)
                       : z3_(&Functions::mk_extract, 31U, 0U, field);
    }
    const Z3_ast a = terms_.at(here.a);
    const Z3_ast b = terms_.at(here.b);
    const Z3_ast zero = z3_.number(0, 32);
    switch (here.kind) {
      case TermKind::Constant:
      case TermKind::Word:
        break;
      case TermKind::Add:
        return z3_(&Functions::mk_bvadd, a, b);
      case TermKind::Multiply:
        return z3_(&Functions::mk_bvmul, a, b);
      case TermKind::Divide:
        return z3_(&Functions::mk_ite, z3_(&Functions::mk_eq, b, zero), zero,
                   z3_(&Functions::mk_bvudiv, a, b));
      case TermKind::And:
        return z3_(&Functions::mk_bvand, a, b);
      case TermKind::Or:
        return z3_(&Functions::mk_bvor, a, b);
      case TermKind::Xor:
        return z3_(&Functions::mk_bvxor, a, b);
      case TermKind::Left:
        return z3_(&Functions::mk_bvshl, a, b);
      case TermKind::Right:
        return z3_(&Functions::mk_bvlshr, a, b);
    }
    return zero;
  }

  const Context& z3_;
  const Space& space_;
  std::vector<Z3_ast> fields_;
  std::map<Ref, Z3_ast> nodes_;
  std::map<TermId, Z3_ast> terms_;
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
    if (const std::string& missing = z3().library.missing(); !missing.empty()) {
      return {Holds::NotKnown, {}, "Z3 was not asked: " + missing};
    }
    const Clock::time_point start = Clock::now();
    Decision decision;
    try {
      decision = asked(space, condition);
    } catch (const Failure& failure) {
      decision = {Holds::NotKnown, {}, "Z3 failed: " + failure.words};
    }
    const auto took = std::chrono::duration_cast<Milliseconds>(Clock::now() - start);
    left_ -= took;
    decision.how += " in " + std::to_string(took.count()) + " ms";
    return decision;
  }

 private:
  [[nodiscard]] Decision asked(const Space& space, Ref condition) const {
    const Context context;
    const auto symbol = [&](const char* name) {
      return context(&Functions::mk_string_symbol, name);
    };
    const Counted<Z3_solver> solver(context,
                                    context(&Functions::mk_solver_for_logic, symbol("QF_BV")),
                                    &Functions::solver_inc_ref, &Functions::solver_dec_ref);
    const Counted<Z3_params> params(context, context(&Functions::mk_params),
                                    &Functions::params_inc_ref, &Functions::params_dec_ref);
    context(&Functions::params_set_uint, params.get(), symbol("timeout"),
            static_cast<unsigned>(std::min(limits_.of_a_question, left_).count()));
    // Else Z3 would handle SIGINT for as long as it thinks: that is for programs to decide.
    context(&Functions::params_set_bool, params.get(), symbol("ctrl_c"), false);
    context(&Functions::solver_set_params, solver.get(), params.get());
    Question question(context, space);
    context(&Functions::solver_assert, solver.get(), question.of(condition));
    switch (context(&Functions::solver_check, solver.get())) {
      case Z3_L_FALSE:
        return {Holds::Never, {}, "Z3: unsat"};
      case Z3_L_TRUE: {
        const Counted<Z3_model> model(context, context(&Functions::solver_get_model, solver.get()),
                                      &Functions::model_inc_ref, &Functions::model_dec_ref);
        const SeccompData call = question.call(model.get());
        if (space.holds(condition, call)) return {Holds::Sometimes, call, "Z3: sat"};
        return {Holds::NotKnown, {}, "Z3 gave a call for which it does not hold: an error"};
      }
      case Z3_L_UNDEF:
        break;
    }
    return {Holds::NotKnown,
            {},
            "Z3 did not know (" +
                std::string(context(&Functions::solver_get_reason_unknown, solver.get())) + ")"};
  }

  Z3Limits limits_;
  Milliseconds left_;
};

}  // namespace

std::unique_ptr<Solver> z3_solver(const Z3Limits& limits) {
  return std::make_unique<Z3Solver>(limits);
}

}  // namespace callgate::verifier
