#include "fuzz/case.hpp"

#include <algorithm>
#include <cstring>
#include <type_traits>

#include "harness/random/generator.hpp"
#include "harness/report/disassembly.hpp"

namespace callgate::fuzz {
namespace {

constexpr std::uint8_t kBlinds = 0x80;       // of the first byte
constexpr std::uint8_t kInterpreter = 0x80;  // of the second byte
constexpr unsigned kListener = 2;            // of the surroundings
constexpr unsigned kListenerShift = 5;
static_assert(kMostPrograms <= 1U << (8 - kListenerShift));

// Takes values from the front of the bytes; zeros where they have run out.
class Taker {
 public:
  explicit Taker(std::span<const std::uint8_t> bytes) : rest_(bytes) {}

  template <typename T>
    requires std::is_trivially_copyable_v<T>
  T take() {
    T value{};
    const std::size_t count = std::min(sizeof(T), rest_.size());
    if (count > 0) std::memcpy(static_cast<void*>(&value), rest_.data(), count);
    rest_ = rest_.subspan(count);
    return value;
  }

  Program take_program(std::size_t most) {
    Program program(std::min({most, kLongestProgram, rest_.size() / sizeof(Instruction)}));
    for (Instruction& each : program) each = take<Instruction>();
    return program;
  }

 private:
  std::span<const std::uint8_t> rest_;
};

template <typename T>
  requires std::is_trivially_copyable_v<T>
void put(std::vector<std::uint8_t>& out, const T& value) {
  const auto* const bytes = reinterpret_cast<const std::uint8_t*>(&value);
  out.insert(out.end(), bytes, bytes + sizeof(T));
}

// FNV-1a: a seed for what goes with a program.
std::uint64_t hash_of(std::span<const Instruction> program) {
  std::uint64_t hash = 0xcbf29ce484222325U;
  for (const Instruction& i : program) {
    for (const std::uint32_t part : {std::uint32_t{i.code}, std::uint32_t{i.jt}, i.k}) {
      hash = (hash ^ part) * 0x100000001b3U;
    }
  }
  return hash;
}

}  // namespace

KernelModel Case::model() const {
  KernelModel model;
  model.version = {3 + (kernel[0] & 0x7f) % 5, (kernel[1] & 0x7f) % 32, kernel[2] % 100};
  model.arch = arches()[kernel[3] % arches().size()].arch;
  model.blinds_constants = (kernel[0] & kBlinds) != 0;
  model.engine = (kernel[1] & kInterpreter) != 0 ? KernelEngine::Interpreter : KernelEngine::Jit;
  return model;
}

std::array<std::uint8_t, 4> kernel_bytes(const KernelModel& model) {
  std::array<std::uint8_t, 4> bytes{};
  bytes[0] =
      static_cast<std::uint8_t>((model.version.major - 3) | (model.blinds_constants ? kBlinds : 0));
  bytes[1] = static_cast<std::uint8_t>(
      model.version.minor | (model.engine == KernelEngine::Interpreter ? kInterpreter : 0));
  bytes[2] = static_cast<std::uint8_t>(model.version.patch % 100);
  const auto row = std::ranges::find(arches(), model.arch, &ArchInfo::arch);
  bytes[3] = static_cast<std::uint8_t>(row - arches().begin());
  return bytes;
}

Surroundings Case::surroundings() const {
  return {.tracer = (around & 1U) != 0,
          .listener = (around & kListener) != 0,
          .only_thread = (around & 4U) == 0,
          .sigsys_blocked_or_ignored = (around & 8U) != 0,
          .log_flag = (around & 16U) != 0};
}

std::optional<std::size_t> Case::listener(std::size_t filters) const {
  if (!surroundings().listener || filters == 0) return std::nullopt;
  return (around >> kListenerShift) % filters;
}

std::uint8_t listener_byte(std::size_t filter) {
  return static_cast<std::uint8_t>(kListener | filter << kListenerShift);
}

std::vector<SeccompData> Case::inputs_and(std::size_t more, std::uint32_t arch) const {
  std::vector<SeccompData> out = inputs;
  random::Source source(hash_of(program()));
  for (std::size_t i = 0; i < more; ++i) out.push_back(random::input(source, program(), arch));
  return out;
}

Case case_of(std::span<const std::uint8_t> bytes) {
  Taker taker(bytes);
  Case out;
  out.kernel = taker.take<std::array<std::uint8_t, 4>>();
  out.around = taker.take<std::uint8_t>();
  const std::size_t inputs = std::min<std::size_t>(taker.take<std::uint8_t>(), kMostInputs);
  const std::size_t programs =
      std::clamp<std::size_t>(taker.take<std::uint8_t>(), 1, kMostPrograms);
  static_cast<void>(taker.take<std::uint8_t>());
  for (std::size_t i = 0; i < inputs; ++i) out.inputs.push_back(taker.take<SeccompData>());
  for (std::size_t i = 0; i + 1 < programs; ++i) {
    const auto length = taker.take<std::array<std::uint8_t, 2>>();
    out.programs.push_back(taker.take_program(std::size_t{length[1]} << 8U | length[0]));
  }
  out.programs.push_back(taker.take_program(kLongestProgram));
  return out;
}

std::vector<std::uint8_t> bytes_of(const Case& a_case) {
  std::vector<std::uint8_t> out;
  put(out, a_case.kernel);
  put(out, a_case.around);
  put(out, static_cast<std::uint8_t>(a_case.inputs.size()));
  put(out, static_cast<std::uint8_t>(a_case.programs.size()));
  put(out, std::uint8_t{0});
  for (const SeccompData& each : a_case.inputs) put(out, each);
  for (const Program& each : a_case.programs) {
    if (&each != &a_case.programs.back()) {
      put(out, static_cast<std::uint8_t>(each.size()));
      put(out, static_cast<std::uint8_t>(each.size() >> 8U));
    }
    for (const Instruction& i : each) put(out, i);
  }
  return out;
}

std::string rows_of(std::span<const Instruction> program) { return report::c_rows(program); }

}  // namespace callgate::fuzz
