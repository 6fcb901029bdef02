#include "harness/workload/words.hpp"

#include <fmt/format.h>

#include <optional>

#include "harness/suite/scanner.hpp"
#include "vm/syscalls.hpp"

namespace callgate::workload {
namespace {

using verifier::KnownCall;

std::optional<Arch> abi_of(const KnownCall& call) {
  if ((call.known & verifier::kArchKnown) == 0) return std::nullopt;
  if ((call.known & verifier::kNumberKnown) == 0) return arch_from_token(call.data.arch);
  return arch_of_call(call.data.arch, static_cast<std::uint32_t>(call.data.nr));
}

// The names of a value, where they are read as the same; of `bits` 32 as the same low half.
std::string exact_words(std::uint64_t value, unsigned bits, const report::ArgumentFamily* family,
                        Arch arch) {
  std::string number = report::number_words(value);
  if (family == nullptr) return number;
  std::string named = report::value_words(value, bits, family, arch);
  if (named.find('|') != std::string::npos) named = fmt::format("({})", named);
  suite::Scanner scanner(named);
  const auto again = suite::read_value(scanner, arch);
  if (!again || !scanner.at_end()) return number;
  const bool negative_half = again->negative && again->bits >= 0xffffffff80000000U;
  const std::uint64_t read = bits == 32 && negative_half ? again->bits & 0xffffffffU : again->bits;
  return read == value ? named : number;
}

}  // namespace

std::string section_words(const KnownCall& call) {
  if ((call.known & verifier::kArchKnown) == 0) return "*";
  if (const auto arch = abi_of(call)) return std::string(info(*arch).name);
  return fmt::format("0x{:x}", call.data.arch);
}

std::string name_words(const KnownCall& call) {
  if ((call.known & verifier::kNumberKnown) == 0) return "*";
  if (const auto arch = abi_of(call)) {
    if (const auto name = syscall_name(*arch, static_cast<std::uint32_t>(call.data.nr))) {
      return std::string(*name);
    }
  }
  return fmt::format("{}", call.data.nr);
}

const report::ArgumentFamily* ArgumentValues::family_of(Arch arch, std::uint32_t nr,
                                                        unsigned index) {
  const auto [found, news] = families_.try_emplace({arch, nr, index}, nullptr);
  if (news) {
    if (const auto name = syscall_name(arch, nr)) {
      found->second = report::argument_words(*name, index, arch).family;
    }
  }
  return found->second;
}

const std::string& ArgumentValues::value(const report::ArgumentFamily* family, Arch arch,
                                         std::uint64_t value, unsigned bits) {
  const auto [found, news] = values_.try_emplace({family, arch, value, bits});
  if (news) found->second = exact_words(value, bits, family, arch);
  return found->second;
}

std::string ArgumentValues::words(const KnownCall& call, unsigned index) {
  const bool low = (call.known & verifier::low_known(index)) != 0;
  const bool high = (call.known & verifier::high_known(index)) != 0;
  if (!low && !high) return "*";
  const std::uint64_t value = call.data.args[index];
  if (!low) return report::number_words(value >> 32U) + ":high";
  const auto arch = abi_of(call);
  const report::ArgumentFamily* const family =
      arch && (call.known & verifier::kNumberKnown) != 0
          ? family_of(*arch, static_cast<std::uint32_t>(call.data.nr), index)
          : nullptr;
  const std::uint64_t shown = high ? value : value & 0xffffffffU;
  std::string out = family == nullptr ? report::number_words(shown)
                                      : this->value(family, *arch, shown, high ? 64 : 32);
  return high ? out : out + ":low";
}

std::string ArgumentValues::narrow(const KnownCall& call, unsigned index) {
  constexpr auto kNumber = verifier::kNumberKnown;
  const bool whole = (call.known & verifier::low_known(index)) != 0 &&
                     (call.known & verifier::high_known(index)) != 0;
  const auto arch = abi_of(call);
  const std::uint64_t value = call.data.args[index];
  if (!whole || !arch || (call.known & kNumber) == 0 || value >> 32U != 0) return {};
  const auto* const family = family_of(*arch, static_cast<std::uint32_t>(call.data.nr), index);
  if (family == nullptr) return {};
  const std::string& words = this->value(family, *arch, value, 32);
  return words == this->value(family, *arch, value, 64) ? std::string() : words;
}

std::string ArgumentValues::call(const KnownCall& call) {
  std::string out = name_words(call);
  std::string arguments;
  std::size_t told = 0;
  for (unsigned i = 0; i < call.data.args.size(); ++i) {
    if (i != 0) arguments += ", ";
    arguments += words(call, i);
    if ((call.known & (verifier::low_known(i) | verifier::high_known(i))) != 0) {
      told = arguments.size();
    }
  }
  if (told == 0) return out;
  arguments.resize(told);
  return out + "(" + arguments + ")";
}

}  // namespace callgate::workload
