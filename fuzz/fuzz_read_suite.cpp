// Any bytes as what `callgate test` reads: a suite, a table of recorded calls, a pattern, an
// explicit call, libseccomp's .tests. An error with its place, or what is inside of the bounds; no
// file is opened. Calls are written as what is read as the same; patterns hold for the calls that
// they are shown with, by number and by diagram.

#include <array>
#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/require.hpp"
#include "harness/suite/call_pattern.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/suite/scmp/tests_file.hpp"
#include "harness/suite/suite.hpp"
#include "harness/suite/verb.hpp"
#include "vm/arches.hpp"

namespace {

namespace suite = callgate::suite;
using callgate::Arch;
using callgate::fuzz::require;

// So many calls of a suite are looked at closer.
constexpr std::size_t kMostCalls = 200;
constexpr std::array kMachines{Arch::X86_64, Arch::X86,  Arch::X32,   Arch::AArch64,
                               Arch::Arm,    Arch::Mips, Arch::S390x, Arch::Mips64n32};
constexpr std::array kHalves{suite::HighHalf::Any, suite::HighHalf::Extended,
                             suite::HighHalf::Exact};

void check_pattern(std::string_view text, Arch machine, Arch abi, suite::HighHalf high,
                   std::size_t calls) {
  const auto pattern = suite::parse_pattern(text, machine, abi, high);
  if (!pattern) {
    require(!pattern.error().error.message.empty());
    require(pattern.error().error.offset <= text.size());
    return;
  }
  require(pattern->text == text);
  for (const suite::NumberRange& each : pattern->numbers) require(each.first <= each.last);
  for (const suite::ArgumentTest& test : pattern->tests) {
    require(!test.atoms.empty() && test.index <= suite::ArgumentTest::kInstructionPointer);
    for (const suite::Atom& atom : test.atoms) require(atom.first <= atom.last);
  }
  if (calls == 0 || pattern->tests.size() > 8) return;
  for (const suite::ArgumentTest& test : pattern->tests) {
    if (test.atoms.size() > 16) return;
  }
  callgate::verifier::Space space;
  const auto condition = pattern->condition(space);
  for (callgate::SeccompData data : suite::edge_calls(*pattern, {39, 0x5401}, calls)) {
    require(pattern->holds(data));
    require(space.holds(condition, data));
    data.args[0] ^= 1;
    data.args[1] ^= 0x8000000000000000U;
    data.args[2] -= 1;
    require(pattern->holds(data) == space.holds(condition, data));
  }
}

void check_call(std::string_view text, Arch machine) {
  const auto call = suite::parse_explicit_call(text, machine);
  if (!call) {
    require(!call.error().message.empty() && call.error().offset <= text.size());
    return;
  }
  const std::string written = suite::explicit_call_text(*call, machine);
  const auto again = suite::parse_explicit_call(written, machine);
  require(again.has_value() && *again == *call);
  require(suite::explicit_call_text(*again, machine) == written);
}

void check_suite(const suite::Suite& suite) {
  require(!suite.filters.empty() && !suite.arches.empty() && !suite.kernels.empty());
  std::size_t looked_at = 0;
  for (const suite::Expectation& each : suite.expectations) {
    const bool calls = each.kind == suite::Expectation::Kind::Calls;
    require(each.calls.empty() != calls && each.others.empty() == calls);
    const auto verb = suite::parse_verb(each.verb, Arch::X86_64);
    require(verb ? !verb->wanted.empty() || !calls : !verb.error().empty());
    for (const suite::CallText& call : each.calls) {
      require(call.place.line != 0 && call.place.column != 0);
      if (++looked_at > kMostCalls) return;
      check_pattern(call.text, Arch::X86_64, Arch::X86_64, suite::HighHalf::Extended, 0);
      check_pattern(call.text, Arch::Arm, Arch::Arm, suite::HighHalf::Any, 0);
    }
  }
  for (const suite::Recorded& block : suite.recorded) {
    for (const suite::RecordedCall& call : block.calls) {
      if (++looked_at > kMostCalls) return;
      require(call.line != 0 && call.verdict_line != 0 && call.verdict_column != 0);
      check_call(call.call, Arch::X86_64);
      static_cast<void>(suite::parse_recorded_verdict(call.verdict, Arch::X86_64));
    }
  }
}

void check_table(std::string_view text) {
  const auto calls = suite::read_table(text, "table");
  if (!calls) {
    require(calls.error().place.line != 0 && !calls.error().message.empty());
    return;
  }
  std::vector<std::string_view> lines;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = text.find('\n', start);
    lines.push_back(text.substr(start, end == std::string_view::npos ? end : end - start));
    if (end == std::string_view::npos) break;
    start = end + 1;
  }
  std::size_t looked_at = 0;
  for (const suite::RecordedCall& each : *calls) {
    // What it says of places is so: --update writes there.
    require(each.line <= lines.size() && each.verdict_line == each.line);
    const std::string_view line = lines[each.line - 1];
    require(line.substr(each.column - 1).starts_with(each.call));
    require(line.substr(each.verdict_column - 1).starts_with(each.verdict));
    if (++looked_at <= kMostCalls) check_call(each.call, Arch::AArch64);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  // '0' is a suite, '1' a table, '2' a pattern, '3' a call, '4' a .tests file; what is above
  // chooses machines.
  const unsigned kind = bytes[0] % 8U;
  const unsigned choice = bytes[0] / 8U;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  if (kind == 1) {
    check_table(text);
  } else if (kind == 2) {
    // An own ABI, and that of a machine beside it.
    const Arch machine = kMachines[choice % kMachines.size()];
    const suite::HighHalf high = kHalves[choice / kMachines.size() % kHalves.size()];
    check_pattern(text, machine, machine, high, 40);
    check_pattern(text, Arch::X86_64, machine, high, 0);
  } else if (kind == 3) {
    check_call(text, kMachines[choice % kMachines.size()]);
  } else if (kind == 4) {
    const auto file = suite::scmp::parse_tests(text);
    require(file.has_value() || (file.error().line != 0 && !file.error().message.empty()));
  } else {
    // The slash: a file that it names is not looked for in this folder.
    const auto suites = suite::read_suites(text, "nowhere/suite.yaml", false);
    if (!suites) {
      require(!suites.error().message.empty());
      return 0;
    }
    for (const suite::Suite& each : *suites) check_suite(each);
  }
  return 0;
}
