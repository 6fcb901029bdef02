#include "harness/live/call_sites.hpp"

#include <sys/mman.h>
#include <sys/syscall.h>

#include <array>
#include <new>

#include "vm/arches.hpp"
#include "vm/kernel_model.hpp"
#include "vm/outcome.hpp"

namespace callgate::live {
namespace {

constexpr std::size_t kPage = 4096;
constexpr std::size_t kMaxPages = 1024;
constexpr std::uint64_t kInt80Offset = 16;
constexpr std::uint64_t kEndOfUserSpace = 0x7ffffffff000U;
// syscall; int $0x80; ret
constexpr std::array<std::uint8_t, 2> kSyscall = {0x0f, 0x05};
constexpr std::array<std::uint8_t, 2> kInt80 = {0xcd, 0x80};
constexpr std::uint8_t kReturn = 0xc3;

// By hand, all of it: ThreadSanitizer's mmap(2) takes an address that it does not like for 0.
std::uint8_t* map_page(std::uint64_t address) {
  const int fixed = address != 0 ? MAP_FIXED_NOREPLACE : 0;
  const long page = raw::call(SYS_mmap, address, kPage, PROT_READ | PROT_WRITE,
                              static_cast<unsigned long>(MAP_PRIVATE | MAP_ANONYMOUS | fixed),
                              static_cast<unsigned long>(-1), 0);
  if (page < 0 && page >= -4095) return nullptr;
  const auto got = static_cast<std::uint64_t>(page);
  if (address != 0 && got != address) {
    raw::call(SYS_munmap, got, kPage);
    return nullptr;
  }
  return reinterpret_cast<std::uint8_t*>(got);  // NOLINT(performance-no-int-to-ptr)
}

void unmap_page(std::uint8_t* page) {
  raw::call(SYS_munmap, reinterpret_cast<std::uint64_t>(page), kPage);
}

void protect_page(std::uint8_t* page, unsigned long protection) {
  raw::call(SYS_mprotect, reinterpret_cast<std::uint64_t>(page), kPage, protection);
}

CALLGATE_IN_CHILD void write_code(std::uint8_t* page, std::size_t at, std::uint8_t byte) {
  page[at] = byte;
}

CALLGATE_IN_CHILD bool is_int80(const SeccompData& data) {
  return data.arch == info(Arch::X86).token;
}

}  // namespace

raw::Registers registers_for(const SeccompData& data) {
  raw::Registers r;
  r.target = data.instruction_pointer - 2;
  r.rax = static_cast<std::uint32_t>(data.nr);
  const auto& a = data.args;
  if (is_int80(data)) {
    r.rbx = a[0];
    r.rcx = a[1];
    r.rdx = a[2];
    r.rsi = a[3];
    r.rdi = a[4];
    r.rbp = a[5];
  } else {
    r.rdi = a[0];
    r.rsi = a[1];
    r.rdx = a[2];
    r.r10 = a[3];
    r.r8 = a[4];
    r.r9 = a[5];
  }
  return r;
}

CallSites::CallSites() : common_(map_page(0)) {
  if (common_ == nullptr) throw std::bad_alloc();
  const auto put = [&](std::size_t at, const std::array<std::uint8_t, 2>& code) {
    write_code(common_, at, code[0]);
    write_code(common_, at + 1, code[1]);
    write_code(common_, at + 2, kReturn);
  };
  put(0, kSyscall);
  put(kInt80Offset, kInt80);
  protect_page(common_, PROT_READ | PROT_EXEC);
}

CallSites::~CallSites() {
  unmap_page(common_);
  for (const auto& [address, page] : pages_) unmap_page(page);
}

std::expected<std::uint64_t, std::string_view> CallSites::place(std::uint64_t address,
                                                                std::uint8_t first,
                                                                std::uint8_t second) {
  const std::array<std::uint8_t, 3> bytes = {first, second, kReturn};
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const auto there = code_.find(address + i);
    if (there != code_.end() && there->second != bytes[i]) {
      return std::unexpected("another call site is in the way of this instruction pointer");
    }
  }
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    const std::uint64_t base = (address + i) & ~(kPage - 1);
    auto page = pages_.find(base);
    if (page == pages_.end()) {
      std::uint8_t* const mapped =
          pages_.size() < kMaxPages && base != 0 ? map_page(base) : nullptr;
      if (mapped == nullptr) {
        return std::unexpected("no code can be placed at this instruction pointer");
      }
      page = pages_.emplace(base, mapped).first;
    }
    protect_page(page->second, PROT_READ | PROT_WRITE);
    write_code(page->second, (address + i) % kPage, bytes[i]);
    protect_page(page->second, PROT_READ | PROT_EXEC);
    code_[address + i] = bytes[i];
  }
  return address;
}

std::expected<ReachableCall, std::string_view> CallSites::reach(const Call& call) {
  ReachableCall reached;
  reached.data = call.data;
  const bool int80 = is_int80(call.data);
  if (!int80 && call.data.arch != info(Arch::X86_64).token) {
    return std::unexpected("this machine makes calls of x86_64, x32 and i386 only");
  }
  // On whatever kernel: a number that some kernels exempt is not tried.
  static const KernelModel newest;
  if (is_exempt(call.data, newest)) {
    return std::unexpected("no filter sees this number: the kernel lets it pass");
  }
  const std::array<std::uint8_t, 2>& code = int80 ? kInt80 : kSyscall;
  std::uint64_t target = reinterpret_cast<std::uint64_t>(common_) + (int80 ? kInt80Offset : 0);
  if (!call.any_instruction_pointer) {
    const std::uint64_t ip = call.data.instruction_pointer;
    if (ip < 2 || ip >= kEndOfUserSpace - 1) {
      return std::unexpected("no code can be placed at this instruction pointer");
    }
    const auto placed = place(ip - 2, code[0], code[1]);
    if (!placed) return std::unexpected(placed.error());
    target = *placed;
  }
  reached.data.instruction_pointer = target + 2;
  reached.registers = registers_for(reached.data);
  return reached;
}

}  // namespace callgate::live
