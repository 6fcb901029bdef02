#pragma once

#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/loader.hpp"
#include "vm/diagnostics.hpp"
#include "vm/engine.hpp"
#include "vm/filter_stack.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

/// The filters that are looked at: what a FILTER argument of the command, or of a suite, stands
/// for.
namespace callgate::filters {

/// One filter of a stack.
struct FilterFile {
  std::string path;  ///< with the layer's name where the file stands for several: "FILE (NAME)"
  Program program;
  FilterFlags flags{};
  /// Where a profile's program came from
  std::optional<front_ends::Policy> policy{};
  front_ends::Lowering lowering = front_ends::Lowering::Plain;
};

/// What a FILTER stands for.
struct ReadFilters {
  std::string format;                   ///< "oci", "capture"
  std::string looks_like;               ///< the format in words
  std::vector<FilterFile> filters;      ///< oldest first
  std::vector<front_ends::Note> notes;  ///< with places in the file
};

/// Whether `--input-format` takes it.
[[nodiscard]] bool is_format(std::string_view name);

/// Reads a file, a folder of a capture, FILE#NAME or DIR#TID, in any format that is known; "-" is
/// standard input. The error is a sentence with the place.
[[nodiscard]] std::expected<ReadFilters, std::string> read_filters(
    const std::string& path, const front_ends::LoadOptions& options);

/// The same of bytes; `name` stands for their file's, and is what they are called; empty: nowhere,
/// and "the bytes".
[[nodiscard]] std::expected<ReadFilters, std::string> read_bytes(
    std::string_view bytes, const std::string& name, const front_ends::LoadOptions& options);

/// What a reader has to say of a file, with the place: "FILE:LINE:COLUMN: message".
[[nodiscard]] std::string note_words(std::string_view shown, const front_ends::Note& note);

/// The file that a filter's path names: without the name of a layer, where it has one.
[[nodiscard]] std::string file_of(const std::string& path);

/// A file that the kernel refuses, and what for.
struct Refusal {
  std::size_t file = 0;  ///< which of them
  Diagnostics diagnostics;
};

/// Checks the filters and stacks them, oldest first.
[[nodiscard]] std::expected<FilterStack, Refusal> stack_of(std::span<const FilterFile> files,
                                                           const KernelModel& model,
                                                           const Engine& engine = default_engine());

/// The names of a bounding set: "CAP_KILL,CAP_CHOWN", "KILL", "none", "all"; nothing for an empty
/// text. The error is a sentence.
[[nodiscard]] std::expected<std::optional<std::vector<std::string>>, std::string> caps_of(
    const std::string& text);

/// The diagnostics of a refused file, a line each: "FILE: instruction N: message [id]".
[[nodiscard]] std::string diagnostic_lines(std::string_view path, const Diagnostics& diagnostics);

/// A line that says who refuses a file, and the diagnostics below it; there is one at least.
[[nodiscard]] std::string refusal_lines(std::string_view path, const KernelModel& model,
                                        const Diagnostics& diagnostics);

/// "Linux 6.18 x86_64"
[[nodiscard]] std::string model_words(const KernelModel& model);

}  // namespace callgate::filters
