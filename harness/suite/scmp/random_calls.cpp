#include "harness/suite/scmp/random_calls.hpp"

#include <algorithm>

namespace callgate::suite::scmp {

RandomCalls::RandomCalls(std::uint64_t seed, std::string_view batch, std::size_t line,
                         std::span<const Instruction> program, Arch arch)
    : token_(info(arch).token) {
  std::vector<std::uint32_t> words{static_cast<std::uint32_t>(seed),
                                   static_cast<std::uint32_t>(seed >> 32U),
                                   static_cast<std::uint32_t>(line)};
  for (const char each : batch) words.push_back(static_cast<unsigned char>(each));
  std::seed_seq all(words.begin(), words.end());
  random_.seed(all);
  for (const Instruction& each : program) {
    const bool branch = (each.code & 7U) == 5 && each.code != 5;
    if (branch) constants_.push_back(each.k);
  }
  std::ranges::sort(constants_);
  const auto repeated = std::ranges::unique(constants_);
  constants_.erase(repeated.begin(), repeated.end());
}

std::uint32_t RandomCalls::near_constant() {
  const std::uint64_t word = random_();
  if (constants_.empty()) return static_cast<std::uint32_t>(word >> 32U);
  const std::uint32_t constant = constants_[word % constants_.size()];
  return constant + static_cast<std::uint32_t>(random_() % 3) - 1;
}

std::uint64_t RandomCalls::value() {
  switch (random_() % 4) {
    case 0:
      return random_();
    case 1: {
      const std::uint64_t width = random_() % 64;
      return random_() >> width;
    }
    case 2:
      return near_constant();
    default: {
      const std::uint64_t high = near_constant();
      return high << 32U | near_constant();
    }
  }
}

SeccompData RandomCalls::next() {
  SeccompData out;
  out.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(value()));
  out.arch = token_;
  out.instruction_pointer = value();
  for (std::uint64_t& each : out.args) each = value();
  return out;
}

}  // namespace callgate::suite::scmp
