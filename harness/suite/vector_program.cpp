#include "harness/suite/vector_program.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <limits>
#include <map>
#include <utility>
#include <vector>

#include "vm/actions.hpp"
#include "vm/opcodes.hpp"

namespace callgate::suite {
namespace {

constexpr std::uint64_t kLargestWord = std::numeric_limits<std::uint32_t>::max();

bool is_name(std::string_view text) {
  const auto is_letter = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_';
  };
  const auto may_follow = [&](char c) { return is_letter(c) || (c >= '0' && c <= '9'); };
  return !text.empty() && is_letter(text.front()) && std::ranges::all_of(text, may_follow);
}

std::vector<std::string_view> split_at_commas(std::string_view text) {
  std::vector<std::string_view> parts;
  for (std::size_t comma = text.find(','); comma != std::string_view::npos;
       comma = text.find(',')) {
    parts.push_back(trim(text.substr(0, comma)));
    text.remove_prefix(comma + 1);
  }
  parts.push_back(trim(text));
  return parts;
}

std::optional<std::uint32_t> parse_word(std::string_view text) {
  const auto number = parse_number(text, kLargestWord);
  if (!number) return std::nullopt;
  return static_cast<std::uint32_t>(*number);
}

// What stands between `open` and `close`, where the text is nothing else.
std::optional<std::string_view> inside(std::string_view text, std::string_view open,
                                       std::string_view close) {
  if (!text.starts_with(open) || !text.ends_with(close)) return std::nullopt;
  if (text.size() < open.size() + close.size()) return std::nullopt;
  return trim(text.substr(open.size(), text.size() - open.size() - close.size()));
}

struct OperandText {
  Operand kind = Operand::None;
  std::uint32_t k = 0;
};

// "#5", "x", "a", "len", "[16]", "M[3]", or nothing at all.
std::optional<OperandText> parse_operand(std::string_view text) {
  if (text.empty()) return OperandText{};
  if (text == "x") return OperandText{Operand::X, 0};
  if (text == "a") return OperandText{Operand::A, 0};
  if (text == "len") return OperandText{Operand::Length, 0};
  const auto with_number = [](Operand kind, std::string_view number) -> std::optional<OperandText> {
    const auto k = parse_word(number);
    if (!k) return std::nullopt;
    return OperandText{kind, *k};
  };
  if (text.starts_with('#')) return with_number(Operand::K, text.substr(1));
  if (const auto slot = inside(text, "M[", "]")) return with_number(Operand::Memory, *slot);
  if (const auto offset = inside(text, "[", "]")) return with_number(Operand::Data, *offset);
  return std::nullopt;
}

const OpcodeInfo* find_row(std::string_view mnemonic, Operand operand) {
  for (const OpcodeInfo& row : opcodes()) {
    if (row.mnemonic == mnemonic && row.operand == operand) return &row;
  }
  return nullptr;
}

class Assembler {
 public:
  std::expected<Program, VectorError> run(std::span<const VectorLine> lines) {
    for (const VectorLine& line : lines) {
      line_ = line.number;
      if (!add_line(line.text) || !fits()) return std::unexpected(error_);
    }
    for (const Use& use : uses_) {
      line_ = use.line;
      if (!resolve(use)) return std::unexpected(error_);
    }
    return std::move(program_);
  }

 private:
  enum class Field : std::uint8_t { K, Jt, Jf };
  struct Use {
    std::size_t at;
    Field field;
    std::string_view label;
    std::size_t line;
  };

  bool fail(std::string message) {
    error_ = {line_, std::move(message)};
    return false;
  }

  // A vector with more instructions than a 16-bit length can state is a slip of the pen.
  bool fits() {
    if (program_.size() <= std::numeric_limits<std::uint16_t>::max()) return true;
    return fail("more than 65535 instructions");
  }

  bool add_line(std::string_view text) {
    constexpr std::string_view kRepeat = "repeat ";
    const std::size_t colon = text.find(':');
    if (text.starts_with(kRepeat)) {
      if (colon == std::string_view::npos) return fail("repeat N: INSTRUCTION");
      const std::string_view number = text.substr(kRepeat.size(), colon - kRepeat.size());
      const auto count = parse_number(trim(number), std::numeric_limits<std::uint16_t>::max());
      if (!count) return fail("repeat needs a number up to 65535");
      const std::string_view instruction = trim(text.substr(colon + 1));
      for (std::uint64_t i = 0; i < *count; ++i) {
        if (!add_instruction(instruction)) return false;
      }
      return true;
    }
    if (colon != std::string_view::npos) {
      const std::string_view label = trim(text.substr(0, colon));
      if (!is_name(label)) return fail("a label is made of letters, digits and _");
      if (!labels_.emplace(label, program_.size()).second) return fail("a label that stands twice");
      text = trim(text.substr(colon + 1));
      if (text.empty()) return true;
    }
    return add_instruction(text);
  }

  bool add_instruction(std::string_view text) {
    if (const auto raw = inside(text, "{", "}")) return add_raw(*raw);
    const std::size_t space = text.find(' ');
    const std::string_view mnemonic = text.substr(0, space);
    const std::string_view rest =
        space == std::string_view::npos ? std::string_view{} : trim(text.substr(space));
    if (mnemonic == "jmp") return add_jump(rest);
    const auto parts = split_at_commas(rest);
    auto operand = parse_operand(parts.front());
    if (!operand && mnemonic == "ret") {
      if (const auto result = parse_result(parts.front())) {
        operand = OperandText{Operand::K, *result};
      }
    }
    if (!operand) return fail("no operand: " + std::string(parts.front()));
    const OpcodeInfo* row = find_row(mnemonic, operand->kind);
    if (row == nullptr) return fail("no instruction: " + std::string(text));
    Instruction instruction{static_cast<std::uint16_t>(row->opcode), 0, 0, operand->k};
    if (row->kind == OpcodeKind::Branch) {
      if (parts.size() != 3) return fail("a conditional jump needs two targets");
      const auto jt = distance(parts[1], Field::Jt, 0xff);
      const auto jf = distance(parts[2], Field::Jf, 0xff);
      if (!jt || !jf) return false;
      instruction.jt = static_cast<std::uint8_t>(*jt);
      instruction.jf = static_cast<std::uint8_t>(*jf);
    } else if (parts.size() != 1) {
      return fail("only a conditional jump has targets");
    }
    program_.push_back(instruction);
    return true;
  }

  bool add_jump(std::string_view target) {
    const auto k = distance(target, Field::K, kLargestWord);
    if (!k) return false;
    program_.push_back({static_cast<std::uint16_t>(Opcode::Ja), 0, 0, *k});
    return true;
  }

  bool add_raw(std::string_view text) {
    const auto parts = split_at_commas(text);
    if (parts.size() != 4) return fail("{ code, jt, jf, k }");
    const auto code = parse_number(parts[0], 0xffff);
    const auto jt = parse_number(parts[1], 0xff);
    const auto jf = parse_number(parts[2], 0xff);
    const auto k = parse_number(parts[3], kLargestWord);
    if (!code || !jt || !jf || !k) return fail("{ 16 bits, 8 bits, 8 bits, 32 bits }");
    program_.push_back({static_cast<std::uint16_t>(*code), static_cast<std::uint8_t>(*jt),
                        static_cast<std::uint8_t>(*jf), static_cast<std::uint32_t>(*k)});
    return true;
  }

  // A number stands for itself; of a label the place is filled in at the end.
  std::optional<std::uint32_t> distance(std::string_view text, Field field, std::uint64_t largest) {
    if (is_name(text)) {
      uses_.push_back({program_.size(), field, text, line_});
      return 0;
    }
    const auto number = parse_number(text, largest);
    if (!number) {
      fail("a target is a label or how many instructions to skip");
      return std::nullopt;
    }
    return static_cast<std::uint32_t>(*number);
  }

  bool resolve(const Use& use) {
    const auto label = labels_.find(use.label);
    if (label == labels_.end()) return fail("no such label: " + std::string(use.label));
    if (label->second <= use.at) return fail("a label behind the jump");
    const std::size_t skip = label->second - use.at - 1;
    if (use.field != Field::K && skip > 0xff) return fail("more than 255 instructions to skip");
    Instruction& instruction = program_[use.at];
    switch (use.field) {
      case Field::K:
        instruction.k = static_cast<std::uint32_t>(skip);
        break;
      case Field::Jt:
        instruction.jt = static_cast<std::uint8_t>(skip);
        break;
      case Field::Jf:
        instruction.jf = static_cast<std::uint8_t>(skip);
        break;
    }
    return true;
  }

  Program program_;
  std::map<std::string_view, std::size_t> labels_;
  std::vector<Use> uses_;
  VectorError error_;
  std::size_t line_ = 0;
};

}  // namespace

std::string_view trim(std::string_view text) {
  const std::size_t first = text.find_first_not_of(" \t");
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(" \t") - first + 1);
}

std::optional<std::uint64_t> parse_number(std::string_view text, std::uint64_t largest) {
  int base = 10;
  if (text.starts_with("0x")) {
    base = 16;
    text.remove_prefix(2);
  }
  std::uint64_t number = 0;
  const char* const end = text.data() + text.size();
  const auto [stop, error] = std::from_chars(text.data(), end, number, base);
  if (error != std::errc{} || stop != end || number > largest) return std::nullopt;
  return number;
}

std::optional<std::uint32_t> parse_result(std::string_view text) {
  if (const auto number = parse_word(text)) return number;
  const std::size_t open = text.find('(');
  std::uint64_t data = 0;
  if (open != std::string_view::npos) {
    const auto number = inside(text.substr(open), "(", ")");
    if (!number) return std::nullopt;
    const auto value = parse_number(*number, kDataMask);
    if (!value) return std::nullopt;
    data = *value;
  }
  // Only the table's own spelling: a vector has one way to say a thing.
  for (const ActionInfo& row : actions()) {
    if (row.name == text.substr(0, open)) {
      return static_cast<std::uint32_t>(row.action) | static_cast<std::uint32_t>(data);
    }
  }
  return std::nullopt;
}

std::expected<Program, VectorError> parse_vector_program(std::span<const VectorLine> lines) {
  return Assembler{}.run(lines);
}

}  // namespace callgate::suite
