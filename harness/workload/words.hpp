#pragma once

#include <map>
#include <string>
#include <string_view>
#include <tuple>
#include <utility>

#include "harness/report/arguments.hpp"
#include "verifier/known_call.hpp"
#include "vm/arches.hpp"

/// Calls of workloads in the words that read() reads.
namespace callgate::workload {

/// "x86_64", "0x12345678" (no ABI's token), "*" (not known): the section that a call stands in.
[[nodiscard]] std::string section_words(const verifier::KnownCall& call);

/// "read", "-1" (a number without a name), "*" (not known).
[[nodiscard]] std::string name_words(const verifier::KnownCall& call);

/// Values of arguments; it remembers the names that it looked up.
class ArgumentValues {
 public:
  /// "(O_RDWR|O_CREAT)", "0x5401:low", "7:high", "*": reads as exactly that, in the call's section.
  std::string words(const verifier::KnownCall& call, unsigned index);

  /// "AT_FDCWD" of 0xffffff9c: the name that a constant of 32 bits has, where words() is a number
  /// whose high half is 0; else empty.
  std::string narrow(const verifier::KnownCall& call, unsigned index);

  /// "openat(AT_FDCWD, *, O_RDONLY)"; without parentheses where nothing of its arguments is known.
  std::string call(const verifier::KnownCall& call);

 private:
  using Key = std::tuple<const report::ArgumentFamily*, Arch, std::uint64_t, unsigned>;

  const report::ArgumentFamily* family_of(Arch arch, std::uint32_t nr, unsigned index);
  const std::string& value(const report::ArgumentFamily* family, Arch arch, std::uint64_t value,
                           unsigned bits);

  std::map<std::tuple<Arch, std::uint32_t, unsigned>, const report::ArgumentFamily*> families_;
  std::map<Key, std::string> values_;
};

}  // namespace callgate::workload
