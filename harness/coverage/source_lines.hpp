#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "harness/coverage/writers.hpp"

/// Coverage as tools for source code see it: lines of files, and branches on them.
namespace callgate::coverage {

/// A line, and how often it was hit; what only proofs come to was hit once.
struct SourceLine {
  std::uint64_t hits = 0;
  std::vector<std::uint64_t> branches;  ///< those that could be taken
};

/// A file: a profile with its rules, or the listing of a program.
struct SourceFile {
  std::string path;
  std::string name;                         ///< of the filter
  std::map<std::size_t, SourceLine> lines;  ///< what can be covered, by line, from 1
  std::string listing;                      ///< the text of a listing; empty: the file is there
};

/// Rules of a line are its branches where there are several. What is unreachable or foreign is not
/// there.
[[nodiscard]] std::vector<SourceFile> source_files(const Report& report, const Layout& layout);

/// The listings, to go beside a document.
[[nodiscard]] std::vector<Beside> listings_of(const std::vector<SourceFile>& files);

}  // namespace callgate::coverage
