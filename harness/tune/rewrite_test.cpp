// One program for random stacks and policies and random workloads, against running the stacks.

#include "verifier/rewrite.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <array>
#include <cstdio>
#include <cstdlib>
#include <map>
#include <string>

#include "harness/front_ends/lower.hpp"
#include "harness/random/generator.hpp"
#include "harness/random/policies.hpp"
#include "verifier/cache.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace callgate::random {
namespace {

using verifier::KnownCall;
using verifier::Rewritten;

int cases(int standing) {
  const char* asked = std::getenv("CALLGATE_PROGRAMS");
  return asked != nullptr ? std::atoi(asked) : standing;
}

struct Tally {
  std::size_t stacks = 0;
  std::size_t made = 0;
  std::size_t not_all_cached = 0;
  double before = 0;
  double after = 0;
  std::map<std::string, std::size_t> origins;
  std::map<std::string, std::size_t> refusals;
  std::size_t mutants = 0;
  std::size_t refused_mutants = 0;
  std::size_t seen_mutants = 0;

  void print(const char* name) const {
    std::printf("%s: %zu of %zu stacks rewritten, cost %.1f -> %.1f, not all cached %zu\n", name,
                made, stacks, before / static_cast<double>(std::max<std::size_t>(made, 1)),
                after / static_cast<double>(std::max<std::size_t>(made, 1)), not_all_cached);
    for (const auto& [origin, count] : origins) std::printf("  %zu: %s\n", count, origin.c_str());
    for (const auto& [why, count] : refusals) std::printf("  none, %zu: %s\n", count, why.c_str());
    if (mutants > 0) {
      std::printf("  mutants: %zu, refused by the proof %zu, seen to differ %zu\n", mutants,
                  refused_mutants, seen_mutants);
    }
  }
};

// A few calls are often, some of their words unknown.
std::vector<KnownCall> workload(Source& source, const auto& make_call) {
  std::vector<KnownCall> calls;
  const std::uint32_t count = source.below(40);
  for (std::uint32_t i = 0; i < count; ++i) {
    KnownCall call;
    call.data = make_call(source);
    call.count = std::uint64_t{1} << source.below(16);
    switch (source.below(3)) {
      case 0:
        call.known = verifier::kAllKnown;
        break;
      case 1:
        call.known = verifier::kNumberKnown | verifier::kArchKnown;
        break;
      default:
        call.known = static_cast<verifier::KnownWords>(source.next());
        if (!source.one_in(8)) call.known |= verifier::kNumberKnown | verifier::kArchKnown;
        break;
    }
    calls.push_back(call);
  }
  return calls;
}

// One constant or one distance changed.
Program with_an_error(Source& source, std::span<const Instruction> program) {
  Program wrong(program.begin(), program.end());
  Instruction& here = wrong[source.below(static_cast<std::uint32_t>(wrong.size()))];
  switch (source.below(4)) {
    case 0:
      here.k ^= 1U << source.below(32);
      break;
    case 1:
      here.k += source.one_in(2) ? 1U : ~0U;
      break;
    case 2:
      std::swap(here.jt, here.jf);
      break;
    default:
      here.jt = static_cast<std::uint8_t>(here.jt + 1);
      break;
  }
  return wrong;
}

std::uint32_t verdict(const CheckedProgram& program, const SeccompData& data) {
  const FilterResult result{0, reference::run(program.instructions(), data, program.model()).value};
  return combine(std::span(&result, 1), program.model()).value;
}

void plant_errors(Source& source, verifier::Endings& endings, const CheckedProgram& program,
                  verifier::Space::Ref value, const auto& make_call, Tally& tally) {
  for (int i = 0; i < 8; ++i) {
    const Program wrong = with_an_error(source, program.instructions());
    const auto checked = verifier::check(wrong, program.model());
    if (!checked) continue;
    ++tally.mutants;
    const bool same = verifier::proved_same(endings, *checked, value);
    if (!same) ++tally.refused_mutants;
    // Verdicts, not what the program returns: ALLOW's data do not count.
    bool seen = false;
    for (int asked = 0; asked < 200; ++asked) {
      const std::uint32_t token = make_call(source).arch;
      const auto data = asked % 2 == 0 ? make_call(source) : input(source, wrong, token);
      seen = seen || verdict(program, data) != verdict(*checked, data);
    }
    ASSERT_FALSE(same && seen) << "a wrong program was proved";
    if (!same && seen) ++tally.seen_mutants;
  }
}

void rewrite(Source& source, const FilterStack& stack, const auto& make_call, Tally& tally) {
  const KernelModel& model = stack.model();
  verifier::Space space;
  verifier::Endings endings(space);
  const auto meaning = verifier::meaning_of(endings, stack);
  verifier::RewriteOptions options;
  if (source.one_in(2)) options.prices = {0.5, 0.25, 0.1};
  const auto made =
      verifier::rewritten(endings, stack, meaning, workload(source, make_call), options);
  ++tally.stacks;
  if (!made) {
    ++tally.refusals[made.error()];
    return;
  }
  ++tally.made;
  ++tally.origins[std::string(to_string(made->origin))];
  tally.before += made->cost_before;
  tally.after += made->cost_after;
  ASSERT_LE(made->cost_after, made->cost_before + 1e-6);
  ASSERT_TRUE(verifier::proved_same(endings, made->program, meaning.value));
  if (made->cached_after != made->cacheable) {
    ++tally.not_all_cached;
    ASSERT_NE(made->origin, verifier::RewriteOrigin::Trees);
  }
  ASSERT_GE(made->cacheable, made->cached_before);
  FilterStack alone(model);
  ASSERT_TRUE(alone.push(made->program));
  for (std::uint32_t nr = 0; nr < 500; ++nr) {
    if (verifier::cache_answer(stack, nr).cached != verifier::Cached::Yes) continue;
    if (made->cached_after == made->cacheable) {
      ASSERT_EQ(verifier::cache_answer(alone, nr).cached, verifier::Cached::Yes) << nr;
    }
  }
  for (int i = 0; i < 200; ++i) {
    SeccompData data = make_call(source);
    if (i % 2 == 0) data = input(source, made->program.instructions(), data.arch);
    ASSERT_EQ(verdict(made->program, data), stack.run(data).value);
  }
  plant_errors(source, endings, made->program, meaning.value, make_call, tally);
}

void push(FilterStack& stack, const Program& program) {
  const auto checked = verifier::check(program, stack.model());
  ASSERT_TRUE(checked.has_value());
  ASSERT_TRUE(stack.push(*checked));
}

void rewrite_programs(const char* name, std::uint64_t seed, int count, auto make) {
  Source source(seed);
  Tally tally;
  for (int i = 0; i < count && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(i);
    KernelModel model;
    const auto all = arches();
    if (source.one_in(2)) {
      model.arch = all[source.below(static_cast<std::uint32_t>(all.size()))].arch;
    }
    FilterStack stack(model);
    const std::uint32_t filters = source.one_in(2) ? 1 : 1 + source.below(3);
    for (std::uint32_t filter = 0; filter < filters; ++filter) push(stack, make(source, model));
    const std::uint32_t token = info(model.arch).token;
    rewrite(
        source, stack,
        [&](Source& from) {
          return input(from, stack.program(from.below(static_cast<std::uint32_t>(stack.size()))),
                       token);
        },
        tally);
  }
  tally.print(name);
}

TEST(RewrittenStacks, of_any_programs_do_the_same_for_less) {
  rewrite_programs("any", 1, cases(40), [](Source& source, const KernelModel&) {
    return valid_program(source, {.longest = 24});
  });
}

TEST(RewrittenStacks, of_programs_like_filters_do_the_same_for_less) {
  rewrite_programs("filter-like", 2, cases(60), [](Source& source, const KernelModel& model) {
    return filter_like(source, 100, info(model.arch).token);
  });
}

TEST(RewrittenStacks, that_decide_by_the_number_do_the_same_for_less) {
  rewrite_programs("decisions", 3, cases(40), [](Source& source, const KernelModel&) {
    return decisions(source, 8 + source.below(80));
  });
}

TEST(RewrittenStacks, of_policies_do_the_same_for_less) {
  Source source(4);
  Tally tally;
  for (int i = 0; i < cases(90) && !testing::Test::HasFailure(); ++i) {
    SCOPED_TRACE(i);
    const front_ends::Policy policy = random::policy(source);
    const auto program = source.one_in(2) ? front_ends::lower_libseccomp(policy, {source.one_in(2)})
                                          : front_ends::lower_plain(policy);
    if (!program) continue;
    KernelModel model;
    model.arch = policy.arches.front();
    const auto checked = verifier::check(*program, model);
    if (!checked) continue;
    FilterStack stack(model);
    ASSERT_TRUE(stack.push(*checked));
    rewrite(source, stack, [&](Source& from) { return call_for(from, policy); }, tally);
  }
  tally.print("policies");
}

}  // namespace
}  // namespace callgate::random
