#include "harness/process/recorder.hpp"

#include <fcntl.h>
#include <fmt/format.h>
#include <sys/stat.h>
#include <sys/utsname.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <vector>

#include "harness/trace/binary.hpp"

namespace callgate::process {
namespace {

constexpr std::size_t kBuffer = std::size_t{64} * 1024;

class Recorder : public Observer {
 public:
  Recorder(int file, const RecordLimits& limits) : file_(file), limits_(limits) {
    writer.bytes.reserve(kBuffer + 256);
  }

  void started(pid_t /*tid*/, pid_t /*creator*/) override {}
  void entered(pid_t tid, const SeccompData& call) override {
    if (has_enough()) return;
    writer.call(tid, call);
    ++calls;
    flush_if_full();
  }
  void left(pid_t tid, std::int64_t result) override {
    writer.returned(tid, result);
    flush_if_full();
  }
  void executed(pid_t /*tid*/, pid_t /*former*/) override {}
  void ending(pid_t /*tid*/) override {}
  void ended(pid_t /*tid*/, const TaskEnd& /*end*/) override {}
  [[nodiscard]] bool wants_results() const override { return limits_.results; }
  [[nodiscard]] bool wants_endings() const override { return false; }
  [[nodiscard]] bool has_enough() const override {
    return limits_.calls && calls >= *limits_.calls;
  }

  // What cannot be written is dropped, and said at the end: the command goes on.
  void flush() {
    std::string_view rest = writer.bytes;
    while (error == 0 && !rest.empty()) {
      const ssize_t written = write(file_, rest.data(), rest.size());
      if (written >= 0) {
        rest.remove_prefix(static_cast<std::size_t>(written));
      } else if (errno != EINTR) {
        error = errno;
      }
    }
    writer.bytes.clear();
  }

  trace::BinaryWriter writer;
  std::uint64_t calls = 0;
  int error = 0;

 private:
  void flush_if_full() {
    if (writer.bytes.size() >= kBuffer) flush();
  }

  int file_;
  const RecordLimits& limits_;
};

struct File {
  int descriptor;
  ~File() {
    if (descriptor >= 0) close(descriptor);
  }
};

}  // namespace

std::expected<Recorded, ProcessError> record_command(std::span<const std::string> command,
                                                     const std::string& path,
                                                     const RecordLimits& limits) {
  const File file{open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666)};
  if (file.descriptor < 0) {
    return std::unexpected(
        ProcessError{fmt::format("{}: it cannot be written: {}", path, std::strerror(errno))});
  }
  Recorder recorder(file.descriptor, limits);
  utsname machine{};
  uname(&machine);
  recorder.writer.header(machine.release, info(host_arch()).name,
                         std::vector<std::string>(command.begin(), command.end()));
  recorder.flush();
  const auto end = run_traced(command, limits.session, recorder);
  if (!end) {
    struct stat status{};
    const bool plain = fstat(file.descriptor, &status) == 0 && S_ISREG(status.st_mode);
    if (plain) unlink(path.c_str());
    return std::unexpected(end.error());
  }
  recorder.writer.end();
  recorder.flush();
  Recorded out;
  out.end = *end;
  out.calls = recorder.calls;
  if (recorder.error != 0) {
    out.trouble = fmt::format("{}: the trace ends early: {}", path, std::strerror(recorder.error));
  }
  return out;
}

}  // namespace callgate::process
