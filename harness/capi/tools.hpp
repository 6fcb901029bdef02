#pragma once

#include <algorithm>
#include <bit>
#include <cerrno>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <memory>
#include <new>
#include <optional>
#include <string>
#include <string_view>
#include <system_error>
#include <type_traits>
#include <utility>
#include <vector>

#include "harness/capi/callgate_tools.h"
#include "harness/capi/handles.hpp"
#include "harness/filters/filter_files.hpp"
#include "vm/arches.hpp"
#include "vm/seccomp_data.hpp"

/// What the sources of callgate_tools.h share: the handle of filters, and how errors leave.

struct callgate_filters {
  std::string format;
  std::vector<callgate::filters::FilterFile> files;  ///< oldest first
  // Callers hold pointers into these: each text stays where it is.
  std::vector<std::vector<callgate_instruction>> programs;
  std::vector<std::unique_ptr<const std::string>> names;
  std::vector<std::unique_ptr<const std::string>> notes;  ///< the last is the one that counts
  /// As `callgate run -f` would be given them; empty where one was read from bytes without a name.
  std::vector<std::string> sources;
  bool nameless = false;
};

namespace callgate::capi {

/// Texts and numbers, one after another. (Of fmt, whose target it would be linked with, users of
/// the installed library need not know.)
template <typename... Parts>
[[nodiscard]] std::string joined(const Parts&... parts) {
  std::string out;
  const auto add = [&](const auto& part) {
    if constexpr (std::is_integral_v<std::remove_cvref_t<decltype(part)>>) {
      out += std::to_string(part);
    } else {
      out += part;
    }
  };
  (add(parts), ...);
  return out;
}

/// What a function ends with: an errno and a sentence.
struct Failure {
  int error;
  std::string message;
};

[[noreturn]] inline void fail(int error, std::string message) {
  throw Failure{error, std::move(message)};
}

/// A copy that callgate_text_free() frees; NULL without memory.
[[nodiscard]] inline char* copied(std::string_view text) noexcept {
  auto* const copy = static_cast<char*>(std::malloc(text.size() + 1));
  if (copy == nullptr) return nullptr;
  std::memcpy(copy, text.data(), text.size());
  copy[text.size()] = '\0';
  return copy;
}

/// Gives a text to the caller.
inline void give(char** out, std::string_view text) {
  *out = copied(text);
  if (*out == nullptr) throw std::bad_alloc();
}

/// Runs the body of a function; what it throws becomes an errno, and the message that of `message`
/// (which may be NULL).
template <typename Body>
[[nodiscard]] int guarded(char** message, Body&& body) noexcept {
  const auto failed = [&](int error, std::string_view words) {
    if (message != nullptr) *message = copied(words);
    return error;
  };
  if (message != nullptr) *message = nullptr;
  try {
    body();
    return 0;
  } catch (const Failure& failure) {
    return failed(failure.error, failure.message);
  } catch (const std::bad_alloc&) {
    return failed(ENOMEM, "there is not enough memory");
  } catch (const std::system_error& error) {
    // Threads that cannot be had, folders that cannot be looked into.
    return failed(error.code().value() > 0 ? error.code().value() : EIO, error.what());
  } catch (const std::exception& error) {
    return failed(EIO, error.what());
  } catch (...) {
    return failed(EIO, "an error in Callgate");
  }
}

/// EFAULT where a pointer is NULL; `what` is the argument's name.
template <typename Pointer>
void need(const Pointer* pointer, const char* what) {
  if (pointer == nullptr) fail(EFAULT, std::string(what) + " is NULL");
}

/// What is written is NULL, or 0, unless all goes well; EFAULT where there is no place for it.
template <typename Value>
void need_out(Value* out, const char* what = "out") {
  need(out, what);
  *out = {};
}

/// read_struct(), with words.
template <typename Struct>
[[nodiscard]] Struct options_of(const Struct* given) {
  Struct out{};
  const int error = read_struct(given, out);
  if (error == E2BIG) fail(E2BIG, "the options are of a later version of Callgate");
  if (error != 0) fail(error, "the options' size is not set");
  return out;
}

/// A struct that is written: its size, as the caller knows it, is that of the first version at
/// least.
template <typename Struct>
void need_struct(const Struct* out, std::size_t first_version = sizeof(Struct)) {
  need(out, "out");
  if (out->size < first_version) fail(EINVAL, "out's size is not set");
}

/// Writes what the caller knows of a struct; its size stays.
template <typename Struct>
void write_struct(Struct value, Struct* out) noexcept {
  value.size = out->size;
  std::memcpy(out, &value, std::min(out->size, sizeof(Struct)));
}

/// read_settings(), with words.
[[nodiscard]] Settings settings_of(const callgate_options* given);

/// NULL: x86_64. EINVAL where there is no such architecture.
[[nodiscard]] Arch arch_of(const char* name);

/// Why a file, or a folder, could not be read: the system's errno where it has one, else EINVAL.
[[nodiscard]] int file_error(const std::string& path) noexcept;

/// The stack of filters; EACCES, with the kernel's reasons, where one is refused.
[[nodiscard]] FilterStack stack_of(const callgate_filters& filters, const Settings& settings);

}  // namespace callgate::capi
