#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/profile.hpp"
#include "harness/front_ends/systemd_sets.hpp"
#include "harness/front_ends/systemd_unit.hpp"

/// What a unit asks of its sandbox, as far as filters are made of it.
namespace callgate::front_ends::systemd {

/// What a list says of one of its calls.
struct ListedCall {
  std::optional<std::uint32_t> error;  ///< ":EPERM"; nothing: what the list itself says
  bool kill = false;                   ///< ":kill"
  Place place{};
};

/// SystemCallFilter= or SystemCallLog=: what all its lines come to. Names are those that libseccomp
/// knows.
struct CallList {
  bool begun = false;  ///< a line stood, and was not reset
  bool allow = false;  ///< the first line had no ~
  std::map<std::string, ListedCall, std::less<>> calls;
};

/// RestrictAddressFamilies=
struct FamilyList {
  bool begun = false;
  bool allow = false;
  std::vector<std::uint32_t> families;  ///< each once, as they first came
};

/// The flags of RestrictNamespaces= in the order of systemd's rules; `time` is no part of what it
/// calls all of them.
struct NamespaceRow {
  std::string_view name;
  std::uint32_t flag;
  bool of_all;
};
inline constexpr NamespaceRow kNamespaces[] = {
    {"cgroup", 0x02000000, true}, {"ipc", 0x08000000, true},   {"net", 0x40000000, true},
    {"mnt", 0x00020000, true},    {"pid", 0x20000000, true},   {"user", 0x10000000, true},
    {"uts", 0x04000000, true},    {"time", 0x00000080, false},
};

/// All that are part of all.
[[nodiscard]] constexpr std::uint32_t all_namespaces() {
  std::uint32_t all = 0;
  for (const NamespaceRow& row : kNamespaces) all |= row.of_all ? row.flag : 0;
  return all;
}

/// The options that lead to filters.
struct Options {
  CallList filter;
  CallList log;
  std::optional<std::uint32_t> error;  ///< SystemCallErrorNumber=; nothing: kill
  FamilyList families;
  std::optional<std::uint32_t> namespaces;         ///< those that stay allowed
  std::optional<std::vector<Arch>> architectures;  ///< SystemCallArchitectures=; without native
  std::optional<std::uint32_t> personality;
  bool lock_personality = false;
  bool memory_deny_write_execute = false;
  bool restrict_realtime = false;
  bool restrict_suid_sgid = false;
  bool protect_kernel_tunables = false;
  bool protect_kernel_modules = false;
  bool protect_kernel_logs = false;
  bool protect_clock = false;
  bool protect_hostname = false;
  bool private_devices = false;
  bool dynamic_user = false;
};

/// Whether a key is one of these options.
[[nodiscard]] bool is_option(std::string_view key);

/// Applies assignments to options, one after the other.
class OptionReader {
 public:
  /// `machine`: whose ABIs and errnos. Notes go to `notes`. `placed`: listed calls keep their
  /// places.
  OptionReader(const SyscallSets& sets, Arch machine, Options& options, std::vector<Note>& notes,
               bool placed)
      : sets_(sets), machine_(machine), options_(options), notes_(notes), placed_(placed) {}

  /// What an assignment does. Those of other options do nothing.
  void apply(const Assignment& assignment);

 private:
  void note(Place place, std::string message);
  void apply_calls(const PlacedText& value, CallList& list, bool filter);
  void apply_call(const Word& word, const ListedCall& call, bool invert, CallList& list);
  static void list_call(const std::string& name, const ListedCall& call, bool invert,
                        CallList& list);
  /// The calls of a set; those that libseccomp does not have yet are left out.
  const std::vector<std::string>& known_members(const std::string& set);
  void apply_error(const PlacedText& value);
  void apply_architectures(const PlacedText& value);
  void apply_families(const PlacedText& value);
  void apply_namespaces(const PlacedText& value);
  void apply_personality(const PlacedText& value);
  [[nodiscard]] std::optional<std::uint32_t> errno_of(std::string_view text) const;

  const SyscallSets& sets_;
  Arch machine_;
  Options& options_;
  std::vector<Note>& notes_;
  bool placed_;
  SyscallSets members_;  ///< of sets that were asked for
};

}  // namespace callgate::front_ends::systemd
