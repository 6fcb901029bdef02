#include "harness/front_ends/systemd_sets.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <spawn.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <optional>
#include <set>
#include <utility>

namespace callgate::front_ends::systemd {
namespace {

struct SetRow {
  std::string_view name;
  std::string_view members;
};

constexpr SetRow kSets252[] = {
#define SYSCALL_SET(name, members) SetRow{name, members},
#include "harness/front_ends/systemd_sets_252.def"
#undef SYSCALL_SET
};

constexpr std::string_view kAnalyze = "/usr/bin/systemd-analyze";
constexpr std::size_t kLongestAnswer = std::size_t{1024} * 1024;

std::unexpected<ReadError> fail(std::string message) {
  return std::unexpected(ReadError{std::move(message), {}, {}, {}});
}

// What a pipe gives before its end; nothing where that does not come in time, or is too far.
std::optional<std::string> read_all(int file, std::chrono::milliseconds limit) {
  const auto end = std::chrono::steady_clock::now() + limit;
  std::string out;
  for (;;) {
    const auto left = std::chrono::duration_cast<std::chrono::milliseconds>(
        end - std::chrono::steady_clock::now());
    if (left.count() <= 0 || out.size() > kLongestAnswer) return std::nullopt;
    pollfd ready{file, POLLIN, 0};
    const int polled = poll(&ready, 1, static_cast<int>(left.count()));
    if (polled < 0 && errno != EINTR) return std::nullopt;
    if (polled <= 0) continue;
    std::array<char, 4096> buffer{};
    const ssize_t got = read(file, buffer.data(), buffer.size());
    if (got < 0) return std::nullopt;
    if (got == 0) return out;
    out.append(buffer.data(), static_cast<std::size_t>(got));
  }
}

// What systemd-analyze prints for one word. No shell, no environment, no input.
std::expected<std::string, ReadError> ask_systemd_analyze(std::string word,
                                                          std::chrono::milliseconds limit) {
  std::array<int, 2> pipe_ends{};
  if (pipe2(pipe_ends.data(), O_CLOEXEC) != 0) return fail("no pipe for systemd-analyze");
  posix_spawn_file_actions_t actions;
  posix_spawn_file_actions_init(&actions);
  posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
  posix_spawn_file_actions_adddup2(&actions, pipe_ends[1], STDOUT_FILENO);
  posix_spawn_file_actions_addopen(&actions, STDERR_FILENO, "/dev/null", O_WRONLY, 0);
  std::string program(kAnalyze);
  std::string no_pager = "--no-pager";
  std::array<char*, 4> arguments = {program.data(), no_pager.data(), word.data(), nullptr};
  std::string no_colours = "SYSTEMD_COLORS=0";
  std::array<char*, 2> environment = {no_colours.data(), nullptr};
  pid_t child = -1;
  const int error =
      posix_spawn(&child, program.c_str(), &actions, nullptr, arguments.data(), environment.data());
  posix_spawn_file_actions_destroy(&actions);
  static_cast<void>(close(pipe_ends[1]));
  auto answer = error == 0 ? read_all(pipe_ends[0], limit) : std::nullopt;
  static_cast<void>(close(pipe_ends[0]));
  if (error != 0) return fail(fmt::format("{} cannot be run (errno {})", kAnalyze, error));
  if (!answer) static_cast<void>(kill(child, SIGKILL));
  int status = 0;
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (!answer || !WIFEXITED(status) || WEXITSTATUS(status) != 0) {
    return fail(fmt::format("{} {} gives no answer", kAnalyze, word));
  }
  return std::move(*answer);
}

void add_members(const SyscallSets& sets, std::string_view name, std::set<std::string_view>& seen,
                 std::vector<std::string>& out) {
  const auto found = sets.find(name);
  if (found == sets.end()) return;
  for (const std::string& member : found->second) {
    if (!seen.insert(member).second) continue;
    if (member.starts_with('@')) {
      add_members(sets, member, seen, out);
    } else {
      out.push_back(member);
    }
  }
}

}  // namespace

SyscallSets sets_252() {
  SyscallSets out;
  for (const SetRow& row : kSets252) {
    std::vector<std::string>& members = out[std::string(row.name)];
    std::string_view rest = row.members;
    while (!rest.empty()) {
      const std::size_t end = std::min(rest.find(' '), rest.size());
      members.emplace_back(rest.substr(0, end));
      rest.remove_prefix(std::min(end + 1, rest.size()));
    }
  }
  return out;
}

SyscallSets parse_listing(std::string_view listing) {
  SyscallSets out;
  std::vector<std::string>* members = nullptr;
  while (!listing.empty()) {
    const std::size_t end = std::min(listing.find('\n'), listing.size());
    const std::string_view line = listing.substr(0, end);
    listing.remove_prefix(std::min(end + 1, listing.size()));
    const std::size_t start = std::min(line.find_first_not_of(' '), line.size());
    const std::string_view name = line.substr(start);
    if (name.empty()) continue;
    if (start == 0) {
      members = name.front() == '@' ? &out[std::string(name)] : nullptr;
    } else if (members != nullptr && name.front() != '#') {
      members->emplace_back(name);
    }
  }
  return out;
}

std::expected<SyscallSets, ReadError> installed_sets(std::chrono::milliseconds limit) {
  const auto listing = ask_systemd_analyze("syscall-filter", limit);
  if (!listing) return std::unexpected(listing.error());
  SyscallSets sets = parse_listing(*listing);
  if (!sets.contains("@default")) return fail("systemd-analyze lists no @default");
  return sets;
}

std::expected<std::string, ReadError> installed_version(std::chrono::milliseconds limit) {
  const auto answer = ask_systemd_analyze("--version", limit);
  if (!answer) return std::unexpected(answer.error());
  constexpr std::string_view kStart = "systemd ";
  const std::string_view text = *answer;
  const std::size_t end = text.find_first_not_of("0123456789", kStart.size());
  if (!text.starts_with(kStart) || end == std::string_view::npos || end == kStart.size()) {
    return fail("systemd-analyze --version names no version");
  }
  return std::string(text.substr(kStart.size(), end - kStart.size()));
}

std::vector<std::string> members_of(const SyscallSets& sets, std::string_view name) {
  std::vector<std::string> out;
  std::set<std::string_view> seen = {name};
  add_members(sets, name, seen, out);
  return out;
}

}  // namespace callgate::front_ends::systemd
