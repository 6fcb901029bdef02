#pragma once

#include <span>
#include <string_view>

/// The files that embed.cmake puts into the program.
namespace callgate::report::page_files {

[[nodiscard]] std::string_view document() noexcept;  ///< page.html
[[nodiscard]] std::string_view style() noexcept;     ///< page.css
[[nodiscard]] std::string_view script() noexcept;    ///< the *.js, one after the other
[[nodiscard]] std::span<const unsigned char> engine() noexcept;
[[nodiscard]] std::string_view engine_reason() noexcept;  ///< why there is no engine

}  // namespace callgate::report::page_files
