#include "harness/cli/encodings.hpp"

#include <algorithm>
#include <array>

#include "harness/report/disassembly.hpp"
#include "harness/report/syntaxes.hpp"

namespace callgate::cli {
namespace {

constexpr std::array kEncodings = {
    Encoding{
        "raw", "struct sock_filter as it lies in memory", "bpf",
        [](const Program& program, ByteOrder order) { return report::raw_bytes(program, order); }},
    Encoding{
        "hex", "the raw bytes as hexadecimal digits", "hex",
        [](const Program& program, ByteOrder order) { return report::hex_text(program, order); }},
    Encoding{"c-rows", "rows `{ code, jt, jf, k },`", "c",
             [](const Program& program, ByteOrder /*order*/) { return report::c_rows(program); }},
    Encoding{
        "c-string", "the raw bytes as \"\\x20\\x00...\"", "c",
        [](const Program& program, ByteOrder order) { return report::c_string(program, order); }},
    Encoding{
        "c-bytes", "the raw bytes as `{32, 0, ...}`", "c",
        [](const Program& program, ByteOrder order) { return report::c_bytes(program, order); }},
    Encoding{"c-macros", "BPF_STMT(...) and BPF_JUMP(...)", "c",
             [](const Program& program, ByteOrder /*order*/) { return report::c_macros(program); }},
    Encoding{"decimal", "a count, then lines `code jt jf k`", "txt",
             [](const Program& program, ByteOrder /*order*/) { return report::decimal(program); }},
};

}  // namespace

std::span<const Encoding> encodings() noexcept { return kEncodings; }

const Encoding* find_encoding(std::string_view name) noexcept {
  const auto* const found = std::ranges::find(kEncodings, name, &Encoding::name);
  return found == kEncodings.end() ? nullptr : found;
}

}  // namespace callgate::cli
