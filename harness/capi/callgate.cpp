#include "harness/capi/callgate.h"

#include <cerrno>
#include <expected>
#include <memory>
#include <new>
#include <span>
#include <utility>
#include <vector>

#include "harness/capi/handles.hpp"
#include "verifier/check.hpp"
#include "vm/engine.hpp"
#include "vm/filter_stack.hpp"
#include "vm/kernel_model.hpp"

using callgate::CheckedProgram;
using callgate::Engine;
using callgate::Executable;
using callgate::FilterStack;
using callgate::Instruction;
using callgate::KernelModel;
using callgate::capi::plain;
using callgate::capi::read_settings;
using callgate::capi::Settings;

struct callgate_filter {
  std::unique_ptr<Executable> executable;
};

namespace {

std::expected<CheckedProgram, int> check(const callgate_instruction* program, std::size_t length,
                                         const KernelModel& model) {
  // The kernel looks at the length before the pointer, and takes no more than 4096.
  if (length == 0 || length > callgate::kMaxProgramLength) return std::unexpected(EINVAL);
  if (program == nullptr) return std::unexpected(EINVAL);
  std::vector<Instruction> copy;
  copy.reserve(length);
  for (const callgate_instruction& i : std::span(program, length)) {
    copy.push_back({i.code, i.jt, i.jf, i.k});
  }
  auto checked = callgate::verifier::check(copy, model);
  if (!checked) return std::unexpected(static_cast<int>(checked.error().error));
  return std::move(*checked);
}

}  // namespace

int callgate_filter_create(const callgate_instruction* program, size_t length,
                           const callgate_options* options, callgate_filter** out) try {
  if (out == nullptr) return EFAULT;
  *out = nullptr;
  Settings settings;
  if (const int error = read_settings(options, settings); error != 0) return error;
  const auto checked = check(program, length, settings.model);
  if (!checked) return checked.error();
  auto executable = settings.engine->prepare(*checked);
  if (!executable) executable = callgate::engines().front()->prepare(*checked);
  *out = new callgate_filter{std::move(*executable)};
  return 0;
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

uint32_t callgate_filter_run(const callgate_filter* filter, const callgate_data* data) {
  return filter->executable->run(plain(*data));
}

void callgate_filter_destroy(callgate_filter* filter) { delete filter; }

callgate_stack* callgate_stack_create(const callgate_options* options) try {
  Settings settings;
  if (const int error = read_settings(options, settings); error != 0) {
    errno = error;
    return nullptr;
  }
  return new callgate_stack{settings.engine, FilterStack(settings.model)};
} catch (const std::bad_alloc&) {
  errno = ENOMEM;
  return nullptr;
}

int callgate_stack_push(callgate_stack* stack, const callgate_instruction* program,
                        size_t length) try {
  if (stack == nullptr) return EFAULT;
  const auto checked = check(program, length, stack->filters.model());
  if (!checked) return checked.error();
  const auto pushed = stack->filters.push(*checked, *stack->engine);
  return pushed ? 0 : static_cast<int>(callgate::info(pushed.error().id).error);
} catch (const std::bad_alloc&) {
  return ENOMEM;
}

uint32_t callgate_stack_run(const callgate_stack* stack, const callgate_data* data,
                            size_t* winner) {
  const callgate::Verdict verdict = stack->filters.run(plain(*data));
  if (winner != nullptr) *winner = verdict.winner.value_or(SIZE_MAX);
  return verdict.value;
}

void callgate_stack_destroy(callgate_stack* stack) { delete stack; }
