#pragma once

#include <string>
#include <string_view>

namespace callgate::cli {

/// The commit that this was built from, 40 digits and where there were changes to it " with
/// changes"; or why it is unknown. Made at each build (commit.cmake): the one thing that differs
/// from commit to commit.
[[nodiscard]] std::string_view commit() noexcept;

/// What `callgate --version` prints: "callgate 0.1.0", then a line "name: value" for each fact of
/// the build. No time, no machine, no folder: the same sources and tools give the same text.
[[nodiscard]] std::string version_text();

}  // namespace callgate::cli
