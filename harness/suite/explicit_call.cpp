#include "harness/suite/explicit_call.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <optional>

#include "harness/front_ends/policy_text.hpp"
#include "vm/syscalls.hpp"

namespace callgate::suite {
namespace {

std::optional<std::string_view> likely(std::string_view name, Arch abi) {
  if (name.size() > 40) return std::nullopt;
  const std::size_t most = name.size() < 4 ? 1 : 2;
  std::optional<std::string_view> best;
  std::size_t least = most + 1;
  for (const SyscallRow& row : syscalls(abi)) {
    const std::size_t far = letters_apart(name, row.name);
    if (far >= least) continue;
    least = far;
    best = row.name;
  }
  return best;
}

std::expected<std::int32_t, TextError> read_number_or_name(Scanner& scanner, Arch abi) {
  const std::size_t start = scanner.at();
  const char first = scanner.peek();
  if ((first >= '0' && first <= '9') || first == '-') {
    const auto value = read_value(scanner, abi);
    if (!value) return std::unexpected(value.error());
    if (value->bits > 0xffffffffU && !(value->negative && value->bits >= 0xffffffff80000000U)) {
      scanner.go_back(start);
      return scanner.error("a number of a call has 32 bits");
    }
    return static_cast<std::int32_t>(static_cast<std::uint32_t>(value->bits));
  }
  const std::string_view name = scanner.word();
  if (name.empty()) {
    return scanner.error(
        fmt::format("the name of a call is missing, and {} comes", scanner.next_words()));
  }
  const auto number = syscall_number(abi, name);
  if (!number) {
    scanner.go_back(start);
    return scanner.error(no_such_call(name, abi));
  }
  return static_cast<std::int32_t>(*number);
}

}  // namespace

bool is_call_anywhere(std::string_view name) {
  return std::ranges::any_of(
      arches(), [&](const ArchInfo& row) { return syscall_number(row.arch, name).has_value(); });
}

std::string no_such_call(std::string_view name, Arch abi) {
  for (const ArchInfo& row : arches()) {
    if (syscall_number(row.arch, name)) {
      return fmt::format("{} has no call {} ({} has)", info(abi).name, name, row.name);
    }
  }
  const auto meant = likely(name, abi);
  return fmt::format("no architecture has a call {}{}", front_ends::shown(name),
                     meant ? fmt::format("; is {} meant?", *meant) : std::string{});
}

std::expected<CallHead, TextError> read_abi(Scanner& scanner, Arch machine) {
  CallHead head{info(machine).token, machine, false, true};
  static_cast<void>(scanner.peek());
  const std::size_t start = scanner.at();
  const std::string_view rest = scanner.text().substr(start);
  const std::size_t length =
      std::min(rest.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ"
                                      "0123456789_-"),
               rest.size());
  if (length == 0 || length == rest.size() || rest[length] != ':') return head;
  const std::string_view name = rest.substr(0, length);
  if (const auto number = number_of(name)) {
    if (*number > 0xffffffffU) return scanner.error("an architecture's token has 32 bits");
    head.token = static_cast<std::uint32_t>(*number);
    const auto known = arch_from_token(head.token);
    head.known_abi = known.has_value();
    if (known) head.abi = *known;
  } else if (const auto arch = arch_from_name(name)) {
    head.token = info(*arch).token;
    head.abi = *arch;
  } else {
    return scanner.error(fmt::format("{}: no architecture", front_ends::shown(name)));
  }
  head.named_abi = true;
  scanner.go_back(start + length + 1);
  return head;
}

std::expected<SeccompData, TextError> parse_explicit_call(std::string_view text, Arch machine) {
  Scanner scanner(text);
  const auto head = read_abi(scanner, machine);
  if (!head) return std::unexpected(head.error());
  SeccompData data{};
  data.arch = head->token;
  const auto number = read_number_or_name(scanner, head->abi);
  if (!number) return std::unexpected(number.error());
  data.nr = *number;
  if (scanner.at_end()) return data;
  if (!scanner.accept("(")) {
    return scanner.error(fmt::format("`(` is missing, and {} comes", scanner.next_words()));
  }
  bool last = false;
  for (std::size_t i = 0; !scanner.accept(")"); ++i) {
    if (last || (i != 0 && !scanner.accept(","))) {
      return scanner.error(fmt::format("`)` is missing, and {} comes", scanner.next_words()));
    }
    last = scanner.accept_word("ip");
    if (last && !scanner.accept("=")) return scanner.error("`=` is missing after ip");
    if (!last && i >= data.args.size()) return scanner.error("a call has 6 arguments at most");
    const auto value = read_value(scanner, head->abi);
    if (!value) return std::unexpected(value.error());
    (last ? data.instruction_pointer : data.args[i]) = value->bits;
  }
  if (!scanner.at_end()) {
    return scanner.error(fmt::format("the call ends before {}", scanner.next_words()));
  }
  return data;
}

std::string explicit_call_text(const SeccompData& data, Arch machine) {
  const auto number = static_cast<std::uint32_t>(data.nr);
  const auto abi = arch_of_call(data.arch, number);
  const Arch named = abi.value_or(machine);
  std::string out;
  if (!abi) {
    out = fmt::format("0x{:x}:", data.arch);
  } else if (*abi != machine) {
    out = fmt::format("{}:", info(*abi).name);
  }
  const auto name = abi ? syscall_name(*abi, number) : std::nullopt;
  const std::string_view call = name.value_or(std::string_view{});
  out += name                ? std::string(*name)
         : number >= 0x10000 ? fmt::format("0x{:x}", number)
                             : fmt::format("{}", number);
  out += '(';
  std::size_t count = data.args.size();
  while (count != 0 && data.args[count - 1] == 0) --count;
  for (std::size_t i = 0; i < count; ++i) {
    out += i == 0 ? "" : ", ";
    out += value_words(data.args[i], call, static_cast<unsigned>(i), named)
               .value_or(fmt::format("0x{:x}", data.args[i]));
  }
  if (data.instruction_pointer != 0) {
    out += fmt::format("{}ip=0x{:x}", count == 0 ? "" : ", ", data.instruction_pointer);
  }
  return out + ')';
}

}  // namespace callgate::suite
