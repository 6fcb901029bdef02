// Programs that a running systemd 252 installed for units, beside ours: corpus/filters/README.md.

#include <fmt/format.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <filesystem>
#include <set>

#include "harness/front_ends/profile.hpp"
#include "harness/front_ends/profile_formats.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "vm/reference.hpp"

namespace callgate::front_ends {
namespace {

const std::filesystem::path kTop = CALLGATE_SOURCE_DIR;

// A unit whose service ran on a machine, and how many programs its main process had.
struct Captured {
  Arch machine = Arch::X86_64;
  std::string unit;
  std::size_t programs = 0;
  std::vector<std::string> drop_ins;
};

const std::vector<Captured>& captured() {
  const std::vector<std::string> drop_ins = {"10-first", "20-second"};
  static const std::vector<Captured> all = {
      {Arch::X86_64, "denying", 12, {}},     {Arch::X86_64, "dropin", 6, drop_ins},
      {Arch::X86_64, "everything", 40, {}},  {Arch::X86_64, "families", 2, {}},
      {Arch::X86_64, "grammar", 22, {}},     {Arch::X86_64, "known", 3, {}},
      {Arch::X86_64, "logall", 3, {}},       {Arch::X86_64, "muxa", 3, {}},
      {Arch::X86_64, "native", 34, {}},      {Arch::X86_64, "none", 11, {}},
      {Arch::AArch64, "denying", 8, {}},     {Arch::AArch64, "dropin", 4, drop_ins},
      {Arch::AArch64, "everything", 27, {}}, {Arch::AArch64, "families", 2, {}},
      {Arch::AArch64, "grammar", 15, {}},    {Arch::AArch64, "known", 2, {}},
      {Arch::AArch64, "logall", 2, {}},      {Arch::AArch64, "muxa", 2, {}},
      {Arch::AArch64, "native", 24, {}},     {Arch::AArch64, "none", 8, {}},
  };
  return all;
}

KernelModel model_of(const Captured& each) {
  KernelModel model;
  model.arch = each.machine;
  return model;
}

std::string path_of(const Captured& each, std::size_t index) {
  return kTop / "corpus/filters/systemd-252" / info(each.machine).name /
         fmt::format("{}-{:02}.bpf", each.unit, index);
}

Profile profile_of(const Captured& each) {
  const auto folder = kTop / "corpus/profiles/systemd";
  const std::string path = folder / (each.unit + ".service");
  const auto text = read_file(path);
  if (!text) throw std::runtime_error(path);
  Deployment deployment;
  deployment.systemd = "252";
  deployment.model = model_of(each);
  for (const std::string& name : each.drop_ins) {
    deployment.extra.push_back(folder / (each.unit + ".service.d") / (name + ".conf"));
  }
  auto profile = read_systemd(*text, path, deployment);
  if (!profile) throw std::runtime_error(to_string(profile.error()));
  return std::move(*profile);
}

Program captured_program(const Captured& each, std::size_t index) {
  const std::string path = path_of(each, index);
  const auto bytes = read_file(path);
  if (!bytes) throw std::runtime_error(path);
  auto program = read_program(*bytes, {.format = InputFormat::Raw});
  if (!program) throw std::runtime_error(path);
  return std::move(program->program);
}

// But for one that the installed libseccomp cannot make for a machine that is not its own.
TEST(SystemdCaptured, programs_are_ours_byte_for_byte) {
  std::size_t identical = 0;
  std::size_t plain = 0;
  for (const Captured& each : captured()) {
    const Profile profile = profile_of(each);
    ASSERT_EQ(profile.layers.size(), each.programs) << each.unit;
    for (std::size_t i = 0; i < each.programs; ++i) {
      const Layer& layer = profile.layers[i];
      if (layer.lowering == Lowering::Plain) {
        EXPECT_THAT(layer.name, testing::StartsWith("RestrictSUIDSGID="));
        EXPECT_NE(each.machine, host_arch());
        ++plain;
        continue;
      }
      const auto ours = lower(layer, model_of(each));
      ASSERT_TRUE(ours) << each.unit << ' ' << layer.name << ": " << ours.error().message;
      EXPECT_EQ(*ours, captured_program(each, i)) << path_of(each, i) << ' ' << layer.name;
      ++identical;
    }
    EXPECT_FALSE(std::filesystem::exists(path_of(each, each.programs)));
  }
  EXPECT_EQ(identical + plain, 230U);
  EXPECT_LE(plain, 9U);
}

// Values on both sides of what a test compares with, with and without high words.
std::vector<std::uint64_t> edges(const ArgTest& test) {
  constexpr std::uint64_t kHigh = std::uint64_t{1} << 32U;
  std::set<std::uint64_t> out = {0, 1, kHigh, kAllBits, ~test.value, ~test.mask};
  for (const std::uint64_t value : {test.value - 1, test.value, test.value + 1,
                                    test.value | ~test.mask, test.value & (test.value - 1)}) {
    out.insert(value);
    out.insert(value | kHigh);
    out.insert(value & 0xffffffffU);
  }
  return {out.begin(), out.end()};
}

// Calls of a number: all arguments 0, all bits, and every pair of edges of the rules for it.
std::vector<SeccompData> calls_of(const Policy& policy, std::int32_t nr, std::uint32_t arch) {
  std::vector<SeccompData> out;
  out.push_back({.nr = nr, .arch = arch});
  SeccompData ones{.nr = nr, .arch = arch, .instruction_pointer = kAllBits};
  ones.args.fill(kAllBits);
  out.push_back(ones);
  const auto abi = policy.arches.front();
  if (info(abi).token != arch) return out;
  std::set<std::vector<std::uint64_t>> seen;
  for (const ResolvedRule& rule : resolve(policy, abi)) {
    if (rule.nr != static_cast<std::uint32_t>(nr) || rule.tests.empty()) continue;
    const ArgTest& first = rule.tests.front();
    const ArgTest& last = rule.tests.back();
    for (const std::uint64_t one : edges(first)) {
      for (const std::uint64_t two : edges(last)) {
        SeccompData data{.nr = nr, .arch = arch};
        data.args[first.index] = one;
        data.args[last.index] = two;
        if (seen.insert({data.args.begin(), data.args.end()}).second) out.push_back(data);
      }
    }
  }
  return out;
}

// The policies themselves, without BPF, against what systemd installed.
TEST(SystemdCaptured, programs_say_what_our_policies_say) {
  std::size_t compared = 0;
  std::size_t differing = 0;
  for (const Captured& each : captured()) {
    const Profile profile = profile_of(each);
    const KernelModel model = model_of(each);
    for (std::size_t i = 0; i < each.programs; ++i) {
      const Program program = captured_program(each, i);
      const Policy& policy = profile.layers[i].policy;
      const PolicyEvaluator evaluator(policy);
      std::vector<std::int32_t> numbers = {-1, -2, 0x3fffffff};
      for (std::int32_t nr = 0; nr <= 600; ++nr) {
        numbers.push_back(nr);
        numbers.push_back(nr | 0x40000000);
      }
      for (const std::uint32_t arch : {0xc000003eU, 0x40000003U, 0xc00000b7U, 0x40000028U}) {
        for (const std::int32_t nr : numbers) {
          for (const SeccompData& data : calls_of(policy, nr, arch)) {
            const Decision said = evaluator.evaluate(data);
            const reference::Result done = reference::run(program, data, model);
            ++compared;
            if (said.value == done.value || ++differing > 20) continue;
            ADD_FAILURE() << fmt::format("{} {}: nr {:#x} arch {:#x} args {:x} {:x}: {:#x}, {:#x}",
                                         path_of(each, i), profile.layers[i].name,
                                         static_cast<std::uint32_t>(nr), arch, data.args[0],
                                         data.args[1], said.value, done.value);
          }
        }
      }
    }
  }
  EXPECT_EQ(differing, 0U);
  EXPECT_GT(compared, 1'000'000U);
  RecordProperty("compared", static_cast<int>(compared));
}

}  // namespace
}  // namespace callgate::front_ends
