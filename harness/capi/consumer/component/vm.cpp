#include <callgate/vm/arches.hpp>
#include <callgate/vm/reference.hpp>

int main() {
  const callgate::Program program = {{0x06, 0, 0, 0x00050001}};
  const auto result = callgate::reference::run(program, {.nr = 39}, callgate::KernelModel{},
                                               callgate::reference::NoObserver{});
  return result.value == 0x00050001U && callgate::arch_from_name("aarch64") ? 0 : 1;
}
