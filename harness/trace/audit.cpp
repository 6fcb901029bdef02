// Records of the kernel's audit: what a filter killed, trapped or logged (SECCOMP, 1326), and calls
// by rules of audit (SYSCALL, 1300), which have four arguments.
#include <fmt/format.h>

#include <string>

#include "harness/trace/readers.hpp"
#include "harness/trace/text.hpp"

namespace callgate::trace {
namespace {

enum class Kind : std::uint8_t { None, Seccomp, Syscall };

Kind kind_of(std::string_view line) {
  const auto has = [&](std::string_view word) {
    const std::size_t at = line.find(word);
    if (at == std::string_view::npos) return false;
    const std::size_t end = at + word.size();
    return end == line.size() || line[end] == ' ';
  };
  if (has("type=1326") || has("type=SECCOMP")) return Kind::Seccomp;
  if (has("type=1300") || has("type=SYSCALL")) return Kind::Syscall;
  return Kind::None;
}

// The value after " NAME=", outside of quotes; empty where there is none. auditd's enriched records
// repeat the fields in capitals after a 0x1d.
std::string_view field(std::string_view line, std::string_view name) {
  line = line.substr(0, line.find('\x1d'));
  bool quoted = false;
  for (std::size_t at = 0; at < line.size(); ++at) {
    if (line[at] == '"') quoted = !quoted;
    if (quoted || line[at] != ' ') continue;
    std::string_view rest = line.substr(at + 1);
    if (!take(rest, name) || !take(rest, "=")) continue;
    return rest.substr(0, rest.find(' '));
  }
  return {};
}

std::optional<std::uint64_t> whole_number(std::string_view text, int base, std::uint64_t most) {
  if (base == 16) static_cast<void>(take(text, "0x"));
  const auto value = take_number(text, base);
  if (!value || !text.empty() || *value > most) return std::nullopt;
  return value;
}

}  // namespace

bool detect_audit(std::string_view bytes) {
  Lines lines(bytes.substr(0, std::size_t{64} * 1024));
  while (const auto line = lines.next()) {
    if (line->find("audit") != std::string_view::npos && kind_of(*line) != Kind::None &&
        line->find(" syscall=") != std::string_view::npos) {
      return true;
    }
  }
  return false;
}

std::expected<Header, ReadError> read_audit(std::string_view bytes, const ReadOptions& /*options*/,
                                            const Sink& sink) {
  Header header;
  Lines lines(bytes);
  while (const auto line = lines.next()) {
    const auto fail = [&](std::string message) {
      return std::unexpected(ReadError{std::move(message), lines.number(), {}, {}});
    };
    if (line->size() > kLongestLine) return fail("a line of more than 1 MiB");
    const Kind kind = kind_of(*line);
    if (kind == Kind::None) continue;
    Call call;
    call.known = kNumberKnown | kArchKnown;
    call.place = lines.number();
    const auto arch = whole_number(field(*line, "arch"), 16, 0xffffffff);
    if (!arch) return fail("arch= is no hexadecimal number (ausearch -i writes names: leave it)");
    call.data.arch = static_cast<std::uint32_t>(*arch);
    const auto number = whole_number(field(*line, "syscall"), 10, 0xffffffff);
    const auto negative = field(*line, "syscall") == "-1";
    if (!number && !negative) return fail("syscall= is no number");
    call.data.nr =
        static_cast<std::int32_t>(negative ? 0xffffffffU : static_cast<std::uint32_t>(*number));
    if (const auto pid = whole_number(field(*line, "pid"), 10, 0x7fffffff)) {
      call.tid = static_cast<std::int32_t>(*pid);
    }
    if (const auto ip = whole_number(field(*line, "ip"), 16, ~std::uint64_t{0})) {
      call.data.instruction_pointer = *ip;
      call.known |= kPointerKnown;
    }
    for (std::size_t i = 0; kind == Kind::Syscall && i < 4; ++i) {
      const auto value = whole_number(field(*line, fmt::format("a{}", i)), 16, ~std::uint64_t{0});
      if (!value) continue;
      call.data.args[i] = *value;
      call.known |= static_cast<KnownWords>(low_known(i) | high_known(i));
    }
    ++header.calls;
    sink.call(call);
  }
  if (header.calls == 0) {
    return std::unexpected(ReadError{"there is no record of SECCOMP or SYSCALL", {}, {}, {}});
  }
  return header;
}

}  // namespace callgate::trace
