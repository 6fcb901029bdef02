#include <fmt/format.h>
#include <seccomp.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <bit>
#include <cerrno>
#include <charconv>
#include <csignal>
#include <cstdlib>
#include <memory>
#include <set>
#include <span>
#include <string>
#include <utility>

#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "vm/opcodes.hpp"

namespace callgate::front_ends {
namespace {

using Context = std::unique_ptr<void, decltype(&seccomp_release)>;

std::unexpected<LowerError> fail(std::string message, std::optional<std::size_t> rule = {}) {
  return std::unexpected(LowerError{std::move(message), rule});
}

// What libseccomp finds on a kernel (seccomp_api_get(3)).
unsigned api_level(const Version& kernel) {
  constexpr std::pair<Version, unsigned> kLevels[] = {
      {{5, 7, 0}, 6}, {{5, 0, 0}, 5}, {{4, 17, 0}, 4}, {{4, 14, 0}, 3}, {{3, 17, 0}, 2}};
  for (const auto& [since, level] : kLevels) {
    if (kernel >= since) return level;
  }
  return 1;
}

std::optional<scmp_compare> comparison_of(const ArgTest& test) {
  if (test.mask != kAllBits) {
    if (test.comparison == Comparison::Equal) return SCMP_CMP_MASKED_EQ;
    return std::nullopt;
  }
  switch (test.comparison) {
    case Comparison::Equal:
      return SCMP_CMP_EQ;
    case Comparison::NotEqual:
      return SCMP_CMP_NE;
    case Comparison::Less:
      return SCMP_CMP_LT;
    case Comparison::LessEqual:
      return SCMP_CMP_LE;
    case Comparison::Greater:
      return SCMP_CMP_GT;
    case Comparison::GreaterEqual:
      return SCMP_CMP_GE;
  }
  return std::nullopt;
}

std::string call_words(const Rule& rule) {
  return rule.number ? fmt::format("syscall {}", *rule.number) : rule.syscall;
}

std::string refusal_words(int error, const Rule& rule) {
  const std::string call = call_words(rule);
  switch (error) {
    case EACCES:
      return fmt::format("{}: the rule's action is the default one (EACCES): drop the rule", call);
    case EEXIST:
      return fmt::format("{}: the same tests stand with another action before it (EEXIST)", call);
    case EFAULT:
      return fmt::format(
          "{}: a number is this machine's own, and an architecture of the policy has no such call "
          "(EFAULT): give the name",
          call);
    case EDOM:
      return fmt::format("{}: an architecture of the policy has no such call (EDOM)", call);
    case EINVAL:
      return fmt::format(
          "{}: libseccomp refuses the rule (EINVAL): an action that this kernel or libseccomp does "
          "not have, an errno above 4094, the number -1, or tests that it would have to rewrite",
          call);
    default:
      return fmt::format("{}: libseccomp refuses the rule (error {})", call, error);
  }
}

std::expected<void, LowerError> add_arches(void* context, std::span<const Arch> arches) {
  const std::uint32_t native = seccomp_arch_native();
  if (int error = seccomp_arch_remove(context, native); error != 0) {
    return fail(
        fmt::format("libseccomp cannot do without this machine's architecture ({})", -error));
  }
  for (const Arch arch : arches) {
    const std::uint32_t token = seccomp_arch_resolve_name(std::string(info(arch).name).c_str());
    if (token == 0) {
      return fail(fmt::format("libseccomp {} does not know the architecture {}",
                              libseccomp_version(), info(arch).name));
    }
    if (const int error = seccomp_arch_add(context, token); error == -EDOM) {
      return fail(fmt::format("{} and {} differ in byte order; libseccomp makes no such filter",
                              info(arches.front()).name, info(arch).name));
    } else if (error != 0) {
      return fail(fmt::format("libseccomp refuses the architecture {} (error {})", info(arch).name,
                              -error));
    }
  }
  return {};
}

// An architecture on which libseccomp would take this machine's number for another call: it gives
// calls that this machine lacks numbers of its own, and of these two can be the same.
std::optional<Arch> mistaken(const Policy& policy, const Rule& rule, int number) {
  if (rule.number || number >= 0) return std::nullopt;
  const std::uint32_t native = seccomp_arch_native();
  const std::unique_ptr<char, decltype(&std::free)> name(
      seccomp_syscall_resolve_num_arch(native, number), &std::free);
  if (!name || rule.syscall == name.get()) return std::nullopt;
  for (const Arch arch : policy.arches) {
    if (libseccomp_number(arch, rule.syscall) != libseccomp_number(arch, name.get())) return arch;
  }
  return std::nullopt;
}

std::expected<void, LowerError> add_rule(void* context, const Policy& policy, std::size_t index,
                                         bool exact) {
  const Rule& rule = policy.rules[index];
  const int number =
      rule.number ? *rule.number : seccomp_syscall_resolve_name(rule.syscall.c_str());
  if (!rule.number && number == __NR_SCMP_ERROR) {
    return fail(
        fmt::format("libseccomp {} knows no syscall {}", libseccomp_version(), rule.syscall),
        index);
  }
  if (const auto arch = mistaken(policy, rule, number)) {
    return fail(
        fmt::format("{}: on this machine libseccomp {} takes it for another call of {}; it can "
                    "be asked on such a machine, or without this rule",
                    rule.syscall, libseccomp_version(), info(*arch).name),
        index);
  }
  std::array<scmp_arg_cmp, 6> tests{};
  std::array<bool, 6> seen{};
  if (rule.tests.size() > tests.size()) {
    return fail(fmt::format("{}: libseccomp takes one test of an argument", call_words(rule)),
                index);
  }
  for (std::size_t i = 0; i < rule.tests.size(); ++i) {
    const ArgTest& test = rule.tests[i];
    const auto comparison = comparison_of(test);
    if (!comparison) {
      return fail(fmt::format("{}: libseccomp has masks for == alone, none for {}",
                              call_words(rule), sign_of(test.comparison)),
                  index);
    }
    if (std::exchange(seen[test.index], true)) {
      return fail(fmt::format("{}: libseccomp takes one test of an argument, and args[{}] has two "
                              "(EINVAL): make two rules of it, if either is to do",
                              call_words(rule), test.index),
                  index);
    }
    const bool masked = *comparison == SCMP_CMP_MASKED_EQ;
    tests[i] = {test.index, *comparison, masked ? test.mask : test.value, masked ? test.value : 0};
  }
  const auto add = exact ? seccomp_rule_add_exact_array : seccomp_rule_add_array;
  const int error = add(context, rule.value, number, static_cast<unsigned>(rule.tests.size()),
                        rule.tests.empty() ? nullptr : tests.data());
  if (error != 0) return fail(refusal_words(-error, rule), index);
  return {};
}

std::expected<void, LowerError> set_priority(void* context, const CallPriority& wanted) {
  const int number =
      wanted.number ? *wanted.number : seccomp_syscall_resolve_name(wanted.syscall.c_str());
  const std::string call = wanted.number ? std::to_string(number) : wanted.syscall;
  if (!wanted.number && number == __NR_SCMP_ERROR) {
    return fail(fmt::format("libseccomp {} knows no syscall {} to give a priority to",
                            libseccomp_version(), call));
  }
  if (const int error = seccomp_syscall_priority(context, number, wanted.priority); error != 0) {
    return fail(fmt::format("{}: libseccomp refuses the priority {} (error {})", call,
                            wanted.priority, -error));
  }
  return {};
}

bool is_for(const Rule& rule, std::span<const Arch> arches) {
  return rule.arches.empty() || std::ranges::any_of(rule.arches, [&](Arch arch) {
           return std::ranges::find(arches, arch) != arches.end();
         });
}

// A filter of some of a policy's architectures; nullptr with the reason set where there is none.
Context filter_of(const Policy& policy, std::span<const Arch> arches,
                  const LibseccompOptions& options, LowerError& why) {
  Context context(seccomp_init(policy.default_value), &seccomp_release);
  const auto refuse = [&](LowerError error) {
    why = std::move(error);
    return Context(nullptr, &seccomp_release);
  };
  if (!context) {
    return refuse(
        {fmt::format("libseccomp refuses the default action 0x{:08x}: Linux {} or "
                     "libseccomp {} does not have it",
                     policy.default_value, to_string(options.kernel), libseccomp_version()),
         {}});
  }
  if (seccomp_attr_set(context.get(), SCMP_FLTATR_ACT_BADARCH, *policy.foreign_value) != 0) {
    return refuse({fmt::format("libseccomp refuses 0x{:08x} for foreign architectures",
                               *policy.foreign_value),
                   {}});
  }
  if (options.binary_tree && seccomp_attr_set(context.get(), SCMP_FLTATR_CTL_OPTIMIZE, 2) != 0) {
    return refuse({"this libseccomp makes no binary trees", {}});
  }
  if (auto added = add_arches(context.get(), arches); !added) return refuse(added.error());
  for (std::size_t i = 0; i < policy.rules.size(); ++i) {
    if (!is_for(policy.rules[i], arches)) continue;
    if (auto added = add_rule(context.get(), policy, i, options.exact); !added) {
      return refuse(added.error());
    }
  }
  for (const CallPriority& each : options.priorities) {
    if (auto set = set_priority(context.get(), each); !set) return refuse(set.error());
  }
  return context;
}

// All that libseccomp does with a policy; the program goes to `file`. Rules for some of the
// architectures, and exact ones where there are several, take a filter for each, merged at the end
// (what LXC does).
std::expected<void, LowerError> generate(const Policy& policy, const LibseccompOptions& options,
                                         int file) {
  if (seccomp_api_set(api_level(options.kernel)) != 0) {
    return fail("libseccomp cannot be told which kernel to think of");
  }
  const std::span<const Arch> all = policy.arches;
  const bool apart =
      all.size() > 1 && (options.exact || std::ranges::any_of(policy.rules, [&](const Rule& rule) {
                           return !rule.arches.empty() && rule.arches != policy.arches;
                         }));
  LowerError why;
  const Context context = filter_of(policy, apart ? all.first(1) : all, options, why);
  if (!context) return std::unexpected(std::move(why));
  for (std::size_t i = 1; apart && i < all.size(); ++i) {
    Context other = filter_of(policy, all.subspan(i, 1), options, why);
    if (!other) return std::unexpected(std::move(why));
    if (const int error = seccomp_merge(context.get(), other.get()); error != 0) {
      return fail(fmt::format("libseccomp cannot merge the filters of {} and {} (error {})",
                              info(all.front()).name, info(all[i]).name, -error));
    }
    static_cast<void>(other.release());  // it is a part of the first one now
  }
  if (const int error = seccomp_export_bpf(context.get(), file); error != 0) {
    return fail(fmt::format("libseccomp cannot make a program of it (error {}): it may be too long",
                            -error));
  }
  return {};
}

// A file in memory, closed with the object.
class MemoryFile {
 public:
  MemoryFile() : file_(memfd_create("callgate", MFD_CLOEXEC)) {}
  ~MemoryFile() {
    if (file_ >= 0) static_cast<void>(close(file_));
  }
  MemoryFile(const MemoryFile&) = delete;
  MemoryFile& operator=(const MemoryFile&) = delete;

  [[nodiscard]] int get() const { return file_; }

  void write(std::string_view text) const {
    while (!text.empty()) {
      const ssize_t put = ::write(file_, text.data(), text.size());
      if (put <= 0) return;
      text.remove_prefix(static_cast<std::size_t>(put));
    }
  }

  [[nodiscard]] std::string content() const {
    std::string bytes;
    std::array<char, 65536> buffer{};
    if (lseek(file_, 0, SEEK_SET) != 0) return bytes;
    for (ssize_t got = 0; (got = read(file_, buffer.data(), buffer.size())) > 0;) {
      bytes.append(buffer.data(), static_cast<std::size_t>(got));
    }
    return bytes;
  }

 private:
  int file_;
};

// For machines of another byte order libseccomp 2.5.4 swaps the bytes of all it makes but for the
// values of returns that it repeats in long programs; on such a machine itself there is nothing to
// swap. False where it cannot be told which are swapped.
bool mend_returns(Program& program, const Policy& policy) {
  std::set<std::uint32_t> values{policy.default_value, *policy.foreign_value};
  for (const Rule& rule : policy.rules) values.insert(rule.value);
  for (const std::uint32_t value : values) {
    if (value != std::byteswap(value) && values.contains(std::byteswap(value))) return false;
  }
  for (Instruction& each : program) {
    if (each.code != static_cast<std::uint16_t>(Opcode::RetK) || values.contains(each.k)) continue;
    each.k = std::byteswap(each.k);
    if (!values.contains(each.k)) return false;
  }
  return true;
}

// How the child ends.
enum ChildEnd : int { Made = 0, Refused = 1 };

// Waits for a child that no limit but its own ends. Nothing where SIGCHLD is ignored, or another
// thread that waits for any child was told: it is gone then, too.
std::optional<int> end_of(pid_t child) {
  int status = 0;
  while (waitpid(child, &status, 0) < 0) {
    if (errno != EINTR) return std::nullopt;
  }
  return status;
}

}  // namespace

std::string libseccomp_version() {
  const scmp_version* version = seccomp_version();
  return fmt::format("{}.{}.{}", version->major, version->minor, version->micro);
}

bool libseccomp_knows(std::string_view syscall) {
  return seccomp_syscall_resolve_name(std::string(syscall).c_str()) != __NR_SCMP_ERROR;
}

std::optional<std::int32_t> libseccomp_number(Arch arch, std::string_view syscall) {
  const std::uint32_t token = seccomp_arch_resolve_name(std::string(info(arch).name).c_str());
  const int number = seccomp_syscall_resolve_name_arch(token, std::string(syscall).c_str());
  if (token == 0 || number == __NR_SCMP_ERROR) return std::nullopt;
  return number;
}

// There are rules that libseccomp 2.5.4 never comes to an end with, so that it works in a child
// that has so many seconds.
std::expected<Program, LowerError> lower_libseccomp(const Policy& policy,
                                                    const LibseccompOptions& options) {
  if (policy.arches.empty()) return fail("it names no architecture");
  if (!policy.foreign_value) return fail("libseccomp always checks the architecture");
  const bool x86_64 = std::ranges::find(policy.arches, Arch::X86_64) != policy.arches.end();
  const bool x32 = std::ranges::find(policy.arches, Arch::X32) != policy.arches.end();
  if (x86_64 && !x32 && policy.x32 == X32Calls::Numbers) {
    return fail("libseccomp treats x32 calls as foreign ones");
  }
  const MemoryFile program;
  const MemoryFile refusal;  // the rule's number, a space, the message
  const pid_t child = program.get() < 0 || refusal.get() < 0 ? -1 : fork();
  if (child < 0) return fail(fmt::format("no process for libseccomp (errno {})", errno));
  if (child == 0) {
    const rlimit seconds{options.seconds, options.seconds + 1};
    static_cast<void>(setrlimit(RLIMIT_CPU, &seconds));
    const rlimit no_core{0, 0};
    static_cast<void>(setrlimit(RLIMIT_CORE, &no_core));
    const auto made = generate(policy, options, program.get());
    if (!made) {
      const auto rule = made.error().rule;
      refusal.write(fmt::format("{} {}", rule ? std::to_string(*rule) : "-", made.error().message));
    }
    _exit(made ? Made : Refused);
  }
  const std::optional<int> status = end_of(child);
  const std::string why = refusal.content();
  if (status && WIFSIGNALED(*status)) {
    const bool late = WTERMSIG(*status) == SIGXCPU || WTERMSIG(*status) == SIGKILL;
    return fail(late ? fmt::format("libseccomp {} has not come to an end with these rules in {} s; "
                                   "a runtime would wait for it, too",
                                   libseccomp_version(), options.seconds)
                     : fmt::format("libseccomp {} dies of these rules (signal {})",
                                   libseccomp_version(), WTERMSIG(*status)));
  }
  if (status ? WEXITSTATUS(*status) != Made : !why.empty()) {
    const std::size_t space = std::min(why.find(' '), why.size());
    LowerError error{why.substr(std::min(space + 1, why.size())), {}};
    std::size_t rule = 0;
    if (std::from_chars(why.data(), why.data() + space, rule).ec == std::errc{}) error.rule = rule;
    return std::unexpected(std::move(error));
  }
  const std::string bytes = program.content();
  if (!status && bytes.empty()) {
    return fail(
        "libseccomp made no program, and why is not known: SIGCHLD is ignored here, or another "
        "thread waits for any child");
  }
  ReadOptions read;
  read.format = InputFormat::Raw;
  read.order = info(policy.arches.front()).byte_order;
  auto out = read_program(bytes, read);
  if (!out) return fail("libseccomp's program: " + to_string(out.error()));
  if (read.order != kHostByteOrder && !mend_returns(out->program, policy)) {
    return fail(
        fmt::format("libseccomp {} cannot make this program on a machine of another byte "
                    "order than {}",
                    libseccomp_version(), info(policy.arches.front()).name));
  }
  return std::move(out->program);
}

}  // namespace callgate::front_ends
