#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/report/known.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

/// Programs in the languages of assemblers, each of which front_ends reads again.
namespace callgate::report {

/// What a language cannot say of an instruction.
struct Unsaid {
  std::size_t instruction = 0;
  bool lost = false;  ///< the text is no longer the program; otherwise it means the same
  std::string what;   ///< "the code 0x0094 has no words in it"
};

/// A program as text, and what is not in the text.
struct SourceText {
  std::string text;
  std::vector<Unsaid> unsaid;  ///< by rising instruction
};

/// A language that programs are written in.
struct SyntaxRow {
  std::string_view name;  ///< that of the input format
  std::string_view looks_like;
  SourceText (*write)(std::span<const Instruction> program, const KernelModel& model);
};

/// Every language, our own listing first.
[[nodiscard]] std::span<const SyntaxRow> syntaxes() noexcept;

/// The row of a name, or nullptr.
[[nodiscard]] const SyntaxRow* find_syntax(std::string_view name) noexcept;

/// The kernel's bpf_asm syntax, with labels. Fields that an instruction does not use have no place
/// in that syntax: where they are not 0, and for codes that it cannot say, a comment shows them.
[[nodiscard]] SourceText bpf_asm(std::span<const Instruction> program);

/// As `seccomp-tools disasm --asm-able` has it: places are labels.
[[nodiscard]] SourceText seccomp_tools(std::span<const Instruction> program, Arch arch);

/// As `ceccomp disasm` has it: labels, the four fields in columns, statements.
[[nodiscard]] SourceText ceccomp(std::span<const Instruction> program, Arch arch);

/// The instruction with 0 in each field that it does not use; codes that are no instruction use
/// none.
[[nodiscard]] Instruction used_fields(const Instruction& instruction) noexcept;

/// The instructions that some jump leads to.
[[nodiscard]] std::vector<bool> jump_targets(std::span<const Instruction> program);

/// For writers: the words for a code that a language has none for.
[[nodiscard]] Unsaid no_words(const Instruction& instruction, std::size_t at);

/// For writers: notes fields that are unused and not 0, and jumps beyond the end.
void note_what_is_unused(std::span<const Instruction> program, std::size_t at, SourceText& out);

/// For writers of C-like languages, which differ in their words alone.
struct PseudoC {
  std::string_view a;
  std::string_view x;
  std::string_view memory;     ///< "mem"
  std::string_view length;     ///< "len"
  bool length_in_x = false;    ///< whether X can be loaded with it
  std::string_view otherwise;  ///< " else goto "
  std::string_view user_notif;
  /// The name of a word of seccomp_data.
  std::string (*word)(std::uint32_t offset, ByteOrder order);
  std::string (*label)(std::size_t at);
  /// The spelling of a named constant, empty where there is none.
  std::string (*name)(const NamedConstant& named, Arch arch);
};

/// The statement of an instruction; nothing where the language has none.
[[nodiscard]] std::optional<std::string> pseudo_c_statement(std::span<const Instruction> program,
                                                            std::size_t at, const Known& known,
                                                            Arch arch, const PseudoC& words);

}  // namespace callgate::report
