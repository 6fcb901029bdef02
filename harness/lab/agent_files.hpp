#pragma once

#include <span>
#include <string_view>

namespace callgate::lab {

/// A source file of the agent, as it was when this was built.
struct AgentFile {
  std::string_view name;  ///< its path from the top of the tree, as includes have it
  std::string_view text;
};

/// agent.c and what it includes. They are compiled for each guest when the lab runs.
[[nodiscard]] std::span<const AgentFile> agent_files() noexcept;

}  // namespace callgate::lab
