#pragma once

#include <sys/types.h>

#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/process/tracee.hpp"
#include "vm/arches.hpp"
#include "vm/instruction.hpp"

/// What a capture caught, and its folder: a manifest and a file for each filter. The format is
/// described in README.md beside this.
namespace callgate::process {

/// One attempt to install a filter or strict mode, or one filter that was read back.
struct Install {
  enum class How : std::uint8_t { Prctl, Seccomp, GetFilter };
  How how = How::Seccomp;
  bool strict = false;             ///< strict mode: there is no program
  std::optional<Program> program;  ///< nothing where the process's memory had none
  std::uint64_t flags = 0;         ///< as given; of GetFilter LOG alone is known
  bool flags_known = true;
  pid_t tid = 0;
  pid_t pid = 0;
  std::string comm;
  std::optional<Arch> arch;            ///< the ABI of the call; nothing with GetFilter
  std::optional<std::int64_t> result;  ///< what the call returned; nothing where it did not
  std::vector<CodePlace> backtrace;    ///< the first is the instruction after the call

  [[nodiscard]] bool installed() const;
};

/// A task, and the filters that it ended up with.
struct CapturedTask {
  pid_t tid = 0;
  pid_t pid = 0;
  pid_t creator = 0;  ///< 0: the command
  std::string comm;
  bool strict = false;
  std::vector<std::size_t> filters;  ///< places in `installs`, oldest first
  /// How many filters the kernel counted in the end, less those inherited from outside, where that
  /// is another number: then `filters` is not to be trusted.
  std::optional<std::size_t> counted;
};

/// What was caught.
struct Capture {
  std::vector<std::string> command;   ///< empty: a thread that ran already
  std::size_t inherited = 0;          ///< filters that were there before, and are not in it
  std::vector<Install> installs;      ///< in order
  std::vector<CapturedTask> tasks;    ///< those with filters, and the command's
  std::optional<pid_t> default_task;  ///< the one that a reader takes
};

/// "001.bpf": the file of an install.
[[nodiscard]] std::string file_name(std::size_t install);

/// "SECCOMP_FILTER_FLAG_" names, without that, of flags; bits without a name in hexadecimal.
[[nodiscard]] std::vector<std::string> flag_names(std::uint64_t flags);

/// "0", "EINVAL", "listener 5", "thread 77 stood in the way", "did not return"
[[nodiscard]] std::string result_words(const Install& install);

/// The manifest's text.
[[nodiscard]] std::string manifest_text(const Capture& capture);

/// Makes the folder, whole or not at all. It must not exist, or be empty. Returns why not; empty
/// where it was written.
[[nodiscard]] std::string write_capture(const Capture& capture, const std::string& folder);

/// One filter of a captured stack.
struct CapturedFilter {
  std::string name;  ///< the file's path
  Program program;
  std::uint64_t flags = 0;
  Arch arch = Arch::X86_64;  ///< the ABI that installed it; the machine's where that is not known
};

/// Whether a path is a captured folder or its manifest, with or without `#TID`.
[[nodiscard]] bool is_manifest(const std::string& path);

/// "capture#77" and "capture/manifest.json#77" parted: the path, and the task.
[[nodiscard]] std::pair<std::string, std::optional<pid_t>> split_task(const std::string& path);

/// The filters of a captured task, oldest first: of `tid`, or of the task that the manifest names.
/// `path` is the folder or its manifest.json. An error is a sentence with file and field. Bounded:
/// no file above 8 MiB is read, none outside of the folder.
[[nodiscard]] std::expected<std::vector<CapturedFilter>, std::string> read_manifest(
    const std::string& path, std::optional<pid_t> tid = std::nullopt);

/// A filter that a manifest names.
struct ManifestRow {
  std::string file;
  std::size_t length = 0;
  std::uint64_t flags = 0;
  Arch arch = Arch::X86_64;
};

/// The same from the manifest's text alone, without reading the filters' files.
[[nodiscard]] std::expected<std::vector<ManifestRow>, std::string> parse_manifest(
    std::string_view text, std::optional<pid_t> tid = std::nullopt);

}  // namespace callgate::process
