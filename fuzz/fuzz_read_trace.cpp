// Any bytes in any format of traces: calls, or an error that says something. What is read is
// written by the recorder as what is read as the same. What a filter is said to make of a call is
// what it makes of it whatever stands in the words that are not known.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "fuzz/require.hpp"
#include "harness/trace/binary.hpp"
#include "harness/trace/replay.hpp"
#include "harness/trace/trace.hpp"
#include "verifier/check.hpp"

namespace {

namespace trace = callgate::trace;
using callgate::fuzz::require;

constexpr std::size_t kMostCalls = 2000;
constexpr std::size_t kJudged = 64;

struct Read {
  std::vector<trace::Call> calls;
  std::vector<trace::Returned> returned;
};

// Asks for the architecture, the number, both halves of an argument, a low half, the pointer.
callgate::FilterStack stack() {
  const callgate::Program program = {
      {0x20, 0, 0, 4},         {0x15, 1, 0, 0xc000003e}, {0x06, 0, 0, 0},
      {0x20, 0, 0, 0},         {0x15, 1, 0, 1},          {0x25, 2, 6, 200},
      {0x20, 0, 0, 16},        {0x15, 7, 4, 2},          {0x20, 0, 0, 28},
      {0x15, 5, 0, 0},         {0x20, 0, 0, 32},         {0x45, 3, 0, 1},
      {0x20, 0, 0, 8},         {0x35, 1, 0, 0x7fff},     {0x06, 0, 0, 0x00050001},
      {0x06, 0, 0, 0x7fff0000}};
  callgate::KernelModel model;
  model.arch = callgate::Arch::X86_64;
  callgate::FilterStack made(model);
  const auto checked = callgate::verifier::check(program, model);
  require(checked.has_value() && made.push(*checked).has_value());
  return made;
}

// The call with noise in all words that are not known.
callgate::SeccompData filled(const trace::Call& call, std::uint64_t noise) {
  callgate::SeccompData data = call.data;
  const auto word = [&](unsigned bit, std::uint64_t& field, bool high) {
    if ((call.known >> bit & 1U) != 0) return;
    const std::uint64_t part = (noise * (2 * bit + 1)) & 0xffffffffU;
    field = high ? (field & 0xffffffffU) | part << 32U : (field & ~0xffffffffULL) | part;
  };
  std::uint64_t nr = static_cast<std::uint32_t>(data.nr);
  std::uint64_t arch = data.arch;
  word(0, nr, false);
  word(1, arch, false);
  data.nr = static_cast<std::int32_t>(static_cast<std::uint32_t>(nr));
  data.arch = static_cast<std::uint32_t>(arch);
  word(2, data.instruction_pointer, false);
  word(3, data.instruction_pointer, true);
  for (unsigned i = 0; i < data.args.size(); ++i) {
    word(4 + 2 * i, data.args[i], false);
    word(5 + 2 * i, data.args[i], true);
  }
  return data;
}

void judge(const std::vector<trace::Call>& calls) {
  const callgate::FilterStack filters = stack();
  for (std::size_t i = 0; i < calls.size() && i < kJudged; ++i) {
    const trace::Judgement judgement = trace::judge(filters, calls[i]);
    if (!judgement.unknown.empty() || judgement.exempt) continue;
    for (const std::uint64_t noise : {0ULL, 1ULL, 0x9e3779b97f4a7c15ULL, ~0ULL}) {
      require(filters.run(filled(calls[i], noise)) == judgement.verdict);
    }
  }
}

void written_again(const Read& read) {
  trace::BinaryWriter writer;
  writer.header("6.18", "x86_64", {"a"});
  for (const trace::Call& call : read.calls) writer.call(call.tid, call.data);
  for (const trace::Returned& each : read.returned) writer.returned(each.tid, each.value);
  writer.end();
  Read again;
  const auto header = trace::read(
      writer.bytes, "callgate", {},
      {.call = [&](const trace::Call& call) { again.calls.push_back(call); },
       .returned = [&](const trace::Returned& each) { again.returned.push_back(each); }});
  require(header.has_value() && !header->cut);
  require(again.calls.size() == read.calls.size() && again.returned == read.returned);
  for (std::size_t i = 0; i < read.calls.size(); ++i) {
    require(again.calls[i].data == read.calls[i].data && again.calls[i].tid == read.calls[i].tid);
  }
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* bytes, std::size_t size) {
  if (size == 0) return 0;
  const std::vector<trace::FormatRow>& formats = trace::formats();
  const std::size_t choice = (bytes[0] & 0xfU) % (formats.size() + 1);
  const std::string_view format = choice == 0 ? std::string_view() : formats[choice - 1].name;
  const std::string_view text(reinterpret_cast<const char*>(bytes + 1), size - 1);
  Read read;
  const trace::Sink sink{.call =
                             [&](const trace::Call& call) {
                               require(call.count > 0);
                               if (read.calls.size() < kMostCalls) read.calls.push_back(call);
                             },
                         .returned =
                             [&](const trace::Returned& each) {
                               if (read.returned.size() < kMostCalls) read.returned.push_back(each);
                             }};
  const auto header =
      trace::read(text, format,
                  {.arch = callgate::Arch::X86_64, .trust_numbers = (bytes[0] & 0x10U) != 0}, sink);
  if (!header) {
    require(!header.error().message.empty());
    return 0;
  }
  require(!header->format.empty());
  for (const std::string& note : header->notes) require(!note.empty());
  judge(read.calls);
  written_again(read);
  return 0;
}
