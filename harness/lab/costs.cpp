#include "harness/lab/costs.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <utility>

#include "harness/cost/probe_filters.hpp"
#include "harness/random/generator.hpp"
#include "verifier/cache.hpp"
#include "verifier/check.hpp"
#include "verifier/path_cost.hpp"
#include "vm/filter_stack.hpp"
#include "vm/reference.hpp"
#include "vm/syscalls.hpp"

namespace callgate::lab {
namespace {

constexpr std::uint32_t kNumbers = 500;
// Of the filter below a stack by which numbers that are served are told from others, and of those
// that coefficients are taken from.
constexpr std::size_t kCompares = 300;
constexpr std::size_t kLong = 1000;
constexpr std::size_t kFiltersMore = 8;

// The questions of the parts, in this order: getppid, again and again.
enum Part : std::uint8_t { Bare, Cached, Uncached, Several, Compares, Jumps, Additions, kParts };

struct LeftOut {
  Arch arch;
  std::uint32_t nr;
};

constexpr LeftOut kLeftOut[] = {
#define LEFT_OUT(arch, nr, ...) {Arch::arch, nr},
#include "harness/lab/left_out_calls.def"
#undef LEFT_OUT
};

// Ends in a plain ALLOW. With `asks`, nothing of it is served by the cache.
Program allowing(Program program, bool asks) {
  program.back() = {0x06, 0, 0, cost::kPlainAllow};
  if (asks) program.insert(program.begin(), {0x20, 0, 0, 16});
  return program;
}

// Told apart by the number and the architecture, refused here and there.
std::vector<CostStack> fixed_stacks() {
  const Program but_read = {
      {0x20, 0, 0, 0}, {0x15, 0, 1, 63}, {0x20, 0, 0, 16}, {0x06, 0, 0, cost::kPlainAllow}};
  const Program with_data = {{0x06, 0, 0, cost::kPlainAllow + 1}};
  const Program compares = allowing(cost::chain_of_compares(100), true);
  return {{"ret ALLOW", {cost::cached_filter()}},
          {"ret ALLOW with data", {with_data}},
          {"ld [16]; ret ALLOW", {cost::uncached_filter()}},
          {"4 x ld [16]; ret ALLOW", std::vector<Program>(4, cost::uncached_filter())},
          {"ret ALLOW, then all but one number", {cost::cached_filter(), but_read}},
          {"all but one number, then ret ALLOW", {but_read, cost::cached_filter()}},
          {"100 compares", {allowing(cost::chain_of_compares(100), false)}},
          {"ld [16]; 100 compares", {compares}},
          {"ld [16]; 40 jumps taken", {allowing(cost::chain_of_jumps(40), true)}},
          {"ld [16]; 60 additions", {allowing(cost::chain_of_additions(60), true)}},
          {"3 x ld [16]; 100 compares", {compares, compares, compares}}};
}

// Allows that number before anything else: the agent installs the next filter by it.
void let_pass(Program& program, std::uint32_t nr) {
  const Program before = {{0x20, 0, 0, 0}, {0x15, 0, 1, nr}, {0x06, 0, 0, cost::kPlainAllow}};
  program.insert(program.begin(), before.begin(), before.end());
}

// Whether all filters return a plain ALLOW for a number that is called with -1 for arguments.
bool allows(const FilterStack& stack, std::uint32_t nr) {
  SeccompData data;
  data.nr = static_cast<std::int32_t>(nr);
  data.arch = info(stack.model().arch).token;
  data.args.fill(~std::uint64_t{0});
  return (stack.run(data).value & 0xffff0000U) == cost::kPlainAllow;
}

// Whether a number is served: then it costs nothing of the filter below, else all of it. Nothing
// where it is neither: a call did not come back, or was disturbed by something else that the kernel
// did.
std::optional<bool> is_served(std::optional<double> alone, std::optional<double> with_another,
                              double per_instruction) {
  if (!alone || !with_another) return std::nullopt;
  const double more = (*with_another - *alone) / (kCompares * per_instruction);
  if (more < -0.25 || (more > 0.25 && more < 0.75) || more > 1.5) return std::nullopt;
  return more < 0.5;
}

// Up to where numbers are served, by rising numbers.
class Reach {
 public:
  void add(std::uint32_t nr, std::optional<bool> served) {
    const bool all_before = below_ >= after_;
    if (served == true && !all_before) simple_ = false;
    // What is not told is taken to be as those before it.
    if (served == true || (!served && all_before)) below_ = nr + 1;
    after_ = nr + 1;
  }
  // Nothing where some below others are not.
  [[nodiscard]] std::optional<std::uint32_t> below() const {
    return simple_ ? std::optional(below_) : std::nullopt;
  }

 private:
  std::uint32_t below_ = 0;
  std::uint32_t after_ = 0;  // the last number that was added
  bool simple_ = true;
};

// Holds what was seen of a number against the prediction of the cache.
bool agrees(const FilterStack& stack, std::string_view name, std::uint32_t nr, bool served,
            CostReport& report) {
  constexpr std::size_t kMostWords = 5;
  const verifier::CacheAnswer said = verifier::cache_answer(stack, nr);
  if (said.cached == verifier::Cached::NotKnown) {
    ++report.unknown;
    report.seen_served += served ? 1U : 0U;
    return false;
  }
  if (said.is_served() == served) {
    ++report.agreements;
    return true;
  }
  ++report.differences;
  if (report.first.size() < kMostWords) {
    report.first.push_back(fmt::format("{}: number {}: we say {}, the kernel {}", name, nr,
                                       said.is_served() ? "served" : "not served",
                                       served ? "serves it" : "does not"));
  }
  return false;
}

// Puts the prediction of a call that the stack allows beside what it was counted to add.
void put_beside(const FilterStack& stack, std::uint32_t nr, bool served, double seen,
                const cost::Parts& parts, CountedStack& counted) {
  const verifier::PathCost path = verifier::path_cost(stack, nr);
  if (!path.exact || !allows(stack, nr)) return;
  const double body = served ? 0 : parts.bodies(path, stack.size()).second;
  const double predicted = parts.fixed(served, stack.size()) + body;
  ++counted.calls;
  counted.served += served ? 1U : 0U;
  counted.predicted += predicted;
  counted.counted += seen;
  counted.holds += std::abs(predicted - seen) <= 0.15 * std::abs(seen) ? 1U : 0U;
}

}  // namespace

bool can_count(const LabKernel& kernel) noexcept {
  return kernel.calls == kernel.platform.arch &&
         (kernel.calls == Arch::X86_64 || kernel.calls == Arch::AArch64);
}

CostSession::CostSession(const LabKernel& kernel, std::uint32_t stacks, std::uint64_t seed,
                         const std::optional<GivenCosts>& given)
    : kernel_(kernel) {
  for (std::uint32_t nr = 0; nr < kNumbers; ++nr) {
    const bool left_out = std::ranges::any_of(
        kLeftOut, [&](const LeftOut& each) { return each.arch == kernel.calls && each.nr == nr; });
    if (!left_out) calls_.push_back({nr});
  }
  ask_parts();
  first_stack_ = questions_.size();
  for (CostStack& each : fixed_stacks()) {
    ask_stack(std::move(each));
    if (given) break;
  }
  random::Source source(seed);
  for (std::uint32_t i = 0; i < stacks; ++i) {
    std::vector<Program> filters;
    for (std::uint32_t filter = 0; filter <= i % 3; ++filter) {
      filters.push_back(cost::refusing_unless_allowed(random::decisions(source, 40)));
      if (filter < i % 3) let_pass(filters.back(), *syscall_number(kernel.calls, "prctl"));
    }
    ask_stack({fmt::format("{} random filter{}", filters.size(), filters.size() == 1 ? "" : "s"),
               std::move(filters)});
  }
  if (!given) return;
  for (const CostStack& each : given->stacks) ask_cache_of(each);
  given_.emplace(*given, kernel.calls).ask(questions_);
}

// Which numbers the cache serves under a given stack; what it allows is called, but does nothing.
void CostSession::ask_cache_of(const CostStack& stack) {
  std::vector<Program> filters;
  for (std::size_t i = 0; i < stack.filters.size(); ++i) {
    filters.push_back(cost::refusing_unless_allowed(stack.filters[i]));
    if (i + 1 < stack.filters.size()) {
      filters.back() = letting_install(filters.back(), kernel_.calls);
    }
    if (filters.back().size() > kMaxProgramLength) return;
  }
  if (!filters.empty()) ask_stack({stack.name, std::move(filters)});
}

void CostSession::ask_parts() {
  const std::vector<CostCall> again(16, {*syscall_number(kernel_.calls, "getppid")});
  std::array<std::vector<Program>, kParts> stacks;
  stacks[Cached] = {cost::cached_filter()};
  stacks[Uncached] = {cost::uncached_filter()};
  stacks[Several].assign(1 + kFiltersMore, cost::uncached_filter());
  stacks[Compares] = {allowing(cost::chain_of_compares(kLong), true)};
  stacks[Jumps] = {allowing(cost::chain_of_jumps(kLong), true)};
  stacks[Additions] = {allowing(cost::chain_of_additions(kLong), true)};
  for (auto& each : stacks) questions_.push_back({std::move(each), again});
  questions_.push_back({{}, calls_});  // every number without a filter
}

void CostSession::ask_stack(CostStack stack) {
  // A number that is served costs nothing of the filter below, any other all of it.
  std::vector<Program> with_another = {allowing(cost::chain_of_compares(kCompares), false)};
  with_another.insert(with_another.end(), stack.filters.begin(), stack.filters.end());
  questions_.push_back({stack.filters, calls_});
  questions_.push_back({std::move(with_another), calls_});
  stacks_.push_back(std::move(stack));
}

std::optional<cost::Parts> CostSession::parts_of(const std::vector<CostAnswer>& answers) const {
  std::array<double, kParts> least{};
  for (std::size_t part = 0; part < kParts; ++part) {
    double& out = least.at(part);
    out = HUGE_VAL;
    for (const auto& each : answers[part].counts) out = std::min(out, each.value_or(HUGE_VAL));
    if (!std::isfinite(out)) return std::nullopt;
  }
  cost::Parts parts;
  parts.entry = least[Bare];
  parts.cached = least[Cached] - least[Bare];
  parts.uncached = least[Uncached] - least[Bare];
  parts.per_filter = (least[Several] - least[Uncached]) / kFiltersMore;
  // `ld [nr]` is one instruction more than in the smallest filter.
  const auto each = [&](Part part) { return (least[part] - least[Uncached]) / (kLong + 1); };
  parts.per_instruction = each(Compares);
  parts.per_jump = each(Jumps) - each(Compares);
  parts.per_arithmetic = each(Additions) - each(Compares);
  return parts;
}

void CostSession::judge_stack(std::size_t stack, const std::vector<CostAnswer>& answers,
                              const KernelModel& model, CostReport& report) const {
  const std::vector<std::optional<double>>& bare = answers[kParts].counts;
  const auto& alone = answers[first_stack_ + 2 * stack].counts;
  const auto& with_another = answers[first_stack_ + 2 * stack + 1].counts;
  const FilterStack filters = stack_of(stacks_[stack].filters, model);
  CountedStack counted{.name = stacks_[stack].name};
  Reach reach;
  for (std::size_t i = 0; i < calls_.size(); ++i) {
    const std::uint32_t nr = calls_[i].nr;
    const std::optional<bool> served =
        is_served(alone[i], with_another[i], report.parts.per_instruction);
    reach.add(nr, served);
    if (!served) {
      ++report.not_told;
      continue;
    }
    if (!agrees(filters, counted.name, nr, *served, report)) continue;
    if (bare[i]) put_beside(filters, nr, *served, *alone[i] - *bare[i], report.parts, counted);
  }
  if (counted.calls > 0) {
    counted.predicted /= static_cast<double>(counted.calls);
    counted.counted /= static_cast<double>(counted.calls);
  }
  // The first stack allows all.
  if (stack == 0) report.served_below = reach.below();
  report.stacks.push_back(std::move(counted));
}

CostReport CostSession::judge(std::string_view console_text) const {
  CostReport report;
  report.name = kernel_.name;
  report.ending = Ending::Failed;
  const auto console = parse_console(console_text);
  if (!console || console->costs.size() != questions_.size()) {
    report.reason = "the guest's answers are cut or damaged; " + last_words(console_text);
    return report;
  }
  report.release = console->release;
  report.jit = console->jit;
  report.reason = jit_differs(kernel_, console->jit);
  if (!report.reason.empty()) return report;
  for (std::size_t i = 0; i < questions_.size(); ++i) {
    const CostAnswer& each = console->costs[i];
    if (each.error == 0 && each.counts.size() == questions_[i].calls.size()) continue;
    report.reason = each.error != 0 ? fmt::format("a filter is refused with errno {}", each.error)
                                    : "answers are missing";
    return report;
  }
  const auto parts = parts_of(console->costs);
  if (!parts) {
    report.reason = "no call of getppid came back";
    return report;
  }
  report.parts = *parts;
  KernelModel model;
  model.arch = kernel_.calls;
  model.version = version_of(console->release);
  model.engine = console->jit == "1" ? KernelEngine::Jit : KernelEngine::Interpreter;
  for (std::size_t i = 0; i < stacks_.size(); ++i) judge_stack(i, console->costs, model, report);
  if (given_) report.workload = given_->judge(console->costs, model, *parts);
  settle(report);
  return report;
}

CostReport count_costs(const LabKernel& kernel, std::uint32_t stacks, std::uint64_t seed,
                       std::chrono::seconds patience, const WorkFolder& work,
                       const std::optional<GivenCosts>& given) {
  const auto start = std::chrono::steady_clock::now();
  if (!can_count(kernel)) {
    return troubled<CostReport>(
        kernel, {false, "instructions are counted for x86_64 and aarch64 calls only"});
  }
  const CostSession session(kernel, stacks, seed, given);
  const std::string request = encode_request({}, {}, session.questions(), kernel.jit,
                                             info(kernel.platform.arch).byte_order);
  const auto text = answers_of(kernel, request, Clock::Instructions, patience, work);
  if (!text) return troubled<CostReport>(kernel, text.error());
  CostReport report = session.judge(*text);
  report.seconds = std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
  return report;
}

}  // namespace callgate::lab
