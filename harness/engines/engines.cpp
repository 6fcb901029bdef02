#include "harness/engines/engines.hpp"

#include <algorithm>
#include <vector>

#ifdef CALLGATE_WITH_JIT
#include "vm/jit/jit.hpp"
#endif

namespace callgate {

std::span<const Engine* const> all_engines() noexcept {
  static const std::vector<const Engine*> kAll = [] {
    std::vector<const Engine*> out(engines().begin(), engines().end());
#ifdef CALLGATE_WITH_JIT
    out.push_back(&jit::jit_engine());
#endif
    return out;
  }();
  return kAll;
}

const Engine* find_any_engine(std::string_view name) noexcept {
  const auto all = all_engines();
  const auto found = std::ranges::find(all, name, &Engine::name);
  return found == all.end() ? nullptr : *found;
}

std::string engine_names() {
  std::string out;
  for (const Engine* each : all_engines()) {
    if (!out.empty()) out += ", ";
    out += each->name();
  }
  return out;
}

}  // namespace callgate
