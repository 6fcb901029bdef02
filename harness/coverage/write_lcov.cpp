#include <fmt/format.h>

#include "harness/coverage/source_lines.hpp"

namespace callgate::coverage {

Document lcov_tracefile(const Report& report, const Layout& layout) {
  const std::vector<SourceFile> files = source_files(report, layout);
  std::string out;
  for (const SourceFile& file : files) {
    std::string branches;
    std::string lines;
    std::size_t branches_found = 0;
    std::size_t branches_hit = 0;
    std::size_t lines_hit = 0;
    for (const auto& [number, line] : file.lines) {
      lines += fmt::format("DA:{},{}\n", number, line.hits);
      lines_hit += line.hits > 0 ? std::size_t{1} : 0;
      for (std::size_t i = 0; i < line.branches.size(); ++i) {
        // "-": the line itself was never come to.
        const std::string taken = line.hits == 0 ? "-" : fmt::format("{}", line.branches[i]);
        branches += fmt::format("BRDA:{},0,{},{}\n", number, i, taken);
        ++branches_found;
        branches_hit += line.branches[i] > 0 ? std::size_t{1} : 0;
      }
    }
    out += fmt::format("TN:callgate\nSF:{}\n{}BRF:{}\nBRH:{}\n{}LF:{}\nLH:{}\nend_of_record\n",
                       file.path, branches, branches_found, branches_hit, lines, file.lines.size(),
                       lines_hit);
  }
  return {out, listings_of(files)};
}

}  // namespace callgate::coverage
