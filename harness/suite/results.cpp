#include "harness/suite/results.hpp"

namespace callgate::suite {

std::string_view to_string(Status status) noexcept {
  switch (status) {
    case Status::Passed:
      return "passed";
    case Status::Failed:
      return "failed";
    case Status::Absent:
      return "absent";
    case Status::Unknown:
      return "unknown";
    case Status::Error:
      return "error";
  }
  return "";
}

void Counts::add(Status status) noexcept {
  switch (status) {
    case Status::Passed:
      ++passed;
      return;
    case Status::Failed:
      ++failed;
      return;
    case Status::Absent:
      ++absent;
      return;
    case Status::Unknown:
      ++unknown;
      return;
    case Status::Error:
      ++errors;
      return;
  }
}

Counts RunResults::counts() const noexcept {
  Counts out;
  for (const CaseResult& each : cases) out.add(each.status);
  return out;
}

}  // namespace callgate::suite
