// Programs that look like filters: what engines make tables and questions of, and random programs
// hardly ever hold.

#include <algorithm>

#include "harness/random/generator.hpp"
#include "vm/actions.hpp"
#include "vm/arches.hpp"
#include "vm/opcodes.hpp"

namespace callgate::random {
namespace {

class Builder {
 public:
  static constexpr std::uint32_t kEnds = 4;

  Builder(Source& source, std::uint32_t arch) : source_(source), arch_(arch) {}

  Program build(std::size_t length) {
    if (!source_.one_in(4)) {  // most ask for the architecture first
      push(Opcode::LdAbs, 4);
      loaded_ = 4;
    }
    while (program_.size() + kEnds < length) push_any(length - kEnds - program_.size());
    while (program_.size() < length) push(Opcode::RetK, result());
    for (std::uint32_t i = 0; i < kEnds; ++i) push(Opcode::RetK, result());
    return std::move(program_);
  }

 private:
  void push(Opcode opcode, std::uint32_t k, std::uint8_t jt = 0, std::uint8_t jf = 0) {
    program_.push_back({static_cast<std::uint16_t>(opcode), jt, jf, k});
  }

  // `left`: instructions until the returns at the end, 1 at least.
  void push_any(std::size_t left) {
    if (source_.one_in(24)) return push_chain(left);
    switch (source_.below(16)) {
      case 0:
      case 1:
      case 2:
        return push_load();
      case 3:
        if (source_.one_in(2)) return push(Opcode::RetK, result());
        return push(Opcode::Ja, distance(left));
      case 4:
        return push_rarity();
      default:
        return push_compare(left);
    }
  }

  // Rising numbers, each compared with when the one before it did not fit.
  void push_chain(std::size_t left) {
    const auto count = static_cast<std::uint32_t>(
        std::min<std::size_t>({std::size_t{3} + source_.below(40), left, 255 - kEnds}));
    if (source_.one_in(2)) push_load();
    std::uint32_t k = source_.one_in(4) ? kX32Bit : source_.below(400);
    for (std::uint32_t i = 0; i < count; ++i) {
      k += 1 + source_.below(3);
      // To one of the next instructions after the run, the returns at the end among them.
      push(Opcode::JeqK, k, static_cast<std::uint8_t>(count - 1 - i + source_.below(kEnds)));
    }
  }

  void push_load() {
    const std::uint32_t kind = source_.below(8);
    loaded_ = kind < 4 ? 0 : kind == 4 ? 4 : 4 * source_.below(16);
    push(Opcode::LdAbs, loaded_);
  }

  // What solving by number has to stop at, or go round.
  void push_rarity() {
    switch (source_.below(8)) {
      case 0:
        return push(Opcode::St, source_.below(4));
      case 1:
        return push(Opcode::Tax, 0);
      case 2:
        return push(Opcode::Txa, 0);
      case 3:
        return push(Opcode::AddK, edge_word(source_));
      case 4:
        return push(Opcode::LdxImm, constant());
      case 5:
        return push(Opcode::RshK, source_.below(32));
      default:
        return push(Opcode::AndK,
                    source_.one_in(2) ? ~(1U << source_.below(32)) : edge_word(source_));
    }
  }

  void push_compare(std::size_t left) {
    static constexpr Opcode kOthers[] = {Opcode::JgtK, Opcode::JgeK, Opcode::JsetK, Opcode::JeqX,
                                         Opcode::JgeX};
    const Opcode opcode = source_.below(8) < 5 ? Opcode::JeqK : kOthers[source_.below(5)];
    const auto far = static_cast<std::uint8_t>(distance(left));
    const std::uint32_t k = constant();
    switch (source_.below(8)) {
      case 0:
        return push(opcode, k, far, static_cast<std::uint8_t>(distance(left)));
      case 1:
      case 2:
        return push(opcode, k, 0, far);
      default:
        return push(opcode, k, far, 0);
    }
  }

  std::uint32_t distance(std::size_t left) {
    const auto most = static_cast<std::uint32_t>(std::min<std::size_t>(left + kEnds - 2, 255));
    return source_.one_in(2) ? source_.below(most + 1) : source_.below(std::min(most + 1, 8U));
  }

  // What the word that was loaded last is compared with.
  std::uint32_t constant() {
    if (loaded_ == 4 && !source_.one_in(8)) {
      if (source_.one_in(2)) return arch_;
      return arches()[source_.below(static_cast<std::uint32_t>(arches().size()))].token;
    }
    if (loaded_ != 0 || source_.one_in(16)) return edge_word(source_, program_);
    if (source_.one_in(8)) return kX32Bit + source_.below(600);
    if (source_.one_in(16)) return kX32Bit;
    next_ += source_.below(4);
    return source_.one_in(4) ? source_.below(600) : next_;
  }

  std::uint32_t result() {
    const auto& row = actions()[source_.below(static_cast<std::uint32_t>(actions().size()))];
    return static_cast<std::uint32_t>(row.action) | source_.below(4);
  }

  Source& source_;
  std::uint32_t arch_;
  Program program_;
  std::uint32_t loaded_ = 16;
  std::uint32_t next_ = 0;
};

}  // namespace

Program filter_like(Source& source, std::uint32_t longest, std::uint32_t arch) {
  const std::uint32_t shortest = 8;
  const std::uint32_t length = shortest + source.below(std::max(longest, shortest) - shortest + 1);
  return Builder(source, arch).build(length - Builder::kEnds);
}

Program decisions(Source& source, std::size_t length) {
  constexpr std::uint32_t kPlainAllow = 0x7fff0000U;
  const auto result = [&] {
    constexpr std::array<std::uint32_t, 6> kResults = {kPlainAllow, kPlainAllow,     kPlainAllow,
                                                       0x00050001U, kPlainAllow + 1, 0x7ffc0000U};
    return Instruction{0x06, 0, 0, kResults[source.below(kResults.size())]};
  };
  Program out = {{0x20, 0, 0, 0}};
  while (out.size() < length) {
    const auto jt = static_cast<std::uint8_t>(source.below(8));
    const auto jf = static_cast<std::uint8_t>(source.below(8));
    constexpr std::array<std::uint16_t, 4> kCompares = {0x15, 0x25, 0x35, 0x45};
    switch (source.below(8)) {
      case 0:
        out.push_back({0x54, 0, 0, source.below(512)});
        break;
      case 1:
        out.push_back({0x20, 0, 0, 4 * source.below(2)});
        break;
      case 2:  // an argument, what the cache knows nothing of, or a return
        if (!source.one_in(3)) break;
        out.push_back(source.one_in(2) ? Instruction{0x20, 0, 0, 24} : result());
        break;
      default:
        out.push_back({kCompares[source.below(4)], jt, jf, source.below(470)});
        break;
    }
  }
  for (int i = 0; i < 10; ++i) out.push_back(result());
  return out;
}

}  // namespace callgate::random
