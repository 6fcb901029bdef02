// Any text in the languages of assemblers: a program whose instructions have lines that rise, or an
// error with its place; written in each language that can say it, it is read as the same.

#include <algorithm>
#include <array>
#include <cstdint>
#include <string_view>

#include "fuzz/require.hpp"
#include "fuzz/writers.hpp"
#include "harness/front_ends/assembler.hpp"

using callgate::fuzz::require;

namespace {

namespace front_ends = callgate::front_ends;
using front_ends::InputFormat;

constexpr std::array kLanguages = {InputFormat::Listing, InputFormat::BpfAsm,
                                   InputFormat::SeccompTools, InputFormat::Ceccomp};

void is_read_again(const callgate::Program& program, callgate::Arch arch) {
  callgate::KernelModel model;
  model.arch = arch;
  for (const callgate::report::SyntaxRow& language : callgate::report::syntaxes()) {
    const callgate::report::SourceText text = language.write(program, model);
    if (!text.unsaid.empty()) continue;
    front_ends::ReadOptions options;
    options.arch = arch;
    options.format = front_ends::input_format_from_name(language.name);
    const auto again = front_ends::assemble(text.text, options);
    if (!again || again->program != program) {
      callgate::fuzz::fail(std::string(language.name) + ": " +
                           (again ? "another program" : to_string(again.error())) + " from\n" +
                           text.text);
    }
  }
}

}  // namespace

// The first byte chooses the architecture (the lower five bits) and the language.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  front_ends::ReadOptions options;
  const auto arches = callgate::arches();
  options.arch = arches[(bytes[0] & 0x1fU) % arches.size()].arch;
  const std::size_t language = bytes[0] >> 5U;
  if (language < kLanguages.size()) options.format = kLanguages[language];
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  const auto read = front_ends::assemble(text, options);
  if (!read) {
    require(!read.error().message.empty());
    require(!read.error().offset || *read.error().offset <= text.size());
    return 0;
  }
  require(!read->program.empty() && read->program.size() <= front_ends::kMaxReadLength);
  require(read->lines.size() == read->program.size());
  require(std::ranges::is_sorted(read->lines));
  const auto lines = static_cast<std::size_t>(std::ranges::count(text, '\n')) + 1;
  require(read->lines.front() > 0 && read->lines.back() <= lines);
  is_read_again(read->program, options.arch);
  return 0;
}
