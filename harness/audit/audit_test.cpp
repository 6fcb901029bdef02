// What the audit finds in labelled filters (corpus/audit), and in random ones against running them.

#include <fcntl.h>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <algorithm>
#include <array>
#include <cerrno>
#include <filesystem>
#include <fstream>
#include <set>
#include <sstream>
#include <string>
#include <vector>

#include "harness/audit/argument_kinds.hpp"
#include "harness/audit/checks.hpp"
#include "harness/front_ends/loader.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/random/generator.hpp"
#include "verifier/check.hpp"
#include "vm/opcodes.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::audit {
namespace {

namespace fs = std::filesystem;

const fs::path kFolder = fs::path(CALLGATE_SOURCE_DIR) / "corpus" / "audit";

// A line of expected.txt.
struct Case {
  std::string name;
  std::vector<std::string> files;
  std::vector<std::string> options;
  std::set<std::string> expected;
};

// How GoogleTest shows one.
void PrintTo(const Case& each, std::ostream* out) { *out << each.name; }

std::vector<std::string> split(const std::string& text, char at) {
  std::vector<std::string> out;
  std::istringstream in(text);
  for (std::string part; std::getline(in, part, at);) {
    const std::size_t first = part.find_first_not_of(' ');
    if (first == std::string::npos) continue;
    out.push_back(part.substr(first, part.find_last_not_of(' ') - first + 1));
  }
  return out;
}

std::vector<Case> cases() {
  std::vector<Case> out;
  std::ifstream in(kFolder / "expected.txt");
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with('#') || line.empty()) continue;
    const std::size_t one = line.find('|');
    const std::size_t two = line.find('|', one + 1);
    Case each{
        line, split(line.substr(0, one), '+'), split(line.substr(one + 1, two - one - 1), ' '), {}};
    for (std::string& id : split(line.substr(two + 1), ' ')) each.expected.insert(std::move(id));
    for (std::string& file : each.files) file = split(file, ' ').at(0);
    out.push_back(std::move(each));
  }
  return out;
}

// What a case's options ask for.
struct Setting {
  KernelModel model{.arch = Arch::X86_64};
  Situation situation{};
  FilterFlags flags{};
  std::size_t pad = 0;
  std::size_t repeat = 1;
  std::string input;
};

Setting setting_of(const Case& of) {
  Setting out;
  for (const std::string& option : of.options) {
    const std::size_t sign = option.find('=');
    const std::string name = option.substr(0, sign);
    const std::string value = sign == std::string::npos ? "" : option.substr(sign + 1);
    if (name == "arch") {
      out.model.arch = arch_from_name(value).value();
    } else if (name == "kernel") {
      out.model.version = parse_version(value).value();
    } else if (name == "tracer") {
      out.situation.tracer = true;
    } else if (name == "listener") {
      out.situation.listener = true;
    } else if (name == "log") {
      out.flags.log = true;
    } else if (name == "new_listener") {
      out.flags.new_listener = true;
    } else if (name == "interpreter") {
      out.model.engine = KernelEngine::Interpreter;
    } else if (name == "pad") {
      out.pad = std::stoul(value);
    } else if (name == "repeat") {
      out.repeat = std::stoul(value);
    } else if (name == "input") {
      out.input = value;
    } else {
      ADD_FAILURE() << "no such option: " << option;
    }
  }
  return out;
}

struct Stack {
  FilterStack filters;
  std::vector<Layer> layers;
};

Stack load(const Case& of, const Setting& setting) {
  Stack out{FilterStack(setting.model), {}};
  for (std::size_t i = 0; i < setting.repeat; ++i) {
    for (const std::string& file : of.files) {
      const std::string path = (kFolder / file).string();
      front_ends::LoadOptions options;
      options.program.arch = setting.model.arch;
      options.program.order = info(setting.model.arch).byte_order;
      options.deployment.model = setting.model;
      options.input_format = setting.input;
      auto loaded = front_ends::load(front_ends::read_file(path).value(), path, options);
      if (!loaded) {
        ADD_FAILURE() << path << ": " << loaded.error().message;
        continue;
      }
      for (front_ends::LoadedFilter& each : loaded->filters) {
        const Instruction load_arch{.code = 0x20, .jt = 0, .jf = 0, .k = 4};
        each.program.insert(each.program.begin(), setting.pad, load_arch);
        const auto checked = verifier::check(each.program, setting.model);
        if (!checked || !out.filters.push(*checked, *engines().front(), setting.flags)) {
          ADD_FAILURE() << path << ": refused";
          continue;
        }
        out.layers.push_back({file, std::move(each.policy)});
      }
    }
  }
  return out;
}

// What a stack says of a call, by the reference alone.
std::uint32_t by_the_reference(const FilterStack& stack, const SeccompData& call) {
  std::vector<FilterResult> results;
  for (std::size_t filter = stack.size(); filter-- > 0;) {
    results.push_back({filter, reference::run(stack.program(filter), call, stack.model()).value});
  }
  return combine(results, stack.model()).value;
}

// Which findings no call can show: they are of the text, not of what it does.
bool needs_no_call(FindingId id) {
  constexpr std::array kOfTheText = {FindingId::Unreachable,    FindingId::FilterWithoutEffect,
                                     FindingId::RuleNeverFires, FindingId::RuleShadowed,
                                     FindingId::RuleRedundant,  FindingId::NearProgramLimit,
                                     FindingId::NearStackLimit, FindingId::FlagNewerThanKernel};
  return std::ranges::find(kOfTheText, id) != kOfTheText.end();
}

class Labelled : public ::testing::TestWithParam<Case> {};

TEST_P(Labelled, has_what_it_is_said_to_have_and_nothing_else) {
  const Setting setting = setting_of(GetParam());
  const Stack stack = load(GetParam(), setting);
  const Report report = audit(stack.filters, stack.layers, setting.situation);
  EXPECT_TRUE(report.incomplete.empty());
  std::set<std::string> ids;
  for (const Finding& each : report.found) {
    ids.emplace(info(each.id).name);
    EXPECT_NE(each.shown.empty(), !needs_no_call(each.id)) << info(each.id).name;
    for (const Shown& shown : each.shown) {
      EXPECT_EQ(by_the_reference(stack.filters, shown.call), shown.value) << info(each.id).name;
    }
  }
  EXPECT_EQ(ids, GetParam().expected);
}

INSTANTIATE_TEST_SUITE_P(Corpus, Labelled, ::testing::ValuesIn(cases()),
                         [](const ::testing::TestParamInfo<Case>& each) {
                           std::string name = each.param.name.substr(0, each.param.name.rfind('|'));
                           std::string out;
                           for (const char c : name) {
                             const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0;
                             if (plain) out += c;
                             if (!plain && !out.empty() && out.back() != '_') out += '_';
                           }
                           return out;
                         });

TEST(Labels, every_finding_is_there_in_some_filters_and_not_in_others) {
  const std::vector<Case> all = cases();
  EXPECT_GE(all.size(), 60U);
  for (const FindingInfo& row : findings()) {
    const auto with = std::ranges::count_if(
        all, [&](const Case& each) { return each.expected.contains(std::string(row.name)); });
    EXPECT_GT(with, 0) << "no filter of corpus/audit shows " << row.name;
    EXPECT_LT(with, static_cast<std::ptrdiff_t>(all.size())) << row.name;
  }
  for (const Case& each : all) {
    for (const std::string& id : each.expected) EXPECT_NE(find_finding(id), nullptr) << id;
  }
}

TEST(Labels, every_file_has_a_line) {
  std::set<std::string> named;
  for (const Case& each : cases()) named.insert(each.files.begin(), each.files.end());
  for (const auto& entry : fs::directory_iterator(kFolder)) {
    const std::string name = entry.path().filename().string();
    if (name == "expected.txt" || name == "README.md") continue;
    EXPECT_TRUE(named.contains(name)) << name;
  }
}

TEST(Registry, names_are_unique_and_texts_are_there) {
  std::set<std::string_view> names;
  for (const FindingInfo& row : findings()) {
    EXPECT_TRUE(names.insert(row.name).second) << row.name;
    EXPECT_EQ(find_finding(row.name), &row);
    EXPECT_FALSE(row.title.empty() || row.remedy.empty()) << row.name;
    EXPECT_FALSE(row.title.ends_with('.') || row.remedy.ends_with('.')) << row.name;
  }
}

TEST(ArgumentKinds, are_the_kernels) {
  const auto kind = [](std::string_view name, unsigned index) {
    return argument_kind(Arch::X86_64, name, index);
  };
  EXPECT_EQ(kind("read", 0), ArgumentKind::Unsigned32);
  EXPECT_EQ(kind("read", 1), ArgumentKind::Pointer);
  EXPECT_EQ(kind("read", 2), ArgumentKind::Unsigned64);
  EXPECT_EQ(kind("read", 3), ArgumentKind::Absent);
  EXPECT_EQ(kind("openat", 0), ArgumentKind::Signed32);
  EXPECT_EQ(kind("clone", 0), ArgumentKind::Unsigned32);
  EXPECT_EQ(kind("lseek", 1), ArgumentKind::Signed64);
  EXPECT_EQ(kind("no_such_call", 0), std::nullopt);
  // There every register has 32 bits; and the order of clone's arguments is another one.
  EXPECT_EQ(argument_kind(Arch::X86, "read", 0), std::nullopt);
  EXPECT_EQ(argument_kind(Arch::S390x, "clone", 0), std::nullopt);
  std::size_t known = 0;
  for (const SyscallRow& row : syscalls(Arch::X86_64)) known += kind(row.name, 0) ? 1U : 0U;
  EXPECT_GE(known, 365U);
}

#ifdef __x86_64__
// What the table says of upper halves, by calls that do nothing: the same happens with others set.
TEST(ArgumentKinds, of_32_bits_are_cut_by_the_running_kernel) {
  constexpr long kAbove = 1L << 32;
  const long socket = syscall(SYS_socket, kAbove | AF_UNIX, kAbove | SOCK_STREAM, kAbove);
  ASSERT_GE(socket, 0);
  EXPECT_EQ(syscall(SYS_fcntl, kAbove | socket, kAbove | F_GETFD), 0);
  EXPECT_EQ(syscall(SYS_close, kAbove | socket), 0);
  EXPECT_EQ(syscall(SYS_kill, kAbove | getpid(), kAbove), 0);
  EXPECT_EQ(syscall(SYS_personality, kAbove | 0xffffffffL), syscall(SYS_personality, 0xffffffffL));
  EXPECT_EQ(syscall(SYS_getpriority, kAbove | PRIO_PROCESS, kAbove),
            syscall(SYS_getpriority, PRIO_PROCESS, 0));
  // And an argument of 64 bits is not cut: so many bytes cannot be asked for here.
  errno = 0;
  EXPECT_EQ(syscall(SYS_mmap, 0, kAbove << 30, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0), -1);
  EXPECT_EQ(errno, ENOMEM);
}
#endif

// Which instructions and sides of tests were seen in runs.
struct Coverage {
  std::span<const Instruction> program;
  std::vector<bool>* reached;
  std::vector<bool>* taken;
  std::vector<bool>* not_taken;

  void step(const reference::Step& step) const {
    const auto& here = program[step.at];
    (*reached)[step.at] = true;
    const OpcodeInfo* row = find_opcode(here.code);
    if (row->kind != OpcodeKind::Branch || here.jt == here.jf) return;
    (step.next == step.at + 1 + here.jt ? *taken : *not_taken)[step.at] = true;
  }
};

TEST(Audit, of_random_filters_says_nothing_that_running_them_contradicts) {
  random::Source source(7);
  std::size_t claims = 0;
  for (int i = 0; i < 300; ++i) {
    KernelModel model;
    model.arch = i % 3 == 0 ? Arch::AArch64 : i % 3 == 1 ? Arch::X86_64 : Arch::S390x;
    const Program program = random::filter_like(source, 120, info(model.arch).token);
    const auto checked = verifier::check(program, model);
    ASSERT_TRUE(checked.has_value());
    FilterStack stack(model);
    ASSERT_TRUE(stack.push(*checked, *engines().front()).has_value());
    const Report report = audit(stack, {{"random", std::nullopt}});
    std::vector<bool> reached(program.size());
    std::vector<bool> taken(program.size());
    std::vector<bool> not_taken(program.size());
    const Coverage coverage{program, &reached, &taken, &not_taken};
    for (int run = 0; run < 300; ++run) {
      const SeccompData data = random::input(source, program, info(model.arch).token);
      (void)reference::run(program, data, model, coverage);
    }
    for (const Finding& each : report.found) {
      for (const Shown& shown : each.shown) {
        EXPECT_EQ(by_the_reference(stack, shown.call), shown.value);
      }
      if (each.id == FindingId::Unreachable) {
        ++claims;
        EXPECT_FALSE(reached[*each.instruction]) << i << ", instruction " << *each.instruction;
      }
      if (each.id == FindingId::BranchDecided || each.id == FindingId::DuplicateTest) {
        ++claims;
        EXPECT_FALSE(taken[*each.instruction] && not_taken[*each.instruction]) << i;
      }
    }
  }
  EXPECT_GT(claims, 50U);
}

}  // namespace
}  // namespace callgate::audit
