#include "harness/suite/vector_writer.hpp"

#include <fmt/format.h>

#include <iterator>
#include <string_view>

#include "vm/actions.hpp"
#include "vm/arches.hpp"
#include "vm/opcodes.hpp"

namespace callgate::suite {
namespace {

std::string_view operand_form(Operand operand) {
  switch (operand) {
    case Operand::None:
      return "";
    case Operand::K:
      return " #{}";
    case Operand::X:
      return " x";
    case Operand::A:
      return " a";
    case Operand::Data:
      return " [{}]";
    case Operand::Memory:
      return " M[{}]";
    case Operand::Length:
      return " len";
  }
  return "";
}

// Whether the words for a row are read as that row: several loads share theirs.
bool words_are_its_own(const OpcodeInfo& row) {
  for (const OpcodeInfo& other : opcodes()) {
    if (other.mnemonic == row.mnemonic && other.operand == row.operand) return &other == &row;
  }
  return false;
}

std::string number(std::uint64_t value) {
  return value < 0x1000 ? fmt::format("{}", value) : fmt::format("0x{:x}", value);
}

std::string instruction_text(const Instruction& i) {
  const auto in_fields = [&] {
    return fmt::format("{{ 0x{:02x}, {}, {}, {} }}", i.code, i.jt, i.jf, number(i.k));
  };
  const OpcodeInfo* row = find_opcode(i.code);
  if (row == nullptr || !words_are_its_own(*row)) return in_fields();
  const bool branch = row->kind == OpcodeKind::Branch;
  if (!branch && (i.jt != 0 || i.jf != 0)) return in_fields();
  if (row->opcode == Opcode::Ja) return fmt::format("jmp {}", i.k);
  const std::string_view form = operand_form(row->operand);
  if (!form.contains('{') && i.k != 0) return in_fields();
  if (row->opcode == Opcode::RetK && find_action(i.k & kActionMask) != nullptr) {
    return fmt::format("ret {}", result_text(i.k));
  }
  std::string out =
      fmt::format("{}{}", row->mnemonic, fmt::format(fmt::runtime(form), number(i.k)));
  if (branch) out += fmt::format(", {}, {}", i.jt, i.jf);
  return out;
}

std::string arch_text(std::uint32_t token) {
  const auto arch = arch_from_token(token);
  return arch ? std::string(info(*arch).name) : fmt::format("0x{:x}", token);
}

std::string diagnostic_text(const Diagnostic& diagnostic) {
  std::string out(info(diagnostic.id).name);
  if (diagnostic.instruction) out += fmt::format(" at {}", *diagnostic.instruction);
  const auto& [first, second] = diagnostic.operands;
  if (second != 0) {
    out += fmt::format(" ({}, {})", first, second);
  } else if (first != 0) {
    out += fmt::format(" ({})", first);
  }
  return out;
}

class Writer {
 public:
  explicit Writer(const Vector& vector) : vector_(vector) {}

  std::string run() {
    write_story();
    write_kernel();
    for (const VectorProgram& program : vector_.programs) write_program(program);
    if (vector_.kind == VectorKind::Check) write_check();
    if (vector_.kind == VectorKind::Outcome) write_surroundings();
    for (const VectorCase& each : vector_.cases) write_case(each);
    return fmt::to_string(out_);
  }

 private:
  template <typename... Arguments>
  void add(fmt::format_string<Arguments...> format, Arguments&&... arguments) {
    fmt::format_to(std::back_inserter(out_), format, std::forward<Arguments>(arguments)...);
  }

  void write_story() {
    for (std::string_view rest = vector_.story; !rest.empty();) {
      const std::size_t end = rest.find('\n');
      const std::string_view line = rest.substr(0, end);
      add("#{}{}\n", line.empty() ? "" : " ", line);
      rest.remove_prefix(end == std::string_view::npos ? rest.size() : end + 1);
    }
  }

  void write_kernel() {
    const KernelModel& kernel = vector_.kernel;
    const KernelModel left_out;
    if (kernel.version != left_out.version) add("kernel: {}\n", to_string(kernel.version));
    if (kernel.arch != left_out.arch) add("arch: {}\n", info(kernel.arch).name);
    if (kernel.blinds_constants) add("blinding: yes\n");
    if (kernel.engine == KernelEngine::Interpreter) add("engine: interpreter\n");
    for (const Feature feature : vector_.features) {
      for (const FeatureInfo& row : features()) {
        if (row.feature == feature) add("feature: {}\n", row.name);
      }
    }
  }

  void write_program(const VectorProgram& program) {
    add("program:{}{}\n{}", program.times > 1 ? fmt::format(" {} times", program.times) : "",
        program.flags.log ? " log" : "", program_text(program.instructions));
  }

  void write_check() {
    if (vector_.refused) {
      add("refused: {}\n", *vector_.refused == InstallError::Invalid ? "EINVAL" : "ENOMEM");
      for (const Diagnostic& each : vector_.diagnostics) add("  {}\n", diagnostic_text(each));
    } else {
      add("accepted\n");
    }
    if (vector_.length) add("length: {}\n", *vector_.length);
    if (!vector_.counts) return;
    add("counts as new: {}\ncounts as attached: {}\n", vector_.counts->as_new,
        vector_.counts->as_attached);
  }

  void write_surroundings() {
    if (vector_.strict) add("mode: strict\n");
    if (vector_.value) add("value: {}\n", result_text(*vector_.value));
    if (vector_.around.tracer) add("tracer: yes\n");
    if (vector_.around.listener) add("listener: yes\n");
    if (vector_.around.log_flag) add("log flag: yes\n");
    if (!vector_.around.only_thread) add("threads: 2\n");
    if (vector_.around.sigsys_blocked_or_ignored) add("sigsys: blocked\n");
  }

  void write_case(const VectorCase& each) {
    add("input: {}\n", input_text(each.data, info(vector_.kernel.arch).token));
    if (each.undefined) {
      add("returns: undefined\n");
    } else if (each.returns) {
      add("returns: {}\n", result_text(*each.returns));
    }
    if (each.executed) add("executed: {}\n", *each.executed);
    if (each.verdict) {
      const auto winner = each.verdict->winner;
      add("verdict: {} winner {}\n", result_text(each.verdict->value),
          winner ? fmt::format("{}", *winner) : "none");
    }
    if (each.outcome) write_outcome(*each.outcome);
    if (each.logged) add("logged: {}\n", *each.logged ? "yes" : "no");
    if (each.core) add("core: {}\n", *each.core ? "yes" : "no");
    write_siginfo(each.siginfo);
  }

  void write_outcome(const ExpectedOutcome& outcome) {
    add("outcome: {}", to_string(outcome.kind));
    switch (outcome.kind) {
      case OutcomeKind::Returns:
      case OutcomeKind::Sigsys:
      case OutcomeKind::ThreadDies:
      case OutcomeKind::ProcessDies:
      case OutcomeKind::TracerDecides:
        add(" {}", outcome.number);
        break;
      case OutcomeKind::Executes:
      case OutcomeKind::ListenerDecides:
      case OutcomeKind::Unknown:
        break;
    }
    add("\n");
  }

  void write_siginfo(const ExpectedSiginfo& siginfo) {
    std::string out;
    if (siginfo.signo) out += fmt::format(" signo={}", *siginfo.signo);
    if (siginfo.code) out += fmt::format(" code={}", *siginfo.code);
    if (siginfo.error) out += fmt::format(" errno={}", *siginfo.error);
    if (siginfo.call_addr) out += fmt::format(" addr=0x{:x}", *siginfo.call_addr);
    if (siginfo.syscall) out += fmt::format(" syscall={}", *siginfo.syscall);
    if (siginfo.arch) out += fmt::format(" arch={}", arch_text(*siginfo.arch));
    if (!out.empty()) add("siginfo:{}\n", out);
  }

  const Vector& vector_;
  fmt::memory_buffer out_;
};

}  // namespace

std::string result_text(std::uint32_t value) {
  const ActionInfo* row = find_action(value & kActionMask);
  if (row == nullptr) return fmt::format("0x{:08x}", value);
  const std::uint32_t data = value & kDataMask;
  return data == 0 ? std::string(row->name) : fmt::format("{}({})", row->name, data);
}

std::string program_text(std::span<const Instruction> program, const std::string& indent) {
  std::string out;
  for (std::size_t i = 0; i < program.size();) {
    std::size_t same = 1;
    while (i + same < program.size() && program[i + same] == program[i]) ++same;
    const bool repeats = same > 2;
    out += indent;
    if (repeats) out += fmt::format("repeat {}: ", same);
    out += instruction_text(program[i]) + "\n";
    i += repeats ? same : 1;
  }
  return out;
}

std::string input_text(const SeccompData& data, std::uint32_t token) {
  std::string out = fmt::format("nr={}", data.nr);
  if (data.arch != token) out += fmt::format(" arch={}", arch_text(data.arch));
  if (data.instruction_pointer != 0) out += fmt::format(" ip=0x{:x}", data.instruction_pointer);
  std::size_t count = data.args.size();
  while (count > 0 && data.args[count - 1] == 0) --count;
  for (std::size_t i = 0; i < count; ++i) {
    out += fmt::format("{}{}", i == 0 ? " args=" : ",", number(data.args[i]));
  }
  return out;
}

std::string vector_text(const Vector& vector) { return Writer(vector).run(); }

}  // namespace callgate::suite
