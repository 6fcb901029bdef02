#include "harness/tune/orders.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <iterator>
#include <set>
#include <utility>

#include "harness/compare/comparison.hpp"
#include "harness/front_ends/lower.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/tune/order_ranks.hpp"
#include "harness/tune/order_texts.hpp"
#include "verifier/check.hpp"
#include "vm/syscalls.hpp"

namespace callgate::tune {
namespace {

using front_ends::CallPriority;
using front_ends::Layer;
using front_ends::LibseccompOptions;
using front_ends::Lowering;
using front_ends::Policy;
using front_ends::Profile;
using front_ends::Rule;

using Kind = GeneratorRow::Kind;

constexpr std::size_t kMostPriorities = 255;

bool asked_by(const Policy& policy, const KernelModel& model) {
  return !policy.arches.empty() && policy.arches.front() == model.arch;
}

std::string listed(const std::vector<std::string>& names) {
  constexpr std::size_t kShown = 5;
  const std::span<const std::string> shown(names.data(), std::min(names.size(), kShown));
  return fmt::format(
      "{}{}", fmt::join(shown, ", "),
      names.size() > kShown ? fmt::format(" and {} more", names.size() - kShown) : "");
}

// A number of PFC's is of one architecture alone: libseccomp, asked with a number, takes this
// machine's for it.
Policy with_names(Policy policy) {
  for (Rule& rule : policy.rules) {
    if (!rule.number) continue;
    const Arch arch = rule.arches.empty() ? policy.arches.front() : rule.arches.front();
    if (rule.arches.size() > 1 || (rule.arches.empty() && policy.arches.size() > 1)) continue;
    const auto name = syscall_name(arch, static_cast<std::uint32_t>(*rule.number));
    if (!name || front_ends::libseccomp_number(arch, *name) != *rule.number) continue;
    rule.syscall = *name;
    rule.number.reset();
  }
  return policy;
}

class Maker {
 public:
  Maker(const ProfileText& profile, const CallWeights& weights, const OrderOptions& options,
        const GeneratorRow& generator, Profile read, Orders& out)
      : profile_(profile),
        weights_(weights),
        options_(options),
        generator_(generator),
        read_(std::move(read)),
        out_(out) {
    if (generator.format != "pfc") return;
    // The text is libseccomp's, and so would the filter be.
    for (Layer& layer : read_.layers) {
      layer.policy = with_names(std::move(layer.policy));
      layer.lowering = Lowering::Libseccomp;
    }
  }

  void make() {
    if (std::ranges::none_of(weights_, [](const auto& each) { return each.second > 0; })) {
      reason("no call weighs anything: the kernel's cache answers all of the workload.");
      return;
    }
    switch (generator_.kind) {
      case Kind::Text:
        own_text();
        break;
      case Kind::Frequencies:
        reason(generator_.words);
        frequencies();
        break;
      case Kind::Libseccomp:
        reason(generator_.words);
        libseccomp();
        break;
      case Kind::Own:
        reason(generator_.words);
        return;
    }
    unserved();
  }

 private:
  void reason(std::string_view sentence) { out_.reasons.emplace_back(sentence); }

  // The calls of all filters that weigh something, those that weigh most first.
  std::vector<std::string> first_calls() const {
    std::vector<RankedCall> calls;
    for (const Layer& layer : read_.layers) {
      if (!asked_by(layer.policy, profile_.deployment.model)) continue;
      std::ranges::move(ranked(layer.policy, weights_), std::back_inserter(calls));
    }
    std::ranges::sort(calls, {},
                      [](const RankedCall& each) { return std::pair(-each.weight, each.nr); });
    std::vector<std::string> out;
    for (RankedCall& each : calls) {
      if (std::ranges::find(out, each.syscall) == out.end()) {
        out.push_back(std::move(each.syscall));
      }
    }
    return out;
  }

  void add(Order order) {
    if (!order.programs.empty() && order.programs == out_.before) {
      reason(fmt::format("{}: the filters are in this order already.", order.title));
      return;
    }
    if (options_.prove && !order.programs.empty()) {
      if (const auto why = not_the_same(out_.before, order.programs, profile_.deployment.model)) {
        reason(fmt::format("{}: refused, {}{}.", order.title, *why,
                           forgets() ? "; libseccomp may forget to load the number behind a call "
                                       "that the architecture lacks, and its order decides where"
                                     : ""));
        return;
      }
    }
    out_.orders.push_back(std::move(order));
  }

  // Whether the order may decide what libseccomp's linear programs say.
  bool forgets() const {
    return std::ranges::any_of(read_.layers, [](const Layer& layer) {
      if (layer.lowering == Lowering::Plain) return false;
      return std::ranges::any_of(departures(layer.policy, false), [](const auto& each) {
        return each.kind == front_ends::DepartureKind::NumberNotLoaded;
      });
    });
  }

  void own_text() {
    const bool minijail = generator_.format == "minijail";
    const std::vector<std::string> first = first_calls();
    Order order;
    order.id = minijail ? "minijail-lines" : "firejail-lists";
    order.title =
        minijail ? "The policy's lines in another order" : "The profile's lists in another order";
    order.text_format = generator_.format;
    order.advice = fmt::format(
        "Put this in the profile's place. It has the same rules; {}, and those that weigh most "
        ""
        "come first now: {}.",
        generator_.words, listed(first));
    order.text = minijail ? minijail_lines_first(profile_.text, first)
                          : firejail_calls_first(profile_.text, first);
    if (order.text == profile_.text) {
      reason(first.empty()
                 ? "no call that weighs anything has a rule of its own."
                 : fmt::format("{}; in this text no call is to be moved.", generator_.words));
      return;
    }
    const auto row = front_ends::find_profile_format(generator_.format);
    const auto again = row->read(order.text, profile_.path, profile_.deployment);
    if (!again) {
      reason(fmt::format("{}: refused, {}.", order.title, to_string(again.error())));
      return;
    }
    for (const Layer& layer : again->layers) {
      auto program = lower(layer, profile_.deployment.model);
      if (!program) {
        reason(fmt::format("{}: refused, {}.", order.title, program.error().message));
        return;
      }
      order.programs.push_back(std::move(*program));
    }
    add(std::move(order));
  }

  void frequencies() {
    const std::vector<RankedCall> calls = ranked(read_.layers.front().policy, weights_);
    if (calls.empty()) return;
    Order order;
    order.id = "minijail-frequencies";
    order.title = "A file of frequencies";
    order.text_format = "minijail-frequency";
    order.advice =
        "Save this beside the policy as callgate.frequency, and add the line \"@frequency "
        "./callgate.frequency\" to the policy. It has the calls that the kernel's cache does not "
        "answer; compile_seccomp_policy counts 1 for all others.";
    order.text = minijail_frequencies(calls);
    order.unpriced =
        "the tree that compile_seccomp_policy makes is not made here: compile the policy to see "
        "its program";
    add(std::move(order));
  }

  // The layers' programs with these options; priorities are each layer's own.
  std::optional<std::vector<Program>> lowered(bool tree, bool with_priorities,
                                              std::string_view title) {
    std::vector<Program> out;
    for (std::size_t i = 0; i < read_.layers.size(); ++i) {
      const Layer& layer = read_.layers[i];
      LibseccompOptions options = libseccomp_options(layer, profile_.deployment.model);
      options.binary_tree = tree;
      if (with_priorities) options.priorities = libseccomp_priorities(layer.policy, weights_);
      if (!asked_by(layer.policy, profile_.deployment.model) || layer.lowering == Lowering::Plain ||
          (with_priorities && options.priorities.empty())) {
        out.push_back(out_.before[i]);
        continue;
      }
      auto program = lower_libseccomp(layer.policy, options);
      if (!program) {
        reason(fmt::format("{}: refused, {}.", title, program.error().message));
        return std::nullopt;
      }
      program->insert(program->begin(), layer.before.begin(), layer.before.end());
      out.push_back(std::move(*program));
    }
    return out;
  }

  void libseccomp() {
    const bool trees = std::ranges::any_of(read_.layers, [](const Layer& layer) {
      return layer.lowering == Lowering::LibseccompTree;
    });
    priorities(trees);
    if (trees) return;
    Order tree;
    tree.id = "libseccomp-tree";
    tree.title = "libseccomp's binary tree";
    tree.text_format = "c";
    tree.text = "seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);\n";
    tree.advice =
        "Where a program calls libseccomp (since 2.5.0), add this line behind seccomp_init(). The "
        "numbers are then searched in a tree with four calls to a leaf; priorities have no effect "
        "in it.";
    if (generator_.format == "oci") {
      tree.advice +=
          " runc does so by itself since 1.2, for more than 32 names; crun 1.8 does not.";
    }
    if (auto programs = lowered(true, false, tree.title)) {
      tree.programs = std::move(*programs);
      add(std::move(tree));
    }
  }

  void priorities(bool trees) {
    Order order;
    order.id = "libseccomp-priorities";
    order.title = "libseccomp's priorities";
    order.text_format = "c";
    order.advice = fmt::format(
        "Where a program calls libseccomp, add these lines behind its rules, before seccomp_load() "
        "or seccomp_export_bpf(){}. {}",
        trees ? "; the first one takes its binary tree away, in which priorities have no effect"
              : "",
        generator_.format == "pfc" ? "The calls that weigh most are asked first then."
                                   : "A profile has no words for it: the program that reads the "
                                     "profile has to be changed.");
    if (trees) order.text = "seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 1);\n";
    std::vector<std::string> names;
    for (const Layer& layer : read_.layers) {
      if (!asked_by(layer.policy, profile_.deployment.model)) continue;
      const auto own = libseccomp_priorities(layer.policy, weights_);
      if (own.empty()) continue;
      if (read_.layers.size() > 1 && !layer.name.empty()) {
        order.text += fmt::format("/* {} */\n", layer.name);
      }
      order.text += priorities_in_c(own);
      order.priorities.insert(order.priorities.end(), own.begin(), own.end());
    }
    if (order.priorities.empty()) return;
    if (auto programs = lowered(false, true, order.title)) {
      order.programs = std::move(*programs);
      add(std::move(order));
    }
  }

  // Calls that no order helps: a filter without a rule for them asks all others.
  void unserved() {
    std::set<std::uint32_t> served;
    for (const Layer& layer : read_.layers) {
      if (!asked_by(layer.policy, profile_.deployment.model)) continue;
      for (const RankedCall& each : ranked(layer.policy, weights_)) served.insert(each.nr);
    }
    std::vector<std::string> names;
    for (const auto& [name, weight] : weights_) {
      const auto nr = syscall_number(profile_.deployment.model.arch, name);
      if (weight > 0 && (!nr || !served.contains(*nr))) names.push_back(name);
    }
    if (names.empty()) return;
    reason(
        fmt::format("no order helps calls that have no rule of their own, since they go past all "
                    "others: {}.",
                    listed(names)));
  }

  const ProfileText& profile_;
  const CallWeights& weights_;
  const OrderOptions& options_;
  const GeneratorRow& generator_;
  Profile read_;
  Orders& out_;
};

std::expected<FilterStack, std::string> stack_of(std::span<const Program> programs,
                                                 const KernelModel& model) {
  FilterStack stack(model);
  for (const Program& program : programs) {
    const auto checked = verifier::check(program, model);
    if (!checked) return std::unexpected("the kernel refuses its program");
    if (!stack.push(*checked)) return std::unexpected("the kernel has no room for its programs");
  }
  return stack;
}

}  // namespace

std::vector<CallPriority> libseccomp_priorities(const Policy& policy, const CallWeights& weights) {
  if (policy.arches.empty()) return {};
  std::vector<CallPriority> out;
  for (const RankedCall& each : ranked(policy, weights)) {
    if (out.size() == kMostPriorities) break;
    CallPriority priority;
    priority.syscall = policy.rules[each.rule].syscall;
    priority.number = policy.rules[each.rule].number;
    priority.priority = static_cast<std::uint8_t>(kMostPriorities - out.size());
    out.push_back(std::move(priority));
  }
  return out;
}

std::optional<std::string> not_the_same(std::span<const Program> before,
                                        std::span<const Program> after, const KernelModel& model) {
  const auto a = stack_of(before, model);
  if (!a) return "as it stands, " + a.error();
  const auto b = stack_of(after, model);
  if (!b) return b.error();
  compare::Request request;
  request.options.most_differences = 20;
  const compare::Result result = compare::compared(*a, *b, request);
  if (result.contradiction) return "proof and run contradict each other: an error in Callgate";
  switch (result.answer) {
    case verifier::Answer::Equal:
      return std::nullopt;
    case verifier::Answer::Undecided:
      return "it is not proved to mean the same";
    case verifier::Answer::Different: {
      std::set<std::string> names;
      for (const compare::Change& change : result.changes) {
        for (const compare::Calls& calls : change.calls) {
          names.insert(calls.names.begin(), calls.names.end());
        }
      }
      return fmt::format(
          "its program means something else for {}",
          names.empty() ? "calls without a name" : listed({names.begin(), names.end()}));
    }
  }
  return std::nullopt;
}

std::expected<Orders, std::string> orders(const ProfileText& profile, const CallWeights& weights,
                                          const OrderOptions& options) {
  const auto* row = front_ends::find_profile_format(profile.format);
  const auto generator = std::ranges::find(generators(), profile.format, &GeneratorRow::format);
  if (row == nullptr || generator == generators().end()) {
    return std::unexpected(
        fmt::format("{}: no format of profiles; orders are of profiles alone", profile.format));
  }
  auto read = row->read(profile.text, profile.path, profile.deployment);
  if (!read) return std::unexpected(to_string(read.error()));
  Orders out;
  for (const Layer& layer : read->layers) {
    auto program = lower(layer, profile.deployment.model);
    if (!program) return std::unexpected(std::move(program.error().message));
    out.before.push_back(std::move(*program));
  }
  if (read->layers.empty()) {
    out.reasons.emplace_back("the profile makes no filter.");
    return out;
  }
  Maker(profile, weights, options, *generator, std::move(*read), out).make();
  return out;
}

}  // namespace callgate::tune
