#include "verifier/terms.hpp"

#include <bit>
#include <utility>

namespace callgate::verifier {
namespace {

bool has_parts(TermKind kind) { return kind != TermKind::Constant && kind != TermKind::Word; }

std::uint32_t operate(TermKind kind, std::uint32_t a, std::uint32_t b) {
  switch (kind) {
    case TermKind::Constant:
    case TermKind::Word:
      return a;
    case TermKind::Add:
      return a + b;
    case TermKind::Multiply:
      return a * b;
    case TermKind::Divide:
      return b == 0 ? 0 : a / b;
    case TermKind::And:
      return a & b;
    case TermKind::Or:
      return a | b;
    case TermKind::Xor:
      return a ^ b;
    case TermKind::Left:
      return b >= 32 ? 0 : a << b;
    case TermKind::Right:
      return b >= 32 ? 0 : a >> b;
  }
  return 0;
}

}  // namespace

std::uint64_t value_of(const SeccompData& data, Field field) noexcept {
  switch (field) {
    case Field::Arch:
      return data.arch;
    case Field::Nr:
      return static_cast<std::uint32_t>(data.nr);
    case Field::InstructionPointer:
      return data.instruction_pointer;
    case Field::Arg0:
    case Field::Arg1:
    case Field::Arg2:
    case Field::Arg3:
    case Field::Arg4:
    case Field::Arg5:
      break;
  }
  return data.args[static_cast<std::size_t>(field) - static_cast<std::size_t>(Field::Arg0)];
}

void set_value(SeccompData& data, Field field, std::uint64_t value) noexcept {
  switch (field) {
    case Field::Arch:
      data.arch = static_cast<std::uint32_t>(value);
      return;
    case Field::Nr:
      data.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(value));
      return;
    case Field::InstructionPointer:
      data.instruction_pointer = value;
      return;
    case Field::Arg0:
    case Field::Arg1:
    case Field::Arg2:
    case Field::Arg3:
    case Field::Arg4:
    case Field::Arg5:
      break;
  }
  data.args[static_cast<std::size_t>(field) - static_cast<std::size_t>(Field::Arg0)] = value;
}

Word word_at(std::uint32_t offset, ByteOrder order) noexcept {
  if (offset == 0) return {Field::Nr, false};
  if (offset == 4) return {Field::Arch, false};
  const bool high = ((offset & 4U) != 0) == (order == ByteOrder::Little);
  if (offset < 16) return {Field::InstructionPointer, high};
  return {static_cast<Field>(static_cast<std::uint32_t>(Field::Arg0) + (offset - 16) / 8), high};
}

TermId Terms::keep(const Term& term) {
  const auto [place, fresh] = places_.try_emplace(term, static_cast<TermId>(terms_.size()));
  if (fresh) terms_.push_back(term);
  return place->second;
}

// Of operations that take their parts either way round: a constant second, else the older first.
TermId Terms::in_order(TermKind kind, TermId a, TermId b) {
  if (value(a)) std::swap(a, b);
  if (!value(b) && b < a) std::swap(a, b);
  if (const auto k = value(b)) {
    if (const auto other = value(a)) return constant(operate(kind, *other, *k));
    // (a op c) op k is a op (c op k), for all of these operations.
    const Term inner = terms_[a];
    if (inner.kind == kind && value(inner.b)) {
      return in_order(kind, inner.a, constant(operate(kind, *value(inner.b), *k)));
    }
    const bool leaves = kind == TermKind::And        ? *k == ~0U
                        : kind == TermKind::Multiply ? *k == 1
                                                     : *k == 0;
    if (leaves) return a;
    if (*k == 0 && (kind == TermKind::And || kind == TermKind::Multiply)) return b;
    if (kind == TermKind::Or && *k == ~0U) return b;
  }
  return keep({kind, a, b});
}

TermId Terms::add(TermId a, TermId b) { return in_order(TermKind::Add, a, b); }

TermId Terms::subtract(TermId a, TermId b) {
  if (a == b) return constant(0);
  return add(a, multiply(b, constant(~0U)));
}

TermId Terms::multiply(TermId a, TermId b) {
  for (const auto& [one, other] : {std::pair(a, b), std::pair(b, a)}) {
    const auto k = value(one);
    if (k && std::has_single_bit(*k)) {
      return left(other, constant(static_cast<std::uint32_t>(std::countr_zero(*k))));
    }
  }
  return in_order(TermKind::Multiply, a, b);
}

TermId Terms::divide(TermId a, TermId b) {
  const auto k = value(b);
  if (k && value(a)) return constant(operate(TermKind::Divide, *value(a), *k));
  if (k && std::has_single_bit(*k)) {
    return right(a, constant(static_cast<std::uint32_t>(std::countr_zero(*k))));
  }
  return keep({TermKind::Divide, a, b});
}

TermId Terms::bit_and(TermId a, TermId b) { return a == b ? a : in_order(TermKind::And, a, b); }

TermId Terms::bit_or(TermId a, TermId b) { return a == b ? a : in_order(TermKind::Or, a, b); }

TermId Terms::bit_xor(TermId a, TermId b) {
  return a == b ? constant(0) : in_order(TermKind::Xor, a, b);
}

TermId Terms::left(TermId a, TermId count) {
  if (is(count, 0) || is(a, 0)) return a;
  if (value(a) && value(count)) {
    return constant(operate(TermKind::Left, *value(a), *value(count)));
  }
  if (value(count) && *value(count) >= 32) return constant(0);
  return keep({TermKind::Left, a, count});
}

TermId Terms::right(TermId a, TermId count) {
  if (is(count, 0) || is(a, 0)) return a;
  if (value(a) && value(count)) {
    return constant(operate(TermKind::Right, *value(a), *value(count)));
  }
  if (value(count) && *value(count) >= 32) return constant(0);
  return keep({TermKind::Right, a, count});
}

std::vector<std::uint32_t> Terms::evaluate(std::span<const TermId> ids,
                                           const SeccompData& data) const {
  std::vector<std::optional<std::uint32_t>> known(terms_.size());
  std::vector<TermId> open;
  std::vector<std::uint32_t> results;
  for (const TermId id : ids) {
    open.push_back(id);
    while (!open.empty()) {
      const TermId here = open.back();
      const Term& term = terms_[here];
      if (known[here]) {
        open.pop_back();
      } else if (has_parts(term.kind) && !known[term.a]) {
        open.push_back(term.a);
      } else if (has_parts(term.kind) && !known[term.b]) {
        open.push_back(term.b);
      } else if (term.kind == TermKind::Word) {
        const Word word = word_of(here);
        const std::uint64_t field = value_of(data, word.field);
        known[here] = static_cast<std::uint32_t>(word.high ? field >> 32U : field);
      } else if (term.kind == TermKind::Constant) {
        known[here] = term.a;
      } else {
        known[here] = operate(term.kind, *known[term.a], *known[term.b]);
      }
    }
    results.push_back(*known[id]);
  }
  return results;
}

}  // namespace callgate::verifier
