#include "fuzz/mutator.hpp"

#include <algorithm>
#include <cstring>
#include <span>
#include <vector>

#include "fuzz/case.hpp"
#include "harness/random/generator.hpp"
#include "harness/random/mutations.hpp"
#include "verifier/check.hpp"

// libFuzzer's own changes of bytes. Other engines and the replay have none.
extern "C" __attribute__((weak)) std::size_t LLVMFuzzerMutate(std::uint8_t* data, std::size_t size,
                                                              std::size_t max_size);

namespace callgate::fuzz {
namespace {

using random::Source;

constexpr int kTriesForAccepted = 4;

std::uint32_t index(Source& source, std::size_t size) {
  return source.below(static_cast<std::uint32_t>(size));
}

// A new one: any instructions, or such as generators of filters make, with long runs of compares.
Program new_program(Source& source, const Case& a_case) {
  if (source.one_in(2)) {
    return random::valid_program(source, {.longest = 2 + source.below(64), .shifts_by_x = true});
  }
  const std::uint32_t arch = info(a_case.model().arch).token;
  return random::filter_like(source, 8 + source.below(200), arch);
}

Program any_program(Source& source, const Case& a_case) {
  if (source.one_in(2)) return a_case.programs[index(source, a_case.programs.size())];
  return new_program(source, a_case);
}

// To about the longest that there may be, by what does nothing.
void lengthen(Source& source, Program& program) {
  const std::size_t length = kMaxProgramLength - 2 + source.below(5);
  if (program.size() < length) {
    program.insert(program.begin(), length - program.size(), Instruction{0x05, 0, 0, 0});
  }
}

bool is_accepted(const Program& program, const Case& a_case) {
  return verifier::check(program, a_case.model()).has_value();
}

void change_program(Source& source, Case& a_case, std::size_t max_size, Want want) {
  Program& program = a_case.programs[index(source, a_case.programs.size())];
  if (program.empty() || source.one_in(4)) {
    program = new_program(source, a_case);
    return;
  }
  if (source.one_in(64) && max_size > (kMaxProgramLength + 16) * sizeof(Instruction)) {
    lengthen(source, program);
    return;
  }
  const Program other = any_program(source, a_case);
  Program changed = random::mutated(source, program, other);
  for (int i = 1; i < kTriesForAccepted && want == Want::Accepted; ++i) {
    if (is_accepted(changed, a_case)) break;
    changed = random::mutated(source, program, other);
  }
  program = std::move(changed);
}

void change_input(Source& source, Case& a_case) {
  if (a_case.inputs.empty()) {
    a_case.inputs.push_back(
        random::input(source, a_case.program(), info(a_case.model().arch).token));
    return;
  }
  SeccompData& data = a_case.inputs[index(source, a_case.inputs.size())];
  const Program& program = a_case.programs[index(source, a_case.programs.size())];
  switch (source.below(6)) {
    case 0:
      data = random::input(source, program, data.arch);
      break;
    case 1:
      data.nr = static_cast<std::int32_t>(random::edge_word(source, program));
      break;
    case 2:
      data.arch = source.one_in(4) ? random::edge_word(source, program)
                                   : arches()[index(source, arches().size())].token;
      break;
    case 3:
      data.instruction_pointer = source.one_in(2) ? 0 : 0x10002 + source.next() % 0x7ffffff00000U;
      break;
    default: {
      std::uint64_t& argument = data.args[source.below(6)];
      const std::uint64_t word = random::edge_word(source, program);
      argument = source.one_in(2) ? (argument & 0xffffffffU) | word << 32U
                                  : (argument & ~std::uint64_t{0xffffffffU}) | word;
      break;
    }
  }
}

void change_lists(Source& source, Case& a_case) {
  auto& inputs = a_case.inputs;
  auto& programs = a_case.programs;
  switch (source.below(5)) {
    case 0:
      if (!inputs.empty()) inputs.erase(inputs.begin() + index(source, inputs.size()));
      break;
    case 1:
      if (inputs.size() < kMostInputs) {
        inputs.push_back(random::input(source, a_case.program(), info(a_case.model().arch).token));
      }
      break;
    case 2:
      if (programs.size() > 1) programs.erase(programs.begin() + index(source, programs.size()));
      break;
    case 3:
      if (programs.size() < kMostPrograms) {
        programs.insert(programs.begin() + index(source, programs.size() + 1),
                        any_program(source, a_case));
      }
      break;
    default:
      std::swap(programs[index(source, programs.size())], programs[index(source, programs.size())]);
      break;
  }
}

// Where there is no libFuzzer: a bit, a byte, a byte more or less.
std::size_t change_bytes(Source& source, std::uint8_t* data, std::size_t size,
                         std::size_t max_size) {
  if (size == 0 || (size < max_size && source.one_in(4))) {
    if (max_size == 0) return 0;
    data[size] = static_cast<std::uint8_t>(source.next());
    return size + 1;
  }
  if (source.one_in(4)) return size - 1;
  std::uint8_t& byte = data[index(source, size)];
  byte =
      static_cast<std::uint8_t>(source.one_in(2) ? source.next() : byte ^ (1U << source.below(8)));
  return size;
}

std::size_t write_to(std::uint8_t* out, std::size_t max_size, const Case& a_case) {
  const std::vector<std::uint8_t> bytes = bytes_of(a_case);
  const std::size_t size = std::min(bytes.size(), max_size);
  if (size > 0) std::memcpy(out, bytes.data(), size);
  return size;
}

}  // namespace

std::size_t mutate(std::uint8_t* data, std::size_t size, std::size_t max_size, unsigned seed,
                   Want want) {
  Source source(seed);
  if (source.one_in(8)) {
    return LLVMFuzzerMutate != nullptr ? LLVMFuzzerMutate(data, size, max_size)
                                       : change_bytes(source, data, size, max_size);
  }
  Case a_case = case_of(std::span(data, size));
  switch (source.below(16)) {
    case 0:
    case 1:
      change_lists(source, a_case);
      break;
    case 2:
    case 3:
    case 4:
      change_input(source, a_case);
      break;
    case 5:
      a_case.kernel[source.below(4)] = static_cast<std::uint8_t>(source.next());
      break;
    case 6:
      a_case.around ^= static_cast<std::uint8_t>(1U << source.below(8));
      break;
    default:
      change_program(source, a_case, max_size, want);
      break;
  }
  return write_to(data, max_size, a_case);
}

std::size_t cross_over(const std::uint8_t* data1, std::size_t size1, const std::uint8_t* data2,
                       std::size_t size2, std::uint8_t* out, std::size_t max_out_size,
                       unsigned seed) {
  Source source(seed);
  Case a_case = case_of(std::span(data1, size1));
  const Case other = case_of(std::span(data2, size2));
  const Program& from = other.programs[index(source, other.programs.size())];
  Program& program = a_case.programs[index(source, a_case.programs.size())];
  switch (source.below(4)) {
    case 0:
      if (a_case.programs.size() < kMostPrograms) a_case.programs.push_back(from);
      break;
    case 1:
      a_case.inputs = other.inputs;
      break;
    case 2: {  // the whole of one inside the other: its returns end many runs
      program = random::with_inserted(program, index(source, program.size() + 1), from);
      if (program.size() > kLongestProgram) program.resize(kLongestProgram);
      break;
    }
    default: {
      const std::size_t head = index(source, program.size() + 1);
      const std::size_t tail = index(source, from.size() + 1);
      program.resize(head);
      program.insert(program.end(), from.begin() + static_cast<std::ptrdiff_t>(tail), from.end());
      if (program.size() > kLongestProgram) program.resize(kLongestProgram);
      break;
    }
  }
  return write_to(out, max_out_size, a_case);
}

}  // namespace callgate::fuzz
