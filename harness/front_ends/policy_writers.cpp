#include "harness/front_ends/policy_writers.hpp"

#include <algorithm>
#include <array>

#include "harness/front_ends/loader.hpp"
#include "harness/front_ends/policy_writing.hpp"
#include "harness/front_ends/telling_calls.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::size_t kMostShown = 10;

constexpr std::array kWriters = {
    PolicyWriterRow{"oci", "an OCI runtime-spec seccomp profile", "json", write_oci},
    PolicyWriterRow{"minijail", "libminijail's policy", "policy", write_minijail},
    PolicyWriterRow{"minijail-compiler", "a policy for minijail's compile_seccomp_policy", "policy",
                    write_minijail_compiler},
    PolicyWriterRow{"kafel", "kafel's language", "kafel", write_kafel},
    PolicyWriterRow{"seccompiler", "rust-vmm's seccompiler", "json", write_seccompiler},
    PolicyWriterRow{"firecracker", "newer Firecracker's filters", "json", write_firecracker},
    PolicyWriterRow{"lxc", "LXC's policy, version 2", "seccomp", write_lxc},
};

}  // namespace

std::span<const PolicyWriterRow> policy_writers() noexcept { return kWriters; }

const PolicyWriterRow* find_policy_writer(std::string_view name) noexcept {
  const auto* const row = std::ranges::find(kWriters, name, &PolicyWriterRow::name);
  return row == kWriters.end() ? nullptr : row;
}

std::expected<std::vector<Disagreement>, std::string> read_again(const Policy& policy,
                                                                 const PolicyWriterRow& writer,
                                                                 const std::string& text,
                                                                 const KernelModel& model) {
  LoadOptions options;
  options.deployment.model = model;
  options.deployment.runtime = "crun";
  options.input_format = writer.name;
  const auto again = load(text, "", options);
  if (!again) return std::unexpected(again.error().message);
  if (again->filters.size() != 1) return std::unexpected("no filter comes of it");
  const Program& program = again->filters.front().program;
  std::vector<Disagreement> out = disagreements(policy, program, model, kMostShown);
  const PolicyEvaluator evaluator(policy);
  for (const Arch arch : policy.arches) {
    for (const SyscallRow& row : syscalls(arch)) {
      if (out.size() >= kMostShown) break;
      const SeccompData data{.nr = static_cast<std::int32_t>(row.nr), .arch = info(arch).token};
      const Decision said = evaluator.evaluate(data);
      const reference::Result result = reference::run(program, data, model);
      const bool same = result.fault == reference::Fault::None && result.value == said.value;
      if (said.unknown.empty() && !same) out.push_back({data, said, result.value});
    }
  }
  return out;
}

}  // namespace callgate::front_ends
