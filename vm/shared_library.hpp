#pragma once

#include <string>

namespace callgate {

/// A library of others that is loaded when something is first asked of it: programs that never do
/// so start without it, and one that is missing is an answer that is not known instead of a program
/// that does not start.
class SharedLibrary {
 public:
  /// `name`: its soname, found as the dynamic linker finds any. It stays loaded until the process
  /// ends.
  explicit SharedLibrary(const char* name);

  /// The function `name` of the type Function (a pointer to one); null where missing() says why.
  template <typename Function>
  [[nodiscard]] Function function(const char* name) {
    return reinterpret_cast<Function>(symbol(name));
  }

  /// What was missing first, the library or one of its functions, as dlerror(3) has it; empty where
  /// nothing is.
  [[nodiscard]] const std::string& missing() const noexcept { return missing_; }

 private:
  void* symbol(const char* name);

  void* library_;
  std::string missing_;
};

}  // namespace callgate
