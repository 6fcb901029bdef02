#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <optional>
#include <span>
#include <string>

#include "harness/process/manifest.hpp"
#include "harness/process/tracer.hpp"

/// Filters of processes: those that a thread has, and those that a command installs.
namespace callgate::process {

/// How much of a command is caught.
struct CaptureLimits {
  SessionLimits session;
  std::size_t installs = 100'000;  ///< after so many the command goes on untraced
};

/// What a command installed, and how it ended.
struct CommandCapture {
  Capture capture;
  SessionEnd end;
};

/// Runs a command and catches every installation of a filter or of strict mode, in all its threads
/// and children, by prctl(2) and seccomp(2), of every ABI of this machine.
[[nodiscard]] std::expected<CommandCapture, ProcessError> capture_command(
    std::span<const std::string> command, const CaptureLimits& limits);

/// The filters that a thread has, by PTRACE_SECCOMP_GET_FILTER; none is no error.
[[nodiscard]] std::expected<Capture, ProcessError> capture_thread(pid_t tid);

}  // namespace callgate::process
