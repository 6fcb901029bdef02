// Whether each language is read as it is written: random programs that the checker accepts, through
// every language that can say them, until COUNT have gone through each; any instructions at all
// through our own listing.
//   callgate_round_trips [COUNT [SEED]]

#include <fmt/format.h>

#include <cstdint>
#include <cstdio>
#include <string>

#include "harness/front_ends/assembler.hpp"
#include "harness/random/generator.hpp"
#include "harness/report/syntaxes.hpp"
#include "vm/opcodes.hpp"

namespace {

using callgate::Instruction;
using callgate::Program;
namespace front_ends = callgate::front_ends;
namespace random_ = callgate::random;
namespace report = callgate::report;

// What a text stands for that leaves out what the language has no place for.
Program without_unused(const Program& program, bool merges) {
  Program out;
  for (const Instruction& each : program) {
    Instruction i = report::used_fields(each);
    const callgate::OpcodeInfo* row = callgate::find_opcode(i.code);
    if (merges && row->kind == callgate::OpcodeKind::Branch && i.jt == i.jf) {
      i = {static_cast<std::uint16_t>(callgate::Opcode::Ja), 0, 0, i.jt};
    }
    out.push_back(i);
  }
  return out;
}

Program any_instructions(random_::Source& source) {
  Program out(1 + source.below(100));
  for (Instruction& i : out) {
    const auto rows = callgate::opcodes();
    const auto any = static_cast<std::uint16_t>(source.below(65536));
    const auto known = rows[source.below(static_cast<std::uint32_t>(rows.size()))].opcode;
    i.code = source.one_in(3) ? any : static_cast<std::uint16_t>(known);
    i.jt = static_cast<std::uint8_t>(source.below(256));
    i.jf = static_cast<std::uint8_t>(source.below(256));
    i.k = random_::edge_word(source);
  }
  return out;
}

class Trips {
 public:
  explicit Trips(std::uint64_t seed) : source_(seed) {}

  // False: a difference, which is printed.
  bool through(const report::SyntaxRow& language, std::uint64_t count) {
    std::uint64_t exact = 0;
    std::uint64_t meant = 0;
    std::uint64_t not_said = 0;
    while (exact + meant < count) {
      const callgate::KernelModel model = any_model();
      const Program program = next_program(model.arch);
      const report::SourceText text = language.write(program, model);
      bool lost = false;
      for (const report::Unsaid& each : text.unsaid) lost = lost || each.lost;
      if (lost) {
        ++not_said;
        continue;
      }
      const bool whole = text.unsaid.empty();
      const Program expected =
          whole ? program : without_unused(program, language.name == "seccomp-tools");
      if (!is_read(text.text, language, model.arch, expected)) return false;
      ++(whole ? exact : meant);
    }
    fmt::print("{}: {} bit for bit, {} without unused fields, {} more cannot be said\n",
               language.name, exact, meant, not_said);
    return true;
  }

  bool garbage(std::uint64_t count) {
    const report::SyntaxRow& language = report::syntaxes().front();
    for (std::uint64_t i = 0; i < count; ++i) {
      const callgate::KernelModel model = any_model();
      const Program program = any_instructions(source_);
      const report::SourceText text = language.write(program, model);
      if (!is_read(text.text, language, model.arch, program)) return false;
    }
    fmt::print("{}: {} programs of any instructions bit for bit\n", language.name, count);
    return true;
  }

 private:
  callgate::KernelModel any_model() {
    const auto rows = callgate::arches();
    callgate::KernelModel model;
    model.arch = rows[source_.below(static_cast<std::uint32_t>(rows.size()))].arch;
    return model;
  }

  // Half of them like filters, whose compares have names; the others, half of them, with values in
  // fields that are not used.
  Program next_program(callgate::Arch arch) {
    if (source_.one_in(2)) {
      const Program program = random_::valid_program(source_);
      return source_.one_in(2) ? program : without_unused(program, false);
    }
    return random_::filter_like(source_, 8 + source_.below(100), callgate::info(arch).token);
  }

  static bool is_read(const std::string& text, const report::SyntaxRow& language,
                      callgate::Arch arch, const Program& expected) {
    front_ends::ReadOptions options;
    options.arch = arch;
    for (const auto& format : {front_ends::input_format_from_name(language.name),
                               std::optional<front_ends::InputFormat>{}}) {
      options.format = format;
      const auto read = front_ends::assemble(text, options);
      if (read && read->program == expected) continue;
      fmt::print(stderr, "{} for {}: {} from\n{}", language.name, callgate::info(arch).name,
                 read ? "another program" : to_string(read.error()), text);
      return false;
    }
    return true;
  }

  random_::Source source_;
};

}  // namespace

int main(int argc, char** argv) {
  const std::uint64_t count = argc > 1 ? std::stoull(argv[1]) : 2000;
  Trips trips(argc > 2 ? std::stoull(argv[2]) : 1);
  bool all = trips.garbage(count);
  for (const report::SyntaxRow& each : report::syntaxes()) all = trips.through(each, count) && all;
  return all ? 0 : 1;
}
