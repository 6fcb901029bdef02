// What a call gets, and what filters mean.

#include "harness/capi/tools.hpp"
#include "harness/compare/comparison.hpp"
#include "harness/compare/writers.hpp"
#include "harness/report/decision.hpp"
#include "harness/report/explained_call.hpp"
#include "harness/report/explanation_text.hpp"
#include "harness/report/words.hpp"
#include "verifier/meaning.hpp"

namespace callgate::capi {
namespace {

callgate_outcome outcome_of(OutcomeKind kind) {
  switch (kind) {
    case OutcomeKind::Executes:
      return CALLGATE_EXECUTES;
    case OutcomeKind::Returns:
      return CALLGATE_RETURNS;
    case OutcomeKind::Sigsys:
      return CALLGATE_SIGSYS;
    case OutcomeKind::ThreadDies:
      return CALLGATE_THREAD_DIES;
    case OutcomeKind::ProcessDies:
      return CALLGATE_PROCESS_DIES;
    case OutcomeKind::TracerDecides:
      return CALLGATE_TRACER;
    case OutcomeKind::ListenerDecides:
      return CALLGATE_LISTENER;
    case OutcomeKind::Unknown:
      break;
  }
  return CALLGATE_UNKNOWN;
}

Surroundings surroundings_of(const callgate_surroundings* given) {
  const callgate_surroundings read = options_of(given);
  Surroundings out;
  out.tracer = read.tracer != 0;
  out.listener = read.listener != 0;
  out.only_thread = read.threads == 0;
  out.sigsys_blocked_or_ignored = read.sigsys_blocked != 0;
  return out;
}

// Reasons are literals, which end in a zero.
callgate_verdict verdict_of(const report::Decision& decision) {
  callgate_verdict out{};
  out.winner = SIZE_MAX;
  out.instruction = SIZE_MAX;
  if (decision.fault) {
    const report::FilterRun& run = decision.runs[*decision.fault];
    out.winner = run.filter;
    out.instruction = run.result.last;
    out.outcome = CALLGATE_UNKNOWN;
    out.reason = reference::to_string(run.result.fault).data();
    return out;
  }
  const Outcome& outcome = decision.outcome;
  out.known = 1;
  out.value = decision.verdict.value;
  out.exempt = decision.exempt ? 1 : 0;
  if (const report::FilterRun* winner = decision.winner()) {
    out.winner = winner->filter;
    out.instruction = winner->result.last;
  }
  out.executed = decision.exempt ? 0 : decision.executed();
  out.outcome = outcome_of(outcome.kind);
  out.returns = outcome.value;
  out.signal = outcome.signal;
  out.data = outcome.data;
  out.core_dump = outcome.core_dump ? 1 : 0;
  out.logged = outcome.logged ? 1 : 0;
  if (outcome.kind == OutcomeKind::Unknown) out.reason = outcome.reason.data();
  return out;
}

[[noreturn]] void no_format(const char* format, const char* all) {
  fail(EINVAL, joined(format, ": not a format; there are: ", all));
}

// One side of a comparison, as `callgate run` would be asked for it. A command has its machine's
// architecture where none is given.
compare::Side side_of(const callgate_filters& filters, const callgate_options* given,
                      const KernelModel& model) {
  const callgate_options options = options_of(given);
  compare::Side out;
  if (!filters.nameless) out.paths = filters.sources;
  if (options.arch != nullptr) {
    out.arch = options.arch;
  } else if (host_arch() != model.arch) {
    out.arch = info(model.arch).name;
  }
  if (options.kernel != nullptr) out.kernel = options.kernel;
  out.model = model;
  return out;
}

compare::Question question_of(const callgate_diff_options* given) {
  const callgate_diff_options how = options_of(given);
  if (how.subset != 0) return compare::subset_question(how.allow_only != 0);
  const char* const level = how.level == nullptr ? "verdict" : how.level;
  auto question = compare::diff_question(level);
  if (!question) fail(EINVAL, joined(level, ": the level is raw, verdict or outcome"));
  return std::move(*question);
}

callgate_answer answer_of(verifier::Answer answer) {
  switch (answer) {
    case verifier::Answer::Equal:
      return CALLGATE_EQUAL;
    case verifier::Answer::Different:
      return CALLGATE_DIFFERENT;
    case verifier::Answer::Undecided:
      break;
  }
  return CALLGATE_UNDECIDED;
}

}  // namespace
}  // namespace callgate::capi

namespace capi = callgate::capi;

int callgate_stack_decide(const callgate_stack* stack, const callgate_data* data,
                          const callgate_surroundings* around, callgate_verdict* out) {
  return capi::guarded(nullptr, [&] {
    capi::need_struct(out);
    capi::need(stack, "stack");
    capi::need(data, "data");
    const callgate::Surroundings surroundings = capi::surroundings_of(around);
    const auto decision = callgate::report::decide(stack->filters, capi::plain(*data), surroundings,
                                                   callgate::report::Steps::No);
    capi::write_struct(capi::verdict_of(decision), out);
  });
}

int callgate_value_words(const callgate_stack* stack, uint32_t value, char** out) {
  return capi::guarded(nullptr, [&] {
    capi::need_out(out);
    capi::need(stack, "stack");
    capi::give(out, callgate::report::verdict_words(value, stack->filters.model()));
  });
}

int callgate_explain(const callgate_filters* filters, const callgate_options* options,
                     const char* format, int* whole, char** out, char** message) {
  return capi::guarded(message, [&] {
    capi::need_out(out);
    if (whole != nullptr) *whole = 0;
    capi::need(filters, "filters");
    const std::string_view wanted = format == nullptr ? "json" : format;
    auto* const write = wanted == "json"       ? callgate::report::explanation_json
                        : wanted == "text"     ? callgate::report::explanation_text
                        : wanted == "markdown" ? callgate::report::explanation_markdown
                                               : nullptr;
    if (write == nullptr) capi::no_format(format, "text, json, markdown");
    const capi::Settings settings = capi::settings_of(options);
    const callgate::FilterStack stack = capi::stack_of(*filters, settings);
    callgate::verifier::Space space;
    callgate::verifier::Endings endings(space);
    const auto meaning = callgate::verifier::meaning_of(endings, stack);
    const auto explanation = callgate::report::explain(endings, meaning, settings.model);
    std::vector<std::string> names;
    for (const auto& each : filters->files) names.push_back(each.path);
    capi::give(out, write({explanation, endings, settings.model, names}));
    if (whole != nullptr) *whole = explanation.left_out.empty() ? 1 : 0;
  });
}

int callgate_explain_call(const callgate_filters* filters, const callgate_options* options,
                          const callgate_data* data, const char* format, char** out,
                          char** message) {
  return capi::guarded(message, [&] {
    capi::need_out(out);
    capi::need(filters, "filters");
    capi::need(data, "data");
    const std::string_view wanted = format == nullptr ? "json" : format;
    auto* const write = wanted == "json"   ? callgate::report::explained_call_json
                        : wanted == "text" ? callgate::report::explained_call_text
                                           : nullptr;
    if (write == nullptr) capi::no_format(format, "text, json");
    const capi::Settings settings = capi::settings_of(options);
    const callgate::FilterStack stack = capi::stack_of(*filters, settings);
    callgate::verifier::Space space;
    callgate::verifier::Endings endings(space);
    const auto meaning = callgate::verifier::meaning_of(endings, stack);
    const auto answer =
        callgate::report::explain_call(capi::plain(*data), filters->files, stack, endings, meaning);
    capi::give(out, write(answer, filters->files, settings.model));
  });
}

int callgate_diff(const callgate_filters* a, const callgate_filters* b,
                  const callgate_options* options, const callgate_diff_options* how,
                  callgate_answer* answer, char** out, char** message) {
  return capi::guarded(message, [&] {
    capi::need_out(out);
    if (answer != nullptr) *answer = CALLGATE_UNDECIDED;
    capi::need(a, "a");
    capi::need(b, "b");
    const callgate::compare::Question question = capi::question_of(how);
    const capi::Settings settings = capi::settings_of(options);
    const callgate::FilterStack stack_a = capi::stack_of(*a, settings);
    const callgate::FilterStack stack_b = capi::stack_of(*b, settings);
    if (question.request.options.level == callgate::verifier::Level::Raw &&
        (stack_a.size() != 1 || stack_b.size() != 1)) {
      capi::fail(EINVAL,
                 "the level raw compares two programs; of a stack there is a verdict alone");
    }
    const auto result = callgate::compare::compared(stack_a, stack_b, question.request);
    if (result.contradiction) {
      capi::fail(EIO, capi::joined("what was proved does not agree with running both for ",
                                   callgate::compare::call_words(*result.contradiction),
                                   "; please report it"));
    }
    const auto side_a = capi::side_of(*a, options, settings.model);
    const auto side_b = capi::side_of(*b, options, settings.model);
    capi::give(out, callgate::compare::comparison_json({result, question.words, side_a, side_b}));
    if (answer != nullptr) *answer = capi::answer_of(result.answer);
  });
}
