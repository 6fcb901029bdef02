#pragma once

#include <cstddef>
#include <expected>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "harness/corpus/corpus.hpp"
#include "harness/live/child.hpp"

/// The corpus, put to the running kernel.
namespace callgate::corpus {

/// What came of it.
struct Confirmed {
  std::size_t live = 0;                          ///< expectations that the kernel shares
  std::map<std::string, std::size_t> by_kind;    ///< of them, by the first word of the id
  std::map<std::string, std::size_t> not_asked;  ///< the others, by the reason
  std::vector<std::string> differences;          ///< "ID: what is expected, what the kernel does"
};

/// What is asked. Outcomes take a child each.
struct ConfirmOptions {
  bool outcomes = true;  ///< surroundings too
  bool limits = true;    ///< fills a task to its limit, over and over
};

/// Asks the running kernel for every expectation that it can be asked for, and marks those that it
/// shares. `host` is the running kernel.
[[nodiscard]] std::expected<Confirmed, live::LiveError> confirm(Corpus& corpus,
                                                                const KernelModel& host,
                                                                const ConfirmOptions& options = {});

/// The running kernel, as exports name it: "Linux 6.18.44 x86_64".
[[nodiscard]] std::string running_kernel(const KernelModel& host);

}  // namespace callgate::corpus
