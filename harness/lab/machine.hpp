#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/lab/kernels.hpp"

/// What the lab needs of this machine: kernels, the agent, QEMU.
namespace callgate::lab {

/// A folder of its own, removed at the end; SIGINT, SIGTERM and SIGHUP end what runs and leave it
/// removed.
class WorkFolder {
 public:
  /// Empty: a temporary one; otherwise `keep`, which stays.
  explicit WorkFolder(const std::string& keep);
  ~WorkFolder();
  WorkFolder(const WorkFolder&) = delete;
  WorkFolder& operator=(const WorkFolder&) = delete;
  [[nodiscard]] const std::filesystem::path& path() const noexcept { return path_; }

 private:
  std::filesystem::path path_;
  bool removed_at_end_;
};

/// Whether one of those signals came.
[[nodiscard]] bool interrupted() noexcept;

/// How a command ended.
struct Ended {
  enum class How : std::uint8_t { Exited, Killed, TookTooLong, Interrupted, NotStarted };
  How how = How::NotStarted;
  int code = 0;  ///< Exited: its exit code (127: there is no such command); Killed: the signal

  [[nodiscard]] bool well() const noexcept { return how == How::Exited && code == 0; }
  [[nodiscard]] bool no_command() const noexcept { return how == How::Exited && code == 127; }
};

/// Runs a command; output and errors go to the file `log`, temporary files beside it. The command
/// and what it started are gone when this returns, and die with this process.
[[nodiscard]] Ended run(const std::vector<std::string>& command, const std::filesystem::path& log,
                        std::chrono::seconds patience);

/// Why a boot gave no result.
struct Trouble {
  bool failed = false;  ///< false: something that it needs is not to be had; the boot is skipped
  std::string reason{};
};

/// The kernel's image, fetched by an apt that shares nothing with the machine's; or why not.
[[nodiscard]] std::expected<std::filesystem::path, Trouble> fetch_kernel(
    const LabKernel& kernel, const std::filesystem::path& work);

/// The agent for the calls' ABI; or why not, with the packages to install.
[[nodiscard]] std::expected<std::filesystem::path, Trouble> build_agent(
    const LabKernel& kernel, const std::filesystem::path& work);

/// What the guest's clock goes by.
enum class Clock : std::uint8_t {
  Real,
  Instructions,  ///< a nanosecond is an executed instruction; a guest that idles is not waited for
};

/// Boots, and gives what the console told; or why not.
[[nodiscard]] std::expected<std::string, Trouble> boot(const LabKernel& kernel,
                                                       const std::filesystem::path& image,
                                                       const std::string& initrd,
                                                       const std::filesystem::path& work,
                                                       std::chrono::seconds patience, Clock clock);

/// A file's bytes; empty where it cannot be read.
[[nodiscard]] std::string slurp(const std::filesystem::path& path);

}  // namespace callgate::lab
