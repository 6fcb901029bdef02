#include <callgate/vm/jit/jit.hpp>

int main() { return callgate::jit::jit_engine().name().empty() ? 1 : 0; }
