// What becomes of a call: every action, known or not, in all surroundings.
#include <fmt/format.h>

#include <algorithm>

#include "harness/corpus/parts.hpp"
#include "vm/arches.hpp"

namespace callgate::corpus {
namespace {

OutcomeCase made_of(std::uint32_t value, const SeccompData& data) {
  OutcomeCase made;
  made.value = value;
  made.data = data;
  made.program = {op(Opcode::LdAbs, 0), op(Opcode::JeqK, static_cast<std::uint32_t>(data.nr), 0, 1),
                  ret(value), ret(kAllowValue)};
  return made;
}

// What an action's 16 data bits may be: errnos and their limit, and the kernel's own numbers.
std::vector<std::uint32_t> data_of(std::uint32_t action) {
  if (action == static_cast<std::uint32_t>(Action::Errno)) {
    return {0,   1,   2,   38,   132,  133,  255,  256,    511,    512,    513,   514,
            515, 516, 517, 4094, 4095, 4096, 4097, 0x7fff, 0x8000, 0xfffe, 0xffff};
  }
  return {0, 1, 4095, 4096, 0x8000, 0xffff};
}

std::string reason_of(std::uint32_t value) {
  const ActionInfo* const row = find_action(value & kActionMask);
  if (row == nullptr) return "an action that no kernel knows kills the process (since 5.10)";
  return fmt::format("{}: {}", row->name, row->effect);
}

void surroundings(Corpus& corpus, std::uint32_t value) {
  for (const bool tracer : {false, true}) {
    for (const bool listener : {false, true}) {
      for (const bool only_thread : {true, false}) {
        for (const Sigsys sigsys : {Sigsys::Handled, Sigsys::Blocked, Sigsys::Ignored}) {
          OutcomeCase made = made_of(value, plain_call());
          made.header = {
              fmt::format("outcome/around/{}/{}/{}/{}/{}", action_slug(value),
                          tracer ? "tracer" : "no-tracer", listener ? "listener" : "no-listener",
                          only_thread ? "one-thread" : "two-threads", to_string(sigsys)),
              reason_of(value),
              {}};
          made.around = {.tracer = tracer,
                         .listener = listener,
                         .only_thread = only_thread,
                         .sigsys_blocked_or_ignored = sigsys != Sigsys::Handled};
          made.sigsys = sigsys;
          corpus.outcomes.push_back(std::move(made));
        }
      }
    }
  }
}

}  // namespace

void add_outcome_cases(Corpus& corpus) {
  std::vector<std::uint32_t> all = known_actions();
  std::ranges::copy(unknown_actions(), std::back_inserter(all));
  for (const std::uint32_t action : all) {
    surroundings(corpus, action | 7U);
    for (const std::uint32_t data : data_of(action)) {
      for (const bool log : {false, true}) {
        OutcomeCase made = made_of(action | data, plain_call());
        made.header = {fmt::format("outcome/data/{}/{}{}", action_slug(action), hex(data),
                                   log ? "/log-flag" : ""),
                       reason_of(action) + fmt::format(", with the data {}", data),
                       {}};
        made.around.log_flag = log;
        corpus.outcomes.push_back(std::move(made));
      }
    }
  }
  for (const ArchInfo& arch : arches()) {
    for (const std::uint32_t action : known_actions()) {
      SeccompData data = plain_call();
      data.arch = arch.token;
      OutcomeCase made = made_of(action | 7U, data);
      made.header = {fmt::format("outcome/arch/{}/{}", arch.name, action_slug(action)),
                     reason_of(action) + ": ENOSYS and SIGSYS have other numbers on some",
                     {.arch = arch.arch}};
      corpus.outcomes.push_back(std::move(made));
    }
  }
}

}  // namespace callgate::corpus
