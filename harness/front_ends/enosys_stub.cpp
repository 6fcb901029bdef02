// runc's stub. Numbers above the largest that a profile names are likely of calls that are younger
// than the profile: they get ENOSYS, whatever the default is.

#include <algorithm>

#include "harness/front_ends/oci_profile.hpp"
#include "vm/opcodes.hpp"

namespace callgate::front_ends {
namespace {

constexpr std::uint32_t kEnosys = 0x00050026U;
constexpr std::uint32_t kX32Bit = 0x40000000U;
constexpr std::size_t kReach = 255;

Instruction make(Opcode opcode, std::uint32_t k, std::size_t jt = 0, std::size_t jf = 0) {
  return {static_cast<std::uint16_t>(opcode), static_cast<std::uint8_t>(jt),
          static_cast<std::uint8_t>(jf), k};
}

// All that share a token: one, or x86_64 and x32.
struct Section {
  std::uint32_t token = 0;
  std::vector<LargestNumber> largest;
};

std::vector<Section> sections_of(std::span<const LargestNumber> largest) {
  std::vector<Section> out;
  for (const LargestNumber& each : largest) {
    const std::uint32_t token = info(each.arch).token;
    auto section = std::ranges::find(out, token, &Section::token);
    if (section == out.end()) section = out.insert(out.end(), Section{token, {}});
    if (each.nr != 0) section->largest.push_back(each);
  }
  return out;
}

// `enosys`: how many instructions lie between the section's end and the return of ENOSYS; the
// filter begins one behind that.
Program code_of(const Section& section, std::size_t enosys) {
  Program out{make(Opcode::LdAbs, 0)};
  const std::size_t filter = enosys + 1;
  const auto to_filter = make(Opcode::Ja, static_cast<std::uint32_t>(filter));
  if (section.largest.size() == 2) {
    const bool x32_first = section.largest[0].arch == Arch::X32;
    const std::uint32_t x32 = section.largest[x32_first ? 0 : 1].nr;
    const std::uint32_t x86_64 = section.largest[x32_first ? 1 : 0].nr;
    out.push_back(make(Opcode::JsetK, kX32Bit, 1));
    if (enosys + 2 <= kReach) {
      out.push_back(make(Opcode::JgtK, x86_64, enosys + 2, 1));
      out.push_back(make(Opcode::JgtK, x32, enosys + 1));
    } else {
      out.push_back(make(Opcode::JgtK, x86_64, 1, 2));
      out.push_back(make(Opcode::JgtK, x32, 0, 1));
      out.push_back(make(Opcode::RetK, kEnosys));
    }
    out.push_back(to_filter);
    return out;
  }
  const LargestNumber& only = section.largest.front();
  if (only.arch == Arch::S390 || only.arch == Arch::S390x) {
    // Unknown numbers become 0, setup(), there.
    out.push_back(make(Opcode::JeqK, 0, 0, 1));
    out.push_back(make(Opcode::RetK, kEnosys));
  }
  Program tail;
  if (enosys + 1 <= kReach) {
    tail = {make(Opcode::JgtK, only.nr, enosys + 1), to_filter};
  } else {
    tail = {make(Opcode::JgtK, only.nr, 0, 1), make(Opcode::RetK, kEnosys), to_filter};
  }
  // Numbers of the other ABI go to the filter as they are.
  if (only.arch == Arch::X86_64) out.push_back(make(Opcode::JsetK, kX32Bit, tail.size() - 1));
  if (only.arch == Arch::X32) out.push_back(make(Opcode::JsetK, kX32Bit, 0, tail.size() - 1));
  std::ranges::copy(tail, std::back_inserter(out));
  return out;
}

}  // namespace

Program enosys_stub(std::span<const LargestNumber> largest) {
  const std::vector<Section> sections = sections_of(largest);
  Program out{make(Opcode::Ja, 1), make(Opcode::RetK, kEnosys)};
  std::vector<std::size_t> starts;  // from the end
  for (const Section& section : sections) {
    if (section.largest.empty()) {
      starts.push_back(0);
      continue;
    }
    const Program code = code_of(section, out.size() - 1);
    out.insert(out.begin(), code.begin(), code.end());
    starts.push_back(out.size());
  }
  out.insert(out.begin(), make(Opcode::Ja, static_cast<std::uint32_t>(out.size())));
  for (std::size_t i = 0; i < sections.size(); ++i) {
    const std::size_t jump = out.size() - starts[i];
    if (jump <= kReach) {
      out.insert(out.begin(), make(Opcode::JeqK, sections[i].token, jump));
    } else {
      out.insert(out.begin(), {make(Opcode::JeqK, sections[i].token, 0, 1),
                               make(Opcode::Ja, static_cast<std::uint32_t>(jump))});
    }
  }
  out.insert(out.begin(), make(Opcode::LdAbs, 4));
  return out;
}

}  // namespace callgate::front_ends
