#include <fmt/format.h>

#include "harness/workload/table.hpp"
#include "harness/workload/words.hpp"

namespace callgate::workload {

std::string written(const Workload& workload) {
  std::string out;
  const std::string name = clean_note(workload.name);
  if (!name.empty()) out += fmt::format("workload {}\n", name);
  for (const std::string& each : workload.notes) {
    const std::string note = clean_note(each);
    if (!note.empty()) out += fmt::format("# {}\n", note);
  }
  ArgumentValues values;
  std::string section;
  for (const KnownCall& call : workload.calls) {
    std::string here = section_words(call);
    if (here != section) {
      out += fmt::format("{}arch {}\n", out.empty() ? "" : "\n", here);
      section = std::move(here);
    }
    out += fmt::format("{} {}\n", values.call(call), call.count);
  }
  return out;
}

}  // namespace callgate::workload
