#include <fmt/format.h>

#include <algorithm>

#include "harness/coverage/source_lines.hpp"
#include "harness/report/html.hpp"
#include "harness/suite/clean_text.hpp"

namespace callgate::coverage {
namespace {

// How many, and how many were hit.
struct Share {
  std::size_t covered = 0;
  std::size_t valid = 0;

  void add(const Share& other) {
    covered += other.covered;
    valid += other.valid;
  }
  // Nothing to cover is all of it.
  [[nodiscard]] double rate() const {
    return valid == 0 ? 1 : static_cast<double>(covered) / static_cast<double>(valid);
  }
};

Share branches_on(const SourceLine& line) {
  return {static_cast<std::size_t>(
              std::ranges::count_if(line.branches, [](std::uint64_t hits) { return hits > 0; })),
          line.branches.size()};
}

struct Shares {
  Share lines;
  Share branches;

  void add(const Shares& other) {
    lines.add(other.lines);
    branches.add(other.branches);
  }
  [[nodiscard]] std::string attributes() const {
    return fmt::format(R"(line-rate="{:.4f}" branch-rate="{:.4f}" complexity="0")", lines.rate(),
                       branches.rate());
  }
};

Shares shares_of(const SourceFile& file) {
  Shares out;
  for (const auto& [number, line] : file.lines) {
    out.lines.add({line.hits > 0 ? std::size_t{1} : 0, 1});
    out.branches.add(branches_on(line));
  }
  return out;
}

// XML 1.0 has no control characters, not even escaped.
std::string attribute(std::string_view text) { return report::html_escaped(suite::one_line(text)); }

std::string line_element(std::size_t number, const SourceLine& line) {
  const Share share = branches_on(line);
  if (share.valid == 0) {
    return fmt::format("            <line number=\"{}\" hits=\"{}\" branch=\"false\"/>\n", number,
                       line.hits);
  }
  const std::size_t percent = 100 * share.covered / share.valid;
  return fmt::format(
      "            <line number=\"{}\" hits=\"{}\" branch=\"true\" condition-coverage=\"{}% "
      "({}/{})\">\n"
      "              <conditions>\n"
      "                <condition number=\"0\" type=\"jump\" coverage=\"{}%\"/>\n"
      "              </conditions>\n"
      "            </line>\n",
      number, line.hits, percent, share.covered, share.valid, percent);
}

}  // namespace

Document cobertura(const Report& report, const Layout& layout) {
  const std::vector<SourceFile> files = source_files(report, layout);
  Shares all;
  std::string packages;
  for (const SourceFile& file : files) {
    const Shares shares = shares_of(file);
    all.add(shares);
    packages += fmt::format(
        "    <package name=\"{0}\" {2}>\n      <classes>\n"
        "        <class name=\"{0}\" filename=\"{1}\" {2}>\n          <methods/>\n"
        "          <lines>\n",
        attribute(file.name), attribute(file.path), shares.attributes());
    for (const auto& [number, line] : file.lines) packages += line_element(number, line);
    packages += "          </lines>\n        </class>\n      </classes>\n    </package>\n";
  }
  return {
      fmt::format("<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n"
                  "<!DOCTYPE coverage SYSTEM "
                  "\"http://cobertura.sourceforge.net/xml/coverage-04.dtd\">\n"
                  "<coverage {} lines-covered=\"{}\" lines-valid=\"{}\" branches-covered=\"{}\" "
                  "branches-valid=\"{}\" version=\"callgate\" timestamp=\"{}\">\n"
                  "  <sources>\n    <source>.</source>\n  </sources>\n"
                  "  <packages>\n{}  </packages>\n</coverage>\n",
                  all.attributes(), all.lines.covered, all.lines.valid, all.branches.covered,
                  all.branches.valid, layout.timestamp, packages),
      listings_of(files)};
}

}  // namespace callgate::coverage
