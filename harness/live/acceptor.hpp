#pragma once

#include <cstdint>
#include <expected>
#include <span>
#include <vector>

#include "harness/live/child.hpp"
#include "vm/instruction.hpp"

namespace callgate::live {

/// Asks the running kernel which programs it takes: for each the errno of installing it, 0 where it
/// is accepted. In one child that has no free file descriptor and asks for a listener: a program
/// that passes every check gets EMFILE then, and nothing is attached. Every 256th is installed for
/// real besides, in a child of its own, as a control; where the two disagree the answer is an
/// error, and where no listener is to be had (FiltersDenied). More than 65,535 instructions cannot
/// be said to the kernel and count as EINVAL.
[[nodiscard]] std::expected<std::vector<int>, LiveError> accepted(
    std::span<const Program> programs, int patience_milliseconds = kPatience);

/// The same of one program at a time, in this very process, some ten thousand a second: for
/// fuzzers, which cannot fork for each. The process's limit of descriptors is 0 while the kernel is
/// asked, so no other thread may open any; it gets no_new_privs where it may not install filters
/// without.
class InProcessAcceptor {
 public:
  /// First asks in children whether the running kernel is one that can be asked so.
  [[nodiscard]] static std::expected<InProcessAcceptor, LiveError> make();

  /// The errno of installing the program, 0 where it is accepted. Every 4096th is asked by
  /// accepted() too, with its control, and is an error where the answers differ.
  [[nodiscard]] std::expected<int, LiveError> ask(const Program& program);

 private:
  InProcessAcceptor() = default;

  Pace pace_;
  std::uint64_t asked_ = 0;
};

}  // namespace callgate::live
