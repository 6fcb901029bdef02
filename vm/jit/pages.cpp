#include "vm/jit/pages.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <system_error>

namespace callgate::jit {
namespace {

std::string failed(const char* call) {
  return std::string("no pages to execute: ") + call + ": " +
         std::generic_category().message(errno);
}

}  // namespace

std::expected<Pages, std::string> Pages::holding(std::span<const std::uint8_t> code) {
  const auto page = static_cast<std::size_t>(sysconf(_SC_PAGESIZE));
  const std::size_t size = (code.size() + page - 1) / page * page;
  void* const start =
      mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
  if (start == MAP_FAILED) return std::unexpected(failed("mmap"));
  Pages out(start, size);
  std::memcpy(start, code.data(), code.size());
  if (mprotect(start, size, PROT_READ | PROT_EXEC) != 0) return std::unexpected(failed("mprotect"));
  char* const first = static_cast<char*>(start);
  __builtin___clear_cache(first, first + code.size());
  return out;
}

Pages::~Pages() {
  if (start_ != nullptr) munmap(start_, size_);
}

}  // namespace callgate::jit
