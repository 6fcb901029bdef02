// The language of the kernel's tools/bpf/bpf_asm: white space and newlines are all the same, so a
// statement ends where its operands do.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>

#include "harness/front_ends/asm_dialects.hpp"
#include "harness/front_ends/asm_text.hpp"
#include "harness/front_ends/formats.hpp"

namespace callgate::front_ends {
namespace {

constexpr AsmStyle kStyle{.newlines = false,
                          .hash_comments = false,
                          .other_comments = true,
                          .digit_labels = false,
                          .go = "jmp"};
constexpr NumberForms kForms{.binary_and_octal = true, .wraps = false};

// What socket filters load from beyond the packet: SKF_AD_OFF and SKF_AD_* of linux/filter.h.
constexpr std::uint32_t kExtensions = 0xfffff000U;
struct Extension {
  std::string_view name;
  std::uint32_t offset;
};
constexpr std::array kExtensionNames = {
    Extension{"proto", 0},      Extension{"type", 4},      Extension{"ifidx", 8},
    Extension{"nla", 12},       Extension{"nlan", 16},     Extension{"mark", 20},
    Extension{"queue", 24},     Extension{"hatype", 28},   Extension{"rxhash", 32},
    Extension{"cpu", 36},       Extension{"vlan_tci", 44}, Extension{"vlan_avail", 48},
    Extension{"vlan_pr", 48},   Extension{"poff", 52},     Extension{"rand", 56},
    Extension{"vlan_tpid", 60},
};

enum class Form : std::uint8_t {
  Load,
  LoadHalf,
  LoadByte,
  LoadImmediate,
  LoadX,
  LoadXImmediate,
  LoadXByte,
  Store,
  StoreX,
  Jump,
  Branch,
  BranchNot,
  Alu,
  Neg,
  Tax,
  Txa,
  Return
};
struct Mnemonic {
  std::string_view name;
  Form form;
  Opcode with_k = Opcode::LdImm;
  Opcode with_x = Opcode::LdImm;
};
constexpr std::array kMnemonics = {
    Mnemonic{"ld", Form::Load},
    Mnemonic{"ldh", Form::LoadHalf},
    Mnemonic{"ldb", Form::LoadByte},
    Mnemonic{"ldi", Form::LoadImmediate},
    Mnemonic{"ldx", Form::LoadX},
    Mnemonic{"ldxi", Form::LoadXImmediate},
    Mnemonic{"ldxb", Form::LoadXByte},
    Mnemonic{"st", Form::Store},
    Mnemonic{"stx", Form::StoreX},
    Mnemonic{"jmp", Form::Jump},
    Mnemonic{"ja", Form::Jump},
    Mnemonic{"jeq", Form::Branch, Opcode::JeqK, Opcode::JeqX},
    Mnemonic{"jgt", Form::Branch, Opcode::JgtK, Opcode::JgtX},
    Mnemonic{"jge", Form::Branch, Opcode::JgeK, Opcode::JgeX},
    Mnemonic{"jset", Form::Branch, Opcode::JsetK, Opcode::JsetX},
    Mnemonic{"jneq", Form::BranchNot, Opcode::JeqK, Opcode::JeqX},
    Mnemonic{"jne", Form::BranchNot, Opcode::JeqK, Opcode::JeqX},
    Mnemonic{"jlt", Form::BranchNot, Opcode::JgeK, Opcode::JgeX},
    Mnemonic{"jle", Form::BranchNot, Opcode::JgtK, Opcode::JgtX},
    Mnemonic{"add", Form::Alu, Opcode::AddK, Opcode::AddX},
    Mnemonic{"sub", Form::Alu, Opcode::SubK, Opcode::SubX},
    Mnemonic{"mul", Form::Alu, Opcode::MulK, Opcode::MulX},
    Mnemonic{"div", Form::Alu, Opcode::DivK, Opcode::DivX},
    Mnemonic{"mod", Form::Alu, Opcode::ModK, Opcode::ModX},
    Mnemonic{"and", Form::Alu, Opcode::AndK, Opcode::AndX},
    Mnemonic{"or", Form::Alu, Opcode::OrK, Opcode::OrX},
    Mnemonic{"xor", Form::Alu, Opcode::XorK, Opcode::XorX},
    Mnemonic{"lsh", Form::Alu, Opcode::LshK, Opcode::LshX},
    Mnemonic{"rsh", Form::Alu, Opcode::RshK, Opcode::RshX},
    Mnemonic{"neg", Form::Neg},
    Mnemonic{"tax", Form::Tax},
    Mnemonic{"txa", Form::Txa},
    Mnemonic{"ret", Form::Return},
};

std::string lower(std::string_view text) {
  std::string out;
  for (const char c : text) {
    out += static_cast<char>(std::tolower(static_cast<unsigned char>(c)));
  }
  return out;
}

const Mnemonic* find_mnemonic(std::string_view word) {
  const std::string name = lower(word.substr(0, 8));
  const auto* const row = std::ranges::find(kMnemonics, name, &Mnemonic::name);
  return row == kMnemonics.end() || word.size() > 8 ? nullptr : row;
}

const Extension* find_extension(std::string_view word) {
  const std::string name = lower(word.substr(0, 16));
  const auto* const row = std::ranges::find(kExtensionNames, name, &Extension::name);
  return row == kExtensionNames.end() || word.size() > 16 ? nullptr : row;
}

bool is_register(std::string_view word) {
  return word == "a" || word == "A" || word == "x" || word == "X" || word == "M" || word == "m";
}

bool is_keyword(std::string_view word) {
  return find_mnemonic(word) != nullptr || find_extension(word) != nullptr ||
         lower(word) == "len" || is_register(word);
}

class Parser : AsmParser {
 public:
  Parser(std::string_view text, const ReadOptions& options) : AsmParser(text, kStyle, options) {}

  std::expected<Assembled, ReadError> parse() {
    while (!builder_.failed() && peek().kind != AsmToken::Kind::End) line();
    return builder_.finish(InputFormat::BpfAsm);
  }

 private:
  bool line() {
    const AsmToken word = peek();
    if (word.kind != AsmToken::Kind::Word) return expected("a statement or a label");
    const Mnemonic* const mnemonic = find_mnemonic(word.text);
    if (mnemonic != nullptr) {
      lexer_.next();
      offset_ = word.offset;
      return statement(*mnemonic);
    }
    if (!is_label(word)) return false;
    lexer_.next();
    if (!peek().is(":")) {
      return builder_.fail(word.offset, fmt::format("{} is no statement of bpf_asm; a label has a "
                                                    "colon after it",
                                                    quoted(word.text)));
    }
    lexer_.next();
    builder_.label(word);
    return true;
  }

  bool is_label(const AsmToken& word) {
    if (word.kind != AsmToken::Kind::Word) return expected("a label");
    if (is_keyword(word.text)) {
      return fail_here(
          fmt::format("{} is a word of bpf_asm: give the label another name", quoted(word.text)));
    }
    const bool plain = word.text.find_first_of("$.") == std::string_view::npos;
    if (plain && word.text.size() > 1) return true;
    return fail_here(
        fmt::format("{} is no label: two or more letters, digits or _, the first no "
                    "digit",
                    quoted(word.text)));
  }

  bool put(Opcode opcode, std::uint32_t k = 0) {
    builder_.add({code_of(opcode), 0, 0, k}, offset_);
    return !builder_.failed();
  }

  bool statement(const Mnemonic& mnemonic) {
    switch (mnemonic.form) {
      case Form::Load:
        return load(Opcode::LdAbs, Opcode::LdInd);
      case Form::LoadHalf:
        return load(Opcode::LdhAbs, Opcode::LdhInd);
      case Form::LoadByte:
        return load(Opcode::LdbAbs, Opcode::LdbInd);
      case Form::LoadImmediate:
        return immediate(Opcode::LdImm);
      case Form::LoadX:
        return load_x();
      case Form::LoadXImmediate:
        return immediate(Opcode::LdxImm);
      case Form::LoadXByte:
        return header_length();
      case Form::Store:
        return memory(Opcode::St);
      case Form::StoreX:
        return memory(Opcode::Stx);
      case Form::Jump: {
        AsmTarget target;
        if (!label(target)) return false;
        builder_.jump(target, offset_);
        return !builder_.failed();
      }
      case Form::Branch:
      case Form::BranchNot:
        return branch(mnemonic);
      case Form::Alu:
        return operation(mnemonic);
      case Form::Neg:
        return put(Opcode::Neg);
      case Form::Tax:
        return put(Opcode::Tax);
      case Form::Txa:
        return put(Opcode::Txa);
      case Form::Return:
        return give_back();
    }
    return false;
  }

  // x or %x (a or %a).
  bool accept_register(std::string_view name) {
    if (accept("%")) return accept_word(name) || expected(fmt::format("{} after %", name));
    return accept_word(name);
  }

  bool immediate(Opcode opcode) {
    accept("#");
    std::uint32_t k = 0;
    return number(k, kForms) && put(opcode, k);
  }

  bool memory(Opcode opcode) {
    std::uint32_t slot = 0;
    if (!accept_word("m")) return expected("M[0] to M[15]");
    return expect("[") && number(slot, kForms) && expect("]") && put(opcode, slot);
  }

  bool load(Opcode absolute, Opcode indirect) {
    const bool word = absolute == Opcode::LdAbs;
    if (accept("[")) {
      std::uint32_t k = 0;
      const bool with_x = peek().is("%") || lower(peek().text) == "x";
      if (with_x) {
        if (!accept_register("x") || !expect("+")) return false;
      }
      return number(k, kForms) && expect("]") && put(with_x ? indirect : absolute, k);
    }
    if (word && lower(peek().text) == "m") return memory(Opcode::LdMem);
    const bool marked = accept("#");
    if (word && accept_word("len")) return put(Opcode::LdLen);
    if (peek().kind == AsmToken::Kind::Word) {
      if (const Extension* const extension = find_extension(peek().text)) {
        lexer_.next();
        return put(absolute, kExtensions + extension->offset);
      }
    }
    if (word && marked) return immediate(Opcode::LdImm);
    return expected(word ? "[k], [x+k], #k, M[k] or #len" : "[k] or [x+k]");
  }

  bool load_x() {
    if (lower(peek().text) == "m") return memory(Opcode::LdxMem);
    if (peek().kind == AsmToken::Kind::Number) return header_length();
    const bool marked = accept("#");
    if (accept_word("len")) return put(Opcode::LdxLen);
    if (marked) return immediate(Opcode::LdxImm);
    return expected("#k, M[k], #len or 4*([k]&0xf)");
  }

  // 4*([k]&0xf)
  bool header_length() {
    std::uint32_t four = 0;
    std::uint32_t k = 0;
    std::uint32_t mask = 0;
    const std::size_t offset = peek().offset;
    if (!number(four, kForms) || !expect("*") || !expect("(") || !expect("[") ||
        !number(k, kForms) || !expect("]") || !expect("&") || !number(mask, kForms) ||
        !expect(")")) {
      return false;
    }
    if (four != 4 || mask != 0xf) {
      return builder_.fail(offset, "4*([k]&0xf) is all that can be loaded in this way");
    }
    return put(Opcode::LdxMsh, k);
  }

  // #k or x.
  bool operand(bool& with_x, std::uint32_t& k) {
    if (accept("#")) return number(k, kForms);
    with_x = true;
    if (accept_register("x")) return true;
    return !builder_.failed() && expected("#k or x");
  }

  bool operation(const Mnemonic& mnemonic) {
    bool with_x = false;
    std::uint32_t k = 0;
    return operand(with_x, k) && put(with_x ? mnemonic.with_x : mnemonic.with_k, k);
  }

  bool label(AsmTarget& target) {
    if (!is_label(peek())) return false;
    target = {false, lexer_.next()};
    return true;
  }

  bool branch(const Mnemonic& mnemonic) {
    bool with_x = false;
    std::uint32_t k = 0;
    AsmTarget first;
    AsmTarget second;
    if (!operand(with_x, k) || !expect(",") || !label(first)) return false;
    const bool negated = mnemonic.form == Form::BranchNot;
    if (!negated && accept(",") && !label(second)) return false;
    const std::uint16_t code = code_of(with_x ? mnemonic.with_x : mnemonic.with_k);
    builder_.branch(code, k, negated ? second : first, negated ? first : second, false, offset_);
    return !builder_.failed();
  }

  bool give_back() {
    std::uint32_t k = 0;
    if (accept("#")) return number(k, kForms) && put(Opcode::RetK, k);
    const bool marked = accept("%");
    if (accept_word("a")) return put(Opcode::RetA);
    // The kernel's assembler writes it, and the kernel refuses it: BPF_RET | BPF_X.
    if (accept_word("x")) {
      builder_.add({0x0e, 0, 0, 0}, offset_);
      return !builder_.failed();
    }
    return expected(marked ? "a or x" : "#k, a or x");
  }

  std::size_t offset_ = 0;  // of the statement
};

}  // namespace

AsmSign bpf_asm_sign(std::string_view statement) {
  AsmLexer lexer(statement, kStyle);
  const AsmToken word = lexer.next();
  const Mnemonic* const mnemonic =
      word.kind == AsmToken::Kind::Word ? find_mnemonic(word.text) : nullptr;
  if (mnemonic == nullptr) return AsmSign::None;
  const AsmToken operand = lexer.peek();
  switch (mnemonic->form) {
    case Form::Jump:
      return operand.kind == AsmToken::Kind::Word ? AsmSign::Weak : AsmSign::None;
    case Form::Neg:
    case Form::Tax:
    case Form::Txa:
      return operand.kind == AsmToken::Kind::End ? AsmSign::Strong : AsmSign::Weak;
    case Form::LoadImmediate:
    case Form::LoadXImmediate:
    case Form::LoadX:
    case Form::LoadXByte:
      if (operand.kind == AsmToken::Kind::Number) return AsmSign::Strong;
      break;
    case Form::Load:
    case Form::LoadHalf:
    case Form::LoadByte:
    case Form::Store:
    case Form::StoreX:
    case Form::Branch:
    case Form::BranchNot:
    case Form::Alu:
    case Form::Return:
      break;
  }
  const bool said = operand.is("[") || operand.is("#") || operand.is("%") ||
                    (operand.kind == AsmToken::Kind::Word && is_keyword(operand.text));
  return said ? AsmSign::Strong : AsmSign::None;
}

std::expected<Assembled, ReadError> assemble_bpf_asm(std::string_view text,
                                                     const ReadOptions& options) {
  return Parser(text, options).parse();
}

}  // namespace callgate::front_ends
