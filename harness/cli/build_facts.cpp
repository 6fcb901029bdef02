#include "harness/cli/build_facts.hpp"

#include <fmt/format.h>

#include "harness/engines/engines.hpp"
#include "vm/kernel_model.hpp"

namespace callgate::cli {

std::string version_text() {
  std::string out = "callgate " CALLGATE_VERSION "\n";
  const auto fact = [&out](std::string_view name, std::string_view value) {
    out += fmt::format("{}: {}\n", name, value);
  };
  fact("commit", commit());
  fact("compiler", CALLGATE_COMPILER);
  fact("build type", CALLGATE_BUILD_TYPE);
  fact("engines", engine_names());
  fact("asmjit (engine jit)", CALLGATE_ASMJIT_VERSION);
  fact("capstone (listings of its code)", CALLGATE_CAPSTONE_VERSION);
  fact("Z3 (what decision diagrams leave open)", CALLGATE_Z3_VERSION);
  fact("engine in pages of report", CALLGATE_PAGE_ENGINE_WORDS);
  fact("newest kernel whose rules it has", to_string(kNewestVersion));
  fact("version of its JSON documents", "1");
  out.pop_back();  // the option's own printing ends the line
  return out;
}

}  // namespace callgate::cli
