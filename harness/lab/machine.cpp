#include "harness/lab/machine.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <signal.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <csignal>
#include <fstream>
#include <iterator>
#include <sstream>
#include <stdexcept>
#include <thread>

namespace callgate::lab {
namespace {

volatile std::sig_atomic_t stop = 0;

void on_signal(int /*signal*/) { stop = 1; }

// An apt of its own: lists, cache and status in the work folder; where packages come from and which
// key signs them is asked of the machine's own apt. Arguments: folder, suite, architecture,
// pattern.
constexpr const char* kFetch = R"(set -eu
root=$1 suite=$2 arch=$3 pattern=$4
source=$(apt-get indextargets --format '$(REPO_URI) $(SIGNED_BY)' 'Created-By: Packages' | grep -v security | head -n 1)
uri=${source%% *} key=${source#* }
# Where the machine names no key file, Debian's own keyring holds it.
case $key in /*) ;; *) key=/usr/share/keyrings/debian-archive-keyring.gpg ;; esac
[ -n "$uri" ] || { echo "the machine's apt knows no archive"; exit 1; }
mkdir -p $root/lists/partial $root/cache/archives/partial $root/etc/apt.conf.d $root/etc/preferences.d \
  $root/etc/sources.list.d $root/log $root/out
: > $root/status
echo "deb [arch=$arch${key:+ signed-by=$key}] $uri $suite main" > $root/etc/sources.list
cat > $root/apt.conf <<C
APT::Architecture "$arch";
APT::Architectures { "$arch"; };
APT::Sandbox::User "root";
Acquire::Languages "none";
Acquire::Retries "2";
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
apt-get -q update
package=$(apt-cache pkgnames linux-image | grep -E "$pattern" | sort -V | tail -n 1)
[ -n "$package" ] || { echo "no package of that name"; exit 1; }
cd $root/out
apt-get -q download "$package"
dpkg-deb --fsys-tarfile ./*.deb | tar -x --wildcards './boot/vmlinu*'
mv ./boot/vmlinu* ../kernel
)";

std::string last_line(const std::filesystem::path& log) {
  std::istringstream in(slurp(log));
  std::string line;
  std::string last;
  while (std::getline(in, line)) {
    if (!line.empty()) last = line;
  }
  return last;
}

void child(std::vector<char*>& words, int out) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  ::setpgid(0, 0);
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
  if (removed_at_end_) {
    std::string name = (std::filesystem::temp_directory_path() / "callgate-lab-XXXXXX").string();
    if (::mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary folder");
    path_ = name;
  } else {
    std::filesystem::create_directories(path_);
    path_ = std::filesystem::absolute(path_);
  }
  std::signal(SIGINT, on_signal);
  std::signal(SIGTERM, on_signal);
}

WorkFolder::~WorkFolder() {
  std::error_code ignored;
  if (removed_at_end_) std::filesystem::remove_all(path_, ignored);
}

std::string slurp(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

int run(const std::vector<std::string>& command, const std::filesystem::path& log,
        std::chrono::seconds patience) {
  const int out = ::open(log.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
  if (out < 0) return -1;
  std::vector<std::string> copy = command;
  std::vector<char*> words;
  for (std::string& each : copy) words.push_back(each.data());
  words.push_back(nullptr);
  const pid_t pid = ::fork();
  if (pid == 0) child(words, out);
  ::close(out);
  if (pid < 0) return -1;
  const auto end = std::chrono::steady_clock::now() + patience;
  int status = 0;
  while (::waitpid(pid, &status, WNOHANG) == 0) {
    if (interrupted() || std::chrono::steady_clock::now() > end) {
      ::kill(-pid, SIGKILL);
      ::kill(pid, SIGKILL);
      ::waitpid(pid, &status, 0);
      return -1;
    }
    std::this_thread::sleep_for(std::chrono::milliseconds(20));
  }
  return WIFEXITED(status) ? WEXITSTATUS(status) : -1;
}

std::expected<std::filesystem::path, std::string> fetch_kernel(const LabKernel& kernel,
                                                               const std::filesystem::path& work) {
  const auto root = work / fmt::format("{}-{}", kernel.suite, kernel.debian_arch);
  if (std::filesystem::exists(root / "kernel")) return root / "kernel";
  std::filesystem::remove_all(root);
  const auto log = work / fmt::format("fetch-{}.log", kernel.name);
  const int code = run({"sh", "-c", kFetch, "fetch", root.string(), std::string(kernel.suite),
                        std::string(kernel.debian_arch), std::string(kernel.package_pattern)},
                       log, std::chrono::seconds(300));
  if (code == 0) return root / "kernel";
  return std::unexpected("no kernel to be had: " + last_line(log));
}

std::expected<std::filesystem::path, std::string> build_agent(const LabKernel& kernel,
                                                              const std::filesystem::path& work) {
  const auto agent = work / fmt::format("agent-{}", kernel.target);
  if (std::filesystem::exists(agent)) return agent;
  std::vector<std::string> command{"clang",        fmt::format("--target={}", kernel.target),
                                   "-O2",          "-w",
                                   "-static",      "-o",
                                   agent.string(), CALLGATE_LAB_AGENT};
  // Debian's cross linkers stand under their target's name; x86 has the machine's own.
  if (kernel.calls != Arch::X86_64 && kernel.calls != Arch::X86) {
    command.push_back(fmt::format("-fuse-ld=/usr/bin/{}-ld", kernel.target));
  }
  const auto log = work / fmt::format("build-{}.log", kernel.name);
  if (run(command, log, std::chrono::seconds(120)) == 0) return agent;
  return std::unexpected(fmt::format(
      "the agent cannot be built; install clang, and for {} Debian's libc6-dev-ARCH-cross, "
      "libgcc-12-dev-ARCH-cross and binutils (gcc-multilib for i386): {}",
      kernel.target, last_line(log)));
}

std::expected<std::string, std::string> boot(const LabKernel& kernel,
                                             const std::filesystem::path& image,
                                             const std::string& initrd,
                                             const std::filesystem::path& work) {
  const auto file = work / fmt::format("initrd-{}", kernel.name);
  std::ofstream(file, std::ios::binary) << initrd;
  std::vector<std::string> command;
  std::istringstream words{std::string(kernel.qemu)};
  for (std::string word; words >> word;) command.push_back(word);
  const std::string append = fmt::format("console={} quiet panic=-1", kernel.console);
  for (const char* each : {"-accel", "tcg", "-smp", "1", "-m", "256", "-nodefaults", "-display",
                           "none", "-serial", "stdio", "-no-reboot", "-kernel"}) {
    command.emplace_back(each);
  }
  command.insert(command.end(), {image.string(), "-initrd", file.string(), "-append", append});
  const auto log = work / fmt::format("console-{}.log", kernel.name);
  const int code = run(command, log, std::chrono::seconds(300));
  if (code == 127) {
    return std::unexpected(fmt::format(
        "{} is not there; install qemu-system-arm, qemu-system-misc and qemu-system-x86",
        command.front()));
  }
  if (code != 0) return std::unexpected("QEMU failed or took too long: " + last_line(log));
  return slurp(log);
}

}  // namespace callgate::lab
