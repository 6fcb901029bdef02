#pragma once

#include <cstdint>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/constants.hpp"
#include "vm/arches.hpp"

/// Arguments of syscalls in the words of people: arguments.def.
namespace callgate::report {

/// How constants of an argument go together.
enum class FamilyKind : std::uint8_t {
  Values,  ///< one of them
  Flags,   ///< bits that are put together
  Typed,   ///< the lowest four bits are one of them, the others flags
};

/// Constants that an argument takes.
struct ArgumentFamily {
  std::string_view name;
  FamilyKind kind = FamilyKind::Values;
  std::string_view patterns;
};

/// An argument's name, and its constants where they are known.
struct ArgumentWords {
  std::string name;
  const ArgumentFamily* family = nullptr;
};

/// The argument `index` (0 to 5) of a call: "arg0" where it has no name here. On S/390 clone takes
/// its flags second, and where mmap has one argument it is "args".
[[nodiscard]] ArgumentWords argument_words(std::string_view call, unsigned index, Arch arch);

/// Every family.
[[nodiscard]] std::span<const ArgumentFamily> argument_families() noexcept;

/// Every call that has a row, by name.
[[nodiscard]] std::vector<std::string_view> calls_with_arguments();

/// A value as an argument of that family is written: "AF_VSOCK", "CLONE_NEWNS|CLONE_NEWUSER",
/// "O_RDWR|0x3"; numbers where there are no names: decimal where they are small, "0x541b".
/// `bits`: 32 where a constant's low half is meant, 64.
[[nodiscard]] std::string value_words(std::uint64_t value, unsigned bits,
                                      const ArgumentFamily* family, Arch arch);

/// Some bits of an argument of that family, of all of whose values these bits are looked at.
[[nodiscard]] std::string mask_words(std::uint64_t mask, const ArgumentFamily* family, Arch arch);

/// "7", "0x541b"
[[nodiscard]] std::string number_words(std::uint64_t value);

}  // namespace callgate::report
