// Coverage of real filters in every format, for tests of the tools that read them:
//
//     callgate_coverage_documents FILTER...
//
// writes coverage.NAME for each writer into the working folder, with what belongs beside it, after
// some calls and a proof. With --time FILTER it says how long a million calls take.

#include <fmt/format.h>

#include <chrono>
#include <cstdio>
#include <fstream>
#include <string>
#include <vector>

#include "harness/coverage/writers.hpp"
#include "harness/filters/filter_files.hpp"
#include "harness/random/generator.hpp"
#include "verifier/meaning.hpp"

namespace callgate::coverage {
namespace {

struct Failed {
  std::string why;
};

void write(const std::string& path, const std::string& text) {
  std::ofstream out(path, std::ios::binary);
  out << text;
  if (!out.flush()) throw Failed{path + " could not be written"};
}

Report report_of(const std::string& path, std::size_t calls, bool timed) {
  front_ends::LoadOptions options;
  options.program.arch = options.deployment.model.arch;
  const auto read = filters::read_filters(path, options);
  if (!read) throw Failed{read.error()};
  const auto stack = filters::stack_of(read->filters, options.deployment.model);
  if (!stack) throw Failed{path + " is refused"};
  verifier::Space space;
  verifier::Endings endings(space);
  const verifier::StackMeaning meaning = verifier::meaning_of(endings, *stack);
  Collector collector(read->filters, *stack, endings, meaning);
  random::Source source(1);
  std::vector<SeccompData> inputs;
  const std::uint32_t token = info(options.deployment.model.arch).token;
  for (std::size_t i = 0; i < calls; ++i) {
    inputs.push_back(random::input(source, stack->program(0), token));
  }
  const auto start = std::chrono::steady_clock::now();
  collector.add(inputs);
  const auto ran = std::chrono::steady_clock::now();
  // One proof, of the calls with the numbers below 4.
  collector.add(space.between(verifier::Field::Nr, 0, 3));
  Report out = collector.report();
  const auto done = std::chrono::steady_clock::now();
  if (timed) {
    fmt::print("{}: {} instructions, {} calls in {:.3f} s, report in {:.3f} s\n", path,
               stack->program(0).size(), calls, std::chrono::duration<double>(ran - start).count(),
               std::chrono::duration<double>(done - ran).count());
  }
  return out;
}

int run(const std::vector<std::string>& words) {
  const bool timed = !words.empty() && words[0] == "--time";
  Report report;
  for (std::size_t i = timed ? 1 : 0; i < words.size(); ++i) {
    report.merge(report_of(words[i], timed ? 1'000'000 : 200, timed));
  }
  if (timed) return 0;
  for (const WriterRow& row : writers()) {
    const std::string path = fmt::format("coverage.{}", row.name);
    const Document document = row.write(report, {.path = path});
    write(path, document.text);
    for (const Beside& each : document.beside) write(each.path, each.text);
  }
  const Count lines = report.instructions();
  fmt::print("{} of {} instructions\n", lines.covered, lines.all());
  return 0;
}

}  // namespace
}  // namespace callgate::coverage

int main(int argc, char** argv) {
  try {
    return callgate::coverage::run({argv + 1, argv + argc});
  } catch (const callgate::coverage::Failed& failed) {
    fmt::print(stderr, "{}\n", failed.why);
    return 2;
  }
}
