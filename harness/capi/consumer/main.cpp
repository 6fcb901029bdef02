#include <callgate/verifier/check.hpp>
#include <callgate/vm/filter_stack.hpp>

int main() {
  const callgate::Program program = {{0x06, 0, 0, 0x00050001}};
  const callgate::KernelModel model;  // the newest kernel, x86_64
  const auto checked = callgate::verifier::check(program, model);
  if (!checked) return 1;  // checked.error().diagnostics says why
  callgate::FilterStack stack(model);
  if (!stack.push(*checked)) return 1;
  return stack.run({.nr = 39, .arch = 0xc000003e}).value == 0x00050001U ? 0 : 1;
}
