#pragma once

#include <cstddef>
#include <expected>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "harness/front_ends/profile.hpp"
#include "harness/tune/call_weights.hpp"
#include "vm/instruction.hpp"
#include "vm/kernel_model.hpp"

/// The same filter with its calls asked in another order, for people who keep their generator: as
/// far as that lets a profile, or a few lines of C, decide the order.
namespace callgate::tune {

/// A profile as it is written.
struct ProfileText {
  std::string_view text;
  std::string_view path{};  ///< where it comes from; further files are looked for beside it
  std::string_view format;  ///< a row of front_ends::profile_formats()
  front_ends::Deployment deployment{};
};

/// What one may do.
struct Order {
  std::string id;           ///< "libseccomp-priorities"
  std::string title;        ///< "libseccomp's priorities"
  std::string advice;       ///< what to do with the text, in sentences
  std::string text;         ///< whole: the profile, a further file, lines of C
  std::string text_format;  ///< of the text: a profile's format, "c", "minijail-frequency"
  std::vector<front_ends::CallPriority> priorities{};  ///< "libseccomp-priorities": as a table
  /// What the profile's filters are then, oldest first; none where the generator's programs are not
  /// made here, for which `unpriced` says why.
  std::vector<Program> programs{};
  std::string unpriced{};
};

struct Orders {
  std::vector<Program> before;  ///< the profile's filters as it stands, oldest first
  std::vector<Order> orders;
  std::vector<std::string> reasons;  ///< sentences: why there are no orders, or no more of them
};

struct OrderOptions {
  /// Each order's programs are proved to mean the same as those before; what is not proved is
  /// refused, and a reason. libseccomp 2.5.4 may forget to load a number (Departure's
  /// NumberNotLoaded), which depends on the order. False: this is left to the caller.
  bool prove = true;
};

/// The orders that a profile's generator lets one choose, for calls that weigh something: by
/// falling weight for each comparison that a call takes from those behind it (Smith's rule), which
/// is the least sum of weight x place in a chain. Fails where the profile cannot be read or
/// lowered.
[[nodiscard]] std::expected<Orders, std::string> orders(const ProfileText& profile,
                                                        const CallWeights& weights,
                                                        const OrderOptions& options = {});

/// The priorities of a policy's calls for libseccomp, the first ones first: 255 down to 1; calls
/// behind the 255th have none. Empty: no call of it weighs anything.
[[nodiscard]] std::vector<front_ends::CallPriority> libseccomp_priorities(
    const front_ends::Policy& policy, const CallWeights& weights);

/// Why two stacks, oldest filter first, are not taken to be the same; nothing: they are proved to
/// return the same for all calls.
[[nodiscard]] std::optional<std::string> not_the_same(std::span<const Program> before,
                                                      std::span<const Program> after,
                                                      const KernelModel& model);

/// How a format's generator orders calls.
struct GeneratorRow {
  enum class Kind : std::uint8_t {
    Text,         ///< as the profile does
    Frequencies,  ///< by a file of frequencies
    Libseccomp,   ///< by libseccomp's priorities
    Own,          ///< in a way that nothing changes
  };
  std::string_view format;
  Kind kind = Kind::Own;
  std::string_view words;  ///< a sentence: what becomes of the profile's order
};

/// A row for each of front_ends::profile_formats().
[[nodiscard]] std::span<const GeneratorRow> generators() noexcept;

}  // namespace callgate::tune
