#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <expected>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "vm/arches.hpp"

/// libseccomp's own regression format: `.tests` files, which name generators of filters, calls and
/// the word that its simulator answers.
namespace callgate::suite::scmp {

/// What a data line asks for; each has its own columns.
enum class TestType : std::uint8_t {
  BpfSim,       ///< NAME ARCHES SYSCALL A0 A1 A2 A3 A4 A5 RESULT
  BpfSimFuzz,   ///< NAME COUNT
  BpfValgrind,  ///< NAME
  Basic,        ///< NAME
  Live,         ///< NAME API RESULT
};

/// "bpf-sim" and so on
[[nodiscard]] std::string_view to_string(TestType type) noexcept;

/// The groups of architectures that the format names.
enum class ArchSet : std::uint8_t { All, LittleEndian, BigEndian, Bits32, Bits64 };

/// One item of the column ARCHES.
struct ArchTerm {
  enum class Sign : std::uint8_t {
    Native,   ///< only what this machine is
    Always,   ///< +
    Removed,  ///< -
  };
  Sign sign = Sign::Native;
  std::optional<ArchSet> set{};  ///< nothing: `arch`
  Arch arch = Arch::X86_64;

  friend bool operator==(const ArchTerm&, const ArchTerm&) = default;
};

/// The numbers from `first` to `last`, both among them.
struct Range {
  std::uint64_t first = 0;
  std::uint64_t last = 0;

  /// How many; 2^64-1 where they are more.
  [[nodiscard]] std::uint64_t count() const noexcept;
  friend bool operator==(const Range&, const Range&) = default;
};

/// A line that is no comment and no `test type:`.
struct DataLine {
  std::size_t number = 0;  ///< among the data lines, from 1: what libseccomp's log calls LLL
  std::size_t line = 0;    ///< of the file, from 1
  std::string text;        ///< its columns, with one space between them
  TestType type = TestType::BpfSim;
  std::string generator;  ///< NAME

  // bpf-sim
  std::vector<ArchTerm> arches;
  std::string syscall;            ///< a name; empty: the numbers are those below
  std::int64_t first_number = 0;  ///< as written: -2^31 to 2^32-1
  std::int64_t last_number = 0;
  std::array<std::optional<Range>, 6> arguments{};  ///< nothing: N, not passed
  std::string result;                               ///< "ERRNO(1)"; of bpf-sim and live

  std::uint64_t count = 0;  ///< of bpf-sim-fuzz
  int api_level = 0;        ///< of live

  /// How many calls the ranges make for one architecture; 2^64-1 where they are more.
  [[nodiscard]] std::uint64_t calls() const noexcept;
};

/// A file, in its order. Ranges are not multiplied out.
struct TestsFile {
  std::string path;   ///< as it was named; empty: from memory
  std::string batch;  ///< batch_of(path); empty where `path` is all that is known
  std::vector<DataLine> lines;
};

/// "02-basic" of "some/02-basic.tests"
[[nodiscard]] std::string batch_of(const std::string& path);

/// Why a text is no such file.
struct Error {
  std::string file;      ///< empty: from memory
  std::size_t line = 0;  ///< from 1; 0: the file itself
  std::string message;   ///< says what to write instead
};

/// "FILE:LINE: message"
[[nodiscard]] std::string to_string(const Error& error);

/// Reads a text; any bytes at all, in time linear in their number. Strict: what libseccomp's runner
/// would pass over, or take for something else than it seems, is refused at its line.
[[nodiscard]] std::expected<TestsFile, Error> parse_tests(std::string_view text);

/// Reads a file.
[[nodiscard]] std::expected<TestsFile, Error> read_tests(const std::string& path);

/// The files that the paths stand for: a folder for its `*.tests`, by name. An Error where a folder
/// has none, or where it cannot be read.
[[nodiscard]] std::expected<std::vector<std::string>, Error> find_tests(
    const std::vector<std::string>& paths);

}  // namespace callgate::suite::scmp
