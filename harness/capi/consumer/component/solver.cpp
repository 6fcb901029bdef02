#include <callgate/verifier/solver/z3.hpp>

int main() { return callgate::verifier::z3_solver() ? 0 : 1; }
