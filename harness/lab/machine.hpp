#pragma once

#include <chrono>
#include <expected>
#include <filesystem>
#include <string>
#include <vector>

#include "harness/lab/kernels.hpp"

/// What the lab needs of this machine: kernels, the agent, QEMU.
namespace callgate::lab {

/// A folder of its own, removed at the end; SIGINT and SIGTERM end what runs and leave it removed.
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

/// Whether SIGINT or SIGTERM came.
[[nodiscard]] bool interrupted() noexcept;

/// Runs a command; output and errors go to the file `log`. Its exit code; -1 where it could not be
/// run, was killed, took too long or was interrupted. It dies with this process.
[[nodiscard]] int run(const std::vector<std::string>& command, const std::filesystem::path& log,
                      std::chrono::seconds patience);

/// The kernel's image, fetched by an apt that shares nothing with the machine's; or why not.
[[nodiscard]] std::expected<std::filesystem::path, std::string> fetch_kernel(
    const LabKernel& kernel, const std::filesystem::path& work);

/// The agent for the calls' ABI; or why not, with the packages to install.
[[nodiscard]] std::expected<std::filesystem::path, std::string> build_agent(
    const LabKernel& kernel, const std::filesystem::path& work);

/// Boots, and gives what the console told; or why not.
[[nodiscard]] std::expected<std::string, std::string> boot(const LabKernel& kernel,
                                                           const std::filesystem::path& image,
                                                           const std::string& initrd,
                                                           const std::filesystem::path& work);

/// A file's bytes; empty where it cannot be read.
[[nodiscard]] std::string slurp(const std::filesystem::path& path);

}  // namespace callgate::lab
