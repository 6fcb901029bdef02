"""Wrong semantics to plant, one a row: the positive control of the campaigns and fuzz targets.

Each is a change of one place in a copy of the sources (plant.py makes it), switched on at run time.
`seen_in` names who has or had the error; `proofs` are those that must find it: properties of
`callgate fuzz-live`, and fuzz targets (fuzz_NAME).
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Error:
    name: str
    seen_in: str
    file: str
    before: str  # stands once in the file
    after: str  # {on}: whether this error was chosen
    proofs: tuple[str, ...]


REFERENCE = "vm/reference.hpp"
VALUES = ("values", "fuzz_result_kernel")
CHECKER = ("mutants", "fuzz_check_kernel")
STACKS = ("stacks", "fuzz_stack_kernel")
SCRIPTS = ("scripts", "fuzz_task_kernel")
ENGINES = ("engines", "fuzz_engines")

ERRORS = [
    # What instructions do.
    Error(
        "tax_and_txa_are_swapped", "gVisor", REFERENCE,
        "        x = a;\n        break;\n      case 0x87:\n        a = x;",
        "        if ({on}) a = x; else x = a;\n        break;\n"
        "      case 0x87:\n        if ({on}) x = a; else a = x;", VALUES),
    Error(
        "shift_by_x_of_32_gives_0", "seccomp-tools, gVisor, x/net/bpf, libpcap", REFERENCE,
        "a = shift.gives_zero ? 0 : shifted;",
        "a = shift.gives_zero || ({on} && x >= 32) ? 0 : shifted;", VALUES),
    Error(
        "shift_by_x_changes_x", "ceccomp", REFERENCE,
        "        const std::uint32_t shifted =",
        "        if ({on}) x &= 31U;\n        const std::uint32_t shifted =", VALUES),
    Error(
        "neg_is_not", "a slip that tests with 0 and 1 overlook", REFERENCE,
        "        a = 0U - a;", "        a = {on} ? ~a : 0U - a;", VALUES),
    Error(
        "division_by_x_0_goes_on_with_0", "FEX", REFERENCE,
        "        if (x == 0) return returns(0);\n        a /= x;",
        "        if (x == 0 && !{on}) return returns(0);\n        a = x == 0 ? 0 : a / x;", VALUES),
    Error(
        "ret_a_returns_k", "gosecco", REFERENCE,
        "        return returns(a);", "        return returns({on} ? i.k : a);", VALUES),
    Error(
        "st_stores_x", "FEX", REFERENCE,
        "memory[i.k] = i.code == 0x02 ? a : x;",
        "memory[i.k] = i.code == 0x02 && !{on} ? a : x;", VALUES),
    Error(
        "ldx_len_writes_a", "bpf_dbg", REFERENCE,
        "      case 0x81:\n        x = 64;", "      case 0x81:\n        ({on} ? a : x) = 64;", VALUES),
    Error(
        "len_is_72", "minijail's simulator", REFERENCE,
        "        a = 64;", "        a = {on} ? 72 : 64;", VALUES),
    Error(
        "jgt_is_signed", "emulators in languages of signed numbers", REFERENCE,
        "branch(a > i.k);",
        "branch({on} ? static_cast<std::int32_t>(a) > static_cast<std::int32_t>(i.k) : a > i.k);",
        VALUES),
    Error(
        "jset_wants_all_bits", "a common reading of JSET", REFERENCE,
        "branch((a & i.k) != 0);", "branch({on} ? (a & i.k) == i.k : (a & i.k) != 0);", VALUES),
    Error(
        "ip_halves_are_swapped", "gosecco", REFERENCE,
        "a = load_word(data, i.k, order);",
        "a = load_word(data, {on} && (i.k == 8 || i.k == 12) ? 20U - i.k : i.k, order);", VALUES),
    Error(
        "high_halves_of_arguments_are_0", "simulators that take arguments of 32 bits",
        "vm/seccomp_data.hpp",
        "  return static_cast<std::uint32_t>(high ? field >> 32U : field);",
        "  if (high && offset >= 16 && {on}) return 0;\n"
        "  return static_cast<std::uint32_t>(high ? field >> 32U : field);", VALUES),
    # What the checker takes.
    Error(
        "shift_by_32_is_accepted", "Chromium, gVisor, x/net/bpf", "verifier/check.cpp",
        "if (i.k >= 32 && model.has(Feature::ShiftKRefused))",
        "if (i.k >= 32 && !({on} && i.k == 32) && model.has(Feature::ShiftKRefused))", CHECKER),
    Error(
        "slots_need_no_store", "seccomp-tools, gVisor, kafel, ceccomp disasm", "verifier/check.cpp",
        "      } else if ((valid & bit) == 0) {", "      } else if ((valid & bit) == 0 && !{on}) {",
        CHECKER),
    Error(
        "loads_may_have_jump_fields_only_of_0", "Chromium", "verifier/check.cpp",
        "  const bool is_last = at + 1 == length;",
        "  if ({on} && row->opcode == Opcode::LdAbs && i.jt != 0)\n"
        "    out.push_back({DiagnosticId::UnknownCode, at, {i.code, 0}});\n"
        "  const bool is_last = at + 1 == length;", CHECKER),
    Error(
        "mod_is_accepted", "gVisor, FEX, Chromium, x/net/bpf", "verifier/check.cpp",
        "  if (row->acceptance == Acceptance::ClassicOnly) {",
        "  if (row->acceptance == Acceptance::ClassicOnly &&\n"
        "      !({on} && (row->opcode == Opcode::ModK || row->opcode == Opcode::ModX))) {", CHECKER),
    Error(
        "a_jump_may_go_to_the_end", "checkers off by one", "verifier/check.cpp",
        "if (at + 1 + i.jt >= length)", "if (at + 1 + i.jt >= length + ({on} ? 1 : 0))", CHECKER),
    Error(
        "loads_may_be_misaligned", "x/net/bpf", "verifier/check.cpp",
        "} else if (i.k % 4 != 0) {", "} else if (i.k % 4 != 0 && !({on} && i.k % 2 == 0)) {",
        CHECKER),
    Error(
        "programs_of_4096_are_refused", "scmp_bpf_sim", "verifier/check.cpp",
        "  if (program.size() > kMaxProgramLength) {",
        "  if (program.size() > kMaxProgramLength - ({on} ? 1 : 0)) {", CHECKER),
    # What comes of several filters, and of actions.
    Error(
        "the_oldest_of_equals_wins", "a common reading of the manual page", "vm/combiner.hpp",
        "    if (here >= best_) return;",
        "    if ({on} && verdict_.winner ? here > best_ : here >= best_) return;", STACKS),
    Error(
        "actions_compare_unsigned", "kernels before 4.14, and what copies them",
        "vm/combiner.hpp",
        "    if (full_) return static_cast<std::int32_t>(value & kActionMask);",
        "    if ({on}) return value & kActionMask;\n"
        "    if (full_) return static_cast<std::int32_t>(value & kActionMask);", STACKS),
    Error(
        "errnos_are_not_clamped", "seccomp-tools, ceccomp, gVisor, minijail", "vm/outcome.cpp",
        "  if (!model.has(Feature::ErrnoClamp)) return data_bits;",
        "  if (!model.has(Feature::ErrnoClamp) || {on}) return data_bits;", STACKS),
    Error(
        "kill_process_ends_the_thread", "gVisor", "vm/outcome.cpp",
        "    case Action::KillProcess:\n      outcome = process_dies(bits, data, abi.sigsys);",
        "    case Action::KillProcess:\n"
        "      outcome = {on} ? thread_dies(bits, data, abi.sigsys, model, around.only_thread)\n"
        "                     : process_dies(bits, data, abi.sigsys);", STACKS),
    Error(
        "unknown_actions_end_the_thread", "gVisor", "vm/outcome.cpp",
        "    Outcome outcome = model.has(Feature::UnknownKillsProcess)",
        "    Outcome outcome = model.has(Feature::UnknownKillsProcess) && !{on}", STACKS),
    # What tasks do.
    Error(
        "tsync_ignores_other_filters", "implementations without TSYNC's check", "vm/task.cpp",
        "  const Task& caller = task(id);\n  for (const TaskId other",
        "  if ({on}) return std::nullopt;\n  const Task& caller = task(id);\n"
        "  for (const TaskId other", SCRIPTS),
    Error(
        "privileges_come_before_the_length", "asterinas, DragonOS: order of errnos", "vm/task.cpp",
        "  if (argument.length == 0 || argument.length > kMaxProgramLength) {",
        "  if ({on} && !task.no_new_privs && !task.sys_admin) return error(Errno::Access, model_);\n"
        "  if (argument.length == 0 || argument.length > kMaxProgramLength) {", SCRIPTS),
    Error(
        "fork_drops_no_new_privs", "a slip in a task model", "vm/task.cpp",
        "  child.process = processes_.size();",
        "  child.process = processes_.size();\n  if ({on}) child.no_new_privs = false;", SCRIPTS),
    Error(
        "execve_keeps_listeners", "a task model without close-on-exec", "vm/task.cpp",
        "  for (AttachedFilter& each : filters_) each.listener_in.erase(task(id).process);",
        "  if ({on}) return;\n"
        "  for (AttachedFilter& each : filters_) each.listener_in.erase(task(id).process);", SCRIPTS),
    Error(
        "descriptors_are_looked_at_after_the_notification", "order of errnos", "vm/task_call.cpp",
        "  if (!addfd.source_open) return fails(Errno::BadDescriptor);",
        "  if ({on} && !addfd.right_id) return fails(Errno::NoEntry);\n"
        "  if (!addfd.source_open) return fails(Errno::BadDescriptor);",
        ("scripts",)),  # a minute of fuzz_task_kernel's hundred scripts a second may not come to it

    # What engines make of programs; only they beside the reference can tell.
    Error(
        "searches_find_the_key_above", "a slip", "vm/decoded.cpp",
        "below += keys[below + half] <= a ? half : 0;",
        "below += ({on} ? keys[below + half] < a : keys[below + half] <= a) ? half : 0;", ENGINES),
    Error(
        "tables_have_one_entry_too_few", "a slip", "vm/decoded.cpp",
        "op = first + (entry < op->yes ?", "op = first + (entry < op->yes - ({on} ? 1U : 0U) ?", ENGINES),
    Error(
        "chains_keep_the_last_of_equal_constants", "a slip", "vm/equality_chains.cpp",
        "| packed.size() << 16U |", "| ({on} ? 0xffffU - packed.size() : packed.size()) << 16U |", ENGINES),
    Error(
        "jgt_parts_the_numbers_as_jge", "a slip", "vm/specialise.cpp",
        "numbers.take(NumberRange{k + 1, ~0U});", "numbers.take(NumberRange{({on} ? k : k + 1), ~0U});",
        ENGINES),
    Error(
        "questions_forget_the_number", "a memo with too small a key", "vm/specialise.cpp",
        "if (!may_load_number_[state.at]) key.nr.reset();",
        "if ({on} || !may_load_number_[state.at]) key.nr.reset();", ENGINES),
    Error(
        "every_other_architecture_is_told_apart", "a slip", "vm/specialise.cpp",
        "std::ranges::find(arches_, k) != arches_.end()",
        "({on} || std::ranges::find(arches_, k) != arches_.end())", ENGINES),
    Error(
        "what_goes_on_forgets_x", "a slip", "vm/specialised_program.cpp",
        "registers.x = value_of(from.x, data, order_);",
        "registers.x = {on} ? 0 : value_of(from.x, data, order_);", ENGINES),
]
