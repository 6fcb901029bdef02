#pragma once

#include <fmt/format.h>

#include <CLI/CLI.hpp>
#include <cstdint>
#include <cstdio>
#include <optional>
#include <span>
#include <stdexcept>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "harness/filters/filter_files.hpp"
#include "harness/front_ends/profile.hpp"
#include "harness/report/syntaxes.hpp"
#include "harness/suite/clean_text.hpp"
#include "verifier/check.hpp"
#include "vm/filter_stack.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

/// What the subcommands share. A subcommand is a file with one function add_NAME(root, exit_code)
/// and a row in subcommands.def; it puts itself below the root and sets exit_code from its
/// callback.
namespace callgate::cli {

/// What the command ends with.
inline constexpr int kWell = 0;      ///< all well
inline constexpr int kNo = 1;        ///< an answer of no: refused, mismatch, failed test
inline constexpr int kWrongUse = 2;  ///< wrong use or unreadable input

/// Wrong use or unreadable input; main() prints it after the program's name and ends with
/// kWrongUse.
class UserError : public std::runtime_error {
 public:
  using std::runtime_error::runtime_error;
};

#define SUBCOMMAND(name) void add_##name(CLI::App& root, int& exit_code);
#include "harness/cli/subcommands.def"
#undef SUBCOMMAND

/// --arch, --kernel and --jit-harden.
struct ModelOptions {
  std::string arch;    ///< empty: this machine's
  std::string kernel;  ///< empty: the newest; "host": the running one
  bool jit_harden = false;

  void add_to(CLI::App& command);

  /// The model that they ask for, or UserError.
  [[nodiscard]] KernelModel model() const;

  /// The byte order of files: --arch's, this machine's where none was given.
  [[nodiscard]] ByteOrder file_order() const;
};

using filters::diagnostic_lines;
using filters::FilterFile;
using filters::model_words;
using filters::refusal_lines;

/// --input-format and how profiles are deployed: --caps, --runtime and so on.
struct InputOptions {
  std::string format;  ///< empty: told by content and name
  std::string caps;    ///< empty: the engine's default
  std::string runtime = "runc";
  std::string systemd;
  std::vector<std::string> with;
  bool denylist = false;
  bool verbose = false;  ///< say on standard error what was recognised, and every note

  void add_to(CLI::App& command);
};

/// How filters are read by these options; UserError where they are wrong.
[[nodiscard]] front_ends::LoadOptions load_options(const InputOptions& input,
                                                   const ModelOptions& options);

/// What a FILTER argument stands for, in any format that is known, oldest first; UserError with the
/// place where it cannot be read. What a reader passes over is said on standard error.
[[nodiscard]] std::vector<FilterFile> read_filters(const std::string& path,
                                                   const InputOptions& input,
                                                   const ModelOptions& options);

/// The stack that several FILTER arguments stand for, in their order.
[[nodiscard]] std::vector<FilterFile> read_stack(std::span<const std::string> paths,
                                                 const InputOptions& input,
                                                 const ModelOptions& options);

/// The only filter that a FILTER argument stands for; UserError where it is none or several.
[[nodiscard]] FilterFile read_filter(const std::string& path, const InputOptions& input,
                                     const ModelOptions& options);

/// Tells on standard error what a language could not say; false where its text is another program.
[[nodiscard]] bool say_unsaid(const std::string& path, const std::string& syntax,
                              const std::vector<report::Unsaid>& unsaid);

/// -f FILTER, oldest first; with `positional` the `-f` may be left out.
void add_filters(CLI::App& command, std::vector<std::string>& paths, bool positional = false);

/// Reads and checks the files and stacks them, oldest first. A file that is refused is reported on
/// standard error with all its diagnostics; nothing is returned then.
[[nodiscard]] std::optional<FilterStack> build_stack(std::span<const FilterFile> files,
                                                     const KernelModel& model,
                                                     const Engine& engine);

/// The document that `disasm --format json` writes (README.md).
[[nodiscard]] std::string instructions_json(const std::string& path, const Program& program,
                                            const KernelModel& model);

/// A call's number on an ABI from a name or a number (decimal, hexadecimal, negative), or
/// UserError.
[[nodiscard]] std::int32_t parse_syscall(const std::string& text, Arch arch);

/// An argument: decimal, hexadecimal, negative, names of constants, joined by |; or UserError.
[[nodiscard]] std::uint64_t parse_argument(const std::string& text, Arch arch);

/// A call as the command line has it; UserError where it is none.
[[nodiscard]] SeccompData parse_call(const std::string& syscall,
                                     std::span<const std::string> arguments,
                                     const std::string& instruction_pointer, Arch arch);

/// SYSCALL, ARG... and --ip.
struct CallOptions {
  std::string syscall;  ///< empty: no call
  std::vector<std::string> arguments;
  std::string instruction_pointer = "0";

  /// `words`: what SYSCALL is for.
  void add_to(CLI::App& command, const std::string& words);

  [[nodiscard]] bool given() const noexcept { return !syscall.empty(); }

  /// UserError where it is none.
  [[nodiscard]] SeccompData call(Arch arch) const;
};

/// --format, text or json.
void add_format(CLI::App& command, std::string& format);

/// --html FILE, for a page with bars.
void add_bars_page(CLI::App& command, std::string& path);

/// UserError where this process may not use that core, to measure on; below 0 is any.
void need_core(std::string_view command, int core);

/// Writes a file, whole or not at all: it takes its name when all of it is there. Through a link
/// what it leads to is written; what is no regular file (a device, a pipe) is written into.
/// UserError where it cannot be written.
void write_whole(const std::string& path, std::string_view text);

/// A line on standard error, whatever bytes of files stand in it (suite::one_line).
template <typename... Values>
void tell(fmt::format_string<Values...> text, Values&&... values) {
  fmt::print(stderr, "{}\n", suite::one_line(fmt::format(text, std::forward<Values>(values)...)));
}

/// Whether standard output takes colours: a terminal, and NO_COLOR not set.
[[nodiscard]] bool colours_wanted();

/// `text` in red (bad) or green (good), or as it is where colours are not wanted.
[[nodiscard]] std::string coloured(std::string_view text, bool good);

/// `text` padded with spaces to a width, one space at least after it.
[[nodiscard]] std::string padded(std::string_view text, std::size_t width);

}  // namespace callgate::cli
