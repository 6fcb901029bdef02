#pragma once

#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/profile.hpp"
#include "harness/front_ends/program_reader.hpp"

/// One way in for everything that stands for filters: programs in any encoding, profiles, policies.
namespace callgate::front_ends {

/// How a file is read.
struct LoadOptions {
  ReadOptions program;       ///< for programs; `format` is not looked at
  Deployment deployment;     ///< for profiles
  std::string input_format;  ///< a row of input_formats() or profile_formats(); empty: by content
};

/// One filter, as it is installed.
struct LoadedFilter {
  std::string name;  ///< of the layer; empty where the file has one filter
  Program program;
  FilterFlags flags;
  std::optional<Policy> policy;  ///< what the program was lowered from
  Lowering lowering = Lowering::Plain;
};

/// What a file stands for.
struct Loaded {
  std::string format;                 ///< "c-rows", "oci"
  std::string_view looks_like;        ///< the format in words
  std::vector<LoadedFilter> filters;  ///< oldest first; none where a profile installs none
  std::vector<Note> notes;
};

/// Reads bytes. `path` is where they come from: some formats are told by their names, and further
/// files are looked for beside it; empty: nowhere.
[[nodiscard]] std::expected<Loaded, ReadError> load(std::string_view bytes, std::string_view path,
                                                    const LoadOptions& options);

}  // namespace callgate::front_ends
