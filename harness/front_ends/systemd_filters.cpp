#include "harness/front_ends/systemd_filters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/systemd_arches.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends::systemd {
namespace {

constexpr std::uint32_t kAllow = static_cast<std::uint32_t>(Action::Allow);
constexpr std::uint32_t kLog = static_cast<std::uint32_t>(Action::Log);

constexpr std::uint32_t error_value(std::uint32_t number) {
  return static_cast<std::uint32_t>(Action::Errno) | number;
}

constexpr std::uint32_t kEperm = error_value(1);
constexpr std::uint32_t kEnosys = error_value(38);
constexpr std::uint32_t kEafnosupport = error_value(97);
constexpr std::uint32_t kHighestErrno = error_value(4095);  // systemd takes it, libseccomp does not

constexpr std::string_view kNotStarted = "and systemd does not start the service (228/SECCOMP)";

std::unexpected<ReadError> refuse(std::string message, Place place = {}) {
  ReadError error{std::move(message), {}, {}, {}};
  if (place.line != 0) {
    error.line = place.line;
    error.column = place.column;
  }
  return std::unexpected(std::move(error));
}

ArgTest equal(unsigned index, std::uint64_t value) { return {.index = index, .value = value}; }

ArgTest has_bits(unsigned index, std::uint64_t bits) {
  return {.index = index, .value = bits, .mask = bits};
}

// Whether libseccomp takes a rule of a call for one ABI alone, without rewriting it.
bool takes(Arch arch, std::string_view call, bool with_tests) {
  const auto number = libseccomp_number(arch, call);
  if (!number) return false;
  const auto rows = multiplexed_calls();
  const auto row = std::ranges::find(rows, call, &MultiplexedCall::name);
  const bool multiplexed = row != rows.end() && syscall_number(arch, row->multiplexer);
  return multiplexed ? !with_tests : *number >= 0;
}

// The programs of one option.
class Programs {
 public:
  explicit Programs(const KernelModel& model) : model_(model) {
    const auto abis = local_abis(model.arch);
    abis_.assign(abis.begin(), abis.end());
  }

  [[nodiscard]] const std::vector<Arch>& abis() const { return abis_; }

  void forget(Arch arch) { std::erase(abis_, arch); }

  [[nodiscard]] Layer layer(std::string_view option, Arch arch, std::uint32_t otherwise) const {
    Layer out;
    out.name = fmt::format("{}= ({})", option, word_of(arch));
    out.policy = {.default_value = otherwise,
                  .foreign_value = kAllow,
                  .arches = {arch},
                  .rules = {},
                  .x32 = X32Calls::AsForeign,
                  .multiplexed = true};
    out.lowering = other_order() ? Lowering::Plain : Lowering::LibseccompExact;
    return out;
  }

  // In programs of more than 255 instructions libseccomp 2.5.4 repeats returns nearer to their
  // jumps, and does not swap the bytes of these for a machine of another order.
  [[nodiscard]] bool other_order() const { return info(model_.arch).byte_order != kHostByteOrder; }

  // Whether the rule was taken.
  static bool add(Layer& layer, std::string_view call, std::uint32_t value,
                  std::vector<ArgTest> tests = {}, Place place = {}) {
    if (!takes(layer.policy.arches.front(), call, !tests.empty())) return false;
    layer.policy.rules.push_back(
        {.syscall = std::string(call), .value = value, .tests = std::move(tests), .place = place});
    return true;
  }

  void keep(Layer layer) { layers_.push_back(std::move(layer)); }

  [[nodiscard]] std::vector<Layer> take() { return std::move(layers_); }

  [[nodiscard]] const KernelModel& model() const { return model_; }

 private:
  const KernelModel& model_;
  std::vector<Arch> abis_;
  std::vector<Layer> layers_;
};

// Calls that fail with EPERM, on every ABI that has them.
void deny(Programs& programs, std::string_view option, const std::vector<std::string>& calls) {
  for (const Arch arch : programs.abis()) {
    Layer layer = programs.layer(option, arch, kAllow);
    for (const std::string& call : calls) {
      if (libseccomp_knows(call)) Programs::add(layer, call, kEperm);
    }
    programs.keep(std::move(layer));
  }
}

// One call that is denied; no program where an ABI lacks it.
void deny_or_skip(Programs& programs, std::string_view option,
                  std::initializer_list<std::string_view> calls) {
  for (const Arch arch : programs.abis()) {
    Layer layer = programs.layer(option, arch, kAllow);
    const bool all = std::ranges::all_of(
        calls, [&](std::string_view call) { return Programs::add(layer, call, kEperm); });
    if (all) programs.keep(std::move(layer));
  }
}

// The old sysctl(2), which some ABIs never had.
void protect_sysctl(Programs& programs) {
  for (const Arch arch : programs.abis()) {
    if (arch == Arch::AArch64 || arch == Arch::Riscv64 || arch == Arch::X32) continue;
    Layer layer = programs.layer("ProtectKernelTunables", arch, kAllow);
    if (Programs::add(layer, "_sysctl", kEperm)) programs.keep(std::move(layer));
  }
}

// socket() of families. Where there is a socketcall, systemd makes no program: its arguments are in
// memory.
void restrict_families(Programs& programs, const FamilyList& list, std::vector<Note>& notes) {
  constexpr std::uint32_t kEnd = 46;  // one above the last of the C library of Debian 12
  if (!list.allow && list.families.empty()) return;
  const auto listed = [&](std::uint32_t family) {
    return std::ranges::find(list.families, family) != list.families.end();
  };
  for (const Arch arch : programs.abis()) {
    if (arch == Arch::X86 || arch == Arch::S390 || arch == Arch::S390x) {
      notes.push_back({{},
                       fmt::format("RestrictAddressFamilies= does nothing for {} calls: "
                                   "socketcall hides its arguments from filters",
                                   word_of(arch))});
      continue;
    }
    Layer layer = programs.layer("RestrictAddressFamilies", arch, kAllow);
    const auto unsupported = [&](ArgTest test) {
      Programs::add(layer, "socket", kEafnosupport, {test});
    };
    if (!list.allow) {
      for (const std::uint32_t family : list.families) unsupported(equal(0, family));
    } else if (list.families.empty()) {
      Programs::add(layer, "socket", kEafnosupport);
    } else {
      const auto [first, last] = std::ranges::minmax(list.families);
      unsupported({.index = 0, .comparison = Comparison::Less, .value = first});
      unsupported({.index = 0, .comparison = Comparison::Greater, .value = last});
      for (std::uint32_t family = 1; family < kEnd; ++family) {
        if (!listed(family)) unsupported(equal(0, family));
      }
    }
    programs.keep(std::move(layer));
  }
}

void deny_write_execute(Programs& programs) {
  constexpr std::uint64_t kWriteExec = 0x6;
  constexpr std::uint64_t kExec = 0x4;
  constexpr std::uint64_t kShmExec = 0100000;
  for (const Arch arch : programs.abis()) {
    Layer layer = programs.layer("MemoryDenyWriteExecute", arch, kAllow);
    const bool second_mmap = arch == Arch::X86 || arch == Arch::Arm || arch == Arch::S390;
    const bool old_mmap = arch == Arch::X86 || arch == Arch::S390;
    const bool own_shmat = arch != Arch::X86 && arch != Arch::S390 && arch != Arch::S390x;
    const auto denied = [&](std::string_view call, std::uint64_t bits) {
      return Programs::add(layer, call, kEperm, {has_bits(2, bits)});
    };
    const bool all = denied(second_mmap ? "mmap2" : "mmap", kWriteExec) &&
                     (!old_mmap || Programs::add(layer, "mmap", kEperm)) &&
                     denied("mprotect", kExec) && denied("pkey_mprotect", kExec) &&
                     (!own_shmat || denied("shmat", kShmExec));
    if (all) programs.keep(std::move(layer));
  }
}

// Every policy but OTHER (0), BATCH (3) and IDLE (5); SCHED_RESET_ON_FORK makes one of the others.
void restrict_realtime(Programs& programs) {
  for (const Arch arch : programs.abis()) {
    Layer layer = programs.layer("RestrictRealtime", arch, kAllow);
    for (const std::uint64_t policy : {1U, 2U, 4U}) {
      Programs::add(layer, "sched_setscheduler", kEperm, {equal(1, policy)});
    }
    Programs::add(layer, "sched_setscheduler", kEperm,
                  {{.index = 1, .comparison = Comparison::Greater, .value = 5}});
    programs.keep(std::move(layer));
  }
}

void restrict_set_id_bits(Programs& programs, std::vector<Note>& notes) {
  struct Mode {
    std::string_view call;
    unsigned index;
  };
  constexpr Mode kBefore[] = {{"chmod", 1}, {"fchmod", 1}, {"fchmodat", 2}, {"fchmodat2", 2}};
  constexpr Mode kAfter[] = {{"mkdir", 1}, {"mkdirat", 2}, {"mknod", 1}, {"mknodat", 2}};
  constexpr std::uint64_t kCreate = 0100;
  constexpr std::int32_t kFchmodat2 = 452;
  for (const Arch arch : programs.abis()) {
    Layer layer = programs.layer("RestrictSUIDSGID", arch, kAllow);
    for (const std::uint64_t bit : {04000U, 02000U}) {
      for (const auto& [call, index] : kBefore) {
        if (libseccomp_knows(call)) {
          Programs::add(layer, call, kEperm, {has_bits(index, bit)});
        } else if (arch == programs.model().arch && bit == 04000U) {
          // A call that libseccomp does not know is added by the number of systemd's own machine.
          layer.policy.rules.push_back({.number = kFchmodat2, .value = kEnosys});
          if (arch != host_arch()) {
            layer.lowering = Lowering::Plain;
            notes.push_back({{},
                             "RestrictSUIDSGID=: the installed libseccomp cannot add a call by "
                             "number for another machine: a plain program says the same"});
          }
        }
      }
      for (const auto& [call, index] : kAfter) {
        Programs::add(layer, call, kEperm, {has_bits(index, bit)});
      }
      Programs::add(layer, "open", kEperm, {has_bits(1, kCreate), has_bits(2, bit)});
      Programs::add(layer, "openat", kEperm, {has_bits(2, kCreate), has_bits(3, bit)});
      if (bit == 04000U) Programs::add(layer, "openat2", kEnosys);
      Programs::add(layer, "creat", kEperm, {has_bits(1, bit)});
    }
    programs.keep(std::move(layer));
  }
}

void restrict_namespaces(Programs& programs, std::uint32_t retained) {
  if ((retained & all_namespaces()) == all_namespaces()) return;
  for (const Arch arch : programs.abis()) {
    Layer layer = programs.layer("RestrictNamespaces", arch, kAllow);
    const unsigned clone_flags = arch == Arch::S390 || arch == Arch::S390x ? 1 : 0;
    const bool some = (retained & all_namespaces()) != 0;
    Programs::add(layer, "clone3", kEnosys);
    Programs::add(layer, "setns", kEperm, some ? std::vector{equal(1, 0)} : std::vector<ArgTest>{});
    for (const NamespaceRow& row : kNamespaces) {
      if ((retained & row.flag) != 0) continue;
      Programs::add(layer, "unshare", kEperm, {has_bits(0, row.flag)});
      Programs::add(layer, "clone", kEperm, {has_bits(clone_flags, row.flag)});
      if (some) Programs::add(layer, "setns", kEperm, {has_bits(1, row.flag)});
    }
    programs.keep(std::move(layer));
  }
}

// One program for all ABIs. Those that it blocks get no programs of the options after it.
void restrict_architectures(Programs& programs, const std::vector<Arch>& allowed) {
  const Arch native = programs.model().arch;
  const std::vector<Arch> abis = programs.abis();
  Layer layer;
  layer.name = "SystemCallArchitectures=";
  layer.policy = {.default_value = kAllow, .arches = {native}, .rules = {}};
  layer.lowering = programs.other_order() ? Lowering::Plain : Lowering::Libseccomp;
  for (const Arch arch : abis) {
    if (arch == native) continue;
    if (std::ranges::find(allowed, arch) != allowed.end()) {
      layer.policy.arches.push_back(arch);
    } else {
      programs.forget(arch);
    }
  }
  if (programs.abis().size() != abis.size()) programs.keep(std::move(layer));
}

void lock_personality(Programs& programs, std::uint32_t personality) {
  for (const Arch arch : programs.abis()) {
    Layer layer = programs.layer("LockPersonality", arch, kAllow);
    Programs::add(layer, "personality", kEperm,
                  {{.index = 0, .comparison = Comparison::NotEqual, .value = personality}});
    programs.keep(std::move(layer));
  }
}

std::uint32_t kill_value(const KernelModel& model) {
  return static_cast<std::uint32_t>(model.version >= Version{4, 14, 0} ? Action::KillProcess
                                                                       : Action::KillThread);
}

// What becomes of a call of a list.
std::uint32_t value_of(const ListedCall& call, std::uint32_t listed, const KernelModel& model) {
  if (call.kill) return kill_value(model);
  return call.error ? error_value(*call.error) : listed;
}

// A list of calls. What libseccomp refuses for another reason than that an ABI lacks the call makes
// systemd give up the service.
std::expected<void, ReadError> list(Programs& programs, std::string_view option,
                                    const CallList& calls, std::uint32_t otherwise,
                                    std::uint32_t listed) {
  const KernelModel& model = programs.model();
  if (calls.calls.empty() && otherwise == kAllow) return {};
  if (otherwise == kHighestErrno)
    return refuse(
        fmt::format("{}=: libseccomp refuses the errno 4095 (EINVAL), {}", option, kNotStarted));
  std::vector<Rule> rules;
  for (const auto& [name, call] : calls.calls) {
    const std::uint32_t value = value_of(call, listed, model);
    if (value == kHighestErrno)
      return refuse(fmt::format("{}=: {}: libseccomp refuses the errno 4095 (EINVAL), {}", option,
                                name, kNotStarted),
                    call.place);
    if (value == otherwise) {
      return refuse(fmt::format("{}=: {} gets what calls that are not listed get: libseccomp "
                                "refuses that (EACCES), {}",
                                option, name, kNotStarted),
                    call.place);
    }
    rules.push_back({.syscall = name, .value = value, .place = call.place});
  }
  const auto multiplexer = [](const Rule& rule) {
    const auto rows = multiplexed_calls();
    return std::ranges::find(rows, rule.syscall, &MultiplexedCall::multiplexer) != rows.end();
  };
  for (const Arch arch : programs.abis()) {
    Layer layer = programs.layer(option, arch, otherwise);
    // A multiplexer as such wins over the calls behind it (libseccomp), whatever their order.
    for (const bool first : {true, false}) {
      for (const Rule& rule : rules) {
        if (multiplexer(rule) == first) {
          Programs::add(layer, rule.syscall, rule.value, {}, rule.place);
        }
      }
    }
    programs.keep(std::move(layer));
  }
  return {};
}

}  // namespace

std::expected<std::vector<Layer>, ReadError> layers_of(const Options& options,
                                                       const SyscallSets& sets,
                                                       const KernelModel& model,
                                                       std::vector<Note>& notes) {
  Programs programs(model);
  if (programs.abis().empty()) {
    return refuse(
        fmt::format("which programs systemd makes on {} is not modelled", info(model.arch).name));
  }
  if (programs.other_order()) {
    notes.push_back({{},
                     "the installed libseccomp makes no right programs for machines of another "
                     "byte order: plain ones say the same"});
  }
  if (options.protect_hostname) {
    deny_or_skip(programs, "ProtectHostname", {"sethostname", "setdomainname"});
  }
  restrict_families(programs, options.families, notes);
  if (options.memory_deny_write_execute) deny_write_execute(programs);
  if (options.restrict_realtime) restrict_realtime(programs);
  if (options.restrict_suid_sgid || options.dynamic_user) restrict_set_id_bits(programs, notes);
  if (options.namespaces) restrict_namespaces(programs, *options.namespaces);
  if (options.protect_kernel_tunables) protect_sysctl(programs);
  if (options.protect_kernel_modules) {
    deny(programs, "ProtectKernelModules", members_of(sets, "@module"));
  }
  if (options.protect_kernel_logs) deny_or_skip(programs, "ProtectKernelLogs", {"syslog"});
  if (options.protect_clock) deny(programs, "ProtectClock", members_of(sets, "@clock"));
  if (options.private_devices) deny(programs, "PrivateDevices", members_of(sets, "@raw-io"));
  if (options.architectures) restrict_architectures(programs, *options.architectures);
  if (options.lock_personality) lock_personality(programs, options.personality.value_or(0));
  const bool log = options.log.allow || !options.log.calls.empty();
  if (log && model.version < Version{4, 14, 0}) {
    return refuse(
        "SystemCallLog=: libseccomp has no LOG for kernels before 4.14, and systemd does not start "
        "the service (228/SECCOMP)");
  }
  if (log) {
    const auto [otherwise, listed] =
        options.log.allow ? std::pair(kAllow, kLog) : std::pair(kLog, kAllow);
    const auto made = list(programs, "SystemCallLog", options.log, otherwise, listed);
    if (!made) return std::unexpected(made.error());
  }
  if (options.filter.allow || !options.filter.calls.empty()) {
    const std::uint32_t denied = options.error ? error_value(*options.error) : kill_value(model);
    const auto [otherwise, listed] =
        options.filter.allow ? std::pair(denied, kAllow) : std::pair(kAllow, denied);
    const auto made = list(programs, "SystemCallFilter", options.filter, otherwise, listed);
    if (!made) return std::unexpected(made.error());
  }
  return programs.take();
}

}  // namespace callgate::front_ends::systemd
