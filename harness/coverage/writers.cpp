#include "harness/coverage/writers.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cmath>

#include "harness/suite/clean_text.hpp"
#include "harness/suite/explicit_call.hpp"

namespace callgate::coverage {
namespace {

constexpr std::array kWriters = {
    WriterRow{"text", "percentages, and calls that would cover the rest", text_summary},
    WriterRow{"listing", "programs and rules with counts in the margin", annotated_listing},
    WriterRow{"lcov", "a tracefile for lcov and genhtml", lcov_tracefile},
    WriterRow{"cobertura", "XML as Cobertura writes it", cobertura},
    WriterRow{"json", "JSON by coverage.schema.json", coverage_json},
};

}  // namespace

std::span<const WriterRow> writers() noexcept { return kWriters; }

const WriterRow* find_writer(std::string_view name) noexcept {
  const auto found = std::ranges::find(kWriters, name, &WriterRow::name);
  return found == kWriters.end() ? nullptr : &*found;
}

std::string program_name(const Report& report, const ProgramCoverage& program) {
  const auto others = [&](auto&& same) {
    return std::ranges::any_of(report.programs, [&](const ProgramCoverage& each) {
      return &each != &program && each.file == program.file && same(each);
    });
  };
  std::string out = suite::one_line(program.file);
  if (others([](const ProgramCoverage&) { return true; })) {
    out += fmt::format(", {}", info(program.arch).name);
  }
  if (others([&](const ProgramCoverage& each) { return each.arch == program.arch; })) {
    std::vector<std::string> kernels;
    for (const Version& each : program.kernels) kernels.push_back(to_string(each));
    out += fmt::format(", Linux {}", fmt::join(kernels, " "));
  }
  return out;
}

std::string call_words(const Report& report, const SeccompData& call, Arch machine) {
  const bool several = std::ranges::any_of(
      report.programs, [&](const ProgramCoverage& each) { return each.arch != machine; });
  // Of another machine each ABI of this one is a foreign one, and named.
  const Arch other = machine == Arch::Sheb ? Arch::Sh : Arch::Sheb;
  return suite::explicit_call_text(call, several ? other : machine);
}

std::string way_words(const Instruction& jump, std::size_t at, bool taken) {
  const std::string out = fmt::format("to {:04}", at + 1 + (taken ? jump.jt : jump.jf));
  if (jump.jt != jump.jf) return out;
  return out + (taken ? " (taken)" : " (not taken)");
}

std::string percent_words(const Count& count) {
  // Rounded down: what is nearly all is not all.
  return fmt::format("{:.1f} %", std::floor(count.percent() * 10) / 10);
}

}  // namespace callgate::coverage
