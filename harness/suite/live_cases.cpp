#include "harness/suite/live_cases.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <vector>

#include "harness/live/outcome_oracle.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/explicit_call.hpp"
#include "harness/suite/failures.hpp"

namespace callgate::suite {
namespace {

constexpr std::size_t kMostOfTable = 500;
constexpr std::size_t kBatch = 2000;  // calls of one child

void add_recorded(const RecordedCall& call, Arch machine, std::vector<SeccompData>& to) {
  if (const auto data = parse_explicit_call(call.call, machine)) to.push_back(*data);
}

// The calls that are made for a case.
std::vector<SeccompData> calls_of(const PlannedCase& planned, Target& target, std::size_t most) {
  std::vector<SeccompData> out;
  const Arch machine = target.model().arch;
  if (planned.pattern) {
    out = edge_calls(*planned.pattern, target.constants(), most);
    // The addresses of calls are where pages can be.
    for (SeccompData& each : out) {
      SeccompData plain = each;
      plain.instruction_pointer = 0;
      if (planned.pattern->holds(plain)) each = plain;
    }
  } else if (planned.recorded != nullptr) {
    add_recorded(*planned.recorded, machine, out);
  } else if (planned.table != nullptr) {
    const std::size_t step = std::max<std::size_t>(planned.table->calls.size() / kMostOfTable, 1);
    for (std::size_t i = 0; i < planned.table->calls.size(); i += step) {
      add_recorded(planned.table->calls[i], machine, out);
    }
  }
  return out;
}

// The calls of one target, and what came of them.
class TargetOnKernel {
 public:
  TargetOnKernel(Target& target, LiveReport& report) : target_(target), report_(report) {
    for (const filters::FilterFile& file : target.files()) programs_.push_back(file.program);
  }

  void add(CaseResult& result, const std::vector<SeccompData>& calls) {
    for (const SeccompData& each : calls) {
      calls_.push_back({each, each.instruction_pointer == 0});
      of_.push_back(&result);
    }
  }

  std::expected<void, std::string> ask() {
    for (std::size_t from = 0; from < calls_.size(); from += kBatch) {
      const std::size_t count = std::min(kBatch, calls_.size() - from);
      const std::span<const live::Call> part = std::span(calls_).subspan(from, count);
      // Places of calls are mapped for each batch anew.
      live::CallSites sites;
      const auto seen = live::outcomes(programs_, part, sites);
      if (!seen) return std::unexpected(seen.error().message);
      if (seen->install_error != 0) {
        return std::unexpected(
            fmt::format("the running kernel refuses {}: {}",
                        target_.files()[std::min(seen->installed, programs_.size() - 1)].path,
                        report::errno_name(seen->install_error).value_or("an error")));
      }
      report_.untraced = seen->untraced;
      for (std::size_t i = 0; i < count; ++i) compare(*of_[from + i], seen->calls[i]);
    }
    for (const auto& [result, asked] : agreed_) {
      if (result->status == Status::Error) continue;
      result->how += fmt::format("{}the running kernel agrees for {} call{}",
                                 result->how.empty() ? "" : "; ", asked, asked == 1 ? "" : "s");
    }
    return {};
  }

 private:
  void compare(CaseResult& result, const live::Seen& seen) {
    const bool exempt = is_exempt(seen.data, target_.model());
    const Verdict verdict = exempt ? Verdict{} : target_.stack().run(seen.data);
    const Outcome ours = outcome_of(target_.stack(), verdict, seen.data, live::kOracleSurroundings);
    switch (live::compare(ours, verdict.value, seen)) {
      case live::Agreement::NotAsked:
        ++report_.not_asked;
        return;
      case live::Agreement::Agrees:
        ++report_.asked;
        ++agreed_[&result];
        return;
      case live::Agreement::Differs:
        break;
    }
    ++report_.asked;
    result.status = Status::Failed;
    Failure failure = failure_of(target_.files(), target_.stack(), seen.data,
                                 live::kOracleSurroundings, "what the running kernel does");
    const std::string call = report::call_name(seen.data);
    failure.expected = fmt::format("as the running kernel: {}", live::words(seen, call));
    failure.hint =
        "the running kernel does something else than Callgate says: please report this call with "
        "the filter";
    result.failures.push_back(std::move(failure));
  }

  Target& target_;
  LiveReport& report_;
  std::vector<Program> programs_;
  std::vector<live::Call> calls_;
  std::vector<CaseResult*> of_;
  std::map<CaseResult*, std::size_t> agreed_;
};

bool is_here(const KernelModel& model) {
  const KernelModel host = KernelModel::host();
  return model.arch == host_arch() && model.version.major == host.version.major &&
         model.version.minor == host.version.minor;
}

}  // namespace

std::expected<LiveReport, std::string> ask_kernel(const Plan& plan, RunResults& results,
                                                  std::size_t calls_of_each) {
  LiveReport report;
  if (host_arch() != Arch::X86_64) {
    return std::unexpected(
        "the running kernel can be asked on x86_64 machines only; without --live the suite runs "
        "here, too");
  }
  std::map<std::size_t, TargetOnKernel> targets;
  for (std::size_t i = 0; i < plan.cases().size(); ++i) {
    const PlannedCase& planned = plan.cases()[i];
    const PlannedTarget& at = plan.targets()[planned.target];
    if (!planned.absent.empty()) continue;
    if (!is_here(at.model)) {
      ++report.elsewhere;
      continue;
    }
    const auto here = targets.try_emplace(planned.target, *at.target, report).first;
    here->second.add(results.cases[i], calls_of(planned, *at.target, calls_of_each));
  }
  for (auto& [number, target] : targets) {
    if (const auto asked = target.ask(); !asked) return std::unexpected(asked.error());
  }
  return report;
}

}  // namespace callgate::suite
