#include "harness/lab/session.hpp"

#include <fmt/format.h>

#include <chrono>

#include "harness/lab/guest_files.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace callgate::lab {
namespace {

// A program as it is asked: `parts` questions from `first` on, so many calls an input.
struct Asked {
  Program program;
  std::vector<SeccompData> inputs;
  live::Rewritten rewritten;
  std::size_t first = 0;
};

class Session {
 public:
  Session(const LabKernel& kernel, Report& report) : kernel_(kernel), report_(report) {}

  void fill(const Amount& amount, const std::vector<Case>& cases) {
    // The place of the call is the guest's to tell: programs that return it come first.
    ask({{0x20, 0, 0, 8}, {0x16, 0, 0, 0}}, {SeccompData{}});
    ask({{0x20, 0, 0, 12}, {0x16, 0, 0, 0}}, {SeccompData{}});
    for (const Case& each : cases) {
      accept(each.program);
      if (!each.inputs.empty()) ask(each.program, each.inputs);
    }
    random::Source source(amount.seed);
    for (std::uint32_t i = 0; i < amount.programs; ++i) {
      const Program program = random::valid_program(source);
      accept(random::mutated(source, program, random::valid_program(source)));
      std::vector<SeccompData> inputs;
      for (std::uint32_t j = 0; j < amount.inputs; ++j) {
        inputs.push_back(random::input(source, program, info(kernel_.calls).token));
      }
      ask(program, inputs);
    }
  }

  [[nodiscard]] const std::vector<Question>& questions() const { return questions_; }

  void judge(const Console& console) {
    KernelModel model;
    model.arch = kernel_.arch;
    model.version = version_of(console.release);
    model.engine = console.jit == "1" ? KernelEngine::Jit : KernelEngine::Interpreter;
    for (const auto& [index, program] : accepts_) {
      const auto ours = verifier::check(program, model);
      const auto expected = ours ? 0U : static_cast<std::uint32_t>(ours.error().error);
      ++report_.acceptances;
      if (console.answers[index].error != expected) {
        differs(program, fmt::format("installing: we give {}, the kernel {}", expected,
                                     console.answers[index].error));
      }
    }
    std::uint64_t place = 0;
    for (std::size_t i = 0; i < asked_.size(); ++i) {
      if (i < 2) {
        const auto got = value(asked_[i], 0, console);
        if (!got) {
          differs(asked_[i].program, "no instruction pointer");
          return;
        }
        const bool high = (i == 1) == (order() == ByteOrder::Little);
        place |= static_cast<std::uint64_t>(*got) << (high ? 32U : 0U);
      } else {
        judge(asked_[i], place, console, model);
      }
    }
  }

 private:
  [[nodiscard]] ByteOrder order() const { return info(kernel_.arch).byte_order; }

  void accept(const Program& program) {
    if (program.size() > 65535) return;
    accepts_.emplace_back(questions_.size(), program);
    questions_.push_back({program, {}});
  }

  void ask(const Program& program, std::vector<SeccompData> inputs) {
    KernelModel model;
    model.arch = kernel_.arch;
    if (!verifier::check(program, model)) return;
    for (SeccompData& each : inputs) fit(each);
    Asked out{program, std::move(inputs), live::rewrite(program), questions_.size()};
    if (out.rewritten.kind == live::RewriteKind::NoRoom) {
      report_.not_asked += out.inputs.size();
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

  // The word at the argument's lower offset: the low half of it, or the high on big-endian.
  [[nodiscard]] SeccompData selected(SeccompData data, std::size_t argument,
                                     std::uint32_t shift) const {
    std::uint64_t& to = data.args[argument];
    to = order() == ByteOrder::Little
             ? (to & ~0xffffffffULL) | shift
             : (to & 0xffffffffULL) | static_cast<std::uint64_t>(shift) << 32U;
    return data;
  }

  // What calls of this ABI can be: numbers that reach the filter as they are, registers' widths.
  void fit(SeccompData& data) const {
    data.arch = info(kernel_.calls).token;
    if (kernel_.calls != Arch::X86_64) {
      // s390x takes numbers of its table alone from the register; ARM has private ones.
      data.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(data.nr) % 400U);
    }
    if (info(kernel_.calls).bits == 32) {
      for (std::uint64_t& each : data.args) each &= 0xffffffffULL;
    }
  }

  [[nodiscard]] std::optional<std::uint32_t> value(const Asked& asked, std::size_t input,
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

  void judge(const Asked& asked, std::uint64_t place, const Console& console,
             const KernelModel& model) {
    for (std::size_t i = 0; i < asked.inputs.size(); ++i) {
      SeccompData data = asked.inputs[i];
      data.instruction_pointer = place;
      const auto ours = reference::run(asked.program, data, model);
      if (ours.fault == reference::Fault::UndefinedShift) {
        ++report_.not_asked;
        continue;
      }
      ++report_.values;
      const auto got = value(asked, i, console);
      if (got != ours.value) {
        differs(asked.program,
                fmt::format("nr {}: we return 0x{:08x}, the kernel {}", data.nr, ours.value,
                            got ? fmt::format("0x{:08x}", *got) : std::string("nothing")));
      }
    }
  }

  void differs(const Program& program, std::string words) {
    ++report_.differences;
    if (report_.first.size() >= 5) return;
    for (const Instruction& i : program) {
      words += fmt::format("\n    {{ 0x{:02x}, {}, {}, 0x{:08x} }},", i.code, i.jt, i.jf, i.k);
    }
    report_.first.push_back(std::move(words));
  }

  // "5.10.0-32-cloud-amd64 #1 SMP Debian 5.10.223-1 (2024-08-10)": the patch level stands last.
  static Version version_of(std::string_view release) {
    const std::size_t mark = release.find("Debian ");
    if (mark != std::string_view::npos) {
      std::string_view exact = release.substr(mark + 7);
      exact = exact.substr(0, exact.find_first_of("- "));
      if (const auto version = parse_version(exact)) return *version;
    }
    return parse_version(release.substr(0, release.find(' '))).value_or(kNewestVersion);
  }

  const LabKernel& kernel_;
  Report& report_;
  std::vector<Question> questions_{};
  std::vector<Asked> asked_{};
  std::vector<std::pair<std::size_t, Program>> accepts_{};
};

}  // namespace

Report examine(const LabKernel& kernel, const Amount& amount, const std::vector<Case>& cases,
               const WorkFolder& work) {
  Report report;
  report.name = kernel.name;
  const auto start = std::chrono::steady_clock::now();
  const auto agent = build_agent(kernel, work.path());
  if (!agent) {
    report.skipped = agent.error();
    return report;
  }
  const auto image = fetch_kernel(kernel, work.path());
  if (!image) {
    report.skipped = image.error();
    return report;
  }
  Session session(kernel, report);
  session.fill(amount, cases);
  const std::string files = initrd(
      {{"dev", "", 040755},
       {"init", slurp(*agent), 0100755},
       {"request", encode_request(session.questions(), kernel.jit, info(kernel.arch).byte_order)}});
  const auto text = boot(kernel, *image, files, work.path());
  if (!text) {
    report.skipped = text.error();
    return report;
  }
  const auto console = parse_console(*text);
  if (!console || console->answers.size() != session.questions().size()) {
    report.skipped = "the console's output is cut or damaged";
    return report;
  }
  report.release = console->release;
  report.jit = console->jit;
  if (kernel.jit < 2 && console->jit != (kernel.jit == 1 ? "1" : "0")) {
    report.skipped = "net.core.bpf_jit_enable could not be set";
    return report;
  }
  session.judge(*console);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace callgate::lab
