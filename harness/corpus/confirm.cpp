#include "harness/corpus/confirm.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "harness/live/acceptor.hpp"
#include "harness/live/fitting.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/live/surrounded.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/report/words.hpp"
#include "vm/arches.hpp"

namespace callgate::corpus {
namespace {

using live::LiveError;
using Problem = std::optional<LiveError>;

class Confirmer {
 public:
  Confirmer(Corpus& corpus, const KernelModel& host) : corpus_(corpus), host_(host) {}

  Problem checks() {
    std::vector<CheckCase*> asked;
    std::vector<Program> programs;
    for (CheckCase& each : corpus_.checks) {
      if (!of_this_kernel(each.header, each.confirmed, 1)) continue;
      asked.push_back(&each);
      programs.push_back(each.program);
    }
    const auto errors = live::accepted(programs);
    if (!errors) return errors.error();
    for (std::size_t i = 0; i < asked.size(); ++i) {
      CheckCase& each = *asked[i];
      const int expected = each.refused ? static_cast<int>(*each.refused) : 0;
      settle(each.header, each.confirmed, (*errors)[i] == expected,
             fmt::format("errno {}", expected), fmt::format("errno {}", (*errors)[i]));
    }
    return std::nullopt;
  }

  Problem codes() {
    for (CodesCase& each : corpus_.codes) {
      if (!of_this_kernel(each.header, each.confirmed, kCodes)) continue;
      std::vector<Program> programs(kCodes, each.program);
      for (std::size_t code = 0; code < kCodes; ++code) {
        programs[code][each.at].code = static_cast<std::uint16_t>(code);
      }
      const auto errors = live::accepted(programs);
      if (!errors) return errors.error();
      std::vector<std::uint16_t> taken;
      bool only_einval = true;
      for (std::size_t code = 0; code < kCodes; ++code) {
        if ((*errors)[code] == 0) taken.push_back(static_cast<std::uint16_t>(code));
        only_einval = only_einval && ((*errors)[code] == 0 ||
                                      (*errors)[code] == static_cast<int>(InstallError::Invalid));
      }
      settle(each.header, each.confirmed, only_einval && taken == each.accepted,
             fmt::format("{} codes accepted", each.accepted.size()),
             fmt::format("{} codes accepted", taken.size()), kCodes);
    }
    return std::nullopt;
  }

  Problem values() {
    std::vector<ValueCase*> asked;
    std::vector<live::ValueJob> jobs;
    for (ValueCase& each : corpus_.values) {
      if (!of_this_kernel(each)) continue;
      live::ValueJob job{each.program, {}};
      for (const ValueRun& run : each.runs) {
        job.calls.push_back({run.data, !reads_instruction_pointer(each.program)});
      }
      asked.push_back(&each);
      jobs.push_back(std::move(job));
    }
    live::CallSites sites;
    const auto answers = live::values(jobs, sites);
    if (!answers) return answers.error();
    for (std::size_t i = 0; i < asked.size(); ++i) {
      settle_values(*asked[i], (*answers)[i]);
    }
    return std::nullopt;
  }

  Problem stacks() {
    for (StackCase& each : corpus_.stacks) {
      if (!of_this_kernel(each)) continue;
      std::vector<Program> programs;
      for (const StackFilter& filter : each.filters) {
        programs.insert(programs.end(), filter.times, filter.program);
      }
      if (programs.size() > kMostFilters) {
        for (StackRun& run : each.runs) {
          not_asked(run.confirmed, "so many filters are for the model alone");
        }
        continue;
      }
      std::vector<live::Call> calls;
      for (const StackRun& run : each.runs) calls.push_back({run.data, true});
      live::CallSites sites;
      const auto seen = live::outcomes(programs, calls, sites);
      if (!seen) return seen.error();
      for (std::size_t i = 0; i < each.runs.size(); ++i) {
        StackRun& run = each.runs[i];
        if (seen->install_error != 0) {
          settle(each.header, run.confirmed, false, "accepted filters",
                 fmt::format("errno {}", seen->install_error));
          continue;
        }
        const std::uint32_t value = run.verdict.value;
        const live::Seen& here = seen->calls[i];
        if (const auto why = live::why_not_asked(value, here); !why.empty()) {
          if (here.kind == live::Seen::Kind::NotReachable) {
            not_asked(run.confirmed, why);
          } else if (auto problem = without_other_filters(each, run, programs, sites)) {
            return problem;
          }
          continue;
        }
        const Outcome ours = outcome_of(value, here.data, host_, live::kOracleSurroundings);
        settle(each.header, run.confirmed,
               live::compare(ours, value, here) == live::Agreement::Agrees,
               report::outcome_words(ours, "it"), live::words(here, "it"));
      }
    }
    return std::nullopt;
  }

  Problem outcomes() {
    live::CallSites sites;
    for (OutcomeCase& each : corpus_.outcomes) {
      if (!of_this_kernel(each.header, each.confirmed, 1)) continue;
      if (each.strict) {
        not_asked(each.confirmed, "strict mode has a live test of its own");
        continue;
      }
      live::SurroundedCall asked{{each.program}, {each.data, true}, each.around, {}};
      switch (each.sigsys) {
        case Sigsys::Handled:
          asked.sigsys = live::SigsysSetting::Handled;
          break;
        case Sigsys::Blocked:
          asked.sigsys = live::SigsysSetting::Blocked;
          break;
        case Sigsys::Ignored:
          asked.sigsys = live::SigsysSetting::Ignored;
          break;
      }
      const auto seen = live::surrounded(asked, sites);
      if (!seen) return seen.error();
      if (seen->kind == live::Seen::Kind::NotReachable) {
        not_asked(each.confirmed, seen->why);
        continue;
      }
      // The instruction pointer is where the call was made, not where the case says.
      Outcome ours = each.outcome;
      ours.siginfo.call_addr = seen->data.instruction_pointer;
      // What would be hidden below another filter is seen here: the value does not matter.
      settle(each.header, each.confirmed,
             live::compare(ours, kAllowValue, *seen) == live::Agreement::Agrees,
             report::outcome_words(ours, "it"), live::words(*seen, "it"));
    }
    return std::nullopt;
  }

  Problem limits() {
    for (LimitCase& each : corpus_.limits) {
      if (!of_this_kernel(each.header, each.confirmed, 1)) continue;
      std::vector<const Program*> programs;
      for (const StackFilter& filter : each.filters) {
        programs.insert(programs.end(), filter.times, &filter.program);
      }
      const bool lets_through = std::ranges::all_of(
          each.filters.begin(), each.filters.end() - 1, [](const StackFilter& filter) {
            return filter.program.back() == Instruction{0x06, 0, 0, kAllowValue};
          });
      if (!lets_through) {
        not_asked(each.confirmed, "its filters would not let the next one be installed");
        continue;
      }
      const auto fitted = live::fitting(programs);
      if (!fitted) return fitted.error();
      const int expected = each.refused ? static_cast<int>(*each.refused) : 0;
      settle(each.header, each.confirmed, fitted->count == each.fits && fitted->error == expected,
             fmt::format("{} filters, then errno {}", each.fits, expected),
             fmt::format("{} filters, then errno {}", fitted->count, fitted->error));
    }
    return std::nullopt;
  }

  [[nodiscard]] Confirmed result() && { return std::move(out_); }

 private:
  static constexpr std::size_t kCodes = 0x10000;
  static constexpr std::size_t kMostFilters = 64;
  static constexpr std::uint32_t kAllowValue = 0x7fff0000U;

  static bool reads_instruction_pointer(const Program& program) {
    return std::ranges::any_of(
        program, [](const Instruction& i) { return i.code == 0x20 && (i.k == 8 || i.k == 12); });
  }

  // A stack whose verdict the filter of outcomes() would hide. Each filter gets a front that lets
  // all other calls through and leaves the registers as they were.
  Problem without_other_filters(const StackCase& each, StackRun& run, std::vector<Program> programs,
                                live::CallSites& sites) {
    const auto nr = static_cast<std::uint32_t>(run.data.nr);
    for (Program& program : programs) {
      const Program front = {
          {0x20, 0, 0, 0}, {0x15, 1, 0, nr}, {0x06, 0, 0, kAllowValue}, {0x00, 0, 0, 0}};
      program.insert(program.begin(), front.begin(), front.end());
    }
    const live::SurroundedCall asked{std::move(programs), {run.data, true}, {}, {}};
    const auto seen = live::surrounded(asked, sites);
    if (!seen) return seen.error();
    if (seen->kind == live::Seen::Kind::NotReachable) {
      not_asked(run.confirmed, seen->why);
      return std::nullopt;
    }
    const Outcome ours = outcome_of(run.verdict.value, seen->data, host_, asked.around);
    settle(each.header, run.confirmed,
           live::compare(ours, kAllowValue, *seen) == live::Agreement::Agrees,
           report::outcome_words(ours, "it"), live::words(*seen, "it"));
    return std::nullopt;
  }

  void not_asked(Confirmation& confirmed, std::string_view why, std::size_t expectations = 1) {
    confirmed.not_asked = why;
    out_.not_asked[std::string(why)] += expectations;
  }

  void settle(const Header& header, Confirmation& confirmed, bool agrees,
              const std::string& expected, const std::string& seen, std::size_t expectations = 1) {
    if (!agrees) {
      out_.differences.push_back(
          fmt::format("{}: expected: {}; the kernel: {}", header.id, expected, seen));
      return;
    }
    confirmed.live = true;
    out_.live += expectations;
    out_.by_kind[header.id.substr(0, header.id.find('/'))] += expectations;
  }

  // Why the running kernel says nothing of a case; empty where it does.
  [[nodiscard]] std::string_view foreign(const Header& header) const {
    if (header.kernel.arch != host_.arch) return "a kernel of another architecture";
    if (header.kernel.engine != host_.engine) return "a kernel that runs programs differently";
    if (header.kernel.blinds_constants != host_.blinds_constants) {
      return "a kernel with another net.core.bpf_jit_harden";
    }
    if (host_.version < header.versions.from) return "a newer kernel";
    if (header.versions.before && host_.version >= *header.versions.before) {
      return "an older kernel";
    }
    return {};
  }

  bool of_this_kernel(const Header& header, Confirmation& confirmed, std::size_t expectations) {
    const std::string_view why = foreign(header);
    if (!why.empty()) not_asked(confirmed, why, expectations);
    return why.empty();
  }

  template <typename Case>
  bool of_this_kernel(Case& each) {
    const std::string_view why = foreign(each.header);
    if (why.empty()) return true;
    for (auto& run : each.runs) not_asked(run.confirmed, why);
    return false;
  }

  void settle_values(ValueCase& each, const live::ValueAnswer& answer) {
    for (std::size_t i = 0; i < each.runs.size(); ++i) {
      ValueRun& run = each.runs[i];
      if (!answer.why.empty()) {
        not_asked(run.confirmed, answer.why);
        continue;
      }
      if (!run.value) {
        not_asked(run.confirmed, "the kernel leaves it undefined");
        continue;
      }
      const std::string expected = hex8(*run.value);
      if (answer.install_error != 0) {
        settle(each.header, run.confirmed, false, expected,
               fmt::format("refused with errno {}", answer.install_error));
        continue;
      }
      const live::Value& value = answer.values[i];
      if (value.state == live::Value::State::NotReachable) {
        not_asked(run.confirmed, value.why);
        continue;
      }
      const bool known = value.state == live::Value::State::Known;
      settle(each.header, run.confirmed, known && value.value == *run.value,
             fmt::format("{} for input {}", expected, i),
             known ? hex8(value.value) : fmt::format("no answer: {}", value.why));
    }
  }

  static std::string hex8(std::uint32_t value) { return fmt::format("0x{:08x}", value); }

  Corpus& corpus_;
  const KernelModel& host_;
  Confirmed out_;
};

}  // namespace

std::expected<Confirmed, LiveError> confirm(Corpus& corpus, const KernelModel& host,
                                            const ConfirmOptions& options) {
  Confirmer confirmer(corpus, host);
  Problem problem = confirmer.checks();
  if (!problem) problem = confirmer.codes();
  if (!problem) problem = confirmer.values();
  if (!problem) problem = confirmer.stacks();
  if (!problem && options.outcomes) problem = confirmer.outcomes();
  if (!problem && options.limits) problem = confirmer.limits();
  if (problem) return std::unexpected(std::move(*problem));
  return std::move(confirmer).result();
}

std::string running_kernel(const KernelModel& host) {
  return fmt::format("Linux {} {}", to_string(host.version), info(host.arch).name);
}

}  // namespace callgate::corpus
