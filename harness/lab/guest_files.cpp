#include "harness/lab/guest_files.hpp"

#include <fmt/format.h>

#include <charconv>

namespace callgate::lab {
namespace {

void put(std::string& out, std::uint64_t value, unsigned bytes, ByteOrder order) {
  for (unsigned i = 0; i < bytes; ++i) {
    const unsigned place = order == ByteOrder::Little ? i : bytes - 1 - i;
    out.push_back(static_cast<char>(value >> (8 * place) & 0xffU));
  }
}

void pad(std::string& out) {
  while (out.size() % 4 != 0) out.push_back('\0');
}

void entry(std::string& out, const InitrdFile& file, std::size_t inode) {
  out += fmt::format("070701{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}", inode, file.mode, 0, 0, 1,
                     0, file.bytes.size());
  out += fmt::format("{:08x}{:08x}{:08x}{:08x}{:08x}{:08x}", 0, 0, 0, 0, file.path.size() + 1, 0);
  out += file.path;
  out.push_back('\0');
  pad(out);
  out += file.bytes;
  pad(out);
}

template <typename Number = std::uint32_t>
std::optional<Number> number(std::string_view text, int base) {
  Number out = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out, base);
  if (error != std::errc() || end != text.data() + text.size()) return std::nullopt;
  return out;
}

// INDEX ERRNO, then numbers of so many hexadecimal digits each; the errno.
std::optional<std::uint32_t> parse_numbers(std::string_view text, std::size_t expected,
                                           std::size_t digits, std::vector<std::uint32_t>& out) {
  const std::size_t one = text.find(' ');
  if (one == std::string_view::npos) return std::nullopt;
  const std::size_t two = text.find(' ', one + 1);
  if (two == std::string_view::npos) return std::nullopt;
  const auto index = number(text.substr(0, one), 10);
  const auto error = number(text.substr(one + 1, two - one - 1), 10);
  text.remove_prefix(two + 1);
  if (index != expected || !error || text.size() % digits != 0) return std::nullopt;
  for (; !text.empty(); text.remove_prefix(digits)) {
    const auto value = number(text.substr(0, digits), 16);
    if (!value) return std::nullopt;
    out.push_back(*value);
  }
  return error;
}

std::optional<Answer> parse_answer(std::string_view text, std::size_t expected) {
  std::vector<std::uint32_t> numbers;
  const auto error = parse_numbers(text, expected, 4, numbers);
  if (!error) return std::nullopt;
  return Answer{*error, {numbers.begin(), numbers.end()}};
}

std::optional<CostAnswer> parse_costs(std::string_view text, std::size_t expected) {
  constexpr std::uint32_t kNoCount = 0xffffffffU;
  constexpr double kTogether = 16;  // agent_costs.h
  std::vector<std::uint32_t> numbers;
  const auto error = parse_numbers(text, expected, 8, numbers);
  if (!error) return std::nullopt;
  CostAnswer out{*error, {}};
  for (const std::uint32_t each : numbers) {
    const bool known = each != kNoCount;
    out.counts.push_back(known ? std::optional(each / kTogether) : std::nullopt);
  }
  return out;
}

void put(std::string& out, const Program& program, ByteOrder order) {
  for (const Instruction& i : program) {
    put(out, i.code, 2, order);
    put(out, i.jt, 1, order);
    put(out, i.jf, 1, order);
    put(out, i.k, 4, order);
  }
}

void put(std::string& out, std::uint32_t nr, const std::array<std::uint64_t, 6>& args,
         ByteOrder order) {
  put(out, nr, 4, order);
  put(out, 0, 4, order);
  for (const std::uint64_t each : args) put(out, each, 8, order);
}

}  // namespace

std::string encode_request(const std::vector<ProbeQuestion>& probes,
                           const std::vector<Question>& questions,
                           const std::vector<CostQuestion>& costs, unsigned jit, ByteOrder order) {
  std::string out;
  put(out, 0x43474c42U, 4, order);
  put(out, jit, 4, order);
  put(out, probes.size(), 4, order);
  put(out, questions.size(), 4, order);
  put(out, costs.size(), 4, order);
  for (const ProbeQuestion& each : probes) {
    put(out, each.kind, 4, order);
    put(out, each.argument, 4, order);
  }
  for (const Question& each : questions) {
    put(out, each.calls.size(), 4, order);
    put(out, each.program.size(), 4, order);
    put(out, each.program, order);
    for (const SeccompData& call : each.calls) {
      put(out, static_cast<std::uint32_t>(call.nr), call.args, order);
    }
  }
  for (const CostQuestion& each : costs) {
    put(out, each.filters.size(), 4, order);
    put(out, each.calls.size(), 4, order);
    for (const Program& filter : each.filters) {
      put(out, filter.size(), 4, order);
      put(out, filter, order);
    }
    for (const CostCall& call : each.calls) put(out, call.nr, call.args, order);
  }
  return out;
}

std::string initrd(const std::vector<InitrdFile>& files) {
  std::string out;
  std::size_t inode = 1;
  for (const InitrdFile& each : files) entry(out, each, inode++);
  entry(out, {"TRAILER!!!", "", 0}, 0);
  return out;
}

std::string last_words(std::string_view text) {
  std::string_view last;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (line.find("Kernel panic") != std::string_view::npos) {
      last = line;
      break;
    }
    if (!line.empty()) last = line;
  }
  if (last.empty()) return "its console is empty";
  return fmt::format("it said last: {}", last.substr(0, 200));
}

std::optional<Console> parse_console(std::string_view text) {
  Console out;
  std::uint32_t sum = 2166136261U;
  while (!text.empty()) {
    const std::size_t end = text.find('\n');
    std::string_view line = text.substr(0, end);
    text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    while (line.ends_with('\r')) line.remove_suffix(1);
    if (!line.starts_with('@')) continue;
    const std::size_t mark = line.rfind(' ');
    if (mark == std::string_view::npos || mark < 3) return std::nullopt;
    const std::string_view said = line.substr(1, mark - 1);
    for (const char c : said) sum = (sum ^ static_cast<std::uint8_t>(c)) * 16777619U;
    if (number(line.substr(mark + 1), 16) != sum) return std::nullopt;
    const std::string_view rest = said.substr(2);
    if (said.starts_with("u ")) {
      out.release = rest;
    } else if (said.starts_with("j ")) {
      out.jit = rest;
    } else if (said.starts_with("p ")) {
      auto answer = parse_answer(rest, out.answers.size());
      if (!answer) return std::nullopt;
      out.answers.push_back(std::move(*answer));
    } else if (said.starts_with("f ")) {
      const std::size_t space = rest.find(' ');
      if (space == std::string_view::npos) return std::nullopt;
      const auto value = number<std::int64_t>(rest.substr(space + 1), 10);
      if (!value || number(rest.substr(0, space), 10) != out.probes.size()) return std::nullopt;
      out.probes.push_back(*value);
    } else if (said.starts_with("c ")) {
      auto costs = parse_costs(rest, out.costs.size());
      if (!costs) return std::nullopt;
      out.costs.push_back(std::move(*costs));
    } else if (said.starts_with("e ")) {
      if (rest != fmt::format("{} {} {}", out.probes.size(), out.answers.size(), out.costs.size()))
        return std::nullopt;
      return out;
    }
  }
  return std::nullopt;
}

}  // namespace callgate::lab
