// Any instructions: written in any form and read again they are the same; the listings have a line
// for each, and places that control may go to lie ahead.

#include <algorithm>

#include "fuzz/case.hpp"
#include "fuzz/mutator.hpp"
#include "fuzz/require.hpp"
#include "fuzz/writers.hpp"
#include "harness/report/syntaxes.hpp"
#include "harness/suite/vector_writer.hpp"

using callgate::fuzz::require;

CALLGATE_FUZZ_MUTATOR(callgate::fuzz::Want::Any)

namespace {

namespace front_ends = callgate::front_ends;
namespace report = callgate::report;

void is_read_again(const callgate::Program& program, callgate::ByteOrder order) {
  for (const front_ends::InputFormatRow& row : front_ends::input_formats()) {
    const auto text = callgate::fuzz::written(program, row.format, order);
    if (!text) continue;
    const auto read = front_ends::read_program(
        *text, {.format = row.format, .arch = callgate::Arch::X86_64, .order = order});
    if (!read || read->program != program) {
      callgate::fuzz::fail(std::string(row.name) + ": " +
                           (read ? "another program" : to_string(read.error())) + " from\n" +
                           *text);
    }
  }
}

void is_assembled_again(const callgate::Program& program) {
  const std::string text = callgate::suite::program_text(program, "");
  std::vector<callgate::suite::VectorLine> lines;
  for (std::string_view rest = text; !rest.empty();) {
    const std::size_t end = rest.find('\n');
    lines.push_back({lines.size() + 1, rest.substr(0, end)});
    rest.remove_prefix(end + 1);
  }
  const auto again = callgate::suite::parse_vector_program(lines);
  if (!again || *again != program) callgate::fuzz::fail("another program from\n" + text);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  const callgate::fuzz::Case a_case = callgate::fuzz::case_of({bytes, size});
  const callgate::KernelModel model = a_case.model();
  const callgate::Program& program = a_case.program();
  const auto lines = report::statements(program, model.arch);
  require(lines.size() == program.size());
  for (const std::string& line : lines) require(!line.empty());
  const std::string listing = report::listing(program, model);
  require(std::ranges::count(listing, '\n') >= static_cast<std::ptrdiff_t>(program.size()));
  const std::string assembly = report::bpf_asm(program).text;
  require(std::ranges::count(assembly, '\n') == static_cast<std::ptrdiff_t>(program.size()));
  for (std::size_t at = 0; at < program.size(); ++at) {
    for (const std::size_t target : report::targets(program[at], at)) require(target > at);
  }
  if (program.empty()) return 0;
  is_read_again(program, callgate::info(model.arch).byte_order);
  is_assembled_again(program);
  return 0;
}
