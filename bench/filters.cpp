#include "bench/filters.hpp"

#include <seccomp.h>
#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <fstream>
#include <initializer_list>
#include <iterator>
#include <limits>
#include <stdexcept>
#include <string_view>

#include "harness/random/generator.hpp"
#include "vm/kernel_model.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::bench {
namespace {

constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::uint32_t kErrno = 0x00050001U;
constexpr std::uint32_t kX86_64 = 0xc000003eU;

// What a container has no need of: the rest of what x86_64 and i386 have is allowed.
constexpr std::string_view kRefused[] = {
    "acct", "add_key", "bpf", "clock_adjtime", "clock_settime", "create_module", "delete_module",
    "finit_module", "fsconfig", "fsmount", "fsopen", "fspick", "get_kernel_syms", "get_mempolicy",
    "init_module", "ioperm", "iopl", "kcmp", "kexec_file_load", "kexec_load", "keyctl",
    "lookup_dcookie", "mbind", "mount", "mount_setattr", "move_mount", "move_pages", "nfsservctl",
    "open_by_handle_at", "open_tree", "perf_event_open", "pivot_root", "process_vm_readv",
    "process_vm_writev", "ptrace", "query_module", "quotactl", "quotactl_fd", "reboot",
    "request_key", "set_mempolicy", "set_mempolicy_home_node", "setns", "settimeofday", "stime",
    "swapoff", "swapon", "syslog", "sysfs", "umount", "umount2", "unshare", "uselib", "userfaultfd",
    "ustat", "vhangup", "vm86", "vm86old", "vserver", "uprobe", "uretprobe",
    // looked at more closely below
    "clone", "clone3", "personality", "socket"};

void need(int result, std::string_view what) {
  if (result < 0) throw std::runtime_error(std::string("libseccomp: ") + std::string(what));
}

// A libseccomp context, released with the object.
class Context {
 public:
  Context() : context_(seccomp_init(SCMP_ACT_ERRNO(1))) {
    if (context_ == nullptr) throw std::runtime_error("libseccomp: no context");
  }
  ~Context() { seccomp_release(context_); }
  Context(const Context&) = delete;
  Context& operator=(const Context&) = delete;

  void add_arch(std::uint32_t arch) { need(seccomp_arch_add(context_, arch), "architecture"); }
  void as_tree() { need(seccomp_attr_set(context_, SCMP_FLTATR_CTL_OPTIMIZE, 2), "binary tree"); }

  void allow(std::string_view name, std::initializer_list<scmp_arg_cmp> tests = {},
             std::uint32_t action = SCMP_ACT_ALLOW) {
    const int nr = seccomp_syscall_resolve_name(std::string(name).c_str());
    if (nr == __NR_SCMP_ERROR) return;  // newer than the library
    need(seccomp_rule_add_array(context_, action, nr, static_cast<unsigned>(tests.size()),
                                tests.begin()),
         name);
  }

  [[nodiscard]] Program program() const {
    const int file = memfd_create("filter", MFD_CLOEXEC);
    if (file < 0) throw std::runtime_error("no memory file");
    const int exported = seccomp_export_bpf(context_, file);
    const off_t size = lseek(file, 0, SEEK_END);
    Program program(static_cast<std::size_t>(std::max<off_t>(size, 0)) / sizeof(Instruction));
    const ssize_t got = pread(file, program.data(), program.size() * sizeof(Instruction), 0);
    close(file);
    if (exported < 0 || got != size) throw std::runtime_error("libseccomp: export");
    return program;
  }

 private:
  scmp_filter_ctx context_;
};

scmp_arg_cmp test(unsigned argument, scmp_compare compare, std::uint64_t a, std::uint64_t b = 0) {
  return {argument, compare, a, b};
}

Program container_profile(bool tree) {
  Context context;
  context.add_arch(SCMP_ARCH_X86);
  context.add_arch(SCMP_ARCH_X32);
  if (tree) context.as_tree();
  std::vector<std::string_view> names;
  for (const Arch arch : {Arch::X86_64, Arch::X86}) {
    for (const SyscallRow& row : syscalls(arch)) names.push_back(row.name);
  }
  std::ranges::sort(names);
  const auto same = std::ranges::unique(names);
  names.erase(same.begin(), same.end());
  for (const std::string_view name : names) {
    if (std::ranges::find(kRefused, name) == std::end(kRefused)) context.allow(name);
  }
  for (const std::uint64_t persona : {0ULL, 8ULL, 0x20000ULL, 0x20008ULL, 0xffffffffULL}) {
    context.allow("personality", {test(0, SCMP_CMP_EQ, persona)});
  }
  context.allow("socket", {test(0, SCMP_CMP_NE, 40)});  // AF_VSOCK
  constexpr std::uint64_t kNamespaces = 0x7e020000;
  context.allow("clone", {test(0, SCMP_CMP_MASKED_EQ, kNamespaces, 0)});
  context.allow("clone3", {}, SCMP_ACT_ERRNO(38));
  return context.program();
}

Program argument_profile() {
  Context context;
  for (const std::string_view name : {"read", "write", "close", "fstat", "brk", "exit_group"}) {
    context.allow(name);
  }
  for (const std::uint64_t request : {0x5401ULL, 0x5413ULL, 0x541bULL, 0x5421ULL, 0x5450ULL}) {
    context.allow("ioctl", {test(1, SCMP_CMP_EQ, request)});
  }
  for (const std::uint64_t family : {1ULL, 2ULL, 10ULL}) {
    context.allow("socket", {test(0, SCMP_CMP_EQ, family), test(1, SCMP_CMP_MASKED_EQ, 0xf, 1)});
  }
  for (const std::uint64_t command : {0ULL, 1ULL, 2ULL, 3ULL, 4ULL, 1030ULL}) {
    context.allow("fcntl", {test(1, SCMP_CMP_EQ, command)});
  }
  context.allow("openat", {test(2, SCMP_CMP_MASKED_EQ, 3, 0)});
  context.allow("mmap", {test(2, SCMP_CMP_MASKED_EQ, 4, 0)});
  context.allow("mprotect", {test(2, SCMP_CMP_MASKED_EQ, 4, 0)});
  context.allow("lseek", {test(2, SCMP_CMP_LE, 2)});
  context.allow("madvise", {test(1, SCMP_CMP_LT, 0x100000000ULL)});
  return context.program();
}

// As libseccomp compiles it.
Program demonstration() {
  return {{0x20, 0, 0, 4},   {0x15, 0, 9, kX86_64}, {0x20, 0, 0, 0},      {0x35, 0, 1, 0x40000000U},
          {0x15, 0, 6, ~0U}, {0x15, 4, 0, 0},       {0x15, 3, 0, 1},      {0x15, 2, 0, 39},
          {0x15, 1, 0, 60},  {0x15, 0, 1, 231},     {0x06, 0, 0, kAllow}, {0x06, 0, 0, kErrno}};
}

// Arithmetic over what the call holds, in no order that an interpreter's branches could be guessed
// from; every step changes A, and none is for nothing. No branch until the end.
Program arithmetic() {
  static constexpr std::uint16_t kCodes[] = {0x04, 0x0c, 0x14, 0x1c, 0x24, 0x2c, 0x44, 0x4c, 0x54,
                                             0x5c, 0xa4, 0xac, 0x64, 0x74, 0x84, 0x07, 0x02, 0x61};
  random::Source source(4096);
  Program program = {{0x20, 0, 0, 16}, {0x07, 0, 0, 0}};
  for (std::uint32_t slot = 0; slot < 4; ++slot) program.push_back({0x02, 0, 0, slot});
  while (program.size() + 4 < kMaxProgramLength) {
    const std::uint16_t code = kCodes[source.below(std::size(kCodes))];
    std::uint32_t k = static_cast<std::uint32_t>(source.next());
    if (code == 0x64 || code == 0x74) k %= 8;
    if (code == 0x02 || code == 0x61) k %= 4;
    program.push_back({code, 0, 0, k});
  }
  program.insert(program.end(),
                 {{0x54, 0, 0, 1}, {0x15, 0, 1, 1}, {0x06, 0, 0, kErrno}, {0x06, 0, 0, kAllow}});
  return program;
}

struct Weighted {
  std::uint32_t nr;
  std::uint64_t up_to;  // counts of all up to and with it
};

std::vector<Weighted> workload() {
  std::ifstream file(CALLGATE_WORKLOADS "/tools.txt");
  std::vector<Weighted> rows;
  std::uint64_t sum = 0;
  for (std::string line; std::getline(file, line);) {
    if (line.empty() || line.front() == '#') continue;
    const auto blank = line.find(' ');
    const auto nr = syscall_number(Arch::X86_64, std::string_view(line).substr(0, blank));
    if (!nr) throw std::runtime_error("bench/workloads/tools.txt: " + line);
    sum += std::stoull(line.substr(blank + 1));
    rows.push_back({*nr, sum});
  }
  if (rows.empty()) throw std::runtime_error("bench/workloads/tools.txt: cannot be read");
  return rows;
}

// Of all numbers that there may be, the one that runs most or fewest instructions.
std::uint32_t extreme(const Program& program, bool most) {
  const KernelModel model;
  std::uint32_t found = 0;
  std::size_t best = most ? 0 : std::numeric_limits<std::size_t>::max();
  for (std::uint32_t nr = 0; nr < 1024; ++nr) {
    const SeccompData data{static_cast<std::int32_t>(nr), kX86_64, 0, {}};
    const std::size_t executed = reference::run(program, data, model).executed;
    if (most ? executed <= best : executed >= best) continue;
    best = executed;
    found = nr;
  }
  return found;
}

}  // namespace

Program chain(std::uint32_t length) {
  Program program = {{0x20, 0, 0, 0}};
  for (std::uint32_t nr = 0; nr < length; ++nr) {
    program.push_back({0x15, 0, 1, nr});
    program.push_back({0x06, 0, 0, kAllow});
  }
  program.push_back({0x06, 0, 0, kErrno});
  return program;
}

const std::vector<NamedFilter>& filters() {
  static const std::vector<NamedFilter> kFilters = {
      {"demo5", demonstration()},        {"linear", container_profile(false)},
      {"tree", container_profile(true)}, {"jeq300", chain(300)},
      {"args", argument_profile()},      {"max4096_jeq", chain(2047)},
      {"max4096_alu", arithmetic()}};
  return kFilters;
}

std::string name_of(Mix mix) {
  switch (mix) {
    case Mix::Traced:
      return "traced";
    case Mix::Uniform:
      return "uniform";
    case Mix::Best:
      return "best";
    case Mix::Worst:
      return "worst";
  }
  return {};
}

std::vector<SeccompData> calls(Mix mix, const Program& program) {
  random::Source source(20261126);
  const std::vector<Weighted> weights = workload();
  std::uint32_t fixed = 0;
  if (mix == Mix::Best || mix == Mix::Worst) fixed = extreme(program, mix == Mix::Worst);
  std::vector<SeccompData> out(kCalls);
  for (SeccompData& data : out) {
    // Arguments that lean to what the filter asks for.
    data = random::input(source, program, kX86_64);
    switch (mix) {
      case Mix::Traced: {
        const std::uint64_t at = source.next() % weights.back().up_to;
        data.nr = static_cast<std::int32_t>(
            std::ranges::upper_bound(weights, at, {}, &Weighted::up_to)->nr);
        break;
      }
      case Mix::Uniform:
        data.nr = static_cast<std::int32_t>(source.below(470));
        break;
      case Mix::Best:
      case Mix::Worst:
        data = {static_cast<std::int32_t>(fixed), kX86_64, 0, {}};
        break;
    }
  }
  return out;
}

}  // namespace callgate::bench
