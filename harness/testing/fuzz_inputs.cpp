#include "harness/testing/fuzz_inputs.hpp"

#include <algorithm>

#include "vm/opcodes.hpp"

namespace callgate::testing {
namespace {

// Beyond them each single value would be tried too rarely.
constexpr std::size_t kMostValues = 4096;

// Which words of seccomp_data the registers and slots were made from.
struct Origins {
  std::uint16_t a = 0;
  std::uint16_t x = 0;
  std::array<std::uint16_t, kMemoryWords> memory{};

  void join(const Origins& other) {
    a |= other.a;
    x |= other.x;
    for (std::size_t i = 0; i < memory.size(); ++i) memory[i] |= other.memory[i];
  }
};

// Reads bytes one by one, and 0 beyond their end.
class Bytes {
 public:
  explicit Bytes(std::span<const std::uint8_t> bytes) : bytes_(bytes) {}

  std::uint32_t byte() { return at_ < bytes_.size() ? bytes_[at_++] : 0U; }
  std::uint32_t word() {
    std::uint32_t out = 0;
    for (int i = 0; i < 4; ++i) out = out << 8 | byte();
    return out;
  }

 private:
  std::span<const std::uint8_t> bytes_;
  std::size_t at_ = 0;
};

}  // namespace

Dictionary::Dictionary(const KernelModel& model) : model_(model) {
  for (std::size_t i = 0; i < kWords; ++i) values_[i].push_back(0);
  // The first entry of a word is what bytes that are not there give.
  values_[1][0] = info(model.arch).token;
}

void Dictionary::add(Words words, std::uint32_t value) {
  for (std::size_t i = 0; i < kWords; ++i) {
    std::vector<std::uint32_t>& those = values_[i];
    if ((words >> i & 1U) == 0 || those.size() >= kMostValues) continue;
    if (std::ranges::find(those, value) == those.end()) those.push_back(value);
  }
}

void Dictionary::add(std::uint64_t value) {
  add(Words{0xffff}, static_cast<std::uint32_t>(value));
  add(Words{0xffff}, static_cast<std::uint32_t>(value >> 32U));
}

void Dictionary::add(std::span<const Instruction> program) {
  std::vector<Origins> before(program.size() + 1);
  const auto go = [&](std::size_t to, const Origins& origins) {
    if (to < before.size()) before[to].join(origins);
  };
  // Jumps go forward: one pass sees every way.
  for (std::size_t i = 0; i < program.size(); ++i) {
    const Instruction& each = program[i];
    const OpcodeInfo* row = find_opcode(each.code);
    if (row == nullptr) continue;
    Origins now = before[i];
    const Words from_x = row->operand == Operand::X ? now.x : Words{0};
    switch (row->kind) {
      case OpcodeKind::Load:
      case OpcodeKind::LoadX: {
        Words words = 0;
        if (row->operand == Operand::Data && each.k < kSeccompDataSize) {
          words = static_cast<Words>(1U << (each.k / 4));
        } else if (row->operand == Operand::Memory && each.k < kMemoryWords) {
          words = now.memory[each.k];
        }
        (row->kind == OpcodeKind::Load ? now.a : now.x) = words;
        break;
      }
      case OpcodeKind::Store:
        if (each.k < kMemoryWords) now.memory[each.k] = now.a;
        break;
      case OpcodeKind::StoreX:
        if (each.k < kMemoryWords) now.memory[each.k] = now.x;
        break;
      case OpcodeKind::Alu:
        if (row->operand == Operand::K) {
          add(now.a, each.k);
          add(now.a, ~each.k);
        }
        now.a |= from_x;
        break;
      case OpcodeKind::Branch:
        if (row->operand == Operand::K) {
          for (const std::uint32_t value : {each.k, each.k - 1, each.k + 1, ~each.k}) {
            add(now.a, value);
          }
        }
        go(i + 1 + each.jt, now);
        go(i + 1 + each.jf, now);
        continue;
      case OpcodeKind::Jump:
        go(i + 1 + std::size_t{each.k}, now);
        continue;
      case OpcodeKind::Return:
        continue;
      case OpcodeKind::Tax:
        now.x = now.a;
        break;
      case OpcodeKind::Txa:
        now.a = now.x;
        break;
    }
    go(i + 1, now);
  }
}

SeccompData Dictionary::call_from(std::span<const std::uint8_t> bytes) const {
  Bytes rest(bytes);
  std::array<std::uint32_t, kWords> words{};
  for (std::size_t i = 0; i < kWords; ++i) {
    const std::uint32_t how = rest.byte();
    const std::vector<std::uint32_t>& known = values_[i];
    if (how == 0) {
      words[i] = known.front();
    } else if (how < 0xa0) {
      words[i] =
          known[(how < 0x60 || known.size() < 0x60 ? how : how | rest.byte() << 8) % known.size()];
    } else if (how < 0xb0) {
      // A bit beside a known value.
      words[i] = known[rest.byte() % known.size()] ^ 1U << (rest.byte() % 32);
    } else if (how < 0xc0) {
      words[i] = how - 0xb0;
    } else if (how < 0xd0) {
      words[i] = 0U - (how - 0xbf);
    } else if (how < 0xe0) {
      // What another word may hold.
      const std::vector<std::uint32_t>& others = values_[rest.byte() % kWords];
      words[i] = others[rest.byte() % others.size()];
    } else {
      words[i] = rest.word();
    }
  }
  SeccompData out;
  out.nr = static_cast<std::int32_t>(words[0]);
  out.arch = words[1];
  const bool low_first = byte_order(model_.arch) == ByteOrder::Little;
  const auto field = [&](std::size_t word) {
    const std::uint64_t low = words[low_first ? word : word + 1];
    const std::uint64_t high = words[low_first ? word + 1 : word];
    return high << 32U | low;
  };
  out.instruction_pointer = field(2);
  for (std::size_t i = 0; i < out.args.size(); ++i) out.args[i] = field(4 + 2 * i);
  return out;
}

}  // namespace callgate::testing
