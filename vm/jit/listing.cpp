#include "vm/jit/listing.hpp"

#include <capstone/capstone.h>

#include <cstdio>
#include <memory>

#include "vm/shared_library.hpp"

namespace callgate::jit {
namespace {

// What is called here of capstone.
struct Functions {
  SharedLibrary library{CALLGATE_CAPSTONE_SONAME};
  decltype(&cs_open) open = library.function<decltype(&cs_open)>("cs_open");
  decltype(&cs_close) close = library.function<decltype(&cs_close)>("cs_close");
  decltype(&cs_strerror) strerror = library.function<decltype(&cs_strerror)>("cs_strerror");
  decltype(&cs_malloc) malloc = library.function<decltype(&cs_malloc)>("cs_malloc");
  decltype(&cs_free) free = library.function<decltype(&cs_free)>("cs_free");
  decltype(&cs_disasm_iter) disasm_iter =
      library.function<decltype(&cs_disasm_iter)>("cs_disasm_iter");
};

// Loaded with the first listing: few commands want one.
const Functions& capstone() {
  static const Functions functions;
  return functions;
}

// A disassembler, closed in the end.
class Disassembler {
 public:
  explicit Disassembler(Target target)
      : error_(target == Target::X86_64
                   ? capstone().open(CS_ARCH_X86, CS_MODE_64, &handle_)
                   : capstone().open(CS_ARCH_ARM64, CS_MODE_LITTLE_ENDIAN, &handle_)) {}
  Disassembler(const Disassembler&) = delete;
  Disassembler& operator=(const Disassembler&) = delete;
  ~Disassembler() {
    if (error_ == CS_ERR_OK) capstone().close(&handle_);
  }

  [[nodiscard]] cs_err error() const noexcept { return error_; }
  [[nodiscard]] csh handle() const noexcept { return handle_; }

 private:
  csh handle_ = 0;
  cs_err error_;
};

Line word(const MachineCode& code, std::size_t at) {
  Line out{at,
           {code.bytes.begin() + static_cast<std::ptrdiff_t>(at),
            code.bytes.begin() + static_cast<std::ptrdiff_t>(at + 4)},
           {}};
  std::uint32_t value = 0;
  for (std::size_t i = 4; i-- > 0;) value = value << 8U | out.bytes[i];
  char text[sizeof ".word 0x00000000"];
  std::snprintf(text, sizeof text, ".word 0x%08x", value);
  out.text = text;
  return out;
}

}  // namespace

std::expected<std::vector<Line>, std::string> listing(const MachineCode& code, Target target) {
  if (const std::string& missing = capstone().library.missing(); !missing.empty()) {
    return std::unexpected("listings of code need capstone: " + missing);
  }
  const Disassembler disassembler(target);
  if (disassembler.error() != CS_ERR_OK) {
    return std::unexpected(std::string("capstone: ") + capstone().strerror(disassembler.error()));
  }
  std::vector<Line> out;
  const std::unique_ptr<cs_insn, void (*)(cs_insn*)> instruction(
      capstone().malloc(disassembler.handle()), [](cs_insn* each) { capstone().free(each, 1); });
  const std::uint8_t* bytes = code.bytes.data();
  std::size_t left = code.code_size;
  std::uint64_t address = 0;
  while (left != 0) {
    if (!capstone().disasm_iter(disassembler.handle(), &bytes, &left, &address,
                                instruction.get())) {
      return std::unexpected("capstone does not know the code at " + std::to_string(address));
    }
    const cs_insn& each = *instruction;
    std::string text = each.mnemonic;
    if (each.op_str[0] != '\0') text += std::string(" ") + each.op_str;
    out.push_back({static_cast<std::size_t>(each.address),
                   {each.bytes, each.bytes + each.size},
                   std::move(text)});
  }
  // Tables begin at a multiple of 4.
  for (std::size_t at = (code.code_size + 3) / 4 * 4; at + 4 <= code.bytes.size(); at += 4) {
    out.push_back(word(code, at));
  }
  return out;
}

}  // namespace callgate::jit
