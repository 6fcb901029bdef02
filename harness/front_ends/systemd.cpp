// Unit files of systemd: the stack of programs that its service manager installs.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>
#include <utility>

#include "harness/front_ends/profile_formats.hpp"
#include "harness/front_ends/systemd_filters.hpp"
#include "harness/front_ends/systemd_options.hpp"
#include "harness/front_ends/systemd_sets.hpp"
#include "harness/front_ends/systemd_unit.hpp"

namespace callgate::front_ends {
namespace {

using systemd::Assignment;

struct UnitType {
  std::string_view suffix;
  std::string_view section;  // where the options of its processes stand
};

constexpr std::array kTypes = {UnitType{".service", "Service"}, UnitType{".socket", "Socket"},
                               UnitType{".mount", "Mount"}, UnitType{".swap", "Swap"}};

const UnitType* type_of(std::string_view path) {
  const auto row = std::ranges::find_if(
      kTypes, [&](const UnitType& type) { return path.ends_with(type.suffix); });
  return row == kTypes.end() ? nullptr : &*row;
}

// The first section that options of processes stand in; empty where there is none.
std::string_view section_in(const systemd::UnitText& unit) {
  for (const std::string& section : unit.sections) {
    const auto row = std::ranges::find(kTypes, section, &UnitType::section);
    if (row != kTypes.end()) return row->section;
  }
  return {};
}

std::unexpected<ReadError> fail(std::string message) {
  return std::unexpected(ReadError{std::move(message), {}, {}, {}});
}

std::expected<systemd::SyscallSets, ReadError> sets_for(const std::string& version, bool may_ask) {
  constexpr std::string_view kTable = "252";
  if (version == kTable || (version.empty() && !may_ask)) return systemd::sets_252();
  if (version.empty()) {
    auto sets = systemd::installed_sets();
    return sets ? std::move(sets) : systemd::sets_252();
  }
  const auto installed = may_ask ? systemd::installed_version() : fail("nothing is asked");
  if (!installed || *installed != version) {
    return fail(fmt::format(
        "the sets of systemd {} are not known: 252 is in a table, and {}", version,
        installed ? "the installed one is " + *installed : "the installed one cannot be asked"));
  }
  return systemd::installed_sets();
}

// Commands with + run without any of it.
void note_privileged(const Assignment& each, std::vector<Note>& notes) {
  if (!each.key.text().starts_with("Exec")) return;
  const std::string_view value = each.value.text();
  const std::size_t end = std::min(value.find_first_not_of("@-:+!"), value.size());
  if (value.substr(0, end).contains('+')) {
    notes.push_back({each.value.at(0), "a command with + runs without the filters"});
  }
}

// What the assignments of one file do.
void apply(const systemd::UnitText& unit, std::string_view section, systemd::OptionReader& reader,
           std::vector<Note>& notes) {
  for (const Assignment& each : unit.assignments) {
    if (each.section == section) {
      note_privileged(each, notes);
      reader.apply(each);
    } else if (!each.section.starts_with("X-") && systemd::is_option(each.key.text())) {
      notes.push_back({each.key.at(0), fmt::format("{}= stands in [{}], not in [{}]: systemd "
                                                   "ignores it",
                                                   each.key.text(), each.section, section)});
    }
  }
}

// Notes and places of a drop-in are of another file: its name stands for them.
void add_notes(std::vector<Note>& notes, const std::vector<Note>& of_file, std::string_view name) {
  for (const Note& note : of_file) {
    notes.push_back({{},
                     fmt::format("{}: line {}, column {}: {}", name, note.place.line,
                                 note.place.column, note.message)});
  }
}

// Into the order of the text. Notes without a place are about drop-ins or programs: they come last.
void sort_notes(std::vector<Note>& notes) {
  std::multimap<std::pair<std::size_t, std::size_t>, Note> by_place;  // equal ones stay in order
  for (Note& note : notes) {
    const std::size_t line = note.place.line == 0 ? ~std::size_t{0} : note.place.line;
    by_place.emplace(std::pair(line, note.place.column), std::move(note));
  }
  notes.clear();
  for (auto& [place, note] : by_place) notes.push_back(std::move(note));
}

std::expected<void, ReadError> read_drop_in(const std::string& name, std::string_view section,
                                            const systemd::SyscallSets& sets,
                                            const Deployment& deployment, systemd::Options& options,
                                            std::vector<Note>& notes) {
  const auto text = read_file(name);
  if (!text) return fail(fmt::format("{}: {}", name, text.error().message));
  systemd::UnitText unit;
  std::vector<Note> own;
  const auto read = systemd::read_unit(*text, unit, own);
  systemd::OptionReader reader(sets, deployment.model.arch, options, own, false);
  apply(unit, section, reader, own);
  if (!read) {
    own.push_back({{read.error().line.value_or(0), read.error().column.value_or(0)},
                   read.error().message + ", and keeps what stands before"});
  }
  add_notes(notes, own, name);
  return {};
}

}  // namespace

bool detect_systemd(std::string_view text, std::string_view path) {
  if (type_of(path) != nullptr) return true;
  systemd::UnitText unit;
  std::vector<Note> notes;
  if (!text.contains('[') || !systemd::read_unit(text, unit, notes)) return false;
  return std::ranges::any_of(unit.assignments, [](const Assignment& each) {
    return systemd::is_option(each.key.text()) &&
           std::ranges::find(kTypes, each.section, &UnitType::section) != kTypes.end();
  });
}

ReadProfile read_systemd(std::string_view text, std::string_view path,
                         const Deployment& deployment) {
  Profile out;
  systemd::UnitText unit;
  if (auto read = systemd::read_unit(text, unit, out.notes); !read) {
    return std::unexpected(read.error());
  }
  const UnitType* type = type_of(path);
  const std::string_view section = type != nullptr ? type->section : section_in(unit);
  if (section.empty()) return fail("it has no [Service], [Socket], [Mount] or [Swap]");
  const auto sets = sets_for(deployment.systemd, !path.empty());
  if (!sets) return std::unexpected(sets.error());

  systemd::Options options;
  systemd::OptionReader reader(*sets, deployment.model.arch, options, out.notes, true);
  apply(unit, section, reader, out.notes);
  if (!deployment.extra.empty() && path.empty())
    return fail("a unit without a name has no drop-ins");
  for (const std::string& name : deployment.extra) {
    if (auto read = read_drop_in(name, section, *sets, deployment, options, out.notes); !read) {
      return std::unexpected(read.error());
    }
  }
  auto layers = systemd::layers_of(options, *sets, deployment.model, out.notes);
  if (!layers) return std::unexpected(layers.error());
  out.layers = std::move(*layers);
  sort_notes(out.notes);
  return out;
}

}  // namespace callgate::front_ends
