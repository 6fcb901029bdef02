// Steps that say who answers: tracers and supervisors.

#include <fmt/format.h>

#include "harness/task/script_words.hpp"
#include "vm/syscalls.hpp"

namespace callgate::task {
namespace {

AddFd addfd_of(Options& options, Arch arch) {
  AddFd addfd;
  if (const auto flags = options.value("flags")) {
    constexpr std::array<FlagName, 2> kNames = {
        {{"SETFD", addfd_flag::kSetFd}, {"SEND", addfd_flag::kSend}}};
    const std::uint64_t given = flags_of(*flags, kNames);
    if (given != static_cast<std::uint32_t>(given)) throw Wrong("flags: 32 bits");
    addfd.flags = static_cast<std::uint32_t>(given);
  }
  if (const auto number = options.value("newfd")) addfd.new_fd = word32_of(*number, "newfd");
  if (const auto flags = options.value("newfd-flags")) {
    addfd.new_fd_flags = *flags == "CLOEXEC" ? info(arch).numbers.o_cloexec
                                             : word32_of(*flags, "newfd-flags: CLOEXEC, or");
  }
  if (const auto size = options.value("size")) {
    constexpr std::uint32_t kLargest = 16383;  // the ioctl's number has 14 bits for it
    addfd.size = word32_of(*size, "size");
    if (addfd.size > kLargest) throw Wrong("size: 0 to 16383");
  }
  if (const auto source = options.value("source")) {
    if (*source != "open" && *source != "closed") throw Wrong("source: open or closed");
    addfd.source_open = *source == "open";
  }
  if (const auto id = options.value("id")) {
    if (*id != "right" && *id != "wrong") throw Wrong("id: right or wrong");
    addfd.right_id = *id == "right";
  }
  return addfd;
}

}  // namespace

void parse_tracer(Step& step, Options& options, Arch arch) {
  step.kind = StepKind::Tracer;
  const std::string_view what = options.next("what the tracer does");
  if (what == "none") return;
  step.tracer.emplace();
  if (what == "skip") {
    step.tracer->nr = -1;
    if (const auto value = options.value("value")) step.tracer->value = signed_of(*value);
  } else if (what.starts_with("number=")) {
    const std::string_view call = what.substr(7);
    const auto nr = syscall_number(arch, call);
    const auto number = static_cast<std::uint32_t>(nr ? *nr : word_of(call));
    step.tracer->nr = static_cast<std::int32_t>(number);
    if (const auto value = options.value("value")) step.tracer->value = signed_of(*value);
  } else if (what != "continue") {
    throw Wrong(fmt::format("tracer: {}: skip, number=CALL, continue or none", what));
  }
  if (const auto args = options.value("args")) step.tracer->args = arguments_of(*args);
}

void parse_supervisor(Step& step, Options& options, Arch arch) {
  step.kind = StepKind::Supervisor;
  if (options.flag("none")) return;
  callgate::Supervisor& supervisor = step.supervisor.emplace();
  if (options.flag("addfd")) supervisor.addfd = addfd_of(options, arch);
  supervisor.continues = options.flag("continue");
  const auto value = options.value("value");
  const auto error = options.value("error");
  supervisor.replies = value || error || supervisor.continues;
  if (!supervisor.replies && !supervisor.addfd) {
    throw Wrong("supervisor: value=N, error=N, continue, addfd or none");
  }
  if (value) supervisor.value = signed_of(*value);
  if (error) {
    const std::int64_t number = signed_of(*error);
    if (number != static_cast<std::int32_t>(number)) throw Wrong("error: 32 bits");
    supervisor.error = static_cast<std::int32_t>(number);
  }
}

}  // namespace callgate::task
