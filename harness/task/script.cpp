#include "harness/task/script.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/suite/vector_program.hpp"
#include "harness/task/script_words.hpp"
#include "vm/syscalls.hpp"

namespace callgate::task {
namespace {

constexpr std::array<FlagName, 6> kFilterFlags = {{
    {"TSYNC", filter_flag::kTsync},
    {"LOG", filter_flag::kLog},
    {"SPEC_ALLOW", filter_flag::kSpecAllow},
    {"NEW_LISTENER", filter_flag::kNewListener},
    {"TSYNC_ESRCH", filter_flag::kTsyncEsrch},
    {"WAIT_KILLABLE_RECV", filter_flag::kWaitKillableRecv},
}};

bool yes_or_no(std::string_view text) {
  if (text != "yes" && text != "no") throw Wrong(fmt::format("{}: yes or no", text));
  return text == "yes";
}

SigsysAction sigsys_of(std::string_view text) {
  if (text == "default") return SigsysAction::Default;
  if (text == "handled") return SigsysAction::Handled;
  if (text == "blocked" || text == "ignored") return SigsysAction::BlockedOrIgnored;
  throw Wrong(fmt::format("{}: default, handled, blocked or ignored", text));
}

// The words of a line; {…} is part of one.
std::vector<std::string_view> words_of(std::string_view text) {
  std::vector<std::string_view> out;
  for (text = suite::trim(text); !text.empty(); text = suite::trim(text)) {
    std::size_t end = 0;
    int depth = 0;
    for (; end < text.size(); ++end) {
      if (text[end] == '{') ++depth;
      if (text[end] == '}') --depth;
      if (depth <= 0 && (text[end] == ' ' || text[end] == '\t')) break;
    }
    if (depth != 0) throw Wrong("a brace is not closed");
    out.push_back(text.substr(0, end));
    text.remove_prefix(end);
  }
  return out;
}

Program inline_program(std::string_view text) {
  std::vector<suite::VectorLine> lines;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(';'), text.size());
    const std::string_view line = suite::trim(text.substr(0, end));
    if (!line.empty()) lines.push_back({lines.size() + 1, line});
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  if (lines.empty()) return {};
  auto program = suite::parse_vector_program(lines);
  if (!program) {
    throw Wrong(fmt::format("instruction {}: {}", program.error().line, program.error().message));
  }
  return std::move(*program);
}

ScriptFilter filter_of(Options& options, const FilterReader& read_filter) {
  using State = FilterArgument::State;
  ScriptFilter filter;
  if (const auto header = options.value("header")) {
    if (*header != "null" && *header != "unreadable") throw Wrong("header: null or unreadable");
    filter.state = *header == "null" ? State::NullHeader : State::UnreadableHeader;
    return filter;
  }
  const auto length = options.value("length");
  if (length) {
    const auto number = suite::parse_number(*length, 65535);
    if (!number) throw Wrong("length: 0 to 65535");
    filter.length = static_cast<std::uint16_t>(*number);
  }
  const auto program = options.value("program");
  if (!program) throw Wrong("program=… or header=… is missing");
  filter.state = State::Readable;
  if (*program == "null" || *program == "unreadable") {
    filter.state = *program == "null" ? State::NullInstructions : State::UnreadableInstructions;
    if (!length) filter.length = 1;
  } else if (program->starts_with('{')) {
    if (!program->ends_with('}')) throw Wrong("something follows the program's brace");
    filter.instructions = inline_program(program->substr(1, program->size() - 2));
  } else {
    auto read = read_filter(std::string(*program));
    if (!read) throw Wrong(read.error());
    filter.instructions = std::move(*read);
  }
  if (filter.state == State::Readable && length && *filter.length > filter.instructions.size() &&
      *filter.length <= kMaxProgramLength) {
    throw Wrong("length is more than the instructions given: what follows them is not known");
  }
  return filter;
}

std::uint64_t number_of_filter(std::string_view text) {
  const auto number = suite::parse_number(text, kMaxInstructionsPerTask);
  if (!number || *number == 0) throw Wrong(fmt::format("{}: filters are numbered from 1", text));
  return *number - 1;
}

void parse_seccomp(Step& step, Options& options, const FilterReader& read_filter) {
  const std::string_view what = options.next("what seccomp does");
  if (const auto flags = options.value("flags")) step.flags = flags_of(*flags, kFilterFlags);
  if (what == "filter") {
    step.kind = StepKind::Filter;
    step.filter = filter_of(options, read_filter);
  } else if (what == "strict") {
    step.kind = StepKind::Strict;
    if (const auto args = options.value("args")) step.a = word_of(*args);
  } else if (what == "action-avail") {
    step.kind = StepKind::ActionAvail;
    step.bad_pointer = options.flag("unreadable");
    if (step.bad_pointer) return;
    const std::string_view action = options.next("an action");
    const auto value = suite::parse_result(action);
    if (!value) throw Wrong(fmt::format("{}: not an action", action));
    step.a = *value;
  } else if (what == "notif-sizes") {
    step.kind = StepKind::NotifSizes;
    step.bad_pointer = options.flag("unwritable");
  } else if (what.starts_with("op=")) {
    step.kind = StepKind::OtherOperation;
    step.a = word_of(what.substr(3));
    if (static_cast<std::uint32_t>(step.a) <= seccomp_op::kGetNotifSizes) {
      throw Wrong("this operation has a name: strict, filter, action-avail, notif-sizes");
    }
  } else {
    throw Wrong(fmt::format("seccomp {}: filter, strict, action-avail, notif-sizes or op=N", what));
  }
}

void parse_prctl(Step& step, Options& options, const FilterReader& read_filter) {
  const std::string_view what = options.next("what prctl does");
  step.kind = StepKind::SetSeccomp;
  if (what == "strict") {
    step.a = 1;
  } else if (what == "filter") {
    step.a = 2;
    step.filter = filter_of(options, read_filter);
  } else if (what == "get") {
    step.kind = StepKind::GetSeccomp;
  } else if (what.starts_with("mode=")) {
    step.a = word_of(what.substr(5));
    if (step.a == 2) step.filter = filter_of(options, read_filter);
  } else {
    throw Wrong(fmt::format("prctl {}: strict, filter, get or mode=N", what));
  }
}

void parse_call(Step& step, Options& options, Arch arch) {
  step.kind = StepKind::Call;
  Arch abi = arch;
  if (const auto name = options.value("arch")) {
    const auto found = arch_from_name(*name);
    if (!found) throw Wrong(fmt::format("{}: not an architecture", *name));
    abi = *found;
  }
  step.data.arch = info(abi).token;
  if (const auto ip = options.value("ip")) step.data.instruction_pointer = word_of(*ip);
  if (const auto args = options.value("args")) step.data.args = arguments_of(*args);
  const std::string_view call = options.next("the call");
  if (const auto nr = syscall_number(abi, call)) {
    step.data.nr = static_cast<std::int32_t>(*nr);
    return;
  }
  const std::uint64_t number = word_of(call);
  step.data.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(number));
}

Step parse_step(std::vector<std::string_view> words, Arch arch, const FilterReader& read_filter) {
  Step step;
  const std::string_view name = words.front();
  words.erase(words.begin());
  Options options(std::move(words));
  if (name == "seccomp") {
    parse_seccomp(step, options, read_filter);
  } else if (name == "prctl") {
    parse_prctl(step, options, read_filter);
  } else if (name == "nnp") {
    step.kind = options.flag("get") ? StepKind::GetNnp : StepKind::SetNnp;
    const auto value = options.value("value");
    step.a = value ? word_of(*value) : step.kind == StepKind::SetNnp ? 1U : 0U;
  } else if (name == "fork") {
    step.kind = StepKind::Fork;
  } else if (name == "thread") {
    step.kind = StepKind::Thread;
  } else if (name == "exit") {
    step.kind = StepKind::Exit;
  } else if (name == "exec") {
    step.kind = StepKind::Exec;
  } else if (name == "call") {
    parse_call(step, options, arch);
  } else if (name == "close" || name == "close-outside" || name == "share") {
    step.kind = name == "close"   ? StepKind::CloseListener
                : name == "share" ? StepKind::ShareListener
                                  : StepKind::CloseOutside;
    step.a = number_of_filter(options.next("a filter's number"));
  } else if (name == "cap") {
    step.kind = StepKind::SysAdmin;
    step.yes = yes_or_no(options.next("yes or no"));
  } else if (name == "sigsys") {
    step.kind = StepKind::Sigsys;
    step.sigsys = sigsys_of(options.next("what SIGSYS does"));
  } else if (name == "descriptors") {
    step.kind = StepKind::Descriptors;
    step.yes = yes_or_no(options.next("yes or no"));
  } else if (name == "tracer:") {
    parse_tracer(step, options, arch);
  } else if (name == "supervisor:") {
    parse_supervisor(step, options, arch);
  } else {
    throw Wrong(fmt::format("{}: not a step", name));
  }
  options.finish();
  return step;
}

void parse_process(Script& script, std::vector<std::string_view> words) {
  words.erase(words.begin());
  Options options(std::move(words));
  if (const auto nnp = options.value("nnp")) script.no_new_privs = yes_or_no(*nnp);
  if (const auto cap = options.value("cap")) script.sys_admin = yes_or_no(*cap);
  if (const auto sigsys = options.value("sigsys")) script.sigsys = sigsys_of(*sigsys);
  if (const auto left = options.value("descriptors")) script.descriptors_left = yes_or_no(*left);
  options.finish();
}

void parse_line(Script& script, std::string_view text, std::size_t line, Arch arch,
                const FilterReader& read_filter) {
  auto words = words_of(text);
  if (words.front() == "process") {
    if (!script.steps.empty()) throw Wrong("process comes before the steps");
    parse_process(script, std::move(words));
    return;
  }
  TaskId task = 0;
  if (words.front() == "as") {
    if (words.size() < 3 || !words[1].ends_with(':')) throw Wrong("as N: STEP");
    const auto number = suite::parse_number(words[1].substr(0, words[1].size() - 1), 1'000'000);
    if (!number || *number == 0) throw Wrong("tasks are numbered from 1");
    task = *number - 1;
    words.erase(words.begin(), words.begin() + 2);
  }
  const char* const begin = words.front().data();
  Step step = parse_step(words, arch, read_filter);
  step.line = line;
  step.task = task;
  step.text = suite::trim(text.substr(static_cast<std::size_t>(begin - text.data())));
  script.steps.push_back(std::move(step));
}

}  // namespace

std::expected<Script, ScriptError> parse_script(std::string_view text, Arch arch,
                                                const FilterReader& read_filter) {
  Script script;
  for (std::size_t line = 1; !text.empty(); ++line) {
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view content = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    if (content.ends_with('\r')) content.remove_suffix(1);
    content = suite::trim(content);
    if (content.empty() || content.starts_with('#')) continue;
    try {
      parse_line(script, content, line, arch, read_filter);
    } catch (const Wrong& wrong) {
      return std::unexpected(ScriptError{line, wrong.message()});
    }
  }
  return script;
}

}  // namespace callgate::task
