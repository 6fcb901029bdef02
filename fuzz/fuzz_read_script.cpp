// Any text, read as a script of tasks: an error with its line, or a script that is written as a
// text which is read as the same, and that the model plays to its end.

#include <algorithm>
#include <cstdint>
#include <optional>
#include <string_view>

#include "fuzz/require.hpp"
#include "harness/task/live_runner.hpp"
#include "harness/task/play.hpp"
#include "harness/task/script.hpp"

using callgate::fuzz::require;

namespace {

namespace task = callgate::task;

constexpr std::size_t kMostSteps = 64;

// No files: what is read depends on the text alone.
std::expected<callgate::Program, std::string> no_files(const std::string& /*path*/) {
  return std::unexpected("there are no files here");
}

bool same_answer(const std::optional<callgate::Tracer>& a,
                 const std::optional<callgate::Tracer>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->nr == b->nr && a->value == b->value && a->args == b->args;
}

bool same_answer(const std::optional<callgate::Supervisor>& a,
                 const std::optional<callgate::Supervisor>& b) {
  if (!a || !b) return a.has_value() == b.has_value();
  return a->value == b->value && a->error == b->error && a->continues == b->continues &&
         a->addfd == b->addfd && a->replies == b->replies;
}

}  // namespace

// The first byte chooses the architecture.
extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const callgate::Arch arch = callgate::arches()[bytes[0] % callgate::arches().size()].arch;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  const auto script = task::parse_script(text, arch, no_files);
  if (!script) {
    require(!script.error().message.empty());
    require(static_cast<std::ptrdiff_t>(script.error().line) <= std::ranges::count(text, '\n') + 1);
    return 0;
  }
  const std::string written = task::text_of(*script);
  const auto again = task::parse_script(written, arch, no_files);
  if (!again) {
    callgate::fuzz::fail("line " + std::to_string(again.error().line) + ": " +
                         again.error().message + " in\n" + written);
  }
  require(again->no_new_privs == script->no_new_privs && again->sys_admin == script->sys_admin);
  require(again->sigsys == script->sigsys);
  require(again->descriptors_left == script->descriptors_left);
  require(again->steps.size() == script->steps.size());
  for (std::size_t i = 0; i < script->steps.size(); ++i) {
    const task::Step& a = script->steps[i];
    const task::Step& b = again->steps[i];
    require(a.task == b.task && a.kind == b.kind && a.a == b.a && a.flags == b.flags);
    require(a.bad_pointer == b.bad_pointer && a.yes == b.yes && a.data == b.data);
    require(same_answer(a.tracer, b.tracer) && same_answer(a.supervisor, b.supervisor));
    require(a.filter.state == b.filter.state && a.filter.length == b.filter.length);
    require(a.filter.instructions == b.filter.instructions);
  }
  require(task::text_of(*again) == written);
  if (script->steps.size() > kMostSteps) return 0;
  callgate::KernelModel model;
  model.arch = arch;
  const auto played = task::play(*script, model);
  if (!played) {
    require(!played.error().message.empty());
    return 0;
  }
  require(played->results.size() == script->steps.size());
  for (std::size_t i = 0; i < played->results.size(); ++i) {
    // What sets the scene comes to nothing, in words too.
    const bool set = played->results[i].kind == task::StepResult::Kind::Set;
    require(task::words(played->results[i], script->steps[i]).empty() == set);
    require(!task::kind_word(played->results[i]).empty());
  }
  return 0;
}
