#include "harness/cli/cli.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/stat.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <system_error>

#include "harness/cli/told_choices.hpp"
#include "harness/front_ends/capabilities.hpp"
#include "harness/front_ends/constants.hpp"
#include "harness/front_ends/loader.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/front_ends/telling_calls.hpp"
#include "harness/live/timing.hpp"
#include "harness/process/manifest.hpp"
#include "harness/report/words.hpp"
#include "harness/suite/scanner.hpp"
#include "vm/syscalls.hpp"

namespace callgate::cli {
namespace {

std::string known_arches() {
  std::string names;
  for (const ArchInfo& row : arches()) {
    if (!names.empty()) names += ' ';
    names += row.name;
  }
  return names;
}

// A number as the whole of `text`, as C has it, with a sign; up to 64 bits.
std::optional<std::uint64_t> parse_number(std::string_view text) {
  const bool negative = text.starts_with('-');
  if (negative) text.remove_prefix(1);
  const auto value = suite::c_number_of(text);
  if (!value) return std::nullopt;
  if (negative && *value > std::uint64_t{1} << 63U) return std::nullopt;
  return negative ? 0 - *value : *value;
}

}  // namespace

void ModelOptions::add_to(CLI::App& command) {
  command.add_option("--arch", arch, "Architecture, this machine's if not given")
      ->type_name("ARCH");
  command
      .add_option("--kernel", kernel,
                  fmt::format("Linux version, such as 5.10; `host` is the running one; {} if not "
                              "given",
                              to_string(kNewestVersion)))
      ->type_name("VERSION");
  command.add_flag("--jit-harden", jit_harden,
                   "Count instructions as with net.core.bpf_jit_harden in force");
}

KernelModel ModelOptions::model() const {
  KernelModel model;
  model.arch = host_arch();
  if (kernel == "host") {
    model = KernelModel::host();
  } else if (!kernel.empty()) {
    const auto version = parse_version(kernel);
    if (!version) {
      throw UserError(
          fmt::format("--kernel {}: not a version; write it as 5.10 or 6.12.3, or `host`", kernel));
    }
    model.version = *version;
  }
  if (!arch.empty()) {
    const auto named = arch_from_name(arch);
    if (!named) {
      throw UserError(
          fmt::format("--arch {}: not an architecture; these are: {}", arch, known_arches()));
    }
    model.arch = *named;
  }
  model.blinds_constants = model.blinds_constants || jit_harden;
  return model;
}

ByteOrder ModelOptions::file_order() const {
  return arch.empty() ? kHostByteOrder : info(model().arch).byte_order;
}

void InputOptions::add_to(CLI::App& command) {
  std::vector<std::string_view> names = names_of(front_ends::input_formats());
  for (const auto& row : front_ends::profile_formats()) names.push_back(row.name);
  constexpr const char* kGroup = "How FILTER is read";
  command
      .add_option("--input-format", format,
                  "How FILTER is written, told by its content and name if not given")
      ->check(told_choices(names))
      ->type_name("FORMAT")
      ->group(kGroup);
  command
      .add_option("--caps", caps,
                  "Profiles of containers: the bounding set, such as CAP_SYS_ADMIN,CAP_KILL, or "
                  "none, or all; the engine's default if not given")
      ->type_name("CAPS")
      ->group(kGroup);
  command.add_option("--runtime", runtime, "Profiles of containers: who builds the filter")
      ->check(CLI::IsMember({"runc", "runc-1.1", "crun"}))
      ->type_name("RUNTIME")
      ->group(kGroup);
  command
      .add_option("--systemd", systemd,
                  "Units: the version whose sets are meant, 252; the installed one's if not given")
      ->type_name("VERSION")
      ->group(kGroup);
  command
      .add_option("--with", with,
                  "A further file that belongs to FILTER: a drop-in of a unit, a frequency file of "
                  "minijail")
      ->type_name("FILE")
      ->group(kGroup);
  command
      .add_flag("--denylist", denylist,
                "Policies of minijail's compiler: as with its own --denylist")
      ->group(kGroup);
  if (command.get_option_no_throw("--verbose") == nullptr) {
    command
        .add_flag(
            "-v,--verbose", verbose,
            "Say what FILTER was recognised as, and where libseccomp may depart from a profile")
        ->group(kGroup);
  }
}

namespace {

// Where libseccomp's program says something else than the profile: calls that show it, and where no
// call does, what might be one.
void print_departures(const std::string& shown, const FilterFile& filter,
                      const KernelModel& model) {
  const front_ends::Policy& policy = *filter.policy;
  const bool tree = filter.lowering == front_ends::Lowering::LibseccompTree;
  for (const front_ends::Disagreement& each :
       front_ends::disagreements(policy, filter.program, model)) {
    const std::size_t line = each.said.rule ? policy.rules[*each.said.rule].place.line : 0;
    tell("{}{}: {}({:#x}) gets {} by the profile, and {} by libseccomp's program", shown,
         line == 0 ? "" : fmt::format(":{}", line), report::call_name(each.data),
         fmt::join(each.data.args, ", "), report::verdict_words(each.said.value, model),
         report::verdict_words(each.value, model));
  }
  const auto possible = front_ends::departures(policy, tree, 1000);
  std::vector<front_ends::DepartureKind> said;
  for (const front_ends::Departure& each : possible) {
    if (std::ranges::find(said, each.kind) != said.end()) continue;
    said.push_back(each.kind);
    const auto same = std::ranges::count(possible, each.kind, &front_ends::Departure::kind);
    const front_ends::Rule& rule = policy.rules[each.first];
    tell("{}:{}:{}: {} on {}: {}{}", shown, rule.place.line, rule.place.column, rule.syscall,
         info(each.arch).name, front_ends::departure_words(each, policy),
         same == 1 ? "" : fmt::format(" (and {} more)", same - 1));
  }
}

// What there is to say of a file, each with its place; what is only worth knowing with -v.
void print_notes(const std::string& shown, const filters::ReadFilters& loaded, bool verbose,
                 const KernelModel& model) {
  if (verbose) {
    tell("{}: read as {} ({}), {} filter{}", shown, loaded.format, loaded.looks_like,
         loaded.filters.size(), loaded.filters.size() == 1 ? "" : "s");
  }
  for (const front_ends::Note& note : loaded.notes) {
    tell("{}", filters::note_words(shown, note));
  }
  if (!verbose) return;
  for (const FilterFile& filter : loaded.filters) {
    if (filter.policy && filter.lowering != front_ends::Lowering::Plain) {
      print_departures(shown, filter, model);
    }
  }
}

}  // namespace

front_ends::LoadOptions load_options(const InputOptions& input, const ModelOptions& options) {
  front_ends::LoadOptions load;
  load.program.order = options.file_order();
  load.program.arch = options.model().arch;
  load.deployment.model = options.model();
  auto caps = filters::caps_of(input.caps);
  if (!caps) throw UserError(fmt::format("--caps {}: {}", input.caps, caps.error()));
  load.deployment.caps = std::move(*caps);
  load.deployment.runtime = input.runtime;
  load.deployment.systemd = input.systemd;
  load.deployment.extra = input.with;
  load.deployment.denylist = input.denylist;
  load.input_format = input.format;
  if (!input.format.empty() && !filters::is_format(input.format)) {
    throw UserError(fmt::format("--input-format {}: not a format; see --help", input.format));
  }
  return load;
}

std::vector<FilterFile> read_filters(const std::string& path, const InputOptions& input,
                                     const ModelOptions& options) {
  const front_ends::LoadOptions load = load_options(input, options);
  auto read = filters::read_filters(path, load);
  if (!read) throw UserError(read.error());
  print_notes(path == "-" ? "standard input" : path, *read, input.verbose, load.deployment.model);
  return std::move(read->filters);
}

std::vector<FilterFile> read_stack(std::span<const std::string> paths, const InputOptions& input,
                                   const ModelOptions& options) {
  std::vector<FilterFile> out;
  for (const std::string& path : paths) {
    for (FilterFile& each : read_filters(path, input, options)) out.push_back(std::move(each));
  }
  return out;
}

FilterFile read_filter(const std::string& path, const InputOptions& input,
                       const ModelOptions& options) {
  std::vector<FilterFile> all = read_filters(path, input, options);
  if (all.size() == 1) return std::move(all.front());
  throw UserError(
      fmt::format("{}: it stands for {} filters, and this takes one: `callgate convert "
                  "-o DIR` writes each into a file",
                  path, all.size()));
}

bool say_unsaid(const std::string& path, const std::string& syntax,
                const std::vector<report::Unsaid>& unsaid) {
  bool whole = true;
  for (const report::Unsaid& each : unsaid) {
    whole = whole && !each.lost;
    tell("{}: instruction {}: {}: {}", path, each.instruction, syntax, each.what);
  }
  if (!whole) {
    tell("callgate: {} cannot say all of {}; callgate's own listing can", syntax, path);
  }
  return whole;
}

void add_filters(CLI::App& command, std::vector<std::string>& paths, bool positional) {
  command
      .add_option(positional ? "-f,--filter,FILTER" : "-f,--filter", paths,
                  "A filter, or a profile that some are made of, in any format that is read; give "
                  "the option once for each of the stack, the oldest first; - is standard input")
      ->type_name("FILTER")
      ->required();
}

std::optional<FilterStack> build_stack(std::span<const FilterFile> files, const KernelModel& model,
                                       const Engine& engine) {
  auto stack = filters::stack_of(files, model, engine);
  if (stack) return std::move(*stack);
  fmt::print(stderr, "{}",
             refusal_lines(files[stack.error().file].path, model, stack.error().diagnostics));
  return std::nullopt;
}

std::int32_t parse_syscall(const std::string& text, Arch arch) {
  if (const auto number = syscall_number(arch, text)) return static_cast<std::int32_t>(*number);
  if (const auto number = parse_number(text)) {
    const bool fits = *number <= 0xffffffffU || *number >= 0xffffffff80000000U;
    if (fits) return static_cast<std::int32_t>(static_cast<std::uint32_t>(*number));
    throw UserError(fmt::format("{}: a syscall number has 32 bits", text));
  }
  for (const ArchInfo& row : arches()) {
    if (syscall_number(row.arch, text)) {
      throw UserError(
          fmt::format("{}: {} has no such syscall ({} has); give a number to ask for "
                      "one all the same",
                      text, info(arch).name, row.name));
    }
  }
  throw UserError(fmt::format("{}: not a syscall of any architecture, and not a number", text));
}

std::uint64_t parse_argument(const std::string& text, Arch arch) {
  std::uint64_t value = 0;
  std::string_view rest = text;
  for (;;) {
    const std::size_t bar = rest.find('|');
    const std::string_view part = rest.substr(0, bar);
    if (const auto number = parse_number(part)) {
      value |= *number;
    } else {
      const auto named = front_ends::find_constant(part, arch);
      if (!named) throw UserError(fmt::format("{}: {}", text, named.error()));
      value |= *named;
    }
    if (bar == std::string_view::npos) return value;
    rest.remove_prefix(bar + 1);
  }
}

SeccompData parse_call(const std::string& syscall, std::span<const std::string> arguments,
                       const std::string& instruction_pointer, Arch arch) {
  SeccompData data;
  data.nr = parse_syscall(syscall, arch);
  data.arch = info(arch).token;
  data.instruction_pointer = parse_argument(instruction_pointer, arch);
  if (arguments.size() > data.args.size()) {
    throw UserError(fmt::format("{} arguments; a syscall has 6 at most", arguments.size()));
  }
  for (std::size_t i = 0; i < arguments.size(); ++i) {
    data.args[i] = parse_argument(arguments[i], arch);
  }
  return data;
}

void CallOptions::add_to(CLI::App& command, const std::string& words) {
  command.add_option("SYSCALL", syscall, words)->type_name("");
  command
      .add_option("ARG", arguments,
                  "Up to 6: numbers as in C (0755 is octal), negative ones, or constants such as "
                  "O_RDWR|O_CREAT; "
                  "put -- before a negative one")
      ->type_name("");
  command.add_option("--ip", instruction_pointer, "The instruction pointer that the filters see")
      ->type_name("N");
}

SeccompData CallOptions::call(Arch arch) const {
  return parse_call(syscall, arguments, instruction_pointer, arch);
}

void add_format(CLI::App& command, std::string& format) {
  command.add_option("--format", format, "text or json")
      ->check(CLI::IsMember({"text", "json"}))
      ->type_name("FORMAT");
}

void add_bars_page(CLI::App& command, std::string& path) {
  command
      .add_option("--html", path, "Write a page with bars besides: one file that needs no other")
      ->type_name("FILE");
}

void need_core(std::string_view command, int core) {
  if (core < 0) return;
  const auto cores = live::usable_cores();
  if (std::ranges::find(cores, core) != cores.end()) return;
  throw UserError(fmt::format("{}: --cpu {}: this process may not use that core", command, core));
}

namespace {

// Signals that end a process wait until a file has its name, or is gone.
class WithoutInterrupts {
 public:
  WithoutInterrupts() {
    sigset_t signals;
    sigemptyset(&signals);
    for (const int each : {SIGINT, SIGTERM, SIGHUP, SIGQUIT}) sigaddset(&signals, each);
    pthread_sigmask(SIG_BLOCK, &signals, &before_);
  }
  ~WithoutInterrupts() { pthread_sigmask(SIG_SETMASK, &before_, nullptr); }
  WithoutInterrupts(const WithoutInterrupts&) = delete;
  WithoutInterrupts& operator=(const WithoutInterrupts&) = delete;

 private:
  sigset_t before_{};
};

// 0, or the error.
int write_all(int file, std::string_view text) {
  while (!text.empty()) {
    const ssize_t written = write(file, text.data(), text.size());
    if (written < 0 && errno == EINTR) continue;
    if (written < 0) return errno;
    text.remove_prefix(static_cast<std::size_t>(written));
  }
  return 0;
}

// 0, or the error. What `path` names is no regular file: a device, a pipe.
int write_into(const std::string& path, std::string_view text) {
  const int file = open(path.c_str(), O_WRONLY | O_CLOEXEC | O_NOCTTY);
  if (file < 0) return errno;
  const int error = write_all(file, text);
  return close(file) != 0 && error == 0 ? errno : error;
}

// 0, or the error.
int write_beside(const std::filesystem::path& path, std::string_view text) {
  const WithoutInterrupts waiting;
  // A name of its own: nothing of the user's is in the way, and it is no longer than any name may
  // be.
  std::string part;
  int file = -1;
  for (int i = 0; file < 0; ++i) {
    part = (path.parent_path() / fmt::format(".callgate-{}-{}.part", getpid(), i)).string();
    file = open(part.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0666);
    if (file < 0 && (errno != EEXIST || i == 100)) return errno;
  }
  struct stat before{};
  // A file that is written over keeps its permissions.
  if (stat(path.c_str(), &before) == 0) static_cast<void>(fchmod(file, before.st_mode & 07777U));
  int error = write_all(file, text);
  if (close(file) != 0 && error == 0) error = errno;
  if (error == 0 && rename(part.c_str(), path.c_str()) != 0) error = errno;
  if (error != 0) unlink(part.c_str());
  return error;
}

}  // namespace

void write_whole(const std::string& path, std::string_view text) {
  std::error_code code;
  const auto there = std::filesystem::status(path, code).type();
  int error = 0;
  if (there == std::filesystem::file_type::directory) {
    error = EISDIR;
  } else if (there == std::filesystem::file_type::regular ||
             there == std::filesystem::file_type::not_found) {
    // Where the name is a link, what it leads to is written, and the link stays. There is no
    // circle: status() would not have come to an end.
    std::filesystem::path target = path;
    while (std::filesystem::is_symlink(target, code)) {
      target = target.parent_path() / std::filesystem::read_symlink(target, code);
    }
    error = write_beside(target, text);
  } else {
    error = write_into(path, text);
  }
  if (error == 0) return;
  throw UserError(
      fmt::format("{}: could not be written: {}", path, std::generic_category().message(error)));
}

bool colours_wanted() {
  const char* no_color = std::getenv("NO_COLOR");
  return isatty(STDOUT_FILENO) == 1 && (no_color == nullptr || *no_color == '\0');
}

std::string coloured(std::string_view text, bool good) {
  if (!colours_wanted()) return std::string(text);
  return fmt::format("\033[{}m{}\033[0m", good ? 32 : 31, text);
}

std::string padded(std::string_view text, std::size_t width) {
  return fmt::format("{:<{}} ", text, width);
}

}  // namespace callgate::cli
