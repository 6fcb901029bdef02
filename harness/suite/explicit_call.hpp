#pragma once

#include <expected>
#include <string>
#include <string_view>

#include "harness/suite/scanner.hpp"
#include "vm/arches.hpp"
#include "vm/seccomp_data.hpp"

/// One call, all of it: "socket(AF_VSOCK, SOCK_STREAM)", "i386:socketcall(1, 0xffffe000)",
/// "read(0, 0x1000, 12, ip=0x401000)", "1234()". The ABI is the machine's own where none is named;
/// arguments that are left out are 0; x32 is an ABI of its own.
namespace callgate::suite {

/// Values are 64-bit registers: -1 is all ones.
[[nodiscard]] std::expected<SeccompData, TextError> parse_explicit_call(std::string_view text,
                                                                        Arch machine);

/// The text that is read as this call; arguments that are 0 at the end are left out. A token of no
/// ABI that is known is written as a number: "0x12345678:39(1)".
[[nodiscard]] std::string explicit_call_text(const SeccompData& data, Arch machine);

/// "39", a name; with the ABI before it where that is not the machine's own.
struct CallHead {
  std::uint32_t token = 0;
  Arch abi = Arch::X86_64;
  bool named_abi = false;  ///< it stands there
  bool known_abi = true;   ///< false: `abi` is the machine's, and the token no ABI's
};

/// Reads "i386:" or "0x40000003:", or nothing.
[[nodiscard]] std::expected<CallHead, TextError> read_abi(Scanner& scanner, Arch machine);

/// Why a name is no call of an ABI: another has it, or none; what was perhaps meant.
[[nodiscard]] std::string no_such_call(std::string_view name, Arch abi);

/// Whether any ABI has a call of this name.
[[nodiscard]] bool is_call_anywhere(std::string_view name);

}  // namespace callgate::suite
