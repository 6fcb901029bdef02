#include "harness/process/tracee.hpp"

#include <sys/ptrace.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/user.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <charconv>
#include <cstring>
#include <fstream>
#include <sstream>
#include <string_view>

#include "vm/arches.hpp"

namespace callgate::process {
namespace {

constexpr std::size_t kMostFrames = 16;

struct Mapping {
  std::uint64_t begin = 0;
  std::uint64_t end = 0;
  std::uint64_t offset = 0;
  bool executable = false;
  std::string file;
};

std::vector<Mapping> mappings(pid_t tid) {
  std::vector<Mapping> out;
  std::ifstream file("/proc/" + std::to_string(tid) + "/maps");
  for (std::string line; std::getline(file, line);) {
    std::istringstream words(line);
    Mapping each;
    std::string rights;
    std::string device;
    std::string inode;
    char dash = 0;
    words >> std::hex >> each.begin >> dash >> each.end >> rights >> each.offset >> device >> inode;
    if (!words) continue;
    each.executable = rights.find('x') != std::string::npos;
    std::getline(words >> std::ws, each.file);
    out.push_back(std::move(each));
  }
  return out;
}

const Mapping* mapping_of(const std::vector<Mapping>& all, std::uint64_t address) {
  for (const Mapping& each : all) {
    if (address >= each.begin && address < each.end) return &each;
  }
  return nullptr;
}

// Where frames are found: nothing for machines whose registers are not known here.
struct Frame {
  std::uint64_t stack = 0;  // where a return address lies, 0: in `link`
  std::uint64_t link = 0;
  std::uint64_t pointer = 0;  // the frame pointer
  std::size_t word = 8;
};

std::optional<Frame> frame_of(pid_t tid) {
#if defined(__x86_64__)
  user_regs_struct registers{};
  if (ptrace(PTRACE_GETREGS, tid, nullptr, &registers) != 0) return std::nullopt;
  constexpr unsigned long long kCodeOf32Bit = 0x23;
  return Frame{registers.rsp, 0, registers.rbp, registers.cs == kCodeOf32Bit ? 4U : 8U};
#elif defined(__aarch64__)
  user_regs_struct registers{};
  iovec into{&registers, sizeof registers};
  constexpr int kGeneralRegisters = 1;  // NT_PRSTATUS
  if (ptrace(PTRACE_GETREGSET, tid, kGeneralRegisters, &into) != 0) return std::nullopt;
  return Frame{0, registers.regs[30], registers.regs[29], 8U};
#else
  static_cast<void>(tid);
  return std::nullopt;
#endif
}

std::optional<std::uint64_t> word_at(pid_t tid, std::uint64_t address, std::size_t size) {
  std::uint64_t word = 0;
  if (size == 4) {
    std::uint32_t half = 0;
    if (!read_memory(tid, address, &half, sizeof half)) return std::nullopt;
    word = half;
  } else if (!read_memory(tid, address, &word, sizeof word)) {
    return std::nullopt;
  }
  return word;
}

}  // namespace

bool read_memory(pid_t tid, std::uint64_t address, void* into, std::size_t size) {
  const iovec local{into, size};
  const iovec remote{reinterpret_cast<void*>(static_cast<std::uintptr_t>(address)), size};
  return process_vm_readv(tid, &local, 1, &remote, 1, 0) == static_cast<ssize_t>(size);
}

std::optional<Program> read_sock_fprog(pid_t tid, std::uint64_t address, int bits) {
  // A 16-bit length, then a pointer where its alignment has it.
  std::uint16_t length = 0;
  std::uint64_t filter = 0;
  if (bits == 32) {
    std::array<std::uint32_t, 2> words{};
    address &= 0xffffffffU;
    if (!read_memory(tid, address, words.data(), sizeof words)) return std::nullopt;
    std::memcpy(&length, words.data(), sizeof length);
    filter = words[1];
  } else {
    std::array<std::uint64_t, 2> words{};
    if (!read_memory(tid, address, words.data(), sizeof words)) return std::nullopt;
    std::memcpy(&length, words.data(), sizeof length);
    filter = words[1];
  }
  if (length == 0) return std::nullopt;
  Program program(length);
  if (!read_memory(tid, filter, program.data(), program.size() * sizeof(Instruction))) {
    return std::nullopt;
  }
  return program;
}

std::vector<CodePlace> backtrace(pid_t tid, const SeccompData& call) {
  const auto maps = mappings(tid);
  std::vector<CodePlace> out;
  const auto add = [&](std::uint64_t address, bool must_be_code) {
    const Mapping* const mapping = mapping_of(maps, address);
    if (must_be_code && (mapping == nullptr || !mapping->executable)) return false;
    CodePlace place{address, {}, 0};
    if (mapping != nullptr && !mapping->file.empty()) {
      place.file = mapping->file;
      place.offset = address - mapping->begin + mapping->offset;
    }
    out.push_back(std::move(place));
    return true;
  };
  add(call.instruction_pointer, false);
  const auto frame = frame_of(tid);
  if (!frame) return out;
  // The C library's functions for calls have no frame: what called them is on top of the stack.
  if (frame->stack != 0) {
    if (const auto caller = word_at(tid, frame->stack, frame->word)) add(*caller, true);
  } else {
    add(frame->link, true);
  }
  for (std::uint64_t pointer = frame->pointer; out.size() < kMostFrames;) {
    const auto next = word_at(tid, pointer, frame->word);
    const auto caller = word_at(tid, pointer + frame->word, frame->word);
    if (!next || !caller || !add(*caller, true) || *next <= pointer) break;
    pointer = *next;
  }
  return out;
}

std::optional<TaskStatus> task_status(pid_t tid) {
  std::ifstream file("/proc/" + std::to_string(tid) + "/status");
  if (!file) return std::nullopt;
  TaskStatus out;
  for (std::string line; std::getline(file, line);) {
    const std::string_view text(line);
    const std::size_t colon = text.find(":\t");
    if (colon == std::string_view::npos) continue;
    const std::string_view name = text.substr(0, colon);
    const std::string_view value = text.substr(colon + 2);
    long number = 0;
    std::from_chars(value.data(), value.data() + value.size(), number);
    if (name == "Name") out.comm = value;
    if (name == "Tgid") out.pid = static_cast<pid_t>(number);
    if (name == "Seccomp") out.mode = static_cast<int>(number);
    if (name == "Seccomp_filters") out.filters = static_cast<std::size_t>(number);
  }
  return out;
}

FilterOrError get_filter(pid_t tid, std::size_t index) {
  const auto ask = [&](void* into) {
    return syscall(SYS_ptrace, PTRACE_SECCOMP_GET_FILTER, tid, index, into);
  };
  const long length = ask(nullptr);
  if (length < 0) return {{}, errno};
  FilterOrError out{Program(static_cast<std::size_t>(length)), 0};
  if (ask(out.program.data()) != length) return {{}, errno};
  return out;
}

std::optional<bool> has_log_flag(pid_t tid, std::size_t index) {
  struct Metadata {
    std::uint64_t filter;
    std::uint64_t flags;
  } metadata{index, 0};
  constexpr std::uint64_t kLog = 2;  // SECCOMP_FILTER_FLAG_LOG
  const long size =
      syscall(SYS_ptrace, PTRACE_SECCOMP_GET_METADATA, tid, sizeof metadata, &metadata);
  if (size != static_cast<long>(sizeof metadata)) return std::nullopt;
  return (metadata.flags & kLog) != 0;
}

}  // namespace callgate::process
