// Names and texts.

#include "harness/capi/tools.hpp"
#include "harness/suite/explicit_call.hpp"
#include "vm/syscalls.hpp"

using callgate::Arch;

const char* callgate_version(void) { return CALLGATE_VERSION; }

void callgate_text_free(char* text) { std::free(text); }

int64_t callgate_syscall_number(const char* abi, const char* name) {
  const auto arch = callgate::arch_from_name(abi == nullptr ? "x86_64" : abi);
  if (!arch || name == nullptr) return -1;
  const auto number = callgate::syscall_number(*arch, name);
  return number ? std::int64_t{*number} : -1;
}

const char* callgate_syscall_name(const char* abi, uint32_t number) {
  const auto arch = callgate::arch_from_name(abi == nullptr ? "x86_64" : abi);
  if (!arch) return nullptr;
  // The tables' names are literals, which end in a zero.
  const auto name = callgate::syscall_name(*arch, number);
  return name ? name->data() : nullptr;
}

int callgate_call_read(const char* text, const char* arch, callgate_data* out, char** message) {
  return callgate::capi::guarded(message, [&] {
    callgate::capi::need_out(out);
    callgate::capi::need(text, "text");
    const auto data = callgate::suite::parse_explicit_call(text, callgate::capi::arch_of(arch));
    if (!data) {
      callgate::capi::fail(
          EINVAL, callgate::capi::joined(text, ": character ", data.error().offset + 1, ": ",
                                         data.error().message));
    }
    *out = std::bit_cast<callgate_data>(*data);
  });
}

int callgate_call_write(const callgate_data* data, const char* arch, char** out) {
  return callgate::capi::guarded(nullptr, [&] {
    callgate::capi::need_out(out);
    callgate::capi::need(data, "data");
    const Arch machine = callgate::capi::arch_of(arch);
    callgate::capi::give(
        out, callgate::suite::explicit_call_text(callgate::capi::plain(*data), machine));
  });
}
