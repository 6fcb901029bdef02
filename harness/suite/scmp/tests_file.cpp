#include "harness/suite/scmp/tests_file.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <charconv>
#include <filesystem>
#include <limits>
#include <system_error>
#include <utility>

#include "harness/front_ends/program_reader.hpp"
#include "harness/suite/scmp/arch_sets.hpp"
#include "harness/suite/scmp/result_words.hpp"

namespace callgate::suite::scmp {
namespace {

constexpr std::uint64_t kMost = std::numeric_limits<std::uint64_t>::max();

constexpr std::pair<TestType, std::string_view> kTypes[] = {
    {TestType::BpfSim, "bpf-sim"},
    {TestType::BpfSimFuzz, "bpf-sim-fuzz"},
    {TestType::BpfValgrind, "bpf-valgrind"},
    {TestType::Basic, "basic"},
    {TestType::Live, "live"},
};

constexpr std::string_view kBlank = " \t";

// More than any suite has, and few enough for the memory and time of any machine.
constexpr std::size_t kMostLines = 100'000;
constexpr std::size_t kMostTerms = 100;

std::uint64_t times(std::uint64_t a, std::uint64_t b) noexcept {
  if (b != 0 && a > kMost / b) return kMost;
  return a * b;
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }
bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

using Failed = std::unexpected<std::string>;

// What a message repeats of a text that may be anything: its beginning, without bytes that a
// terminal would obey.
std::string shown(std::string_view text) {
  constexpr std::size_t kLongest = 60;
  std::string out;
  for (const char each : text.substr(0, kLongest)) {
    out += each >= ' ' && each <= '~' ? each : '?';
  }
  return text.size() > kLongest ? out + "..." : out;
}

std::vector<std::string_view> columns_of(std::string_view line) {
  std::vector<std::string_view> out;
  for (;;) {
    const std::size_t start = line.find_first_not_of(kBlank);
    if (start == std::string_view::npos) return out;
    const std::size_t end = std::min(line.find_first_of(kBlank, start), line.size());
    out.push_back(line.substr(start, end - start));
    line.remove_prefix(end);
  }
}

// Decimal or 0x hexadecimal, up to 64 bits. A leading 0 is refused: libseccomp's runner takes such
// a number for an octal one.
std::expected<std::uint64_t, std::string> number_of(std::string_view text, std::string_view what) {
  const bool hex = text.starts_with("0x") || text.starts_with("0X");
  const std::string_view digits = hex ? text.substr(2) : text;
  if (!hex && digits.size() > 1 && digits.front() == '0') {
    return Failed(fmt::format(
        "{} {}: a number with a leading 0 is octal for libseccomp; write it in decimal or with 0x",
        what, shown(text)));
  }
  std::uint64_t value = 0;
  const char* const end = digits.data() + digits.size();
  const auto [at, error] = std::from_chars(digits.data(), end, value, hex ? 16 : 10);
  if (error == std::errc::result_out_of_range) {
    return Failed(fmt::format("{} {}: a value has 64 bits", what, shown(text)));
  }
  if (digits.empty() || error != std::errc{} || at != end) {
    return Failed(fmt::format("{} {}: write a number (decimal or 0x hexadecimal){}", what,
                              shown(text), what == "count" ? "" : ", a range such as 0-3, or N"));
  }
  return value;
}

std::string backwards(std::string_view what, std::string_view text) {
  return fmt::format("{} {}: a range goes upwards; put the smaller number first", what,
                     shown(text));
}

std::expected<std::optional<Range>, std::string> argument_of(std::string_view text,
                                                             std::size_t index) {
  if (text == "N") return std::nullopt;
  const std::string what = fmt::format("A{}", index);
  if (text.starts_with('-')) {
    const auto value = number_of(text.substr(1), what);
    if (!value) return Failed(value.error());
    if (*value > std::uint64_t{1} << 63U) {
      return Failed(fmt::format("{} {}: a negative value has 64 bits", what, shown(text)));
    }
    return Range{0 - *value, 0 - *value};
  }
  const std::size_t dash = text.find('-');
  const auto first = number_of(text.substr(0, dash), what);
  if (!first) return Failed(first.error());
  if (dash == std::string_view::npos) return Range{*first, *first};
  const auto last = number_of(text.substr(dash + 1), what);
  if (!last) return Failed(last.error());
  if (*last < *first) return Failed(backwards(what, text));
  return Range{*first, *last};
}

// Decimal alone: of 0x10 libseccomp's runner makes the name of the call 0.
std::expected<std::int64_t, std::string> syscall_number_of(std::string_view text) {
  const std::string_view digits = text.starts_with('-') ? text.substr(1) : text;
  if (digits.size() > 1 && digits.front() == '0') {
    return Failed(
        fmt::format("syscall {}: write the number in decimal, without a leading 0", shown(text)));
  }
  std::int64_t value = 0;
  const char* const end = text.data() + text.size();
  const auto [at, error] = std::from_chars(text.data(), end, value);
  if (error == std::errc{} && at == end && value >= -0x80000000LL && value <= 0xffffffffLL) {
    return value;
  }
  if (error == std::errc::invalid_argument || (error == std::errc{} && at != end)) {
    return Failed(fmt::format("syscall {}: write a name, a decimal number or a range such as 0-350",
                              shown(text)));
  }
  return Failed(fmt::format("syscall {}: a syscall number has 32 bits", shown(text)));
}

std::expected<void, std::string> read_syscall(DataLine& out, std::string_view text) {
  if (is_letter(text.front()) || text.front() == '_') {
    const bool name =
        std::ranges::all_of(text, [](char c) { return is_letter(c) || is_digit(c) || c == '_'; });
    if (!name) return Failed(fmt::format("syscall {}: not a name of a syscall", shown(text)));
    out.syscall = text;
    return {};
  }
  const std::size_t dash = text.find('-', 1);
  const auto first = syscall_number_of(text.substr(0, dash));
  if (!first) return Failed(first.error());
  out.first_number = out.last_number = *first;
  if (dash == std::string_view::npos) return {};
  if (*first < 0) {
    return Failed(
        fmt::format("syscall {}: libseccomp has no ranges of negative numbers; write a "
                    "line for each",
                    shown(text)));
  }
  const auto last = syscall_number_of(text.substr(dash + 1));
  if (!last) return Failed(last.error());
  if (*last < *first) return Failed(backwards("syscall", text));
  out.last_number = *last;
  return {};
}

std::expected<std::vector<ArchTerm>, std::string> arches_of(std::string_view text) {
  std::vector<ArchTerm> out;
  for (std::size_t start = 0; start <= text.size();) {
    const std::size_t end = std::min(text.find(',', start), text.size());
    auto term = arch_term(text.substr(start, end - start));
    if (!term) return Failed(std::move(term.error()));
    if (out.size() == kMostTerms) {
      return Failed(
          fmt::format("more than {} architectures in one column; a group such as +all_le "
                      "says them shorter",
                      kMostTerms));
    }
    out.push_back(*term);
    start = end + 1;
  }
  return out;
}

// Programs of one folder: a text names nothing outside it.
std::expected<std::string, std::string> name_of(std::string_view text) {
  const bool plain = std::ranges::all_of(text, [](char c) {
    return is_letter(c) || is_digit(c) || c == '_' || c == '-' || c == '.' || c == '+';
  });
  if (!plain || text.front() == '.' || text.front() == '-') {
    return Failed(fmt::format(
        "{}: not a name of a generator: letters, digits, _ - . and +, the first no . and no -",
        shown(text)));
  }
  return std::string(text);
}

std::size_t columns_needed(TestType type) {
  switch (type) {
    case TestType::BpfSim:
      return 10;
    case TestType::BpfSimFuzz:
      return 2;
    case TestType::Live:
      return 3;
    case TestType::BpfValgrind:
    case TestType::Basic:
      return 1;
  }
  return 0;
}

std::string_view columns_words(TestType type) {
  switch (type) {
    case TestType::BpfSim:
      return "NAME ARCHES SYSCALL A0 A1 A2 A3 A4 A5 RESULT";
    case TestType::BpfSimFuzz:
      return "NAME COUNT";
    case TestType::Live:
      return "NAME API RESULT";
    case TestType::BpfValgrind:
    case TestType::Basic:
      return "NAME";
  }
  return "";
}

std::expected<void, std::string> read_sim(DataLine& out,
                                          const std::vector<std::string_view>& columns) {
  auto arches = arches_of(columns[1]);
  if (!arches) return Failed(std::move(arches.error()));
  out.arches = std::move(*arches);
  if (auto syscall = read_syscall(out, columns[2]); !syscall) return syscall;
  for (std::size_t i = 0; i < out.arguments.size(); ++i) {
    const auto argument = argument_of(columns[3 + i], i);
    if (!argument) return Failed(argument.error());
    out.arguments[i] = *argument;
  }
  return {};
}

std::expected<void, std::string> read_columns(DataLine& out,
                                              const std::vector<std::string_view>& columns) {
  if (columns.size() != columns_needed(out.type)) {
    return Failed(fmt::format("{} columns; a line of `test type: {}` has {}: {}", columns.size(),
                              to_string(out.type), columns_needed(out.type),
                              columns_words(out.type)));
  }
  auto name = name_of(columns.front());
  if (!name) return Failed(std::move(name.error()));
  out.generator = std::move(*name);
  if (out.type == TestType::BpfSim) {
    if (auto read = read_sim(out, columns); !read) return read;
  }
  if (out.type == TestType::BpfSimFuzz) {
    const auto count = number_of(columns[1], "count");
    if (!count) return Failed(count.error());
    out.count = *count;
  }
  if (out.type == TestType::Live) {
    const auto level = number_of(columns[1], "count");
    if (!level || *level > 1000) {
      return Failed(
          fmt::format("API {}: write libseccomp's API level, such as 3", shown(columns[1])));
    }
    out.api_level = static_cast<int>(*level);
  }
  if (out.type == TestType::BpfSim || out.type == TestType::Live) {
    const std::string_view word = columns.back();
    // A live test names no data: what is expected is an exit code.
    if (!is_result_word(word) && !(out.type == TestType::Live && is_live_word(word))) {
      return Failed(
          fmt::format("result {}: write one of ALLOW, KILL, KILL_PROCESS, TRAP, LOG, "
                      "ERRNO(n), TRACE(n), NOTIFY",
                      shown(word)));
    }
    out.result = word;
  }
  return {};
}

}  // namespace

std::string_view to_string(TestType type) noexcept {
  for (const auto& [each, name] : kTypes) {
    if (each == type) return name;
  }
  return "";
}

std::uint64_t Range::count() const noexcept {
  return last - first == kMost ? kMost : last - first + 1;
}

std::uint64_t DataLine::calls() const noexcept {
  std::uint64_t all = static_cast<std::uint64_t>(last_number - first_number) + 1;
  for (const auto& argument : arguments) {
    if (argument) all = times(all, argument->count());
  }
  return all;
}

std::string to_string(const Error& error) {
  std::string place = error.file.empty() && error.line != 0 ? "line" : error.file;
  if (error.line != 0) place += fmt::format("{}{}", error.file.empty() ? " " : ":", error.line);
  return place.empty() ? error.message : fmt::format("{}: {}", place, error.message);
}

std::expected<TestsFile, Error> parse_tests(std::string_view text) {
  constexpr std::string_view kType = "test type:";
  TestsFile out;
  std::optional<TestType> type;
  std::size_t number = 0;
  const auto fail = [&](std::string message) {
    return std::unexpected(Error{{}, number, std::move(message)});
  };
  while (!text.empty()) {
    ++number;
    const std::size_t end = std::min(text.find('\n'), text.size());
    std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const std::size_t start = line.find_first_not_of(kBlank);
    if (start == std::string_view::npos) continue;
    line = line.substr(start, line.find_last_not_of(kBlank) - start + 1);
    if (line.front() == '#') continue;
    if (line.ends_with('\r')) {
      return fail(
          "the line ends with a carriage return; libseccomp's runner would take it as part "
          "of the last column: save the file with line feeds alone");
    }
    if (line.starts_with(kType)) {
      const auto words = columns_of(line.substr(kType.size()));
      const auto* const found =
          std::ranges::find(kTypes, words.size() == 1 ? words.front() : std::string_view{},
                            &std::pair<TestType, std::string_view>::second);
      if (found == std::end(kTypes) || line.substr(kType.size(), 1) != " ") {
        return fail(
            fmt::format("test type {}: write `test type: T`, T one of bpf-sim, "
                        "bpf-sim-fuzz, bpf-valgrind, basic, live",
                        shown(line.substr(kType.size()))));
      }
      type = found->first;
      continue;
    }
    if (!type) return fail("a data line before any `test type:`; put one above it");
    if (out.lines.size() == kMostLines) {
      return fail(fmt::format("more than {} data lines; make several files of them", kMostLines));
    }
    DataLine& data = out.lines.emplace_back();
    data.number = out.lines.size();
    data.line = number;
    data.type = *type;
    const auto columns = columns_of(line);
    if (auto read = read_columns(data, columns); !read) return fail(std::move(read.error()));
    data.text = fmt::format("{}", fmt::join(columns, " "));
  }
  return out;
}

std::string batch_of(const std::string& path) {
  const std::filesystem::path name = std::filesystem::path(path).filename();
  return name.extension() == ".tests" ? name.stem().string() : name.string();
}

std::expected<TestsFile, Error> read_tests(const std::string& path) {
  const auto bytes = front_ends::read_file(path);
  if (!bytes) return std::unexpected(Error{path, 0, bytes.error().message});
  auto out = parse_tests(*bytes);
  if (!out) {
    out.error().file = path;
    return out;
  }
  out->path = path;
  out->batch = batch_of(path);
  return out;
}

std::expected<std::vector<std::string>, Error> find_tests(const std::vector<std::string>& paths) {
  std::vector<std::string> out;
  for (const std::string& path : paths) {
    std::error_code error;
    if (!std::filesystem::is_directory(path, error)) {
      out.push_back(path);
      continue;
    }
    std::vector<std::string> found;
    std::filesystem::directory_iterator each(path, error);
    for (; !error && each != std::filesystem::directory_iterator(); each.increment(error)) {
      if (each->path().extension() == ".tests") found.push_back(each->path().string());
    }
    if (error) return std::unexpected(Error{path, 0, error.message()});
    if (found.empty()) {
      return std::unexpected(
          Error{path, 0, "no file in this folder ends in .tests; name files, or another folder"});
    }
    std::ranges::sort(found);
    out.insert(out.end(), found.begin(), found.end());
  }
  return out;
}

}  // namespace callgate::suite::scmp
