#pragma once

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstddef>
#include <cstring>

#include "harness/capi/callgate.h"
#include "harness/engines/engines.hpp"
#include "vm/engine.hpp"
#include "vm/filter_stack.hpp"
#include "vm/kernel_model.hpp"
#include "vm/seccomp_data.hpp"

/// What the sources of the C library share; not installed.

struct callgate_stack {
  const callgate::Engine* engine;
  callgate::FilterStack filters;
};

namespace callgate::capi {

/// The caller's struct as this library knows it: shorter ones end in zeros, longer ones must.
/// `given` may be NULL: all zeros. 0, EINVAL or E2BIG.
template <typename Struct>
[[nodiscard]] int read_struct(const Struct* given, Struct& to) noexcept {
  constexpr std::size_t kLongest = 4096;  // no later version is as long: `size` was not set
  to = {};
  if (given == nullptr) return 0;
  if (given->size < sizeof(given->size)) return EINVAL;
  if (given->size > kLongest) return E2BIG;
  const auto* bytes = reinterpret_cast<const unsigned char*>(given);
  for (std::size_t i = sizeof(Struct); i < given->size; ++i) {
    if (bytes[i] != 0) return E2BIG;
  }
  std::memcpy(&to, given, std::min(given->size, sizeof(Struct)));
  return 0;
}

/// Field for field the same.
[[nodiscard]] inline SeccompData plain(const callgate_data& data) noexcept {
  return std::bit_cast<SeccompData>(data);
}

/// Options, as read.
struct Settings {
  KernelModel model;
  const Engine* engine = &default_engine();
};

/// 0, or what callgate.h says of wrong options.
[[nodiscard]] inline int read_settings(const callgate_options* given, Settings& settings) noexcept {
  callgate_options options{};
  if (const int error = read_struct(given, options); error != 0) return error;
  if (options.engine != nullptr) {
    settings.engine = find_any_engine(options.engine);
    if (settings.engine == nullptr) return ENOTSUP;
  }
  if (options.kernel != nullptr) {
    const auto version = parse_version(options.kernel);
    if (!version) return EINVAL;
    settings.model.version = *version;
  }
  if (options.arch != nullptr) {
    const auto arch = arch_from_name(options.arch);
    if (!arch) return EINVAL;
    settings.model.arch = *arch;
  }
  settings.model.blinds_constants = options.jit_harden != 0;
  return 0;
}

}  // namespace callgate::capi
