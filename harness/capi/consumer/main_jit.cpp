#include <callgate/verifier/check.hpp>
#include <callgate/vm/jit/jit.hpp>

int main() {
  const callgate::Program program = {{0x06, 0, 0, 0x00050001}};
  const auto checked = callgate::verifier::check(program, callgate::KernelModel{});
  if (!checked) return 1;
  const auto executable = callgate::jit::jit_engine().prepare(*checked);
  return executable && (*executable)->run({.nr = 39}) == 0x00050001U ? 0 : 1;
}
