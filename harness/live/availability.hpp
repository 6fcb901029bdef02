#pragma once

#include <string>

namespace callgate::live {

/// How long a kernel may take for an installation that a working one does in microseconds.
inline constexpr int kProbePatience = 10'000;  // milliseconds

/// What this process may ask of the running kernel: for each thing, why it may not; empty where it
/// may.
struct Availability {
  std::string filters;       ///< install filters: needed for acceptance and values
  std::string tracing;       ///< trace its children: without, outcomes are told apart less well
  std::string outcomes;      ///< be sure that what is seen is the stack's doing
  std::string notification;  ///< get a listener for USER_NOTIF
};

/// Tries each in children. A kernel whose installations hang is noticed within the deadline.
[[nodiscard]] Availability availability(int patience_milliseconds = kProbePatience);

}  // namespace callgate::live
