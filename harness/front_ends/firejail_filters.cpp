// Each filter lets calls of other architectures through, and refuses x32's numbers, -1 too. The one
// that is made first is installed last. Facts from firejail's src/firejail/{sandbox,seccomp}.c,
// src/lib/syscall.c and from what its fseccomp writes.

#include "harness/front_ends/firejail_filters.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <utility>

#include "harness/front_ends/policy_text.hpp"
#include "vm/opcodes.hpp"
#include "vm/syscalls.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::uint64_t kLowWord = 0xffffffffU;

struct Group {
  std::string_view name;  // with _ for -
  std::string_view calls;
};
constexpr Group kGroups[] = {
#define FIREJAIL_GROUP(name, calls) Group{#name, calls},
#include "harness/front_ends/firejail_groups.def"
#undef FIREJAIL_GROUP
};

const Group* group_of(std::string_view name) {
  const auto* found = std::ranges::find_if(kGroups, [&](const Group& each) {
    return std::ranges::equal(each.name, name,
                              [](char a, char b) { return a == b || (a == '_' && b == '-'); });
  });
  return found == std::ranges::end(kGroups) ? nullptr : found;
}

std::vector<std::string_view> calls_of(std::string_view group) {
  const Group* found = group_of(group);
  return found == nullptr ? std::vector<std::string_view>() : parted(found->calls, ' ');
}

class Maker {
 public:
  Maker(const FirejailSettings& settings, std::vector<Note>& notes)
      : settings_(settings), notes_(notes) {}

  std::vector<Layer> make() {
    std::vector<Layer> out;
    if (!settings_.protocols.empty()) out.push_back(protocol_filter());
    if (settings_.asked) {
      if (settings_.block_secondary) {
        out.push_back(secondary_block());
      } else if (!settings_.keep && !settings_.drop) {
        Layer layer = of_x86("seccomp.32");
        for (const std::string_view call : calls_of("secondary_32"))
          add(layer, call, settings_.error_value);
        out.push_back(std::move(layer));
      }
      out.push_back(settings_.keep ? keep_filter() : drop_filter());
    } else if (settings_.block_secondary) {
      notes_.push_back({{}, "seccomp.block-secondary does nothing without seccomp"});
    }
    if (settings_.no_write_execute) {
      out.push_back(write_execute());
      out.push_back(write_execute_32());
    }
    if (settings_.namespaces != 0) {
      out.push_back(namespace_filter(native("restrict-namespaces")));
      out.push_back(namespace_filter(of_x86("restrict-namespaces.32")));
    }
    std::ranges::reverse(out);
    return out;
  }

 private:
  // Beside lists of its own firejail keeps the blocking filter that it was built with.
  static constexpr std::uint32_t kBuiltIn = kErrnoValue | 1;

  Layer native(std::string name) const { return native(std::move(name), settings_.error_value); }
  static Layer native(std::string name, std::uint32_t x32_value) {
    Layer out;
    out.name = std::move(name);
    out.policy.default_value = kAllowValue;
    out.policy.foreign_value = kAllowValue;
    out.policy.arches = {Arch::X86_64};
    out.policy.x32 = X32Calls::Numbers;
    const auto step = [&](Opcode opcode, std::uint32_t k, std::uint8_t jt = 0,
                          std::uint8_t jf = 0) {
      out.before.push_back({static_cast<std::uint16_t>(opcode), jt, jf, k});
    };
    step(Opcode::LdAbs, 4);
    step(Opcode::JeqK, info(Arch::X86_64).token, 0, 3);
    step(Opcode::LdAbs, 0);
    step(Opcode::JgeK, kX32Bit, 0, 1);
    step(Opcode::RetK, x32_value);
    return out;
  }

  Layer of_x86(std::string name) const {
    Layer out;
    out.name = std::move(name);
    out.policy.default_value = kAllowValue;
    out.policy.foreign_value = kAllowValue;
    out.policy.arches = {Arch::X86};
    return out;
  }

  static void add(Layer& layer, std::string_view call, std::uint32_t value,
                  std::vector<ArgTest> tests = {}) {
    layer.policy.rules.push_back({std::string(call), {}, value, std::move(tests), {}, {}});
  }
  static void add_number(Layer& layer, const FirejailEntry& entry, std::uint32_t value) {
    layer.policy.rules.push_back({{}, entry.number, value, {}, {}, entry.place});
  }

  // What entries say by themselves stands before all else; "!call" by the opposite of the list's.
  void add_exceptions(Layer& layer, const FirejailList& list, std::uint32_t excluded) const {
    for (const FirejailEntry& each : list) {
      if (!each.number) continue;
      if (each.value) {
        if (!each.excluded) add_number(layer, each, *each.value);
      } else if (each.excluded) {
        add_number(layer, each, excluded);
      }
    }
  }

  static bool always_kept(const FirejailEntry& entry) {
    return std::ranges::any_of(calls_of("default-keep"), [&](std::string_view name) {
      return entry.number == static_cast<std::int32_t>(*syscall_number(Arch::X86_64, name));
    });
  }

  Layer drop_filter() {
    Layer layer = native("seccomp");
    const std::optional<FirejailList>& list = settings_.drop ? settings_.drop : settings_.list;
    if (list) add_exceptions(layer, *list, kAllowValue);
    if (!settings_.drop) {
      for (const std::string_view call :
           calls_of(settings_.debuggers ? "default" : "default-nodebuggers")) {
        add(layer, call, settings_.error_value);
      }
    }
    for (const FirejailEntry& each : list.value_or(FirejailList())) {
      if (!each.number || each.excluded) continue;
      if (!each.named) {
        notes_.push_back({each.place, fmt::format("${}: firejail knows no name of it, and loses it",
                                                  *each.number)});
      } else if (always_kept(each)) {
        notes_.push_back(
            {each.place,
             fmt::format("{}: firejail still needs it, and leaves it to a filter that a "
                         "preloaded library installs; that one is not told here",
                         *syscall_name(Arch::X86_64, static_cast<std::uint32_t>(*each.number)))});
      } else {
        add_number(layer, each, settings_.error_value);
      }
    }
    return layer;
  }

  Layer keep_filter() const {
    Layer layer = native("seccomp.keep");
    layer.policy.default_value = settings_.error_value;
    add_exceptions(layer, *settings_.keep, settings_.error_value);
    for (const std::string_view call : calls_of("default-keep")) add(layer, call, kAllowValue);
    for (const FirejailEntry& each : *settings_.keep) {
      if (each.number && !each.excluded) add_number(layer, each, kAllowValue);
    }
    return layer;
  }

  Layer secondary_block() const {
    const std::uint32_t value = settings_.keep || settings_.drop ? kBuiltIn : settings_.error_value;
    Layer layer = native("seccomp.block-secondary", value);
    layer.policy.foreign_value = value;
    for (const std::uint64_t allowed : {std::uint64_t{0}, kLowWord}) {
      add(layer, "personality", kAllowValue, {{0, Comparison::Equal, allowed, kAllBits}});
    }
    add(layer, "personality", value);
    return layer;
  }

  Layer protocol_filter() const {
    Layer layer = native("protocol");
    layer.policy.arches = {Arch::X86_64, Arch::X86};
    constexpr std::uint32_t kNotSupported = kErrnoValue | 95;
    for (const std::uint64_t family : settings_.protocols) {
      add(layer, "socket", kAllowValue, {{0, Comparison::Equal, family, kLowWord}});
    }
    add(layer, "socket", kNotSupported);
    return layer;
  }

  void deny_bits(Layer& layer, std::string_view call, std::uint64_t bits) const {
    add(layer, call, settings_.error_value, {{2, Comparison::Equal, bits, bits}});
  }

  Layer write_execute() const {
    Layer layer = native("memory-deny-write-execute");
    deny_bits(layer, "mmap", 6);
    deny_bits(layer, "mprotect", 4);
    deny_bits(layer, "pkey_mprotect", 4);
    deny_bits(layer, "shmat", 0x8000);
    add(layer, "memfd_create", settings_.error_value);
    return layer;
  }

  Layer write_execute_32() const {
    Layer layer = of_x86("memory-deny-write-execute.32");
    add(layer, "mmap", settings_.error_value);
    deny_bits(layer, "mmap2", 6);
    deny_bits(layer, "mprotect", 4);
    deny_bits(layer, "pkey_mprotect", 4);
    deny_bits(layer, "shmat", 0x8000);
    add(layer, "memfd_create", settings_.error_value);
    return layer;
  }

  Layer namespace_filter(Layer layer) const {
    constexpr std::uint32_t kNoSuchCall = kErrnoValue | 38;
    add(layer, "clone", settings_.error_value,
        {{0, Comparison::NotEqual, 0, settings_.namespaces & ~kTimeNamespace}});
    add(layer, "clone3", kNoSuchCall);
    add(layer, "unshare", settings_.error_value,
        {{0, Comparison::NotEqual, 0, settings_.namespaces}});
    add(layer, "setns", settings_.error_value, {{1, Comparison::Equal, 0, kLowWord}});
    add(layer, "setns", settings_.error_value,
        {{1, Comparison::NotEqual, 0, settings_.namespaces}});
    return layer;
  }

  const FirejailSettings& settings_;
  std::vector<Note>& notes_;
};

}  // namespace

std::vector<std::string_view> parted(std::string_view text, char at) {
  std::vector<std::string_view> out;
  while (!text.empty()) {
    const std::size_t end = std::min(text.find(at), text.size());
    if (end > 0) out.push_back(text.substr(0, end));
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return out;
}

std::optional<std::vector<std::string_view>> firejail_group(std::string_view name) {
  if (group_of(name) == nullptr || name == "secondary-32") return std::nullopt;
  return calls_of(name);
}

std::vector<Layer> firejail_layers(const FirejailSettings& settings, std::vector<Note>& notes) {
  return Maker(settings, notes).make();
}

}  // namespace callgate::front_ends
