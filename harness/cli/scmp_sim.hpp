#pragma once

#include <span>
#include <string>

namespace callgate::cli {

/// The simulator of libseccomp as its users meet it: `words` are what follows the program's name,
/// which messages begin with. Prints a word and returns 0, or says why not on standard error: 22
/// for wrong use, 14 (FAULT) where the filter cannot be run, 8 (ERROR) where it ends in no word.
[[nodiscard]] int scmp_sim(const std::string& name, std::span<const std::string> words);

}  // namespace callgate::cli
