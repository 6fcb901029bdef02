// Reads suites: YAML as what it says.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <filesystem>
#include <map>
#include <memory>
#include <set>
#include <utility>

#include "harness/front_ends/policy_text.hpp"
#include "harness/front_ends/program_reader.hpp"
#include "harness/suite/suite_document.hpp"
#include "harness/suite/verb.hpp"

namespace callgate::suite {
namespace {

using front_ends::shown;

constexpr std::size_t kMostCalls = 2'000'000;
constexpr std::size_t kMostFiles = 64;
constexpr unsigned kMostNested = 8;
constexpr std::size_t kMostParameters = 32;
// What a parameter stands for while a template is checked that nothing uses: it could be anything.
constexpr std::string_view kAnything = "\x01";
// Keys beside a verb.
constexpr std::array<std::string_view, 6> kBeside{"reason", "arch",      "kernel",
                                                  "abi",    "high_half", "level"};

using Entry = Document::Entry;
using Wrong = WrongSuite;

// A template: parameters, and what is expected with them.
struct Template {
  const Document* document = nullptr;
  std::vector<std::string> parameters;
  YamlId expect = 0;
  bool used = false;
};

class Reader {
 public:
  Reader(std::string path, bool may_open, Budget& budget) : may_open_(may_open), budget_(budget) {
    suite_.path = std::move(path);
  }

  Suite read(const Document& document, YamlId root) {
    read_part(document, root, true);
    check_unused();
    if (suite_.filters.empty()) {
      document.fail(root, "filter: is missing: the filter or profile that the suite is about");
    }
    if (suite_.arches.empty()) suite_.arches = {host_arch()};
    if (suite_.kernels.empty()) suite_.kernels = {kNewestVersion};
    return std::move(suite_);
  }

 private:
  // The root of a suite, or of a file that one includes.
  void read_part(const Document& in, YamlId root, bool whole) {
    std::vector<Entry> entries = in.entries(root, "a suite");
    // Templates are known wherever they stand.
    for (const Entry& entry : entries) {
      if (entry.key == "include") read_includes(in, entry.value);
    }
    for (const Entry& entry : entries) {
      if (entry.key == "templates") read_templates(in, entry.value);
    }
    for (const Entry& entry : entries) {
      if (entry.key == "include" || entry.key == "templates" || ignored(entry)) continue;
      if (entry.key == "expect") {
        read_expectations(in, entry.value, {}, 0);
      } else if (entry.key == "recorded") {
        read_recorded(in, entry.value);
      } else if (!whole || !read_setting(in, entry)) {
        unknown_key(in, entry,
                    whole ? "callgate, name, filter, deploy, arch, kernel, surroundings, "
                            "high_half, include, templates, expect, recorded, min_coverage, and "
                            "x-… for your own"
                          : "include, templates, expect and recorded in a file that is included");
      }
    }
  }

  bool read_setting(const Document& in, const Entry& entry) {
    const YamlId id = entry.value;
    if (entry.key == "callgate") {
      if (in.text(id, {}, "the version") != "1") {
        in.fail(id, "this Callgate knows version 1 of the suite format");
      }
    } else if (entry.key == "name") {
      suite_.name = in.text(id, {}, "the name");
    } else if (entry.key == "filter") {
      suite_.filters = names_of(in, id, {});
    } else if (entry.key == "deploy") {
      read_deploy(in, id);
    } else if (entry.key == "arch") {
      suite_.arches = arches_of(in, id, {});
    } else if (entry.key == "kernel") {
      suite_.kernels = kernels_of(in, id, {});
    } else if (entry.key == "surroundings") {
      read_surroundings(in, id);
    } else if (entry.key == "high_half") {
      suite_.high = high_of(in, id, {});
    } else if (entry.key == "min_coverage") {
      read_least(in, id);
    } else {
      return false;
    }
    return true;
  }

  // A file that is named in one, from the working directory. "-" is such a file too: a suite says
  // itself what is tested.
  std::string beside(const Document& in, const std::string& name) const {
    const std::filesystem::path path(name);
    if (path.is_absolute()) return name;
    const std::filesystem::path folder = std::filesystem::path(in.path()).parent_path();
    if (folder.empty()) return name == "-" ? "./-" : name;
    return (folder / path).lexically_normal().string();
  }

  std::vector<FilterName> names_of(const Document& in, YamlId id, const Values& values) const {
    std::vector<FilterName> out;
    for (const YamlId each : in.items(id)) {
      out.push_back({beside(in, in.text(each, values, "a filter's file")), in.place(each)});
    }
    if (out.empty()) in.fail(id, "the file of a filter is missing");
    if (out.size() > 1000) in.fail(id, "more than 1,000 filters");
    return out;
  }

  // While an unused template is checked, whether a text has one of its parameters.
  [[nodiscard]] bool is_open(std::string_view text) const {
    return checking_ && text.find(kAnything) != std::string_view::npos;
  }

  std::vector<Arch> arches_of(const Document& in, YamlId id, const Values& values) const {
    std::vector<Arch> out;
    bool open = false;
    for (const YamlId each : in.items(id)) {
      const std::string name = in.text(each, values, "an architecture");
      open = open || is_open(name);
      if (is_open(name)) continue;
      const auto arch = name == "native" ? host_arch() : arch_from_name(name);
      if (!arch) {
        in.fail(each,
                fmt::format("{}: no architecture; `callgate kernels` lists them", shown(name)));
      }
      if (std::ranges::find(out, *arch) == out.end()) out.push_back(*arch);
    }
    if (out.empty() && !open) in.fail(id, "an architecture is missing");
    return out;
  }

  std::vector<Version> kernels_of(const Document& in, YamlId id, const Values& values) const {
    std::vector<Version> out;
    bool open = false;
    for (const YamlId each : in.items(id)) {
      const std::string name = in.text(each, values, "a version");
      open = open || is_open(name);
      if (is_open(name)) continue;
      const auto version = name == "host"     ? KernelModel::host().version
                           : name == "newest" ? kNewestVersion
                                              : parse_version(name);
      if (!version) {
        in.fail(each, fmt::format("{}: no version of Linux; write it as 5.10 or 6.12.3, or host, "
                                  "or newest",
                                  shown(name)));
      }
      if (std::ranges::find(out, *version) == out.end()) out.push_back(*version);
    }
    if (out.empty() && !open) in.fail(id, "a version is missing");
    if (out.size() > 100) in.fail(id, "more than 100 versions");
    return out;
  }

  static bool yes_or_no(const Document& in, YamlId id) {
    const std::string text = in.text(id, {}, "it");
    if (text == "true" || text == "yes") return true;
    if (text == "false" || text == "no") return false;
    in.fail(id, fmt::format("{}: it is true or false", shown(text)));
  }

  HighHalf high_of(const Document& in, YamlId id, const Values& values) const {
    const std::string text = in.text(id, values, "high_half");
    if (is_open(text)) return HighHalf::Exact;
    for (const HighHalf each : {HighHalf::Any, HighHalf::Extended, HighHalf::Exact}) {
      if (text == to_string(each)) return each;
    }
    in.fail(id, fmt::format("{}: high_half is any, extended or exact", shown(text)));
  }

  void read_deploy(const Document& in, YamlId id) {
    Deploy& to = suite_.deploy;
    for (const Entry& entry : in.entries(id, "deploy")) {
      if (entry.key == "format") {
        to.format = in.text(entry.value, {}, "the format");
      } else if (entry.key == "caps") {
        to.caps.clear();
        for (const YamlId each : in.items(entry.value)) {
          to.caps += (to.caps.empty() ? "" : ",") + in.text(each, {}, "a capability");
        }
        if (to.caps.empty()) to.caps = "none";
      } else if (entry.key == "runtime") {
        to.runtime = in.text(entry.value, {}, "the runtime");
        if (to.runtime != "runc" && to.runtime != "runc-1.1" && to.runtime != "crun") {
          in.fail(entry.value,
                  fmt::format("{}: the runtime is runc, runc-1.1 or crun", shown(to.runtime)));
        }
      } else if (entry.key == "systemd") {
        to.systemd = in.text(entry.value, {}, "the version");
      } else if (entry.key == "with") {
        for (const YamlId each : in.items(entry.value)) {
          to.with.push_back(beside(in, in.text(each, {}, "a file")));
        }
      } else if (entry.key == "denylist") {
        to.denylist = yes_or_no(in, entry.value);
      } else if (!ignored(entry)) {
        unknown_key(in, entry, "format, caps, runtime, systemd, with and denylist");
      }
    }
  }

  void read_surroundings(const Document& in, YamlId id) {
    for (const Entry& entry : in.entries(id, "surroundings")) {
      if (entry.key == "tracer") {
        suite_.around.tracer = yes_or_no(in, entry.value);
      } else if (entry.key == "listener") {
        suite_.around.listener = yes_or_no(in, entry.value);
      } else if (entry.key == "only_thread") {
        suite_.around.only_thread = yes_or_no(in, entry.value);
      } else if (entry.key == "sigsys_blocked") {
        suite_.around.sigsys_blocked_or_ignored = yes_or_no(in, entry.value);
      } else if (!ignored(entry)) {
        unknown_key(in, entry, "tracer, listener, only_thread and sigsys_blocked");
      }
    }
  }

  static double per_cent(const Document& in, YamlId id) {
    const std::string text = in.text(id, {}, "a percentage");
    const auto value = parse_per_cent(text);
    if (!value) in.fail(id, fmt::format("{}: it is a percentage from 0 to 100", shown(text)));
    return *value;
  }
  void read_least(const Document& in, YamlId id) {
    if (in.at(id).kind == YamlNode::Kind::Scalar) {
      const double all = per_cent(in, id);
      suite_.least = {all, all, all};
      return;
    }
    for (const Entry& entry : in.entries(id, "min_coverage")) {
      if (entry.key == "instructions") {
        suite_.least.instructions = per_cent(in, entry.value);
      } else if (entry.key == "branches") {
        suite_.least.branches = per_cent(in, entry.value);
      } else if (entry.key == "rules") {
        suite_.least.rules = per_cent(in, entry.value);
      } else if (!ignored(entry)) {
        unknown_key(in, entry, "instructions, branches and rules");
      }
    }
  }

  // The text of a file that a suite names.
  std::string opened(const Document& in, YamlId id, const std::string& path) {
    if (!may_open_) in.fail(id, "no file is read here");
    if (++files_ > kMostFiles) in.fail(id, "more than 64 files are included");
    auto bytes = front_ends::read_file(path, std::size_t{256} << 20U);
    if (!bytes) in.fail(id, fmt::format("{}: {}", path, bytes.error().message));
    return std::move(*bytes);
  }

  void read_includes(const Document& in, YamlId id) {
    for (const YamlId each : in.items(id)) {
      const std::string path = beside(in, in.text(each, {}, "a file"));
      if (std::ranges::find(open_, path) != open_.end()) {
        in.fail(each, fmt::format("{} includes itself", shown(path)));
      }
      if (open_.size() >= kMostNested) in.fail(each, "includes are nested too deeply");
      // What two files include is there once.
      if (!included_.insert(std::filesystem::path(path).lexically_normal().string()).second) {
        continue;
      }
      const std::string text = opened(in, each, path);
      auto tree = parse_yaml(text);
      if (!tree) {
        const YamlError& error = tree.error();
        throw Wrong{suite_error(path, error.line, error.column, error.message)};
      }
      if (tree->documents().size() != 1) in.fail(each, "what is included is one document");
      trees_.push_back(std::make_unique<YamlTree>(std::move(*tree)));
      documents_.push_back(std::make_unique<Document>(*trees_.back(), path, budget_));
      const Document& part = *documents_.back();
      open_.push_back(path);
      read_part(part, trees_.back()->documents().front(), false);
      open_.pop_back();
    }
  }

  void read_templates(const Document& in, YamlId id) {
    for (const Entry& each : in.entries(id, "templates")) {
      Template made;
      made.document = &in;
      bool has_expect = false;
      for (const Entry& entry : in.entries(each.value, "a template")) {
        if (entry.key == "parameters") {
          for (const YamlId name : in.items(entry.value)) {
            made.parameters.push_back(in.text(name, {}, "a parameter's name"));
            if (made.parameters.back().size() > kLongestName) {
              in.fail(name, "a parameter's name has 64 characters at most");
            }
            if (made.parameters.size() > kMostParameters) {
              in.fail(name, "a template has 32 parameters at most");
            }
          }
        } else if (entry.key == "expect") {
          made.expect = entry.value;
          has_expect = true;
        } else if (!ignored(entry)) {
          unknown_key(in, entry, "parameters and expect");
        }
      }
      if (!has_expect) in.fail(each.value, "a template has expect: with expectations");
      if (!templates_.emplace(each.key, made).second) {
        in.fail(each.key_id, fmt::format("there are two templates {}", shown(each.key)));
      }
    }
  }

  void read_expectations(const Document& in, YamlId id, const Values& values, unsigned depth) {
    const YamlNode& node = in.at(id);
    if (node.kind == YamlNode::Kind::Null) return;
    if (node.kind != YamlNode::Kind::Sequence) {
      in.fail(id, "expect: is a list: `- allow: [read, write]`");
    }
    for (const YamlId each : node.children) {
      in.spend(each);
      // A list in the list, by an alias: as if it stood here.
      if (in.at(each).kind == YamlNode::Kind::Sequence) {
        if (depth > kMostNested) in.fail(each, "nested too deeply");
        read_expectations(in, each, values, depth + 1);
      } else {
        read_expectation(in, each, values, depth);
      }
    }
  }

  void read_expectation(const Document& in, YamlId id, const Values& values, unsigned depth) {
    in.spend(id, sizeof(Expectation));
    const std::vector<Entry> entries = in.entries(id, "an expectation");
    const auto use = std::ranges::find(entries, "use", &Entry::key);
    if (use != entries.end()) {
      use_template(in, id, entries, values, depth);
      return;
    }
    Expectation made;
    const Entry* what = nullptr;
    for (const Entry& entry : entries) {
      if (entry.key == "reason") {
        made.reason = in.text(entry.value, values, "the reason");
      } else if (entry.key == "arch") {
        made.scope.arches = arches_of(in, entry.value, values);
        made.scope.arches_at = in.place(entry.value);
      } else if (entry.key == "kernel") {
        made.scope.kernels = kernels_of(in, entry.value, values);
        made.scope.kernels_at = in.place(entry.value);
      } else if (entry.key == "abi") {
        made.abis = arches_of(in, entry.value, values);
      } else if (entry.key == "high_half") {
        made.high = high_of(in, entry.value, values);
      } else if (entry.key == "level") {
        made.level = level_of(in, entry.value, values);
      } else if (ignored(entry)) {
        continue;
      } else if (what != nullptr) {
        fail_second(in, *what, entry, values);
      } else {
        what = &entry;
      }
    }
    if (what == nullptr) in.fail(id, "nothing is expected: write `allow: [read]`, say");
    made.place = in.place(what->key_id);
    // Keys of templates have parameters too.
    made.verb = in.text(what->key_id, values, "an expectation");
    if (made.verb == "same as" || made.verb == "no laxer than") {
      made.kind =
          made.verb == "same as" ? Expectation::Kind::SameAs : Expectation::Kind::NoLaxerThan;
      made.others = names_of(in, what->value, values);
      check_comparison(in, entries, made);
    } else {
      if (const auto level = std::ranges::find(entries, "level", &Entry::key);
          level != entries.end()) {
        in.fail(level->key_id,
                fmt::format("level: has no effect beside {}: it says what counts where filters are "
                            "compared; an expectation says it by its verb",
                            shown(made.verb)));
      }
      for (const YamlId each : in.items(what->value)) add_call(in, each, values, made, 0);
      if (made.calls.empty()) in.fail(what->value, "no calls are named");
    }
    suite_.expectations.push_back(std::move(made));
  }

  // Keys that would have no effect.
  static void check_comparison(const Document& in, const std::vector<Entry>& entries,
                               const Expectation& made) {
    for (const Entry& each : entries) {
      if (each.key == "abi" || each.key == "high_half") {
        in.fail(each.key_id,
                fmt::format("{}: has no effect beside {}: filters are compared for all calls of "
                            "every ABI, all 64 bits of them",
                            each.key, made.verb));
      }
      const bool order =
          made.level == verifier::Level::Strictness || made.level == verifier::Level::Executes;
      if (each.key == "level" && made.kind == Expectation::Kind::NoLaxerThan && !order) {
        in.fail(each.value,
                "nothing is laxer by that level; beside no laxer than it is strictness "
                "or executes");
      }
    }
  }

  static bool is_verb(const std::string& text) {
    return text == "same as" || text == "no laxer than" ||
           std::ranges::any_of(arches(), [&](const ArchInfo& machine) {
             return parse_verb(text, machine.arch).has_value();
           });
  }

  // Of two keys that are none of those beside a verb: two expectations, or one that is misspelt.
  [[noreturn]] static void fail_second(const Document& in, const Entry& first, const Entry& second,
                                       const Values& values) {
    for (const Entry* const each : {&first, &second}) {
      if (is_verb(in.text(each->key_id, values, "an expectation"))) continue;
      const std::string_view near = nearest(each->key, kBeside);
      in.fail(
          each->key_id,
          fmt::format("{}: no such key{}; beside a verb there are reason, arch, kernel, abi, "
                      "high_half and level, and x-… for your own",
                      shown(each->key), near.empty() ? "" : fmt::format(" (is {} meant?)", near)));
    }
    in.fail(second.key_id, fmt::format("{} and {} are two expectations: begin each with `-`",
                                       shown(first.key), shown(second.key)));
  }

  // A pattern that a comma cut in two, or a colon made a key of.
  static void check_quotes(const Document& in, YamlId id, std::string_view text) {
    if (in.at(id).quoted || std::ranges::count(text, '(') <= std::ranges::count(text, ')')) return;
    in.fail(id, fmt::format("{}: a ) is missing; YAML ends texts at commas and colons: put the "
                            "pattern in quotes, as \"socket(AF_UNIX, *)\"",
                            shown(text)));
  }

  void add_call(const Document& in, YamlId id, const Values& values, Expectation& to,
                unsigned depth) {
    in.spend(id);
    if (in.at(id).kind == YamlNode::Kind::Sequence) {
      if (depth > kMostNested) in.fail(id, "nested too deeply");
      for (const YamlId each : in.at(id).children) add_call(in, each, values, to, depth + 1);
      return;
    }
    if (++calls_ > kMostCalls) in.fail(id, "more than 2,000,000 calls");
    if (in.at(id).kind == YamlNode::Kind::Map && !in.at(id).children.empty()) {
      const YamlId key = in.at(id).children.front();
      if (in.at(key).kind == YamlNode::Kind::Scalar) check_quotes(in, key, in.at(key).scalar);
    }
    to.calls.push_back({in.text(id, values, "a call"), in.place(id)});
    check_quotes(in, id, to.calls.back().text);
  }

  verifier::Level level_of(const Document& in, YamlId id, const Values& values) const {
    using verifier::Level;
    const std::string text = in.text(id, values, "the level");
    if (is_open(text)) return Level::Strictness;
    for (const Level each : {Level::Verdict, Level::Outcome, Level::Strictness, Level::Executes}) {
      if (text == to_string(each)) return each;
    }
    in.fail(id,
            fmt::format("{}: the level is verdict, outcome, strictness or executes", shown(text)));
  }

  // Every combination of what the parameters are.
  void use_template(const Document& in, YamlId id, const std::vector<Entry>& entries,
                    const Values& values, unsigned depth) {
    if (depth > kMostNested) in.fail(id, "templates are nested too deeply");
    const Template* used = nullptr;
    std::string reason;
    const std::size_t before = suite_.expectations.size();
    std::vector<std::pair<std::string, std::vector<std::string>>> with;
    for (const Entry& entry : entries) {
      if (entry.key == "use") {
        const std::string name = in.text(entry.value, values, "a template's name");
        if (is_open(name)) return;
        const auto found = templates_.find(name);
        if (found == templates_.end()) {
          in.fail(entry.value, fmt::format("there is no template {}", shown(name)));
        }
        found->second.used = true;
        used = &found->second;
      } else if (entry.key == "reason") {
        reason = in.text(entry.value, values, "the reason");
      } else if (entry.key == "with") {
        for (const Entry& each : in.entries(entry.value, "with")) {
          std::vector<std::string> options;
          for (const YamlId option : in.items(each.value)) {
            options.push_back(in.text(option, values, "a parameter"));
          }
          with.emplace_back(each.key, std::move(options));
          if (with.size() > kMostParameters) {
            in.fail(each.key_id, "a template has 32 parameters at most");
          }
        }
      } else if (!ignored(entry)) {
        unknown_key(in, entry, "use, with and reason");
      }
    }
    for (const std::string& name : used->parameters) {
      if (std::ranges::find(with, name, [](const auto& each) { return each.first; }) ==
          with.end()) {
        in.fail(id, fmt::format("the template's parameter {} is missing in with:", shown(name)));
      }
    }
    for (const auto& [name, options] : with) {
      if (std::ranges::find(used->parameters, name) == used->parameters.end()) {
        in.fail(id, fmt::format("the template has no parameter {}", shown(name)));
      }
      if (options.empty()) in.fail(id, fmt::format("{} has no value", shown(name)));
    }
    std::vector<std::size_t> chosen(with.size(), 0);
    for (;;) {
      if (++uses_ > 100'000) in.fail(id, "templates are used more than 100,000 times");
      Values here;
      in.spend(id);
      for (std::size_t i = 0; i < with.size(); ++i) here[with[i].first] = with[i].second[chosen[i]];
      read_expectations(*used->document, used->expect, here, depth + 1);
      std::size_t i = 0;
      while (i < chosen.size() && ++chosen[i] == with[i].second.size()) chosen[i++] = 0;
      if (i == chosen.size()) break;
    }
    // An expectation's own says more.
    for (std::size_t i = before; i < suite_.expectations.size() && !reason.empty(); ++i) {
      if (!suite_.expectations[i].reason.empty()) continue;
      in.spend(id, reason.size());
      suite_.expectations[i].reason = reason;
    }
  }

  // What is wrong with a template whatever its parameters are is said where nothing uses it, too.
  void check_unused() {
    std::vector<const Template*> unused;
    for (const auto& [name, each] : templates_) {
      if (!each.used) unused.push_back(&each);
    }
    checking_ = true;
    std::vector<Expectation> real = std::exchange(suite_.expectations, {});
    for (const Template* const each : unused) {
      Values values;
      for (const std::string& name : each->parameters) values[name] = kAnything;
      read_expectations(*each->document, each->expect, values, 0);
    }
    suite_.unused = std::exchange(suite_.expectations, std::move(real));
    for (Expectation& each : suite_.unused) {
      if (is_open(each.verb)) each.verb.clear();
      std::erase_if(each.calls, [&](const CallText& call) { return is_open(call.text); });
    }
    checking_ = false;
  }

  void read_recorded(const Document& in, YamlId id) {
    const YamlNode& node = in.at(id);
    if (node.kind == YamlNode::Kind::Null) return;
    Recorded plain;
    plain.file = in.path();
    for (const YamlId each : in.items(id)) {
      const std::vector<Entry> entries = in.entries(each, "a recorded call");
      const auto has = [&](std::string_view key) {
        return std::ranges::find(entries, key, &Entry::key) != entries.end();
      };
      if (has("calls") || has("file")) {
        read_recorded_block(in, each, entries);
      } else {
        for (const Entry& entry : entries) add_recorded(in, entry, plain);
      }
    }
    if (!plain.calls.empty()) suite_.recorded.push_back(std::move(plain));
  }

  void add_recorded(const Document& in, const Entry& entry, Recorded& to) {
    if (++calls_ > kMostCalls) in.fail(entry.key_id, "more than 2,000,000 calls");
    const YamlNode& key = in.at(entry.key_id);
    const YamlNode& value = in.at(entry.value);
    to.calls.push_back({entry.key, in.text(entry.value, {}, "a verdict"), key.line, key.column,
                        value.line, value.column});
  }

  void read_recorded_block(const Document& in, YamlId id, const std::vector<Entry>& entries) {
    Recorded made;
    made.file = in.path();
    for (const Entry& entry : entries) {
      if (entry.key == "arch") {
        made.scope.arches = arches_of(in, entry.value, {});
        made.scope.arches_at = in.place(entry.value);
      } else if (entry.key == "kernel") {
        made.scope.kernels = kernels_of(in, entry.value, {});
        made.scope.kernels_at = in.place(entry.value);
      } else if (entry.key == "reason") {
        made.reason = in.text(entry.value, {}, "the reason");
      } else if (entry.key == "calls") {
        for (const YamlId each : in.items(entry.value)) {
          for (const Entry& call : in.entries(each, "a recorded call")) {
            add_recorded(in, call, made);
          }
        }
      } else if (entry.key == "file") {
        made.file = beside(in, in.text(entry.value, {}, "a file"));
        made.table = true;
      } else if (!ignored(entry)) {
        unknown_key(in, entry, "arch, kernel, reason, and calls or file");
      }
    }
    if (made.table) {
      if (!made.calls.empty()) in.fail(id, "calls and file are two blocks");
      auto calls = read_table(opened(in, id, made.file), made.file);
      if (!calls) throw Wrong{std::move(calls.error())};
      made.calls = std::move(*calls);
    }
    suite_.recorded.push_back(std::move(made));
  }

  bool may_open_;
  Budget& budget_;
  Suite suite_;
  std::map<std::string, Template, std::less<>> templates_;
  std::vector<std::unique_ptr<YamlTree>> trees_;
  std::vector<std::unique_ptr<Document>> documents_;
  std::vector<std::string> open_;
  std::set<std::string> included_;
  std::size_t files_ = 0;
  std::size_t calls_ = 0;
  std::size_t uses_ = 0;
  bool checking_ = false;  // templates that nothing uses
};

}  // namespace

std::expected<std::vector<Suite>, SuiteError> read_suites(std::string_view text,
                                                          const std::string& path, bool may_open) {
  auto tree = parse_yaml(text);
  if (!tree) {
    return std::unexpected(
        suite_error(path, tree.error().line, tree.error().column, tree.error().message));
  }
  std::vector<Suite> out;
  try {
    Budget budget;
    const Document document(*tree, path, budget);
    for (const YamlId root : tree->documents()) {
      out.push_back(Reader(path, may_open, budget).read(document, root));
    }
  } catch (Wrong& wrong) {
    return std::unexpected(std::move(wrong.error));
  }
  if (out.empty()) return std::unexpected(suite_error(path, 0, 0, "there is no suite in it"));
  return out;
}

std::expected<std::vector<Suite>, SuiteError> read_suite_file(const std::string& path) {
  const auto bytes = front_ends::read_file(path, std::size_t{64} << 20U);
  if (!bytes) return std::unexpected(suite_error(path, 0, 0, bytes.error().message));
  return read_suites(*bytes, path == "-" ? std::string{} : path);
}

}  // namespace callgate::suite
