// A static asmjit that was not compiled for shared libraries (Debian's) reads the C library's
// variable stderr, for messages of its debug builds, in a way that only programs can be linked
// with. In libcallgate this hidden one stands for it, and is set to the real one when the library
// is loaded.
#include <dlfcn.h>

extern "C" {
[[gnu::visibility("hidden")]] extern void* callgate_own_stderr __asm__("stderr");
void* callgate_own_stderr = nullptr;
}

namespace {

[[gnu::constructor]] void find_stderr() {
  if (void* const real = dlsym(RTLD_DEFAULT, "stderr")) {
    callgate_own_stderr = *static_cast<void**>(real);
  }
}

}  // namespace
