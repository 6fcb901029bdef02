#include "harness/lab/session.hpp"

#include <fmt/format.h>

#include "harness/lab/probes.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace callgate::lab {
namespace {

void differs(Report& report, const Program& program, std::string words) {
  ++report.differences;
  if (report.first.size() >= 5) return;
  for (const Instruction& i : program) {
    words += fmt::format("\n    {{ 0x{:02x}, {}, {}, 0x{:08x} }},", i.code, i.jt, i.jf, i.k);
  }
  report.first.push_back(std::move(words));
}

ByteOrder order_of(const LabKernel& kernel) { return info(kernel.platform.arch).byte_order; }

std::vector<ProbeQuestion> probe_questions() {
  std::vector<ProbeQuestion> out;
  for (const Probe& each : probes()) {
    out.push_back({static_cast<std::uint32_t>(each.kind), each.argument});
  }
  return out;
}

void judge_probes(const Console& console, const KernelModel& model, Arch calls, Report& report) {
  for (std::size_t i = 0; i < console.probes.size(); ++i) {
    const Probe& probe = probes()[i];
    const Seen seen{probe.name, console.probes[i], expected(probe, model, calls)};
    report.seen.push_back(seen);
    if (!seen.expected || seen.expected == seen.value) continue;
    differs(report, {},
            fmt::format("{}: we say {}, the kernel {}", seen.probe, *seen.expected, seen.value));
  }
}

}  // namespace

// "5.10.0-32-cloud-amd64 #1 SMP Debian 5.10.223-1 (2024-08-10)": the patch level stands last.
Version version_of(std::string_view release) {
  const std::size_t mark = release.find("Debian ");
  if (mark != std::string_view::npos) {
    std::string_view exact = release.substr(mark + 7);
    exact = exact.substr(0, exact.find_first_of("- "));
    if (const auto version = parse_version(exact)) return *version;
  }
  return parse_version(release.substr(0, release.find(' '))).value_or(kNewestVersion);
}

std::string_view to_string(Ending ending) noexcept {
  switch (ending) {
    case Ending::Passed:
      return "passed";
    case Ending::Failed:
      return "failed";
    case Ending::Skipped:
      return "skipped";
  }
  return "";
}

Session::Session(const LabKernel& kernel, const Amount& amount, const std::vector<Case>& cases)
    : kernel_(kernel) {
  // The place of the call is the guest's to tell: programs that return it come first.
  ask({{0x20, 0, 0, 8}, {0x16, 0, 0, 0}}, {SeccompData{}});
  ask({{0x20, 0, 0, 12}, {0x16, 0, 0, 0}}, {SeccompData{}});
  for (const Case& each : cases) {
    accept(each.program);
    if (!each.inputs.empty()) ask(each.program, each.inputs);
  }
  ask_shifts();
  random::Source source(amount.seed);
  const std::uint32_t programs = amount.programs / kernel.platform.slowness;
  for (std::uint32_t i = 0; i < programs; ++i) {
    const Program program = random::valid_program(source);
    accept(random::mutated(source, program, random::valid_program(source)));
    std::vector<SeccompData> inputs;
    for (std::uint32_t j = 0; j < amount.inputs; ++j) {
      inputs.push_back(random::input(source, program, info(kernel_.calls).token));
    }
    ask(program, inputs);
  }
}

void Session::accept(const Program& program) {
  if (program.size() > 65535) return;
  accepts_.emplace_back(questions_.size(), program);
  questions_.push_back({program, {}});
}

void Session::ask(const Program& program, const std::vector<SeccompData>& inputs, bool shifts) {
  KernelModel model;
  model.arch = kernel_.platform.arch;
  if (!verifier::check(program, model)) return;
  Asked out{program, inputs, live::rewrite(program), questions_.size(), shifts};
  for (SeccompData& each : out.inputs) fit(each);
  if (out.rewritten.kind == live::RewriteKind::NoRoom) {
    not_asked_ += out.inputs.size();
    return;
  }
  for (const Program& part : out.rewritten.programs) {
    Question question{part, {}};
    for (const SeccompData& each : out.inputs) {
      if (out.rewritten.kind != live::RewriteKind::Selected) {
        question.calls.push_back(each);
        continue;
      }
      for (const std::uint32_t shift : {0U, 12U, 24U}) {
        question.calls.push_back(selected(each, out.rewritten.selector, shift));
      }
    }
    questions_.push_back(std::move(question));
  }
  asked_.push_back(std::move(out));
}

// A <<= X and A >>= X for X of 0 to 255 and some beyond: what architectures disagree about.
void Session::ask_shifts() {
  std::vector<SeccompData> inputs;
  const auto add = [&](std::uint64_t x, std::uint64_t a) {
    SeccompData data;
    // In both halves: the program reads the word that comes first.
    data.args[0] = x << 32U | x;
    data.args[1] = a << 32U | a;
    inputs.push_back(data);
  };
  for (std::uint64_t x = 0; x < 256; ++x) {
    for (const std::uint64_t a : {0x80000001U, 0xffffffffU}) add(x, a);
  }
  for (const std::uint64_t x :
       {256U, 257U, 287U, 288U, 0x100001fU, 0x80000000U, 0xffffffe0U, 0xffffffffU}) {
    add(x, 0xc0000003U);
  }
  for (const std::uint16_t code : {std::uint16_t{0x6c}, std::uint16_t{0x7c}}) {
    ask({{0x20, 0, 0, 16}, {0x07, 0, 0, 0}, {0x20, 0, 0, 24}, {code, 0, 0, 0}, {0x16, 0, 0, 0}},
        inputs, true);
  }
}

// The word at the argument's lower offset: the low half of it, or the high on big-endian.
SeccompData Session::selected(SeccompData data, std::size_t argument, std::uint32_t shift) const {
  std::uint64_t& to = data.args[argument];
  to = order_of(kernel_) == ByteOrder::Little
           ? (to & ~0xffffffffULL) | shift
           : (to & 0xffffffffULL) | static_cast<std::uint64_t>(shift) << 32U;
  return data;
}

// What calls of this ABI can be: numbers that reach the filter as they are, registers' widths.
void Session::fit(SeccompData& data) const {
  data.arch = info(kernel_.calls).token;
  if (kernel_.calls != Arch::X86_64) {
    // s390x takes numbers of its table alone from the register; ARM has private ones.
    data.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(data.nr) % 400U +
                                        info(kernel_.calls).number_base);
  }
  // 335 and 336 pass all filters on newer kernels; probes ask about them.
  if (kernel_.calls == Arch::X86_64 && (data.nr == 335 || data.nr == 336)) data.nr = 334;
  if (info(kernel_.calls).bits == 32) {
    for (std::uint64_t& each : data.args) each &= 0xffffffffULL;
  }
}

std::optional<std::uint32_t> Session::value(const Asked& asked, std::size_t input,
                                            const Console& console) const {
  const auto at = [&](std::size_t part, std::size_t call) -> std::uint16_t {
    const Answer& answer = console.answers[asked.first + part];
    return answer.error == 0 && call < answer.values.size() ? answer.values[call] : kNoValue;
  };
  if (asked.rewritten.kind == live::RewriteKind::ByIndex) {
    const std::uint16_t got = at(0, input);
    if (got == kKilled) return 0;
    if (got >= asked.rewritten.constants.size()) return std::nullopt;
    return asked.rewritten.constants[got];
  }
  std::uint32_t out = 0;
  std::size_t killed = 0;
  for (std::uint32_t i = 0; i < 3; ++i) {
    const bool one = asked.rewritten.kind == live::RewriteKind::Selected;
    const std::uint16_t got = one ? at(0, 3 * input + i) : at(i, input);
    if (got == kKilled) {
      ++killed;
    } else if (got > 0xfff) {
      return std::nullopt;
    } else {
      out |= static_cast<std::uint32_t>(got) << (12 * i);
    }
  }
  // A division by 0 ends all three, or none.
  if (killed != 0 && killed != 3) return std::nullopt;
  return killed == 3 ? 0 : out;
}

void Session::judge_values(const Asked& asked, std::uint64_t place, const Console& console,
                           const KernelModel& model, Report& report) const {
  for (std::size_t i = 0; i < asked.inputs.size(); ++i) {
    SeccompData data = asked.inputs[i];
    data.instruction_pointer = place;
    const auto ours = reference::run(asked.program, data, model);
    if (ours.fault == reference::Fault::UndefinedShift) {
      ++report.not_asked;
      continue;
    }
    ++report.values;
    if (asked.shifts) ++report.shifts;
    const auto got = value(asked, i, console);
    if (got != ours.value) {
      differs(
          report, asked.program,
          fmt::format("nr {}, first arguments 0x{:x} and 0x{:x}: we return 0x{:08x}, the kernel {}",
                      data.nr, data.args[0], data.args[1], ours.value,
                      got ? fmt::format("0x{:08x}", *got) : std::string("nothing")));
    }
  }
}

void Session::judge_answers(const Console& console, Report& report) const {
  KernelModel model;
  model.arch = kernel_.platform.arch;
  model.version = version_of(console.release);
  model.engine = console.jit == "1" ? KernelEngine::Jit : KernelEngine::Interpreter;
  judge_probes(console, model, kernel_.calls, report);
  for (const auto& [index, program] : accepts_) {
    const auto ours = verifier::check(program, model);
    const auto wanted = ours ? 0U : static_cast<std::uint32_t>(ours.error().error);
    ++report.acceptances;
    if (console.answers[index].error != wanted) {
      differs(report, program,
              fmt::format("installing: we give {}, the kernel {}", wanted,
                          console.answers[index].error));
    }
  }
  std::uint64_t place = 0;
  for (std::size_t i = 0; i < asked_.size(); ++i) {
    if (i >= 2) {
      judge_values(asked_[i], place, console, model, report);
      continue;
    }
    const auto got = value(asked_[i], 0, console);
    if (!got) {
      differs(report, asked_[i].program, "no instruction pointer");
      return;
    }
    const bool high = (i == 1) == (order_of(kernel_) == ByteOrder::Little);
    place |= static_cast<std::uint64_t>(*got) << (high ? 32U : 0U);
  }
}

Report Session::judge(std::string_view console_text) const {
  Report report;
  report.name = kernel_.name;
  report.ending = Ending::Failed;
  report.not_asked = not_asked_;
  const auto console = parse_console(console_text);
  if (!console || console->answers.size() != questions_.size() ||
      console->probes.size() != probes().size()) {
    report.reason = "the guest's answers are cut or damaged; " + last_words(console_text);
    return report;
  }
  report.release = console->release;
  report.jit = console->jit;
  report.reason = jit_differs(kernel_, console->jit);
  if (!report.reason.empty()) return report;
  judge_answers(*console, report);
  settle(report);
  return report;
}

std::string jit_differs(const LabKernel& kernel, std::string_view jit) {
  const std::string_view wanted = kernel.jit == 1 ? "1" : "0";
  if (kernel.jit >= 2 || jit == wanted) return {};
  return fmt::format("net.core.bpf_jit_enable is '{}' and not {}", jit, wanted);
}

std::expected<std::string, Trouble> answers_of(const LabKernel& kernel, const std::string& request,
                                               Clock clock, std::chrono::seconds patience,
                                               const WorkFolder& work) {
  const auto agent = build_agent(kernel, work.path());
  if (!agent) return std::unexpected(agent.error());
  const auto image = fetch_kernel(kernel, work.path());
  if (!image) return std::unexpected(image.error());
  const std::string files =
      initrd({{"dev", "", 040755}, {"init", slurp(*agent), 0100755}, {"request", request}});
  return boot(kernel, *image, files, work.path(), patience, clock);
}

Report examine(const LabKernel& kernel, const Amount& amount, const std::vector<Case>& cases,
               const WorkFolder& work) {
  const auto start = std::chrono::steady_clock::now();
  const Session session(kernel, amount, cases);
  const std::string request =
      encode_request(probe_questions(), session.questions(), {}, kernel.jit, order_of(kernel));
  const auto text = answers_of(kernel, request, Clock::Real, amount.patience, work);
  if (!text) return troubled<Report>(kernel, text.error());
  Report report = session.judge(*text);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace callgate::lab
