// The tree over frequencies: it means what the policy means, and none of its kind is better.

#include "harness/tune/frequency_tree.hpp"

#include <array>
#include <map>

#include "harness/random/policies.hpp"
#include "harness/tune/orders.hpp"
#include "harness/tune/orders_test.hpp"

namespace callgate::tune {
namespace {

TEST(FrequencyTree, says_what_the_policy_says) {
  random::Source source(9);
  for (int round = 0; round < 50; ++round) {
    const Policy policy = random::policy(source);
    const auto plain = lower_plain(policy);
    const auto tree = frequency_tree(policy, random_weights(source, policy));
    ASSERT_TRUE(plain && tree);
    const auto why = not_the_same(std::array{*plain}, std::array{*tree}, model_of(policy));
    EXPECT_FALSE(why) << round << ": " << *why;
  }
}

TEST(FrequencyTree, of_a_long_policy_says_what_the_policy_says) {
  std::vector<Rule> rules;
  CallWeights weights;
  for (const SyscallRow& row : syscalls(Arch::X86_64)) {
    if (row.nr % 3 == 0) continue;
    rules.push_back(
        allow(row.name, row.nr % 4 == 0 ? std::vector{kIsThree, kIsFour} : std::vector<ArgTest>()));
    weights[std::string(row.name)] = row.nr % 11 == 0 ? row.nr * 100 : 1;
  }
  for (const bool weighed : {false, true}) {
    const Policy policy = policy_of(rules);
    const auto plain = lower_plain(policy);
    const auto tree = frequency_tree(policy, weighed ? weights : CallWeights());
    ASSERT_TRUE(plain && tree);
    EXPECT_EQ(not_the_same(std::array{*plain}, std::array{*tree}, KernelModel{}), std::nullopt);
  }
}

TEST(FrequencyTree, has_the_least_sum_of_weight_and_comparisons) {
  // Five calls with gaps between them: every tree over their eleven leaves is tried.
  const std::array<std::string_view, 5> names{"write", "close", "lstat", "lseek", "mprotect"};
  random::Source source(10);
  for (int round = 0; round < 20; ++round) {
    std::vector<Rule> rules;
    CallWeights weights;
    std::vector<std::uint32_t> numbers;
    std::map<std::uint32_t, double> of_number;
    for (const std::string_view name : names) {
      rules.push_back(allow(name));
      rules.back().value = kAllow + static_cast<std::uint32_t>(rules.size());
      const double weight = 1 + source.below(source.one_in(2) ? 10 : 1000);
      weights[std::string(name)] = weight;
      of_number[*syscall_number(Arch::X86_64, name)] = weight;
    }
    std::vector<double> leaves;  // numbers 0 to 10, and the rest
    for (std::uint32_t nr = 0; nr <= 11; ++nr) leaves.push_back(of_number[nr]);
    // Neighbours without a rule are one leaf.
    for (std::size_t i = leaves.size() - 1; i > 0; --i) {
      if (leaves[i] == 0 && leaves[i - 1] == 0) leaves.erase(leaves.begin() + static_cast<long>(i));
    }
    const std::size_t count = leaves.size();
    std::vector<std::vector<double>> costs(count, std::vector<double>(count, 0));
    for (std::size_t length = 2; length <= count; ++length) {
      for (std::size_t i = 0; i + length <= count; ++i) {
        const std::size_t j = i + length - 1;
        double weight = 0;
        for (std::size_t leaf = i; leaf <= j; ++leaf) weight += leaves[leaf];
        double best = 1e300;
        for (std::size_t k = i; k < j; ++k) best = std::min(best, costs[i][k] + costs[k + 1][j]);
        costs[i][j] = best + weight;
      }
    }
    const Policy policy = policy_of(rules);
    const auto tree = frequency_tree(policy, weights);
    ASSERT_TRUE(tree);
    double total = 0;
    for (const auto& [name, weight] : weights) total += weight;
    // Loads of the architecture and of the number, two comparisons before the tree, and the return.
    const double comparisons = instructions({*tree}, weights) - total * 5;
    EXPECT_NEAR(comparisons, costs[0][count - 1], total * 1e-3);
  }
}

}  // namespace
}  // namespace callgate::tune
