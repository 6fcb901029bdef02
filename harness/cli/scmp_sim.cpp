#include "harness/cli/scmp_sim.hpp"

#include <fmt/format.h>
#include <getopt.h>

#include <array>
#include <cerrno>
#include <cstdlib>
#include <memory>
#include <optional>
#include <vector>

#include "harness/cli/cli.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/suite/scmp/simulated_filter.hpp"

namespace callgate::cli {
namespace {

using suite::scmp::SimulatedFilter;

constexpr int kUsage = EINVAL;   // 22
constexpr int kFault = EFAULT;   // 14
constexpr int kError = ENOEXEC;  // 8

int usage(const std::string& name) {
  fmt::print(stderr,
             "usage: {} -f <bpf_file> [-v] [-h] -a <arch> -s <syscall_num> [-0 <a0>] ... "
             "[-5 <a5>]\n",
             name);
  return kUsage;
}

// The first line is the simulator's own; why comes below it.
int fault(bool verbose, int error, const std::string& why) {
  fmt::print(stderr, "FAULT{}\n{}\n", verbose ? fmt::format(": errno = {}", error) : "",
             suite::one_line(why));
  return kFault;
}

// By libseccomp's names alone, since its users write no others.
std::optional<Arch> arch_of(std::string_view name) {
  if (name == "native") return host_arch();
  for (const ArchInfo& row : arches()) {
    if (row.name == name) return row.arch;
  }
  return std::nullopt;
}

// As the simulator reads them: what is no number is 0, and what follows one is passed over.
std::int32_t number_of(const char* text) {
  const long value = std::strtol(text, nullptr, 0);
  return static_cast<std::int32_t>(static_cast<std::uint32_t>(static_cast<std::uint64_t>(value)));
}

}  // namespace

int scmp_sim(const std::string& name, std::span<const std::string> words) {
  std::vector<std::string> copy{name};
  copy.insert(copy.end(), words.begin(), words.end());
  std::vector<char*> argv;
  for (std::string& each : copy) argv.push_back(each.data());
  argv.push_back(nullptr);
  std::optional<std::string> file;
  Arch arch = host_arch();
  SeccompData data;
  bool verbose = false;
  optind = 0;
  for (;;) {
    const int option = getopt(static_cast<int>(copy.size()), argv.data(), "a:f:hs:v0:1:2:3:4:5:");
    if (option < 0) break;
    switch (option) {
      case 'a': {
        const auto named = arch_of(optarg);
        if (!named) {
          return fault(verbose, EINVAL,
                       fmt::format("-a {}: not an architecture that libseccomp names", optarg));
        }
        arch = *named;
        break;
      }
      case 'f':
        if (file) return fault(verbose, EINVAL, "-f is given twice, and takes one filter");
        file = optarg;
        break;
      case 's':
        data.nr = number_of(optarg);
        break;
      case 'v':
        verbose = true;
        break;
      case '0':
      case '1':
      case '2':
      case '3':
      case '4':
      case '5':
        data.args.at(static_cast<std::size_t>(option - '0')) = std::strtoull(optarg, nullptr, 0);
        break;
      default:
        return usage(name);
    }
  }
  if (!file) return usage(name);
  data.arch = info(arch).token;
  const auto bytes = front_ends::read_file(*file);
  if (!bytes) return fault(verbose, ENOENT, fmt::format("{}: {}", *file, bytes.error().message));
  const KernelModel model{.version = kNewestVersion, .arch = arch};
  const auto filter = SimulatedFilter::make(*bytes, model);
  if (!filter) return fault(verbose, EINVAL, fmt::format("{}: {}", *file, filter.error()));
  const SimulatedFilter::Answer answer = filter->run(data);
  if (!filter->is_known(answer)) {
    fmt::print(stderr, "ERROR{}\n{}: it returns {}\n",
               verbose ? fmt::format(": errno = {}, line = {}", EDOM, filter->last(data)) : "",
               *file, filter->word(answer));
    return kError;
  }
  fmt::print("{}\n", filter->word(answer));
  return kWell;
}

void add_scmp_sim(CLI::App& root, int& exit_code) {
  CLI::App& command = *root.add_subcommand(
      "scmp-sim", "One filter, one call, one word: as libseccomp's scmp_bpf_sim is called");
  command.prefix_command();
  command.set_help_flag("--help", "This text; -h is the simulator's own");
  command.footer(
      "\n"
      "  -f FILE     raw instructions, in the byte order of ARCH\n"
      "  -a ARCH     libseccomp's name of an architecture [this machine's]\n"
      "  -s NR       the syscall's number; a name is 0, as the simulator has it\n"
      "  -0 to -5    its arguments [0]\n"
      "  -v          with the number of an error\n"
      "\nPrints ALLOW, KILL, KILL_PROCESS, TRAP, ERRNO(n), TRACE(n), LOG or NOTIFY. Exit codes: 0; "
      "22 wrong use; 14 FAULT:\nthe filter cannot be read or the kernel refuses it; 8 ERROR: it "
      "returns no action that the kernel knows.\n"
      "\nA link to callgate with the name scmp_bpf_sim does the same, so that libseccomp's "
      "tests/regression runs with it.\n"
      "\nExample:\n"
      "  callgate scmp-sim -f filter.bpf -a x86_64 -s 257 -0 3");
  command.callback(
      [&command, &exit_code] { exit_code = scmp_sim("callgate scmp-sim", command.remaining()); });
}

}  // namespace callgate::cli
