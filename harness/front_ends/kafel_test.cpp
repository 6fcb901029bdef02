// Policies in kafel's language.

#include "harness/front_ends/boolean.hpp"
#include "harness/front_ends/profile_reader_test.hpp"
#include "harness/random/generator.hpp"

namespace callgate::front_ends {
namespace {

using testing::HasSubstr;
using testing::StartsWith;

constexpr auto kAllowed = static_cast<std::uint32_t>(Action::Allow);

std::string wrong(std::string_view text, const Deployment& deployment = {}) {
  Read read("kafel", deployment);
  read.text(text);
  return read.error().empty() ? "read; notes: " + read.notes() : read.error();
}

// What is said of write(...) by a condition.
std::string of_write(std::string_view condition, std::initializer_list<std::uint64_t> args) {
  Read read("kafel");
  read.text("ALLOW { write { " + std::string(condition) + " } } DEFAULT KILL");
  return read.says("write", args);
}

TEST(Kafel, uses_policies_with_actions_and_a_default) {
  Read read("kafel");
  read.text(
      "#define forbidden 0x123\n"
      "POLICY io { ALLOW { read, write }, LOG { close } }\n"
      "POLICY all { USE io, ERRNO(13) { read, open }, TRAP(7) { dup }, TRACE(9) { dup2 },\n"
      "  USER_NOTIF { dup3 }, KILL_PROCESS { fork }, KILL_THREAD { vfork }, DENY { clone },\n"
      "  KILL { forbidden, SYSCALL[-2] } /* comment */ }\n"
      "USE all DEFAULT ERRNO(38) // the end\n");
  ASSERT_EQ(read.error(), "");
  for (const auto& [call, verdict] :
       {std::pair("read", "ALLOW"), std::pair("write", "ALLOW"), std::pair("close", "LOG"),
        std::pair("open", "ERRNO(13)"), std::pair("dup", "TRAP(7)"), std::pair("dup2", "TRACE(9)"),
        std::pair("dup3", "USER_NOTIF"), std::pair("fork", "KILL_PROCESS"),
        std::pair("vfork", "KILL_THREAD"), std::pair("clone", "KILL_THREAD"),
        std::pair("getpid", "ERRNO(38)")}) {
    EXPECT_EQ(read.says(call), verdict) << call;
  }
  EXPECT_EQ(read.says_of(0x123, {}, 0xc000003e), "KILL_THREAD");
  EXPECT_EQ(read.says_of(0xfffffffe, {}, 0xc000003e), "KILL_THREAD");
  EXPECT_EQ(read.says_of(0x40000000, {}, 0xc000003e), "ERRNO(38)");
  EXPECT_EQ(read.says("read", {}, Arch::X86), "KILL_THREAD");
}

TEST(Kafel, kills_by_default_and_knows_its_own_names_of_calls) {
  Read read("kafel");
  read.text("ALLOW { newstat, sendfile64 } ALLOW { newuname }");
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("stat"), "ALLOW");
  EXPECT_EQ(read.says("sendfile"), "ALLOW");
  EXPECT_EQ(read.says("uname"), "ALLOW");
  EXPECT_EQ(read.says("read"), "KILL_THREAD");
  EXPECT_THAT(wrong("ALLOW { io_uring_setup }"), HasSubstr("not in kafel's list of f67ddf5"));
}

TEST(Kafel, is_as_wide_as_the_argument_or_the_number) {
  // fd has 4 bytes, count 8.
  EXPECT_EQ(of_write("fd == 1", {1}), "ALLOW");
  EXPECT_EQ(of_write("fd == 1", {0x100000001}), "ALLOW");
  EXPECT_EQ(of_write("count == 1", {0, 0, 0x100000001}), "KILL_THREAD");
  EXPECT_EQ(of_write("fd == 0x100000001", {0x100000001}), "ALLOW");
  EXPECT_EQ(of_write("fd == 0x100000001", {1}), "KILL_THREAD");
  // -1 has 64 bits: a descriptor of -1 that came as 32 bits is not it.
  EXPECT_EQ(of_write("fd == -1", {0xffffffff}), "KILL_THREAD");
  EXPECT_EQ(of_write("fd & 0xffffffffffffffff == 1", {0x500000001}), "ALLOW");
  EXPECT_EQ(of_write("fd & 0x1ffffffff == 1", {0x300000001}), "KILL_THREAD");
  // Declared arguments have 8 bytes.
  Read read("kafel");
  read.text("ALLOW { write(file) { file == 1 } }");
  EXPECT_EQ(read.says("write", {0x100000001}), "KILL_THREAD");
  EXPECT_EQ(read.says("write", {1}), "ALLOW");
}

TEST(Kafel, computes_bits_and_orders) {
  EXPECT_EQ(of_write("(count & 7) == 4", {0, 0, 0xc}), "ALLOW");
  EXPECT_EQ(of_write("count & 7 == 4 | 8", {0, 0, 0xc}), "KILL_THREAD");
  EXPECT_EQ(of_write("(count | 3) == 7", {0, 0, 4}), "ALLOW");
  EXPECT_EQ(of_write("(count | 3) == 4", {0, 0, 4}), "KILL_THREAD");
  EXPECT_EQ(of_write("(count | 3) != 4", {0, 0, 4}), "ALLOW");
  EXPECT_EQ(of_write("(count & 0xf0 | 3) >= 0x23", {0, 0, 0x2f}), "ALLOW");
  EXPECT_EQ(of_write("(count & 0xf0 | 3) > 0x23", {0, 0, 0x2f}), "KILL_THREAD");
  EXPECT_EQ(of_write("(count | 8) < 5", {0, 0, 0}), "KILL_THREAD");
  EXPECT_EQ(of_write("5 < (count | 8)", {0, 0, 0}), "ALLOW");
  EXPECT_EQ(of_write("10 >= count", {0, 0, 10}), "ALLOW");
  EXPECT_EQ(of_write("count == count", {0, 0, 5}), "ALLOW");
  EXPECT_EQ(of_write("count > count", {0, 0, 5}), "KILL_THREAD");
  EXPECT_EQ(of_write("(count & 3) == count", {0, 0, 2}), "ALLOW");
  EXPECT_EQ(of_write("(count & 3) == count", {0, 0, 6}), "KILL_THREAD");
  EXPECT_EQ(of_write("(count & 3) != (count & 12)", {0, 0, 0}), "KILL_THREAD");
  EXPECT_EQ(of_write("3 == 4 || 0b11 == 03", {}), "ALLOW");
}

TEST(Kafel, puts_conditions_together) {
  EXPECT_EQ(of_write("fd == 1 && count == 2 || fd == 3", {1, 0, 2}), "ALLOW");
  EXPECT_EQ(of_write("fd == 1 && (count == 2 || fd == 3)", {3}), "KILL_THREAD");
  EXPECT_EQ(of_write("!(fd == 1 && count == 2), fd == 9", {1, 0, 3}), "ALLOW");
  EXPECT_EQ(of_write("!(fd == 1 && count == 2), fd == 9", {1, 0, 2}), "KILL_THREAD");
  EXPECT_EQ(of_write("!!(fd < 3) && !(fd > 1)", {1}), "ALLOW");
  EXPECT_EQ(of_write("((fd)) == (1)", {1}), "ALLOW");
}

TEST(Kafel, decides_by_the_first_rule_that_fits) {
  Read read("kafel");
  read.text(
      "#define STDOUT 1\n"
      "ERRNO(1) { write { fd == STDOUT } } ALLOW { write } KILL { write }\n"
      "DEFAULT KILL_PROCESS\n");
  EXPECT_EQ(read.says("write", {1}), "ERRNO(1)");
  EXPECT_EQ(read.says("write", {2}), "ALLOW");
}

TEST(Kafel, includes_files) {
  const std::string inner = test_file("inner.kafel", "read, write\n");
  const std::string main = test_file("main.kafel", "");
  Read read("kafel");
  read.text("ALLOW {\n#include \"" + inner.substr(inner.rfind('/') + 1) + "\"\n}\n", main);
  ASSERT_EQ(read.error(), "");
  EXPECT_EQ(read.says("write"), "ALLOW");
  EXPECT_THAT(read.notes(), HasSubstr("from the policy's folder"));
  const std::string bad = test_file("bad.kafel", "ALLOW {\n raed }\n");
  read.text("#include \"" + bad + "\"\n", main);
  EXPECT_THAT(read.error(), StartsWith(bad + ", line 2, column 2: raed: no call"));
  const std::string cycle = test_file("cycle.kafel", "");
  std::ofstream(cycle) << "#include \"" << cycle << "\"\n";
  read.text("#include \"" + cycle + "\"\n", main);
  EXPECT_THAT(read.error(), HasSubstr("being read already"));
  EXPECT_THAT(wrong("#include \"x\"\n"), HasSubstr("no further files"));
  EXPECT_THAT(wrong("#include\"x\"\n"), HasSubstr("write #include"));
  EXPECT_THAT(wrong("#include "), HasSubstr("not finished"));
}

TEST(Kafel, that_is_wrong_is_refused_with_the_place) {
  EXPECT_THAT(wrong("ALLOW { raed }"), StartsWith("line 1, column 9: raed: no call of x86_64"));
  EXPECT_THAT(wrong("ALLOW { read write }"), StartsWith("line 1, column 14: write: a comma"));
  EXPECT_THAT(wrong("ALLOW { read, }"), StartsWith("line 1, column 15: }: a call's name"));
  EXPECT_THAT(wrong("POLICY a { ALLOW { read } KILL { write } }"), HasSubstr("a comma between"));
  EXPECT_THAT(wrong("USE b"), HasSubstr("no policy of this name"));
  EXPECT_THAT(wrong("POLICY a { USE a }"), HasSubstr("no policy of this name"));
  EXPECT_THAT(wrong("POLICY a { } POLICY a { }"), HasSubstr("such a policy already"));
  EXPECT_THAT(wrong("DEFAULT KILL DEFAULT KILL"), HasSubstr("a default already"));
  EXPECT_THAT(wrong("ERRNO(65536) { read }"), StartsWith("line 1, column 7: 65536: 0 to 65535"));
  EXPECT_THAT(wrong("FOO { read }"), HasSubstr("an action is wanted here"));
  EXPECT_THAT(wrong("ALLOW { read { fd } }"), HasSubstr("no condition"));
  EXPECT_THAT(wrong("ALLOW { read { fd == } }"), HasSubstr("is wanted here"));
  EXPECT_THAT(wrong("ALLOW { read { foo == 1 } }"), HasSubstr("foo: no argument"));
  EXPECT_THAT(wrong("ALLOW { read(a) { fd == 1 } }"), HasSubstr("not declared"));
  EXPECT_THAT(wrong("ALLOW { read(a, a) }"), HasSubstr("declared twice"));
  EXPECT_THAT(wrong("ALLOW { read(a, b, c, d, e, f, g) }"), HasSubstr("6 arguments"));
  EXPECT_THAT(wrong("ALLOW { read { (fd == 1) == 1 } }"), HasSubstr("a condition where"));
  EXPECT_THAT(wrong("ALLOW { read { fd == count } }"), HasSubstr("compares two arguments"));
  EXPECT_THAT(wrong("ALLOW { read { (fd & count) == 1 } }"), HasSubstr("two arguments together"));
  EXPECT_THAT(wrong("ALLOW { read { (fd & 1) < fd } }"), HasSubstr("by order"));
  EXPECT_THAT(wrong("#define A 1\n#define A 2"), HasSubstr("defined before as 1"));
  EXPECT_THAT(wrong("#define A 99999999999999999999"), HasSubstr("more than 64 bits"));
  EXPECT_THAT(wrong("ALLOW { read } /* x **/"), HasSubstr("does not end"));
  EXPECT_THAT(wrong("ALLOW { read { fd == 1 ^ 2 } }"), HasSubstr("no such character"));
  EXPECT_THAT(wrong("ALLOW { read { fd == 1 } }", on(Arch::AArch64)),
              HasSubstr("not known here; declare them"));
  EXPECT_THAT(wrong("ALLOW { read }", on(Arch::Mips)), HasSubstr("no policies for mips"));
  std::string deep = "ALLOW { read { " + std::string(100, '(') + "fd == 1";
  EXPECT_THAT(wrong(deep), HasSubstr("nested more than"));
  std::string large = "ALLOW { read { ";
  for (int i = 0; i < 20; ++i) {
    large += std::string(i == 0 ? "" : " && ") + "(fd == " + std::to_string(i) + " || fd == 77)";
  }
  EXPECT_THAT(wrong(large + " } }"), HasSubstr("tests; part it"));
}

TEST(Kafel, is_told_by_its_blocks) {
  EXPECT_EQ(detected("// x\nPOLICY a {\n ALLOW { read } }\nUSE a DEFAULT KILL"), "kafel");
  EXPECT_EQ(detected("ALLOW { read } DEFAULT KILL"), "kafel");
  EXPECT_EQ(detected("SCMP_ACT_ALLOW"), "");
}

// Comparisons as kafel's own passes treat them: what has no effect is dropped, then a comparison is
// as wide as its leaves are. Written here once more, on trees.
struct Tree {
  char kind = 'n';  // n: number, v: argument, & and |: of two
  std::uint64_t number = 0;
  bool wide_argument = false;
  std::vector<Tree> parts{};
};

Tree random_tree(random::Source& source, bool wide_argument, int depth) {
  constexpr std::array<std::uint64_t, 10> kNumbers = {
      0, 1, 2, 7, 0xf0, 0xffffffff, 0x100000000, 0x1ffffffff, 0xffffffff00000000, kAllBits};
  const auto kind = source.below(depth == 0 ? 2 : 4);
  if (kind == 0) return {'n', kNumbers.at(source.below(kNumbers.size())), false, {}};
  if (kind == 1) return {'v', 0, wide_argument, {}};
  return {kind == 2 ? '&' : '|',
          0,
          false,
          {random_tree(source, wide_argument, depth - 1),
           random_tree(source, wide_argument, depth - 1)}};
}

std::string text_of(const Tree& tree) {
  if (tree.kind == 'n') return std::to_string(tree.number);
  if (tree.kind == 'v') return tree.wide_argument ? "count" : "fd";
  return "(" + text_of(tree.parts[0]) + " " + tree.kind + " " + text_of(tree.parts[1]) + ")";
}

std::uint64_t value_of(const Tree& tree, std::uint64_t argument) {
  if (tree.kind == 'n') return tree.number;
  if (tree.kind == 'v') return argument;
  const std::uint64_t left = value_of(tree.parts[0], argument);
  const std::uint64_t right = value_of(tree.parts[1], argument);
  return tree.kind == '&' ? left & right : left | right;
}

Tree simplified(const Tree& tree) {
  if (tree.parts.empty()) return tree;
  const Tree left = simplified(tree.parts[0]);
  const Tree right = simplified(tree.parts[1]);
  const std::uint64_t clobber = tree.kind == '&' ? 0 : kAllBits;
  if (left.kind == 'n' && right.kind == 'n') {
    return {
        'n', tree.kind == '&' ? left.number & right.number : left.number | right.number, false, {}};
  }
  for (const auto& [one, other] : {std::pair(left, right), std::pair(right, left)}) {
    if (one.kind != 'n') continue;
    if (one.number == clobber) return one;
    if (one.number == ~clobber) return other;
  }
  return {tree.kind, 0, false, {left, right}};
}

bool is_wide(const Tree& tree) {
  if (tree.kind == 'n') return tree.number > 0xffffffff;
  if (tree.kind == 'v') return tree.wide_argument;
  return is_wide(tree.parts[0]) || is_wide(tree.parts[1]);
}

bool has_argument(const Tree& tree) {
  return tree.kind == 'v' ||
         (!tree.parts.empty() && (has_argument(tree.parts[0]) || has_argument(tree.parts[1])));
}

TEST(Kafel, compares_as_kafels_own_passes_do) {
  random::Source source(3);
  int compared = 0;
  for (int i = 0; i < 4000; ++i) {
    const bool wide_argument = source.below(2) == 0;
    const Tree left = simplified(random_tree(source, wide_argument, 2));
    const Tree right = simplified(random_tree(source, wide_argument, 2));
    const bool both = has_argument(left) && has_argument(right);
    const auto comparison = static_cast<Comparison>(source.below(both ? 2 : 6));
    const std::string text =
        text_of(left) + " " + std::string(sign_of(comparison)) + " " + text_of(right);
    Read read("kafel");
    read.text("ALLOW { write { " + text + " } }");
    ASSERT_EQ(read.error(), "") << text;
    const PolicyEvaluator evaluator(read.profile().layers.front().policy);
    const bool numbers = left.kind == 'n' && right.kind == 'n';
    const std::uint64_t width = numbers || is_wide(left) || is_wide(right) ? kAllBits : 0xffffffff;
    for (const std::uint64_t argument :
         {std::uint64_t{0}, std::uint64_t{1}, std::uint64_t{2}, std::uint64_t{0xf7},
          std::uint64_t{0xffffffff}, std::uint64_t{0x100000001}, std::uint64_t{0x1ffffffff},
          std::uint64_t{0xffffffff00000002}, kAllBits}) {
      SeccompData data{.nr = 1, .arch = 0xc000003e, .args = {argument, 0, argument}};
      SeccompData compare;
      compare.args[0] = value_of(left, argument) & width;
      const bool fits =
          holds({0, comparison, value_of(right, argument) & width, kAllBits}, compare, false);
      ASSERT_EQ(evaluator.evaluate(data).value, fits ? kAllowed : 0U) << text << " of " << argument;
      ++compared;
    }
  }
  EXPECT_EQ(compared, 36000);
}

// Random expressions say the same as the rules that they come to.
Boolean random_boolean(random::Source& source, int depth) {
  const auto kind = depth == 0 ? 0 : source.below(6);
  if (kind <= 1) {
    return {Boolean::Kind::Test,
            {static_cast<unsigned>(source.below(2)), static_cast<Comparison>(source.below(6)),
             source.below(4), source.below(2) == 0 ? kAllBits : source.below(4)},
            {}};
  }
  if (kind == 2) return Boolean::constant(source.below(2) == 0);
  Boolean out{kind == 3   ? Boolean::Kind::Not
              : kind == 4 ? Boolean::Kind::And
                          : Boolean::Kind::Or,
              {},
              {}};
  const auto parts = kind == 3 ? 1 : 1 + source.below(3);
  for (std::uint64_t i = 0; i < parts; ++i) out.parts.push_back(random_boolean(source, depth - 1));
  return out;
}

bool truth(const Boolean& expression, const SeccompData& data) {
  switch (expression.kind) {
    case Boolean::Kind::False:
      return false;
    case Boolean::Kind::True:
      return true;
    case Boolean::Kind::Test:
      return holds(expression.test, data, false);
    case Boolean::Kind::Not:
      return !truth(expression.parts.front(), data);
    case Boolean::Kind::And:
      return std::ranges::all_of(expression.parts,
                                 [&](const Boolean& part) { return truth(part, data); });
    case Boolean::Kind::Or:
      return std::ranges::any_of(expression.parts,
                                 [&](const Boolean& part) { return truth(part, data); });
  }
  return false;
}

TEST(Booleans, come_to_rules_that_say_the_same) {
  random::Source source(7);
  int compared = 0;
  for (int i = 0; i < 3000; ++i) {
    const Boolean expression = random_boolean(source, 4);
    const auto clauses = disjunction_of(expression, 2000);
    if (!clauses) continue;
    for (std::uint64_t a = 0; a < 5; ++a) {
      for (std::uint64_t b = 0; b < 5; ++b) {
        const SeccompData data{.args = {a, b}};
        const bool some = std::ranges::any_of(*clauses, [&](const std::vector<ArgTest>& tests) {
          return std::ranges::all_of(tests,
                                     [&](const ArgTest& test) { return holds(test, data, false); });
        });
        ASSERT_EQ(some, truth(expression, data));
        ++compared;
      }
    }
  }
  EXPECT_GT(compared, 50000);
}

}  // namespace
}  // namespace callgate::front_ends
