#include "harness/coverage/source_lines.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <cctype>
#include <set>

#include "harness/report/disassembly.hpp"
#include "harness/suite/clean_text.hpp"

namespace callgate::coverage {
namespace {

bool counts(const Point& point) {
  return point.state != State::Unreachable && point.state != State::Foreign;
}

std::uint64_t hits_of(const Point& point) {
  return point.state == State::Covered ? std::max<std::uint64_t>(point.inputs, 1) : 0;
}

// The name of a listing beside a document: no folders, nothing that a shell or a tool minds.
std::string listing_path(const Layout& layout, const ProgramCoverage& program,
                         std::set<std::string>& used) {
  std::string name = program.file.substr(program.file.rfind('/') + 1);
  for (char& c : name) {
    const bool plain = std::isalnum(static_cast<unsigned char>(c)) != 0 || c == '.' || c == '-';
    if (!plain) c = '_';
  }
  const std::string base = fmt::format("{}{}{}.{}", layout.path, layout.path.empty() ? "" : ".",
                                       name, info(program.arch).name);
  std::string path = base + ".lst";
  for (int i = 2; !used.insert(path).second; ++i) path = fmt::format("{}.{}.lst", base, i);
  return path;
}

SourceFile file_of_program(const Report& report, const ProgramCoverage& program, std::string path) {
  SourceFile out{std::move(path), program_name(report, program), {}, {}};
  const std::vector<std::string> lines = report::statements(program.program, program.arch);
  for (std::size_t at = 0; at < lines.size(); ++at) {
    out.listing += fmt::format("{:04}  {}\n", at, lines[at]);
    if (!counts(program.instructions[at])) continue;
    SourceLine& line = out.lines[at + 1];
    line.hits = hits_of(program.instructions[at]);
    const auto branch = program.branches.find(at);
    if (branch == program.branches.end()) continue;
    for (const Point* way : {&branch->second.taken, &branch->second.not_taken}) {
      if (counts(*way)) line.branches.push_back(hits_of(*way));
    }
  }
  return out;
}

}  // namespace

std::vector<SourceFile> source_files(const Report& report, const Layout& layout) {
  std::vector<SourceFile> out;
  const std::string* before = nullptr;
  for (const RuleCoverage& rule : report.rules) {
    if (before == nullptr || *before != rule.file) {
      const std::string name = suite::one_line(rule.file);
      out.push_back({name, name, {}, {}});
    }
    before = &rule.file;
    if (!counts(rule.point)) continue;
    SourceLine& line = out.back().lines[rule.line];
    line.hits += hits_of(rule.point);
    line.branches.push_back(hits_of(rule.point));
  }
  for (SourceFile& file : out) {
    for (auto& [number, line] : file.lines) {
      if (line.branches.size() == 1) line.branches.clear();
    }
  }
  std::set<std::string> used;
  for (const ProgramCoverage& program : report.programs) {
    out.push_back(file_of_program(report, program, listing_path(layout, program, used)));
  }
  return out;
}

std::vector<Beside> listings_of(const std::vector<SourceFile>& files) {
  std::vector<Beside> out;
  for (const SourceFile& file : files) {
    if (!file.listing.empty()) out.push_back({file.path, file.listing});
  }
  return out;
}

}  // namespace callgate::coverage
