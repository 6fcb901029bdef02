#include "vm/shared_library.hpp"

#include <dlfcn.h>

namespace callgate {

SharedLibrary::SharedLibrary(const char* name) : library_(dlopen(name, RTLD_NOW | RTLD_LOCAL)) {
  if (library_ == nullptr) missing_ = dlerror();
}

void* SharedLibrary::symbol(const char* name) {
  if (library_ == nullptr) return nullptr;
  void* const found = dlsym(library_, name);
  if (found == nullptr && missing_.empty()) missing_ = dlerror();
  return found;
}

}  // namespace callgate
