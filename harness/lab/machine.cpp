#include "harness/lab/machine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <cstdlib>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

#include "harness/lab/agent_files.hpp"
#include "harness/lab/guest_files.hpp"

namespace callgate::lab {
namespace {

volatile std::sig_atomic_t stop = 0;

void on_signal(int /*signal*/) { stop = 1; }

// An apt of its own: lists, cache and status in the work folder; where packages come from and which
// key signs them is asked of the machine's own apt. An archive that does not answer is not waited
// for long, and what is missing of the lists is an error (apt-get itself would go on without).
// Arguments: folder, suite, architecture, pattern, where to put the image. Since 7.1 the image lies
// in linux-binary-VERSION.
constexpr const char* kFetch = R"sh(set -eu
root=$1 suite=$2 arch=$3 pattern=$4 image=$5
source=$(apt-get indextargets --format '$(REPO_URI) $(SIGNED_BY)' 'Created-By: Packages' | grep -v security | head -n 1)
uri=${source%% *} key=${source#* }
# Where the machine names no key file, Debian's own keyring holds it.
case $key in /*) ;; *) key=/usr/share/keyrings/debian-archive-keyring.gpg ;; esac
[ -n "$uri" ] || { echo "the machine's apt knows no archive"; exit 1; }
mkdir -p $root/lists/partial $root/cache/archives/partial $root/etc/apt.conf.d $root/etc/preferences.d \
  $root/etc/sources.list.d $root/log
: > $root/status
echo "deb [arch=$arch${key:+ signed-by=$key}] $uri $suite main" > $root/etc/sources.list
cat > $root/apt.conf <<C
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "1";
Acquire::http::Timeout "15";
Acquire::https::Timeout "15";
APT::Update::Error-Mode "any";
Acquire::Check-Valid-Until "false";
Dir::State "$root";
Dir::State::Lists "$root/lists";
Dir::State::status "$root/status";
Dir::Cache "$root/cache";
Dir::Cache::pkgcache "";
Dir::Cache::srcpkgcache "";
Dir::Log "$root/log";
Dir::Etc "$root/etc";
C
export APT_CONFIG=$root/apt.conf
[ -e $root/updated ] || apt-get -q update
: > $root/updated
package=$(apt-cache pkgnames linux-image | grep -E "$pattern" | sort -V | tail -n 1)
[ -n "$package" ] || { echo "$suite has no package of that name: $pattern"; exit 1; }
binary=$(apt-cache pkgnames linux-binary | grep -xF "linux-binary-${package#linux-image-}" || :)
rm -rf $root/out
mkdir $root/out
cd $root/out
apt-get -q download "${binary:-$package}"
dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards '*/vmlinu*'
mv "$(find . -type f -name 'vmlinu*' | head -n 1)" $image
)sh";

// A folder with a file for each image that was not to be had: why.
constexpr const char* kMissing = "missing-kernels";

// The line that says most of why a command failed: apt's or the compiler's first error, or the
// last.
std::string why(const std::filesystem::path& log) {
  std::istringstream in(slurp(log));
  std::string last = "no word of why";
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with("E: ") || line.find("error: ") != std::string::npos) return line;
    if (!line.empty()) last = line;
  }
  return last;
}

void child(std::vector<char*>& words, int out, const char* temporary, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  ::setpgid(0, 0);
  ::setenv("TMPDIR", temporary, 1);
  const int in = ::open("/dev/null", O_RDONLY);
  ::dup2(in, 0);
  ::dup2(out, 1);
  ::dup2(out, 2);
  ::execvp(words[0], words.data());
  ::_exit(127);
}

}  // namespace

bool interrupted() noexcept { return stop != 0; }

WorkFolder::WorkFolder(const std::string& keep) : path_(keep), removed_at_end_(keep.empty()) {
  for (const int each : {SIGINT, SIGTERM, SIGHUP}) std::signal(each, on_signal);
  if (removed_at_end_) {
    std::string name = (std::filesystem::temp_directory_path() / "callgate-lab-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  } else {
    std::filesystem::create_directories(path_);
    path_ = std::filesystem::absolute(path_);
    std::filesystem::remove_all(path_ / kMissing);  // perhaps it is to be had by now
  }
  std::filesystem::create_directory(path_ / kMissing);
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (removed_at_end_) std::filesystem::remove_all(path_, ignored);
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

Ended run(const std::vector<std::string>& command, const std::filesystem::path& log,
          std::chrono::seconds patience) {
  using How = Ended::How;
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) return {};
  const std::string temporary = log.parent_path().string();
  std::vector<std::string> copy = command;
  std::vector<char*> words;
  for (std::string& each : copy) words.push_back(each.data());
  words.push_back(nullptr);
  const pid_t parent = ::getpid();
  const pid_t pid = ::fork();
  if (pid == 0) child(words, out, temporary.c_str(), parent);
  ::close(out);
  if (pid < 0) return {};
  ::setpgid(pid, pid);  // as the child does: whoever comes first
  const auto end = std::chrono::steady_clock::now() + patience;
  siginfo_t about{};
  auto how = How::Exited;
  while (::waitid(P_PID, static_cast<id_t>(pid), &about, WEXITED | WNOHANG | WNOWAIT) == 0 &&
         about.si_pid == 0) {
    if (interrupted()) how = How::Interrupted;
    if (std::chrono::steady_clock::now() > end) how = How::TookTooLong;
    if (how != How::Exited) break;
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  ::kill(-pid, SIGKILL);  // all of its group, while its id is still its own
  int status = 0;
  ::waitpid(pid, &status, 0);
  if (how != How::Exited) return {how, 0};
  if (WIFEXITED(status)) return {How::Exited, WEXITSTATUS(status)};
  return {How::Killed, WTERMSIG(status)};
}

std::expected<std::filesystem::path, Trouble> fetch_kernel(const LabKernel& kernel,
                                                           const std::filesystem::path& work) {
  const auto image = work / fmt::format("kernel-{}", kernel.image());
  if (std::filesystem::exists(image)) return image;
  const auto missing = work / kMissing / kernel.image();
  if (std::filesystem::exists(missing)) return std::unexpected(Trouble{false, slurp(missing)});
  const auto root = work / fmt::format("{}-{}", kernel.suite, kernel.platform.debian_arch);
  const auto log = work / fmt::format("fetch-{}.log", kernel.name);
  const Ended ended =
      run({"sh", "-c", kFetch, "fetch", root.string(), std::string(kernel.suite),
           std::string(kernel.platform.debian_arch), kernel.package_pattern(), image.string()},
          log, std::chrono::seconds(300));
  if (ended.well()) return image;
  const std::string reason = fmt::format(
      "no kernel to be had: {}{}",
      ended.how == Ended::How::TookTooLong ? "the archive took too long; " : "", why(log));
  if (!interrupted()) std::ofstream(missing) << reason;
  return std::unexpected(Trouble{false, reason});
}

std::expected<std::filesystem::path, Trouble> build_agent(const LabKernel& kernel,
                                                          const std::filesystem::path& work) {
  const auto agent = work / fmt::format("agent-{}", kernel.target);
  if (std::filesystem::exists(agent)) return agent;
  for (const AgentFile& each : agent_files()) {
    std::filesystem::create_directories((work / each.name).parent_path());
    std::ofstream(work / each.name, std::ios::binary) << each.text;
  }
  std::ofstream(work / "nothing.c") << "#include <stdio.h>\nint main(void) { return 0; }\n";
  const auto log = work / fmt::format("build-{}.log", kernel.name);
  const auto compile = [&](const char* source, const std::filesystem::path& to) {
    std::vector<std::string> command{"clang",
                                     fmt::format("--target={}", kernel.target),
                                     "-O2",
                                     "-w",
                                     "-static",
                                     "-I" + work.string(),
                                     "-o",
                                     to.string(),
                                     (work / source).string()};
    // Debian's cross linkers stand under their target's name; x86 has the machine's own.
    if (kernel.calls != Arch::X86_64 && kernel.calls != Arch::X86) {
      command.push_back(fmt::format("-fuse-ld=/usr/bin/{}-ld", kernel.target));
    }
    return run(command, log, std::chrono::seconds(120));
  };
  const Ended toolchain = compile("nothing.c", work / "nothing");
  if (!toolchain.well()) {
    return std::unexpected(Trouble{
        false,
        fmt::format("nothing can be built for {}; install clang and Debian's libc6-dev-ARCH-cross, "
                    "libgcc-12-dev-ARCH-cross and binutils for it (gcc-multilib for i386): {}",
                    kernel.target, toolchain.no_command() ? "there is no clang" : why(log))});
  }
  const auto unfinished = work / fmt::format("unfinished-{}", kernel.target);
  if (!compile("harness/lab/agent.c", unfinished).well()) {
    return std::unexpected(Trouble{true, "the agent does not compile: " + why(log)});
  }
  std::filesystem::rename(unfinished, agent);
  return agent;
}

std::expected<std::string, Trouble> boot(const LabKernel& kernel,
                                         const std::filesystem::path& image,
                                         const std::string& initrd,
                                         const std::filesystem::path& work,
                                         std::chrono::seconds patience, Clock clock) {
  const auto file = work / fmt::format("initrd-{}", kernel.name);
  std::ofstream(file, std::ios::binary) << initrd;
  std::vector<std::string> command;
  std::istringstream words{std::string(kernel.platform.qemu)};
  for (std::string word; words >> word;) command.push_back(word);
  const std::string append = fmt::format("console={} quiet panic=-1", kernel.platform.console);
  for (const char* each : {"-accel", "tcg", "-smp", "1", "-m", "256", "-nodefaults", "-display",
                           "none", "-serial", "stdio", "-no-reboot", "-kernel"}) {
    command.emplace_back(each);
  }
  if (clock == Clock::Instructions) {
    const auto kernel_at = std::prev(command.end());
    command.insert(kernel_at, {"-icount", "shift=0,sleep=off"});
  }
  command.insert(command.end(), {image.string(), "-initrd", file.string(), "-append", append});
  const auto log = work / fmt::format("console-{}.log", kernel.name);
  const Ended ended = run(command, log, patience);
  const std::string told = slurp(log);
  if (ended.well()) return told;
  if (ended.no_command()) {
    return std::unexpected(
        Trouble{false, fmt::format("{} is not there; install qemu-system-arm, qemu-system-misc, "
                                   "qemu-system-x86, qemu-system-ppc and qemu-system-mips",
                                   command.front())});
  }
  std::string reason;
  switch (ended.how) {
    case Ended::How::Exited:
      reason = fmt::format("QEMU exits with {}", ended.code);
      break;
    case Ended::How::Killed:
      reason = fmt::format("QEMU died of signal {}", ended.code);
      break;
    case Ended::How::TookTooLong:
      reason = fmt::format("the guest did not end within {} s", patience.count());
      break;
    case Ended::How::Interrupted:
      reason = "interrupted";
      break;
    case Ended::How::NotStarted:
      reason = "QEMU could not be started";
      break;
  }
  return std::unexpected(Trouble{true, reason + "; " + last_words(told)});
}

}  // namespace callgate::lab
