// What several filters say together: every action beside every other, ties, and who wins them.
#include <fmt/format.h>

#include <algorithm>

#include "harness/corpus/parts.hpp"

namespace callgate::corpus {
namespace {

void add(Corpus& corpus, std::string id, std::string reason,
         const std::vector<std::uint32_t>& oldest_first) {
  StackCase made{{"stack/" + std::move(id), std::move(reason), {}}, {}, {{plain_call()}}};
  for (const std::uint32_t value : oldest_first) made.filters.push_back({{ret(value)}});
  corpus.stacks.push_back(std::move(made));
}

}  // namespace

void add_stack_cases(Corpus& corpus) {
  std::vector<std::uint32_t> all = known_actions();
  std::ranges::copy(unknown_actions(), std::back_inserter(all));
  for (const std::uint32_t older : all) {
    add(corpus, "alone/" + action_slug(older), "a single filter", {older | 7U});
    for (const std::uint32_t newer : all) {
      add(corpus, fmt::format("pair/{}/{}", action_slug(older), action_slug(newer)),
          older == newer ? "of equal actions the newest filter's wins, with its data"
                         : "the strictest action wins, whichever filter is newer",
          {older | 1U, newer | 2U});
    }
    add(corpus, "tie/three/" + action_slug(older), "of three equal actions the newest wins",
        {older | 3U, older | 1U, older | 2U});
    add(corpus, "tie/data-do-not-order/" + action_slug(older),
        "the data of equal actions do not order them", {older | 0xffffU, older});
    add(corpus, "tie/data-do-not-order-either/" + action_slug(older),
        "the data of equal actions do not order them", {older, older | 0xffffU});
    add(corpus, "tie/around-allow/" + action_slug(older),
        "filters that allow change nothing, before or after",
        {kAllowValue | 5U, older | 9U, kAllowValue});
  }
  // Two filters that look at the call: each decides about the calls that it knows.
  const auto knows = [](std::uint32_t word, std::uint32_t value) {
    return Program{op(Opcode::LdAbs, kArgument0), op(Opcode::JeqK, word, 0, 1), ret(value),
                   ret(kAllowValue)};
  };
  StackCase split{{"stack/split", "all filters see the same call, and each its own part of it", {}},
                  {{knows(1, 0x00050001U)}, {knows(2, 0x00030002U)}, {knows(1, 0x00030003U)}},
                  {}};
  for (const std::uint32_t word : {0U, 1U, 2U}) split.runs.push_back({call_with(word)});
  corpus.stacks.push_back(std::move(split));
  StackCase fresh{{"stack/fresh", "each filter starts with A, X and memory of its own", {}},
                  {{{ret_a()}},
                   {{op(Opcode::LdImm, 0x00050005U), op(Opcode::Tax), ret(kAllowValue)}},
                   {{op(Opcode::Txa), op(Opcode::OrK, 0x00050000U), ret_a()}}},
                  {{plain_call()}}};
  corpus.stacks.push_back(std::move(fresh));
  StackCase division{{"stack/division-by-x-zero",
                      "a division by X = 0 gives 0 in its filter; the others run all the same",
                      {}},
                     {{{op(Opcode::DivX), ret(kAllowValue)}}, {{ret(0x80000003U)}}},
                     {{plain_call()}}};
  corpus.stacks.push_back(std::move(division));
  for (const std::size_t times : {2U, 8U, 20U}) {
    StackCase many{{fmt::format("stack/many/{}", times),
                    "the newest of many equal filters wins, and the oldest is heard",
                    {}},
                   {{{ret(0x00030009U)}}, {{ret(0x00050001U)}, times}},
                   {{plain_call()}}};
    corpus.stacks.push_back(std::move(many));
  }
}

}  // namespace callgate::corpus
