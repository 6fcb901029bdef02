#pragma once

#include <string>

#include "harness/suite/results.hpp"

/// Results that reporters are tested with: texts that end a quote, an element or a line, that are a
/// command or a directive, and that are no text at all.
namespace callgate::suite {

inline RunResults hostile_results() {
  using namespace std::string_literals;
  RunResults out;
  out.seconds = 0.418;
  CaseResult usual;
  usual.suite = "suites/default_test.yaml";
  usual.name = "allow: read [x86_64]";
  usual.arch = "x86_64";
  usual.kernel = "6.18";
  usual.place = {.file = "suites/default_test.yaml", .line = 5, .column = 7};
  usual.how = "proved";
  usual.seconds = 0.001;
  out.cases.push_back(usual);

  CaseResult failed = usual;
  failed.name = "errno EPERM: socket(AF_VSOCK, *, *) [x86_64]";
  failed.place.line = 12;
  failed.status = Status::Failed;
  failed.reason = "guests may not talk to the host";
  failed.failures.push_back(
      {.call = "socket(AF_VSOCK)",
       .expected = "ERRNO(1), EPERM",
       .actual = "ALLOW",
       .outcome = "executes",
       .path = {"0: ld [0]", "1: jeq #0x29, 2, 3", "5: ret ALLOW"},
       .rule = "rule for socket: ALLOW",
       .rule_place = CasePlace{.file = "default.json", .line = 40, .column = 3},
       .hint = "the upper half of the argument is not compared"});
  failed.failures.push_back(
      {.call = "socket(0x100000028)", .expected = "ERRNO(1)", .actual = "ALLOW"});
  out.cases.push_back(failed);

  CaseResult unknown = usual;
  unknown.name = "deny: mul [x86_64]";
  unknown.status = Status::Unknown;
  unknown.how = "tried 48 calls";
  unknown.note = "a product of two arguments is compared";
  out.cases.push_back(unknown);

  for (const char* name : {"allow: open [aarch64]", "allow: stat [aarch64]"}) {
    CaseResult absent = usual;
    absent.name = name;
    absent.arch = "aarch64";
    absent.status = Status::Absent;
    absent.how = "";
    absent.note = "aarch64 has no such call";
    out.cases.push_back(absent);
  }

  // A suite of its own, with a name that is no name.
  const std::string bad =
      "a\"b'c<d>&e]]>f\ng\rh\0i\x1b[31mj\xffk%l#m\\n # SKIP o # TODO p::error::q,r:s "
      "##[error]t\xe2\x80"
      "\xa8u\xe2\x80\xaev\xef\xbf\xbfw\xc3\xa4\xf0\x9f\x98\x80\xed\xa0\x80 ---\n...\nok 1\nBail out!"s;
  CaseResult hostile = failed;
  hostile.suite = bad;
  hostile.name = bad;
  hostile.arch = bad;
  hostile.kernel = bad;
  hostile.place.file = bad;
  hostile.how = bad;
  hostile.reason = bad;
  hostile.failures = {{.call = bad,
                       .expected = bad,
                       .actual = bad,
                       .outcome = bad,
                       .path = {bad, bad},
                       .rule = bad,
                       .rule_place = CasePlace{.file = bad, .line = 1},
                       .hint = bad}};
  out.cases.push_back(hostile);
  hostile.failures.clear();
  hostile.note = bad;
  for (const Status status : {Status::Absent, Status::Unknown, Status::Error, Status::Passed}) {
    hostile.status = status;
    hostile.name = bad + std::string(to_string(status));
    out.cases.push_back(hostile);
  }

  // As little as there can be.
  CaseResult bare;
  bare.suite = "bare";
  bare.name = "passed";
  out.cases.push_back(bare);
  bare.name = "error";
  bare.status = Status::Error;
  out.cases.push_back(bare);
  bare.name = "failed";
  bare.status = Status::Failed;
  bare.failures.push_back({.call = "read()", .expected = "ALLOW", .actual = "KILL_PROCESS"});
  out.cases.push_back(bare);
  out.not_run = 3;
  return out;
}

}  // namespace callgate::suite
