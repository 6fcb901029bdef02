// Any text, read as each of the small things that commands, vectors and scripts are made of: it is
// nothing, or a value that is read again from how it is written.

#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"
#include "harness/front_ends/constants.hpp"
#include "harness/suite/vector_values.hpp"
#include "harness/suite/vector_writer.hpp"
#include "vm/actions.hpp"
#include "vm/arches.hpp"
#include "vm/kernel_model.hpp"
#include "vm/syscalls.hpp"

using callgate::fuzz::require;

namespace {

namespace suite = callgate::suite;

void numbers_and_results(std::string_view text) {
  if (const auto number = suite::parse_number(text, UINT64_MAX)) {
    require(suite::parse_number(std::to_string(*number), *number) == number);
    require(*number == 0 || !suite::parse_number(text, *number - 1));
  }
  if (const auto result = suite::parse_result(text)) {
    require(suite::parse_result(suite::result_text(*result)) == result);
  }
  if (const auto version = callgate::parse_version(text)) {
    require(callgate::parse_version(to_string(*version)) == version);
  }
}

void values(std::string_view text, callgate::Arch arch) {
  const std::uint32_t token = callgate::info(arch).token;
  const auto data = suite::parse_input(text, token);
  if (data && text.empty()) require(data->arch == token);
  if (const auto verdict = suite::parse_verdict(text)) {
    require(suite::parse_result(suite::result_text(verdict->value)) == verdict->value);
  }
  static_cast<void>(suite::parse_outcome(text));
  static_cast<void>(suite::parse_siginfo(text));
  if (const auto diagnostic = suite::parse_diagnostic(text)) {
    require(!message(*diagnostic).empty());
    require(text.contains(info(diagnostic->id).name));
  }
}

void names(std::string_view text, callgate::Arch arch) {
  if (const auto found = callgate::arch_from_name(text)) {
    require(callgate::arch_from_name(callgate::info(*found).name) == found);
  }
  if (const auto nr = callgate::syscall_number(arch, text)) {
    const auto name = callgate::syscall_name(arch, *nr);
    require(name && callgate::syscall_number(arch, *name) == nr);
  }
  if (const auto action = callgate::action_from_name(text)) {
    require(callgate::find_action(static_cast<std::uint32_t>(*action)) != nullptr);
  }
  const auto constant = callgate::front_ends::find_constant(text, arch);
  require(constant || !constant.error().empty());
}

}  // namespace

// The first byte chooses the architecture.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const callgate::Arch arch = callgate::arches()[bytes[0] % callgate::arches().size()].arch;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  numbers_and_results(text);
  values(text, arch);
  names(text, arch);
  return 0;
}
