#include "vm/specialised_program.hpp"

#include "vm/arithmetic.hpp"

namespace callgate {
namespace {

std::uint32_t value_of(const Term& term, const SeccompData& data, ByteOrder order) noexcept {
  if (term.is_constant()) return term.value;
  return load_word(data, term.offset, order) & term.value;
}

}  // namespace

std::uint32_t SpecialisedProgram::ask(Entry entry, const SeccompData& data) const noexcept {
  while (entry.kind == Entry::Kind::Node) {
    const Node& node = nodes_[entry.value];
    const std::uint32_t value = host_word(data, node.offset) & node.mask;
    const bool yes = holds(node.test, value, node.k);
    entry = yes ? node.yes : node.no;
  }
  return entry.kind == Entry::Kind::Constant ? entry.value : go_on(resumes_[entry.value], data);
}

std::uint32_t SpecialisedProgram::go_on(const Resume& from,
                                        const SeccompData& data) const noexcept {
  Registers registers{};
  registers.a = value_of(from.a, data, order_);
  registers.x = value_of(from.x, data, order_);
  for (std::size_t i = 0; i < from.memory.size(); ++i) {
    registers.memory[i] = value_of(from.memory[i], data, order_);
  }
  return decoded_.resume(data, from.at, registers);
}

}  // namespace callgate
