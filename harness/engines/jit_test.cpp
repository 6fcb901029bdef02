// The engine jit: what its code is, where it lies, and that AArch64 code does what the reference
// does.

#include "vm/jit/jit.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cstdlib>
#include <cstring>
#include <fstream>
#include <string>
#include <vector>

#include "harness/corpus/embedded.hpp"
#include "harness/engines/test_programs.hpp"
#include "harness/suite/vector.hpp"
#include "harness/testing/folder_test.hpp"
#include "verifier/check.hpp"
#include "vm/reference.hpp"

namespace callgate::jit {
namespace {

using testing::HasSubstr;

// Mappings of this process that are writable and executable at once.
std::vector<std::string> writable_code() {
  std::vector<std::string> out;
  std::ifstream maps("/proc/self/maps");
  EXPECT_TRUE(maps.is_open());
  for (std::string line; std::getline(maps, line);) {
    if (const auto rights = line.substr(line.find(' ') + 1, 4);
        rights[1] == 'w' && rights[2] == 'x') {
      out.push_back(line);
    }
  }
  return out;
}

CheckedProgram checked(const Program& program, const KernelModel& model = {}) {
  auto out = verifier::check(program, model);
  EXPECT_TRUE(out.has_value());
  return std::move(*out);
}

TEST(Jit, has_no_page_that_is_writable_and_executable) {
  if (!host_target()) GTEST_SKIP() << "no code for this processor";
  const auto before = writable_code();
  const auto executable = jit_engine().prepare(checked({{0x20, 0, 0, 0}, {0x16, 0, 0, 0}}));
  ASSERT_TRUE(executable.has_value()) << executable.error();
  EXPECT_EQ(writable_code(), before);
  EXPECT_EQ((*executable)->run({.nr = 39}), 39U);
}

TEST(Jit, declines_with_the_reason_where_no_page_is_given) {
  if (!host_target()) GTEST_SKIP() << "no code for this processor";
#ifdef CALLGATE_SANITIZED
  GTEST_SKIP() << "a sanitizer needs more address space";
#endif
  const CheckedProgram program = checked({{0x06, 0, 0, 0}});
  // In a child that may have no more address space.
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    // Enough from the heap for what preparing allocates.
    std::free(std::malloc(std::size_t{1} << 16U));
    const rlimit none{0, 0};
    if (setrlimit(RLIMIT_AS, &none) != 0) _exit(3);
    const auto executable = jit_engine().prepare(program);
    if (executable) _exit(1);
    _exit(executable.error() == "no pages to execute: mmap: Cannot allocate memory" ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Jit, declines_where_pages_may_not_become_executable) {
  if (!host_target()) GTEST_SKIP() << "no code for this processor";
  const CheckedProgram program = checked({{0x06, 0, 0, 0}});
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    constexpr int kSetMdwe = 65;  // PR_SET_MDWE, since Linux 6.3
    if (prctl(kSetMdwe, 1, 0, 0, 0) != 0) _exit(9);
    const auto executable = jit_engine().prepare(program);
    if (executable) _exit(1);
    _exit(executable.error().starts_with("no pages to execute: mprotect: ") ? 0 : 2);
  }
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  if (WEXITSTATUS(status) == 9) GTEST_SKIP() << "this kernel has no PR_SET_MDWE";
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

TEST(Jit, makes_the_code_of_both_processors_anywhere) {
  const CheckedProgram program = checked({{0x20, 0, 0, 0}, {0x16, 0, 0, 0}});
  const auto x86 = assemble(program, Target::X86_64);
  ASSERT_TRUE(x86.has_value()) << x86.error();
  EXPECT_THAT(x86->bytes, testing::ElementsAre(0x8b, 0x07, 0xc3));  // mov eax, [rdi]; ret
  const auto arm = assemble(program, Target::AArch64);
  ASSERT_TRUE(arm.has_value()) << arm.error();
  EXPECT_EQ(arm->bytes.size(), 12U);  // ldr w1, [x0]; mov w0, w1; ret
  EXPECT_EQ(arm->code_size, 12U);
}

TEST(Jit, computes_nothing_that_is_not_read) {
  const auto bare = assemble(checked({{0x06, 0, 0, 7}}), Target::X86_64);
  const auto dead = assemble(
      checked(
          {{0x20, 0, 0, 0}, {0x02, 0, 0, 3}, {0x07, 0, 0, 0}, {0x0c, 0, 0, 0}, {0x06, 0, 0, 7}}),
      Target::X86_64);
  ASSERT_TRUE(bare && dead);
  EXPECT_EQ(dead->bytes, bare->bytes);
}

// A program and inputs for the runner, and what is to come out.
class Runs {
 public:
  void add(const Program& program, const KernelModel& model, const std::vector<SeccompData>& data,
           const std::string& name) {
    const auto code = assemble(checked(program, model), Target::AArch64);
    ASSERT_TRUE(code.has_value()) << name << ": " << code.error();
    put(static_cast<std::uint32_t>(code->bytes.size()));
    put(static_cast<std::uint32_t>(data.size()));
    input_.append(code->bytes.begin(), code->bytes.end());
    for (const SeccompData& each : data) {
      const SeccompDataBytes bytes = to_bytes(each, ByteOrder::Little);
      input_.append(bytes.begin(), bytes.end());
      const reference::Result result = reference::run(program, each, model);
      expected_.push_back(result.value);
      names_.push_back(name);
    }
  }

  // Runs all of it, in one process.
  void check() {
#ifndef CALLGATE_AARCH64_RUN
    GTEST_SKIP() << CALLGATE_NO_AARCH64;
#else
    const TestFolder folder;
    const std::string in = folder.file("in", input_);
    const std::string written = (folder.path() / "out").string();
    const int status =
        std::system((CALLGATE_AARCH64_RUN " < '" + in + "' > '" + written + "'").c_str());
    const std::string out = content(written);
    ASSERT_EQ(status, 0);
    ASSERT_EQ(out.size(), 4 * expected_.size());
    for (std::size_t i = 0; i < expected_.size(); ++i) {
      std::uint32_t value = 0;
      for (std::size_t byte = 4; byte-- > 0;) {
        value = value << 8U | static_cast<std::uint8_t>(out[4 * i + byte]);
      }
      ASSERT_EQ(value, expected_[i]) << names_[i];
    }
#endif
  }

 private:
  void put(std::uint32_t word) {
    for (unsigned i = 0; i < 32; i += 8) input_.push_back(static_cast<char>(word >> i & 0xffU));
  }

  std::string input_;
  std::vector<std::uint32_t> expected_;
  std::vector<std::string> names_;
};

TEST(JitOnAArch64, returns_what_every_run_vector_says) {
  Runs runs;
  std::size_t vectors = 0;
  for (const corpus::EmbeddedFile& file : corpus::embedded_vectors()) {
    if (!file.name.starts_with("run/")) continue;
    ++vectors;
    const auto vector = suite::parse_vector(file.text, suite::VectorKind::Run);
    ASSERT_TRUE(vector.has_value()) << file.name;
    std::vector<SeccompData> data;
    for (const suite::VectorCase& each : vector->cases) data.push_back(each.data);
    ASSERT_NO_FATAL_FAILURE(runs.add(vector->programs.front().instructions, vector->kernel, data,
                                     std::string(file.name)));
  }
  EXPECT_GT(vectors, 100U);
  runs.check();
}

TEST(JitOnAArch64, returns_what_the_reference_returns_of_random_programs_and_chains) {
  Runs runs;
  random::Source source(9);
  const Arch arches[] = {Arch::AArch64, Arch::X86_64, Arch::S390x, Arch::Arm};
  for (std::size_t i = 0; i < 4000; ++i) {
    KernelModel model;
    model.arch = arches[i % std::size(arches)];
    if (i % 16 < 4) {
      model.engine = KernelEngine::Interpreter;
      model.version = {5, 10, 0};
    }
    const Program program = i < 2000 ? random::valid_program(source) : chain_program(source);
    std::vector<SeccompData> data;
    for (int input = 0; input < 12; ++input) {
      data.push_back(random::input(source, program, info(model.arch).token));
    }
    ASSERT_NO_FATAL_FAILURE(runs.add(program, model, data, "program " + std::to_string(i)));
  }
  runs.check();
}

}  // namespace
}  // namespace callgate::jit
