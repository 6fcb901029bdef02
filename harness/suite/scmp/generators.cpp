#include "harness/suite/scmp/generators.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <poll.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <thread>
#include <utility>

namespace callgate::suite::scmp {
namespace {

namespace fs = std::filesystem;
using Clock = std::chrono::steady_clock;

// The longest filter that can be handed to a kernel at all has 65535 instructions: half of it.
constexpr std::size_t kMostOutput = std::size_t{1024} * 1024;

class Pipe {
 public:
  Pipe() {
    if (pipe2(ends_.data(), O_CLOEXEC) != 0) ends_ = {-1, -1};
  }
  ~Pipe() {
    close_end(0);
    close_end(1);
  }
  Pipe(const Pipe&) = delete;
  Pipe& operator=(const Pipe&) = delete;

  [[nodiscard]] int end(std::size_t which) const { return ends_.at(which); }
  void close_end(std::size_t which) {
    if (ends_.at(which) >= 0) static_cast<void>(close(std::exchange(ends_.at(which), -1)));
  }

 private:
  std::array<int, 2> ends_{-1, -1};
};

// In the child, between fork and exec: nothing that takes memory or a lock.
[[noreturn]] void become(char* const* words, const char* folder, int out, int err, pid_t parent) {
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != parent) ::_exit(126);
  ::setpgid(0, 0);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  const int in = ::open("/dev/null", O_RDONLY);
  if (in < 0 || ::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) ::_exit(126);
  if (::chdir(folder) != 0) ::_exit(126);
  ::execvp(words[0], words);
  ::_exit(127);
}

// Of what a program said last: a line that may be shown anywhere.
class LastLine {
 public:
  void add(std::string_view text) {
    for (const char each : text) {
      if (each == '\n') {
        if (!now_.empty()) last_ = std::exchange(now_, {});
      } else if (now_.size() < 200) {
        now_ += each >= ' ' && each <= '~' ? each : '?';
      }
    }
  }
  [[nodiscard]] std::string text() const { return now_.empty() ? last_ : now_; }

 private:
  std::string last_;
  std::string now_;
};

int milliseconds_until(Clock::time_point end) {
  const auto left = std::chrono::ceil<std::chrono::milliseconds>(end - Clock::now());
  return static_cast<int>(std::clamp<std::int64_t>(left.count(), 0, 1'000'000));
}

// Takes what comes on both pipes until they are closed, or too much or too long.
void read_both(Pipe& out, Pipe& err, Clock::time_point end, std::size_t limit, Ended& ended) {
  LastLine last;
  std::array<char, 4096> buffer{};
  while (out.end(0) >= 0 || err.end(0) >= 0) {
    std::array<pollfd, 2> ready{pollfd{out.end(0), POLLIN, 0}, pollfd{err.end(0), POLLIN, 0}};
    const int patience = milliseconds_until(end);
    if (patience == 0) {
      ended.too_late = true;
      break;
    }
    if (poll(ready.data(), ready.size(), patience) <= 0) continue;
    for (Pipe* const each : {&out, &err}) {
      if (ready[each == &out ? 0 : 1].revents == 0) continue;
      const ssize_t got = read(each->end(0), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got <= 0) {
        each->close_end(0);
        continue;
      }
      const std::string_view text(buffer.data(), static_cast<std::size_t>(got));
      if (each == &err) {
        last.add(text);
      } else if (ended.out.size() + text.size() > limit) {
        ended.too_much = true;
      } else {
        ended.out += text;
      }
    }
    if (ended.too_much) break;
  }
  ended.last_error_line = last.text();
}

bool is_file(const fs::path& path) {
  std::error_code error;
  return fs::is_regular_file(path, error);
}

}  // namespace

std::string to_string(const Ended& ended, std::chrono::milliseconds time_limit) {
  const std::string said =
      ended.last_error_line.empty() ? "" : fmt::format(": {}", ended.last_error_line);
  if (ended.too_much) return "printed more than any filter has, and was killed";
  if (ended.too_late) {
    return fmt::format("was killed after {:g} s{}", static_cast<double>(time_limit.count()) / 1000,
                       said);
  }
  if (ended.signal != 0) return fmt::format("died by signal {}{}", ended.signal, said);
  return fmt::format("ended with exit code {}{}", ended.exit_code, said);
}

std::expected<Ended, std::string> run_program(const std::vector<std::string>& words,
                                              const fs::path& folder,
                                              std::chrono::milliseconds time_limit,
                                              std::size_t output_limit) {
  std::vector<std::string> copy = words;
  std::vector<char*> pointers;
  for (std::string& each : copy) pointers.push_back(each.data());
  pointers.push_back(nullptr);
  const std::string place = folder.empty() ? "." : folder.string();
  Pipe out;
  Pipe err;
  if (out.end(1) < 0 || err.end(1) < 0) {
    return std::unexpected(fmt::format("{}: no pipe for it: {}", words.front(), strerror(errno)));
  }
  const auto end = Clock::now() + time_limit;
  const pid_t parent = getpid();
  const pid_t child = fork();
  if (child < 0) {
    return std::unexpected(fmt::format("{}: not started: {}", words.front(), strerror(errno)));
  }
  if (child == 0) become(pointers.data(), place.c_str(), out.end(1), err.end(1), parent);
  // Here too: whichever is first. What the child is by now does not matter.
  static_cast<void>(setpgid(child, child));
  out.close_end(1);
  err.close_end(1);
  Ended ended;
  read_both(out, err, end, output_limit, ended);
  int status = 0;
  while (!ended.too_late && !ended.too_much) {
    siginfo_t seen{};
    // Its number is kept until all of its group has been killed.
    const int waited = waitid(P_PID, static_cast<id_t>(child), &seen, WEXITED | WNOHANG | WNOWAIT);
    if (waited == 0 && seen.si_pid == child) break;
    if (waited != 0 && errno != EINTR) break;
    if (milliseconds_until(end) == 0) ended.too_late = true;
    std::this_thread::sleep_for(std::chrono::milliseconds(1));
  }
  static_cast<void>(kill(-child, SIGKILL));
  while (waitpid(child, &status, 0) < 0 && errno == EINTR) {
  }
  if (WIFEXITED(status)) ended.exit_code = WEXITSTATUS(status);
  if (WIFSIGNALED(status)) ended.signal = WTERMSIG(status);
  return ended;
}

Generators::Generators(fs::path folder, std::chrono::milliseconds time_limit)
    : folder_(std::move(folder)), time_limit_(time_limit) {
  std::error_code error;
  const fs::path whole = fs::absolute(folder_, error);
  if (!error) folder_ = whole.lexically_normal();
}

std::optional<std::vector<std::string>> Generators::find(const std::string& name) const {
  for (const std::string_view suffix : {"", ".py", ".sh"}) {
    const fs::path path = folder_ / (name + std::string(suffix));
    if (!is_file(path)) continue;
    if (access(path.c_str(), X_OK) == 0) return std::vector{path.string()};
    if (path.extension() == ".py") return std::vector<std::string>{"python3", path.string()};
    if (path.extension() == ".sh") return std::vector<std::string>{"bash", path.string()};
  }
  return std::nullopt;
}

std::string Generators::absent(const std::string& name) const {
  return fmt::format(
      "{}: no program of this name, nor with .py or .sh; build it there, or name another folder",
      (folder_ / name).string());
}

const std::expected<std::string, std::string>& Generators::filter(const std::string& name) {
  if (const auto found = filters_.find(name); found != filters_.end()) return found->second;
  const auto make = [&]() -> std::expected<std::string, std::string> {
    auto words = find(name);
    if (!words) return std::unexpected(absent(name));
    words->emplace_back("-b");
    auto ended = run_program(*words, folder_, time_limit_, kMostOutput);
    if (!ended) return std::unexpected(std::move(ended.error()));
    if (ended->exit_code != 0 || ended->too_late || ended->too_much) {
      return std::unexpected(
          fmt::format("{} -b {}", words->at(words->size() - 2), to_string(*ended, time_limit_)));
    }
    return std::move(ended->out);
  };
  return filters_.emplace(name, make()).first->second;
}

std::expected<Ended, std::string> Generators::run(const std::string& name) const {
  const auto words = find(name);
  if (!words) return std::unexpected(absent(name));
  return run_program(*words, folder_, time_limit_, std::size_t{64} * kMostOutput);
}

}  // namespace callgate::suite::scmp
