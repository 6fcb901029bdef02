#pragma once

#include <chrono>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <vector>

#include "harness/lab/guest_files.hpp"
#include "harness/lab/kernels.hpp"
#include "harness/lab/machine.hpp"
#include "harness/live/value_oracle.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

namespace callgate::lab {

/// Programs and inputs that are always asked, besides random ones.
struct Case {
  Program program;
  std::vector<SeccompData> inputs;
};

/// How much is asked.
struct Amount {
  /// random ones for values, as many mutants for acceptance; fewer on slow platforms
  std::uint32_t programs = 1000;
  std::uint32_t inputs = 20;
  std::uint64_t seed = 1;
  std::chrono::seconds patience{300};  ///< for a boot
};

/// What a probe gave.
struct Seen {
  std::string_view probe;
  std::int64_t value = 0;
  std::optional<std::int64_t> expected;  ///< nothing: not judged
};

/// How a boot ended.
enum class Ending : std::uint8_t {
  Passed,   ///< it answered everything, and agrees
  Failed,   ///< it differs, or did not answer: `reason`
  Skipped,  ///< what it needs is not to be had: `reason`
};

/// "passed", "failed", "skipped"
[[nodiscard]] std::string_view to_string(Ending ending) noexcept;

/// How a kernel did.
struct Report {
  std::string name;
  Ending ending = Ending::Skipped;
  std::string reason;  ///< Failed, Skipped: why
  std::string release;
  std::string jit;
  std::uint64_t values = 0;       ///< 32-bit values compared
  std::uint64_t shifts = 0;       ///< of them: of programs that only shift by X
  std::uint64_t acceptances = 0;  ///< errnos of installing compared
  std::uint64_t differences = 0;
  std::uint64_t not_asked = 0;       ///< undefined, or what could not be rewritten
  std::vector<std::string> first{};  ///< the first differences, in words
  std::vector<Seen> seen{};          ///< every probe
  double seconds = 0;
};

/// What is asked of one boot, and the comparison of its answers with the model.
class Session {
 public:
  Session(const LabKernel& kernel, const Amount& amount, const std::vector<Case>& cases);

  /// What goes into /request after the probes, which are all of probes.def.
  [[nodiscard]] const std::vector<Question>& questions() const { return questions_; }

  /// Judges what the console told; cut or damaged output, and a JIT that is not as the row says,
  /// are failures.
  [[nodiscard]] Report judge(std::string_view console_text) const;

 private:
  // A program as it is asked: the questions of `rewritten` from `first` on.
  struct Asked {
    Program program;
    std::vector<SeccompData> inputs;
    live::Rewritten rewritten;
    std::size_t first = 0;
    bool shifts = false;
  };

  void accept(const Program& program);
  void ask(const Program& program, const std::vector<SeccompData>& inputs, bool shifts = false);
  void ask_shifts();
  [[nodiscard]] SeccompData selected(SeccompData data, std::size_t argument,
                                     std::uint32_t shift) const;
  void fit(SeccompData& data) const;
  [[nodiscard]] std::optional<std::uint32_t> value(const Asked& asked, std::size_t input,
                                                   const Console& console) const;
  void judge_answers(const Console& console, Report& report) const;
  void judge_values(const Asked& asked, std::uint64_t place, const Console& console,
                    const KernelModel& model, Report& report) const;

  LabKernel kernel_;
  std::vector<Question> questions_{};
  std::vector<Asked> asked_{};
  std::vector<std::pair<std::size_t, Program>> accepts_{};
  std::uint64_t not_asked_ = 0;
};

/// The version of a kernel that calls itself so (utsname's release and version): Debian's, with the
/// patch level, where it says that.
[[nodiscard]] Version version_of(std::string_view release);

/// Why a JIT that was found (as Console has it) is not as the row says; empty where it is.
[[nodiscard]] std::string jit_differs(const LabKernel& kernel, std::string_view jit);

/// The report of a boot that came to nothing.
template <typename BootReport>
[[nodiscard]] BootReport troubled(const LabKernel& kernel, const Trouble& trouble) {
  BootReport report;
  report.name = kernel.name;
  report.ending = trouble.failed ? Ending::Failed : Ending::Skipped;
  report.reason = trouble.reason;
  return report;
}

/// How a boot ended that answered everything: by what differs.
template <typename BootReport>
void settle(BootReport& report) {
  report.ending = report.differences == 0 ? Ending::Passed : Ending::Failed;
  if (report.differences != 0) report.reason = std::to_string(report.differences) + " differences";
}

/// What a kernel's console told, booted with that request; or why not.
[[nodiscard]] std::expected<std::string, Trouble> answers_of(const LabKernel& kernel,
                                                             const std::string& request,
                                                             Clock clock,
                                                             std::chrono::seconds patience,
                                                             const WorkFolder& work);

/// Boots one kernel and compares it with the model of it.
[[nodiscard]] Report examine(const LabKernel& kernel, const Amount& amount,
                             const std::vector<Case>& cases, const WorkFolder& work);

}  // namespace callgate::lab
