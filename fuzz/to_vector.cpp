// Makes a vector of what a fuzz target has found, in the format of corpus/README.md: what is
// expected is what the running kernel does, where the target asks it.

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <algorithm>
#include <cstdint>
#include <stdexcept>
#include <string>
#include <vector>

#include "fuzz/case.hpp"
#include "fuzz/live.hpp"
#include "fuzz/script.hpp"
#include "fuzz/targets.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/live/acceptor.hpp"
#include "harness/live/availability.hpp"
#include "harness/live/outcome_oracle.hpp"
#include "harness/live/value_oracle.hpp"
#include "harness/suite/vector_writer.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace {

namespace fuzz = callgate::fuzz;
namespace live = callgate::live;
namespace suite = callgate::suite;

using Bytes = std::vector<std::uint8_t>;

template <typename T>
T or_throw(std::expected<T, live::LiveError> answer) {
  if (!answer) throw std::runtime_error(answer.error().message);
  return std::move(*answer);
}

// The running kernel, said to be the newest where it has the same features: live tests then take
// the vector up.
callgate::KernelModel running_kernel() {
  const callgate::KernelModel host = callgate::KernelModel::host();
  callgate::KernelModel newest;
  newest.arch = host.arch;
  newest.blinds_constants = host.blinds_constants;
  for (const callgate::FeatureInfo& row : callgate::features()) {
    if (host.has(row.feature) != newest.has(row.feature)) return host;
  }
  return newest;
}

// A vector in the making, and what is left to say about it behind its text.
class Draft {
 public:
  Draft(const fuzz::TargetInfo& target, const Bytes& bytes)
      : live_(target.live == fuzz::Liveness::Live), case_(fuzz::case_of(bytes)) {
    vector_.kernel = live_ ? running_kernel() : case_.model();
    const std::string known =
        live_ ? fmt::format("[live] Linux {} {}", to_string(vector_.kernel.version),
                            callgate::info(vector_.kernel.arch).name)
              : std::string("[memory] what our code says: confirm it");
    vector_.story = fmt::format(
        "TODO: the rule, in one sentence; a name for the file that says it.\n"
        "{}; found by fuzz_{}\n",
        known, target.name);
  }

  std::string check() {
    vector_.kind = suite::VectorKind::Check;
    vector_.programs = {{case_.program(), 1, {}}};
    const auto ours = callgate::verifier::check(case_.program(), vector_.kernel);
    int error = ours ? 0 : static_cast<int>(ours.error().error);
    if (live_) error = or_throw(live::accepted(std::span(&case_.program(), 1))).front();
    if (error != 0) vector_.refused = static_cast<callgate::InstallError>(error);
    if (error != 0 && !ours) vector_.diagnostics = ours.error().diagnostics;
    if (error != 0 && ours)
      notes_ += "# TODO: under `refused`, what is wrong: the model accepts it\n";
    return text();
  }

  std::string run() {
    vector_.kind = suite::VectorKind::Run;
    vector_.programs = {{case_.program(), 1, {}}};
    if (!live_) {
      for (const auto& data : inputs()) add_case(data, reference(data));
      return text();
    }
    live::CallSites sites;
    const live::ValueJob job{case_.program(), fuzz::calls_of(inputs())};
    const auto answer = or_throw(live::values(std::span(&job, 1), sites)).front();
    if (answer.install_error != 0) {
      throw std::runtime_error(
          "the kernel refuses the program: make a vector of fuzz_check_kernel");
    }
    const auto differs = [&](const live::Value& value) {
      return value.state == live::Value::State::Known && reference(value.data) != value.value;
    };
    const bool any_differs = std::ranges::any_of(answer.values, differs);
    for (const live::Value& value : answer.values) {
      if (value.state != live::Value::State::Known) {
        notes_ += fmt::format("# not asked: {}: {}\n", fuzz::words_of(value.data), value.why);
      } else if (!any_differs || differs(value)) {
        add_case(value.data, value.value);
      }
    }
    if (any_differs) notes_ += "# the model says otherwise: only what differs is shown\n";
    return text();
  }

  std::string stack() {
    vector_.kind = suite::VectorKind::Stack;
    callgate::FilterStack stack(vector_.kernel);
    std::vector<callgate::Program> programs;
    for (const callgate::Program& program : case_.programs) {
      const auto checked = callgate::verifier::check(program, vector_.kernel);
      if (!checked || !stack.push(*checked)) continue;
      vector_.programs.push_back({program, 1, {}});
      programs.push_back(program);
    }
    for (const auto& data : inputs()) {
      vector_.cases.emplace_back().data = data;
      vector_.cases.back().verdict = stack.run(data);
    }
    if (!live_) return text();
    live::CallSites sites;
    const auto listener = case_.listener(programs.size());
    if (listener) notes_ += fmt::format("# filter {} has a listener\n", *listener);
    const auto seen = or_throw(
        live::outcomes(programs, fuzz::calls_of(inputs(), true), sites, {.listener = listener}));
    for (std::size_t i = 0; i < seen.calls.size(); ++i) {
      vector_.cases[i].data = without_chance(seen.calls[i].data);
      notes_ += fmt::format("# the kernel: {}: {}\n", fuzz::words_of(seen.calls[i].data),
                            words(seen.calls[i], "the call"));
    }
    notes_ += "# TODO: the verdicts are the model's: they must agree with what the kernel did\n";
    return text();
  }

 private:
  // Those of the case, and some that targets add: the finding may be one of these.
  [[nodiscard]] std::vector<callgate::SeccompData> inputs() const {
    const callgate::Arch arch = live_ ? callgate::Arch::X86_64 : vector_.kernel.arch;
    return case_.inputs_and(fuzz::kMoreInputs, callgate::info(arch).token);
  }

  std::optional<std::uint32_t> reference(const callgate::SeccompData& data) const {
    const auto result = callgate::reference::run(case_.program(), data, vector_.kernel);
    if (result.fault != callgate::reference::Fault::None) return std::nullopt;
    return result.value;
  }

  // The instruction pointer of a live call lies where this process has mapped it: it is said only
  // where a program looks at it.
  [[nodiscard]] callgate::SeccompData without_chance(callgate::SeccompData data) const {
    if (!live_) return data;
    for (const suite::VectorProgram& program : vector_.programs) {
      for (const callgate::Instruction& i : program.instructions) {
        if (i.code == 0x20 && (i.k == 8 || i.k == 12)) return data;
      }
    }
    data.instruction_pointer = 0;
    return data;
  }

  void add_case(const callgate::SeccompData& data, std::optional<std::uint32_t> value) {
    suite::VectorCase& here = vector_.cases.emplace_back();
    here.data = without_chance(data);
    here.returns = value;
    here.undefined = !value;
  }

  std::string text() const {
    const std::string out = suite::vector_text(vector_) + notes_;
    const auto again = suite::parse_vector(out, vector_.kind);
    if (!again) {
      fmt::print(stderr, "callgate_fuzz_to_vector: not whole yet: line {}: {}\n",
                 again.error().line, again.error().message);
    }
    return out;
  }

  bool live_;
  fuzz::Case case_;
  suite::Vector vector_;
  std::string notes_;
};

std::string made_of(const fuzz::TargetInfo& target, const Bytes& bytes) {
  if (target.live == fuzz::Liveness::Live) {
    const std::string why = live::availability().filters;
    if (!why.empty()) throw std::runtime_error("the running kernel cannot be asked: " + why);
  }
  switch (target.vector) {
    case fuzz::VectorForm::Check:
      return Draft(target, bytes).check();
    case fuzz::VectorForm::Run:
      return Draft(target, bytes).run();
    case fuzz::VectorForm::Stack:
      return Draft(target, bytes).stack();
    case fuzz::VectorForm::Script: {
      const auto model = callgate::KernelModel::host();
      return fmt::format("# found by fuzz_{}: `callgate task --kernel host` plays it\n{}",
                         target.name, callgate::task::text_of(fuzz::script_of(bytes, model)));
    }
    case fuzz::VectorForm::Text:
      return std::string(bytes.begin() + (bytes.empty() ? 0 : 1), bytes.end());
  }
  return {};
}

std::string names_of_targets() {
  std::string out;
  for (const fuzz::TargetInfo& each : fuzz::kTargets)
    out += fmt::format("\n  {:15}{}", each.name, each.property);
  return out;
}

}  // namespace

int main(int argc, char** argv) {
  CLI::App app{"A vector of corpus/vectors from an input that a fuzz target has found",
               "callgate_fuzz_to_vector"};
  std::string name;
  std::string path;
  app.add_option("TARGET", name, "The target, with or without fuzz_")->required()->type_name("");
  app.add_option("FILE", path, "The input: crash-..., or a seed")->required()->type_name("");
  app.footer(
      "\nTargets:" + names_of_targets() +
      "\n\nWrites to standard output: a check, run or stack vector; of task_kernel a script for "
      "`callgate task`; of readers the text alone. What is left for a person to say is marked TODO."
      "\n\nExample:\n  callgate_fuzz_to_vector check_kernel crash-da39a3ee "
      "> corpus/vectors/check/NAME.vec\n\nExit code 2: no such target, an unreadable file, or a "
      "kernel that cannot be asked.");
  try {
    app.parse(argc, argv);
    if (name.starts_with("fuzz_")) name.erase(0, 5);
    const auto target = std::ranges::find(fuzz::kTargets, name, &fuzz::TargetInfo::name);
    if (target == fuzz::kTargets.end()) {
      throw std::runtime_error(name + ": not a target; there are:" + names_of_targets());
    }
    const auto content = callgate::front_ends::read_file(path);
    if (!content) throw std::runtime_error(path + ": " + content.error().message);
    const std::string text = made_of(*target, Bytes(content->begin(), content->end()));
    fmt::print("{}", text);
    return 0;
  } catch (const CLI::ParseError& error) {
    return app.exit(error) == 0 ? 0 : 2;
  } catch (const std::exception& error) {
    fmt::print(stderr, "callgate_fuzz_to_vector: {}\n", error.what());
    return 2;
  }
}
