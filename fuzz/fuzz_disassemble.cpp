// Any instructions: the listings have a line for each, and places that control may go to lie ahead.

#include <algorithm>

#include "fuzz/input.hpp"
#include "harness/report/disassembly.hpp"

using callgate::fuzz::require;

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  namespace report = callgate::report;
  callgate::fuzz::Input input(bytes, size);
  const callgate::KernelModel model = input.take_model();
  const callgate::Program program = input.take_program(5000);
  const auto lines = report::statements(program, model.arch);
  require(lines.size() == program.size());
  for (const std::string& line : lines) require(!line.empty());
  const std::string listing = report::listing(program, model);
  require(std::ranges::count(listing, '\n') >= static_cast<std::ptrdiff_t>(program.size()));
  const std::string assembly = report::bpf_asm(program);
  require(std::ranges::count(assembly, '\n') == static_cast<std::ptrdiff_t>(program.size()));
  for (std::size_t at = 0; at < program.size(); ++at) {
    for (const std::size_t target : report::targets(program[at], at)) require(target > at);
  }
  return 0;
}
