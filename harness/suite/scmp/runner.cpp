#include "harness/suite/scmp/runner.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <utility>

#include "harness/report/words.hpp"
#include "harness/suite/runner.hpp"
#include "harness/suite/scmp/arch_sets.hpp"
#include "harness/suite/scmp/generators.hpp"
#include "harness/suite/scmp/random_calls.hpp"
#include "harness/suite/scmp/simulated_filter.hpp"

namespace callgate::suite::scmp {
namespace {

using Clock = std::chrono::steady_clock;

std::string batch_name(const TestsFile& file) {
  return file.batch.empty() ? batch_of(file.path) : file.batch;
}

std::string calls_words(std::uint64_t count) {
  return fmt::format("run, {} call{}", count, count == 1 ? "" : "s");
}

// "openat(0x3, N, 0x7)": N is not passed, as the columns have it.
std::string call_words(const SeccompData& data, const DataLine& line) {
  std::string out;
  std::string blanks;
  for (std::size_t i = 0; i < data.args.size(); ++i) {
    const bool passed = line.type == TestType::BpfSimFuzz || line.arguments[i].has_value();
    blanks += i == 0 ? "" : ", ";
    if (!passed) {
      blanks += 'N';
      continue;
    }
    out += std::exchange(blanks, {});
    out += fmt::format("{:#x}", data.args[i]);
  }
  return fmt::format("{}({})", report::call_name(data), out);
}

// Goes through the calls of a line one after the other, the syscall outermost.
class Calls {
 public:
  Calls(const DataLine& line, Arch arch, std::int64_t first, std::int64_t last)
      : line_(line), number_(first), last_(last) {
    data_.arch = info(arch).token;
    set_number();
    for (std::size_t i = 0; i < data_.args.size(); ++i) {
      if (line.arguments[i]) data_.args[i] = line.arguments[i]->first;
    }
  }

  [[nodiscard]] const SeccompData& now() const { return data_; }

  // False after the last.
  bool next() {
    for (std::size_t i = data_.args.size(); i-- > 0;) {
      const auto& range = line_.arguments[i];
      if (!range) continue;
      if (data_.args[i] != range->last) {
        ++data_.args[i];
        return true;
      }
      data_.args[i] = range->first;
    }
    if (number_ == last_) return false;
    ++number_;
    set_number();
    return true;
  }

 private:
  void set_number() {
    data_.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(number_ & 0xffffffff));
  }

  const DataLine& line_;
  SeccompData data_;
  std::int64_t number_;
  std::int64_t last_;
};

class Runner {
 public:
  explicit Runner(const Options& options)
      : options_(options), generators_(options.generators, options.time_limit) {}

  RunResults run(std::span<const TestsFile> files) {
    const auto start = Clock::now();
    for (const TestsFile& file : files) {
      for (const DataLine& line : file.lines) add_line(file, line);
    }
    results_.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    return std::move(results_);
  }

 private:
  using Body = void (Runner::*)(const TestsFile&, const DataLine&, Arch, CaseResult&);

  void add_line(const TestsFile& file, const DataLine& line) {
    switch (line.type) {
      case TestType::BpfSim: {
        const std::vector<Arch> arches = arches_of(line.arches, options_.native);
        if (arches.empty()) add(file, line, std::nullopt, &Runner::no_arch);
        for (const Arch arch : arches) add(file, line, arch, &Runner::simulate);
        return;
      }
      case TestType::BpfSimFuzz:
        add(file, line, options_.native, &Runner::fuzz);
        return;
      case TestType::Basic:
        add(file, line, std::nullopt, &Runner::basic);
        return;
      case TestType::BpfValgrind:
        add(file, line, std::nullopt, &Runner::valgrind);
        return;
      case TestType::Live:
        add(file, line, std::nullopt, &Runner::live);
        return;
    }
  }

  void add(const TestsFile& file, const DataLine& line, std::optional<Arch> arch, Body body) {
    CaseResult result;
    result.suite = file.path.empty() ? batch_name(file) : file.path;
    result.name = fmt::format("{}%%{:03}", batch_name(file), line.number);
    if (arch) {
      result.arch = info(*arch).name;
      result.name += fmt::format(" [{}]", result.arch);
      result.kernel = to_string(options_.kernel);
    }
    const bool wanted =
        options_.only.empty() || std::ranges::any_of(options_.only, [&](const std::string& part) {
          return name_matches(result.name, part);
        });
    if (!wanted || ++wanted_ % options_.shards != options_.shard % options_.shards) return;
    if (stopped_) {
      ++results_.not_run;
      return;
    }
    result.place = {file.path, line.line, 1};
    result.reason = line.text;
    if (options_.names) {
      results_.cases.push_back(std::move(result));
      return;
    }
    const auto start = Clock::now();
    (this->*body)(file, line, arch.value_or(options_.native), result);
    result.seconds = std::chrono::duration<double>(Clock::now() - start).count();
    const bool bad = result.status == Status::Failed || result.status == Status::Error;
    stopped_ = options_.fail_fast && bad;
    results_.cases.push_back(std::move(result));
  }

  static void end(CaseResult& result, Status status, std::string note) {
    result.status = status;
    result.note = std::move(note);
  }

  void no_arch(const TestsFile& /*file*/, const DataLine& /*line*/, Arch /*arch*/,
               CaseResult& result) {
    end(result, Status::Absent,
        fmt::format("of these architectures this machine ({}) is none; a + before one asks for it "
                    "everywhere",
                    info(options_.native).name));
  }

  void valgrind(const TestsFile& /*file*/, const DataLine& line, Arch /*arch*/,
                CaseResult& result) {
    end(result, Status::Absent,
        fmt::format("nothing here looks for the generator's own errors of memory; do it with "
                    "`valgrind --error-exitcode=1 {}/{} -b`",
                    options_.generators, line.generator));
  }

  void live(const TestsFile& /*file*/, const DataLine& line, Arch /*arch*/, CaseResult& result) {
    end(result, Status::Absent,
        fmt::format("it is the program itself that asks the running kernel; run `{}/{} {}` and "
                    "look at its exit code, or libseccomp's `regression -T live`",
                    options_.generators, line.generator, line.result));
  }

  void basic(const TestsFile& /*file*/, const DataLine& line, Arch /*arch*/, CaseResult& result) {
    result.how = "run";
    const auto ended = generators_.run(line.generator);
    if (!ended) return end(result, Status::Error, ended.error());
    if (ended->exit_code == 0 && !ended->too_late && !ended->too_much) return;
    result.status = Status::Failed;
    Failure& failure = result.failures.emplace_back();
    failure.call = line.generator;
    failure.expected = "exit code 0";
    failure.actual = to_string(*ended, generators_.time_limit());
  }

  // The generator's filter for that architecture; where there is none, the result says why.
  const SimulatedFilter* filter_of(const DataLine& line, Arch arch, CaseResult& result) {
    const auto key = std::pair(line.generator, arch);
    auto found = filters_.find(key);
    if (found == filters_.end()) {
      const auto& bytes = generators_.filter(line.generator);
      auto made = bytes ? SimulatedFilter::make(*bytes, {.version = options_.kernel, .arch = arch})
                        : std::unexpected(bytes.error());
      if (bytes && !made) {
        made = std::unexpected(fmt::format("the filter of {}: {}", line.generator, made.error()));
      }
      found = filters_.emplace(key, std::move(made)).first;
    }
    if (found->second) return &*found->second;
    end(result, Status::Error, found->second.error());
    return nullptr;
  }

  bool too_many(std::uint64_t count, CaseResult& result) const {
    if (count <= options_.most_calls) return false;
    end(result, Status::Error,
        fmt::format("the line makes {}{} calls, and {} are run at most; narrow its ranges",
                    count == UINT64_MAX ? "more than " : "", count, options_.most_calls));
    return true;
  }

  void simulate(const TestsFile& file, const DataLine& line, Arch arch, CaseResult& result) {
    std::int64_t first = line.first_number;
    std::int64_t last = line.last_number;
    if (!line.syscall.empty()) {
      const auto number = resolve_syscall(arch, line.syscall);
      if (!number) {
        return end(result, Status::Absent,
                   fmt::format("{} has no call {}, nor has libseccomp a number for it there",
                               info(arch).name, line.syscall));
      }
      first = last = *number;
    }
    const std::uint64_t count = line.calls();
    if (too_many(count, result)) return;
    const SimulatedFilter* const filter = filter_of(line, arch, result);
    if (filter == nullptr) return;
    result.how = calls_words(count);
    Calls calls(line, arch, first, last);
    std::uint64_t at = 0;
    std::uint64_t failed = 0;
    std::optional<SimulatedFilter::Answer> right;  // words are made once for calls alike
    do {
      ++at;
      const SimulatedFilter::Answer answer = filter->run(calls.now());
      if (right == answer) continue;
      if (filter->word(answer) == line.result) {
        right = answer;
        continue;
      }
      if (failed++ < options_.most_failures) {
        result.failures.push_back(
            failure_of(fmt::format("{}%%{:03}-{:05}: {}", batch_name(file), line.number, at,
                                   call_words(calls.now(), line)),
                       line.result, *filter, calls.now()));
      }
    } while (calls.next());
    close(result, failed);
  }

  void fuzz(const TestsFile& file, const DataLine& line, Arch arch, CaseResult& result) {
    const std::uint64_t count = options_.fuzz_count.value_or(line.count);
    if (too_many(count, result)) return;
    const SimulatedFilter* const filter = filter_of(line, arch, result);
    if (filter == nullptr) return;
    result.how = fmt::format("{} of seed {}", calls_words(count), options_.seed);
    RandomCalls calls(options_.seed, batch_name(file), line.number, filter->program(), arch);
    std::uint64_t failed = 0;
    for (std::uint64_t at = 1; at <= count; ++at) {
      const SeccompData data = calls.next();
      if (filter->is_known(filter->run(data))) continue;
      if (failed++ < options_.most_failures) {
        result.failures.push_back(failure_of(fmt::format("{}%%{:03}-{:05}: {}", batch_name(file),
                                                         line.number, at, call_words(data, line)),
                                             "an action that the kernel knows", *filter, data));
      }
    }
    close(result, failed);
  }

  static void close(CaseResult& result, std::uint64_t failed) {
    if (failed == 0) return;
    result.status = Status::Failed;
    if (failed > result.failures.size()) {
      result.how +=
          fmt::format("; {} failed, and the first {} are told", failed, result.failures.size());
    } else if (failed > 1) {
      result.how += fmt::format("; {} failed", failed);
    }
  }

  static Failure failure_of(std::string call, std::string expected, const SimulatedFilter& filter,
                            const SeccompData& data) {
    Failure out;
    out.call = std::move(call);
    out.expected = std::move(expected);
    out.actual = filter.word(filter.run(data));
    out.outcome = filter.outcome_words(data);
    out.path = filter.path(data);
    return out;
  }

  const Options& options_;
  Generators generators_;
  std::map<std::pair<std::string, Arch>, std::expected<SimulatedFilter, std::string>> filters_;
  RunResults results_;
  std::size_t wanted_ = 0;
  bool stopped_ = false;
};

}  // namespace

RunResults run(std::span<const TestsFile> files, const Options& options) {
  return Runner(options).run(files);
}

}  // namespace callgate::suite::scmp
