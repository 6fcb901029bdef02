#include <array>

#include "harness/tune/orders.hpp"

namespace callgate::tune {
namespace {

using Kind = GeneratorRow::Kind;

// Sources: what libseccomp 2.5.4, firejail 0.9.72's fseccomp and fsec-optimize were seen to make;
// syscall_filter.c and tools/compiler.py of minijail (7a35365), codegen.c of kafel (00532cc),
// src/backend/filter.rs of seccompiler (1c66faf).
constexpr std::array kGenerators = {
    GeneratorRow{"oci", Kind::Libseccomp,
                 "the order in this file has no effect: the runtime hands its rules to libseccomp, "
                 "which orders calls itself"},
    GeneratorRow{"systemd", Kind::Libseccomp,
                 "the order in this unit has no effect: systemd hands its lists to libseccomp, "
                 "which orders calls itself"},
    GeneratorRow{"firejail", Kind::Text,
                 "firejail asks calls in the order of its lists, behind those that it puts first "
                 "itself"},
    GeneratorRow{"pfc", Kind::Libseccomp,
                 "no program reads this file: it shows a filter that libseccomp has made, and "
                 "libseccomp orders calls itself"},
    GeneratorRow{"lxc", Kind::Libseccomp,
                 "the order in this file has no effect: LXC hands its rules to libseccomp, which "
                 "orders calls itself"},
    GeneratorRow{"seccompiler", Kind::Own,
                 "the order in this file has no effect: seccompiler asks calls by rising number, "
                 "one after the other"},
    GeneratorRow{"firecracker", Kind::Libseccomp,
                 "the order in this file has no effect: Firecracker's compiler hands its rules to "
                 "libseccomp, which orders calls itself"},
    GeneratorRow{
        "kafel", Kind::Own,
        "the order in this policy has no effect but between rules of one call: kafel makes "
        "a balanced tree over ranges of numbers"},
    GeneratorRow{"minijail-compiler", Kind::Frequencies,
                 "the order in this policy has no effect but between statements about one call: "
                 "compile_seccomp_policy orders calls by frequencies"},
    GeneratorRow{"minijail", Kind::Text, "libminijail asks calls in the order of the lines"},
};

}  // namespace

std::span<const GeneratorRow> generators() noexcept { return kGenerators; }

}  // namespace callgate::tune
