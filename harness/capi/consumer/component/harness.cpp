#include <callgate/harness/front_ends/loader.hpp>
#include <callgate/harness/testing/filter.hpp>

// What is linked here: readers of all formats, engines, proofs.
int main() {
  const auto loaded = callgate::front_ends::load("what no format is like", "", {});
  const auto filter = callgate::testing::Filter::from_program({{0x06, 0, 0, 0x00050001}});
  const auto same = filter.same_as(filter);
  return !loaded && same.status == callgate::suite::Status::Passed ? 0 : 1;
}
