#include "harness/campaign/properties.hpp"

#include <fmt/format.h>

#include "harness/live/call_sites.hpp"
#include "harness/suite/vector_writer.hpp"
#include "vm/arches.hpp"

namespace callgate::campaign {

UnitResult run_unit(Context& context, const Unit& unit) {
  switch (unit.property) {
#define PROPERTY(enumerator, ...) \
  case Property::enumerator:      \
    return run_##enumerator(context, unit);
#include "harness/campaign/properties.def"
#undef PROPERTY
  }
  return Tally{};
}

live::Call any_call(random::Source& source, std::span<const Instruction> program) {
  const auto arch = source.one_in(8) ? Arch::X86 : Arch::X86_64;
  live::Call call{random::input(source, program, info(arch).token), true};
  if (source.one_in(16)) {
    constexpr std::uint64_t kLowest = 0x10002;
    constexpr std::uint64_t kSpan = 0x7ffffff00000;
    call.any_instruction_pointer = false;
    call.data.instruction_pointer = kLowest + source.next() % kSpan;
  }
  return call;
}

std::string finding_name(const Unit& unit, std::uint64_t index) {
  return fmt::format("{}-{}-{}", info(unit.property).token, unit.number, index);
}

std::string finding_story(const Context& context, const Unit& unit, std::string_view what) {
  const Version& kernel = context.model.version;
  return fmt::format(
      "# {}\n"
      "# [live] Linux {}.{}.{}: callgate fuzz-live, seed {}, {} unit {}. Say here which rule it "
      "is.\n",
      what, kernel.major, kernel.minor, kernel.patch, context.settings.seed,
      info(unit.property).token, unit.number);
}

std::string program_block(std::span<const Instruction> program) {
  return "program:\n" + suite::program_text(program);
}

std::string input_line(const SeccompData& data) {
  return fmt::format("input: {}\n", suite::input_text(data, info(Arch::X86_64).token));
}

}  // namespace callgate::campaign
