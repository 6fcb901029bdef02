#include "vm/batch.hpp"

#include <algorithm>
#include <thread>
#include <vector>

namespace callgate {

void run_many(const Executable& executable, std::span<const SeccompData> inputs,
              std::span<std::uint32_t> results, unsigned threads) {
  if (threads == 0) threads = std::max(1U, std::thread::hardware_concurrency());
  const std::size_t shares =
      std::clamp<std::size_t>(inputs.size() / kSmallestShare, 1, std::size_t{threads});
  const std::size_t share = (inputs.size() + shares - 1) / shares;
  std::vector<std::jthread> others;
  for (std::size_t first = share; first < inputs.size(); first += share) {
    const std::size_t count = std::min(share, inputs.size() - first);
    others.emplace_back([&executable, in = inputs.subspan(first, count),
                         out = results.subspan(first, count)] { executable.run_many(in, out); });
  }
  const std::size_t own = std::min(share, inputs.size());
  executable.run_many(inputs.first(own), results.first(own));
}

}  // namespace callgate
