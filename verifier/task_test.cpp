// Here and not beside vm/task.hpp, since only the checker makes programs that can be installed.

#include "vm/task.hpp"

#include <gtest/gtest.h>

#include "verifier/check.hpp"

namespace callgate {
namespace {

constexpr std::uint32_t kX86_64 = 0xc000003eU;
constexpr std::uint32_t kAllow = 0x7fff0000U;
constexpr std::int64_t kEsrch = -3;
constexpr std::int64_t kEnomem = -12;
constexpr std::int64_t kEacces = -13;
constexpr std::int64_t kEfault = -14;
constexpr std::int64_t kEbusy = -16;
constexpr std::int64_t kEinval = -22;
constexpr std::int64_t kEmfile = -24;
constexpr std::int64_t kEnosys = -38;
constexpr std::int64_t kEopnotsupp = -95;

KernelModel linux_version(int major, int minor) { return {.version = {major, minor, 0}}; }

FilterArgument program(const Program& instructions, const KernelModel& model = {}) {
  auto checked = verifier::check(instructions, model);
  if (checked) return FilterArgument::of(std::move(*checked));
  return FilterArgument::refused(static_cast<std::uint16_t>(instructions.size()),
                                 checked.error().error);
}

FilterArgument returns(std::uint32_t value, const KernelModel& model = {}) {
  return program({{0x06, 0, 0, value}}, model);
}

FilterArgument in_state(FilterArgument::State state, std::uint16_t length = 1) {
  FilterArgument argument;
  argument.state = state;
  argument.length = length;
  return argument;
}

SeccompData call(std::int32_t nr) { return {.nr = nr, .arch = kX86_64}; }

using State = FilterArgument::State;
using namespace filter_flag;  // NOLINT(google-build-using-namespace)

std::int64_t value_of(const Reply& reply) {
  EXPECT_EQ(reply.kind, Reply::Kind::Value);
  return reply.value;
}

TEST(Task, errnos_of_an_installation_come_in_the_kernels_order) {
  Tasks tasks{KernelModel{}};
  const auto install = [&](std::uint64_t flags, const FilterArgument& argument) {
    return value_of(tasks.set_mode_filter(0, flags, argument));
  };
  const FilterArgument null_header;
  EXPECT_EQ(install(64, null_header), kEinval) << "unknown flags come before the header";
  EXPECT_EQ(install(kTsync | kNewListener, null_header), kEinval);
  EXPECT_EQ(install(kWaitKillableRecv, null_header), kEinval);
  EXPECT_EQ(install(0, null_header), kEfault) << "the header comes before the privileges";
  EXPECT_EQ(install(0, in_state(State::UnreadableHeader)), kEfault);
  EXPECT_EQ(install(0, FilterArgument::refused(0)), kEinval) << "so does the length";
  EXPECT_EQ(install(0, FilterArgument::refused(4097)), kEinval);
  EXPECT_EQ(install(0, FilterArgument::refused(4096)), kEacces);
  EXPECT_EQ(install(0, in_state(State::NullInstructions)), kEacces);
  EXPECT_EQ(install(0, in_state(State::UnreadableInstructions)), kEacces);
  EXPECT_EQ(install(0, returns(kAllow)), kEacces);
  EXPECT_EQ(tasks.task(0).mode, SeccompMode::Disabled);
  EXPECT_EQ(value_of(tasks.prctl_set_no_new_privs(0, 1)), 0);
  EXPECT_EQ(install(0, in_state(State::NullInstructions)), kEinval) << "NULL is not EFAULT";
  EXPECT_EQ(install(0, in_state(State::UnreadableInstructions)), kEfault);
  EXPECT_EQ(install(0, program({{0x00, 0, 0, 0}})), kEinval);
  EXPECT_EQ(install(0, returns(kAllow)), 0);
  EXPECT_EQ(tasks.filter_count(0), 1U);
}

TEST(Task, mode_of_prctl_has_64_bits_and_operation_flags_32) {
  Tasks tasks{KernelModel{}, true};
  EXPECT_EQ(value_of(tasks.prctl_set_seccomp(0, 0)), kEinval);
  EXPECT_EQ(value_of(tasks.prctl_set_seccomp(0, 3, returns(kAllow))), kEinval);
  EXPECT_EQ(value_of(tasks.prctl_set_seccomp(0, 0x100000002U, returns(kAllow))), kEinval);
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, 0x100000000U, returns(kAllow))), 0);
  EXPECT_EQ(value_of(tasks.prctl_set_seccomp(0, 2, returns(kAllow))), 0);
  EXPECT_EQ(value_of(tasks.prctl_get_seccomp(0)), 2);
}

TEST(Task, no_new_privs_takes_1_and_nothing_else) {
  Tasks tasks{KernelModel{}};
  EXPECT_EQ(value_of(tasks.prctl_set_no_new_privs(0, 0)), kEinval);
  EXPECT_EQ(value_of(tasks.prctl_set_no_new_privs(0, 1, {0, 0, 1})), kEinval);
  EXPECT_EQ(value_of(tasks.prctl_get_no_new_privs(0)), 0);
  EXPECT_EQ(value_of(tasks.prctl_set_no_new_privs(0, 1)), 0);
  EXPECT_EQ(value_of(tasks.prctl_get_no_new_privs(0)), 1);
  EXPECT_EQ(value_of(tasks.prctl_get_no_new_privs(0, {1, 0, 0, 0})), kEinval);
}

TEST(Task, strict_mode_is_entered_once_and_never_after_a_filter) {
  Tasks tasks{KernelModel{}, true};
  EXPECT_EQ(value_of(tasks.set_mode_strict(0, 1)), kEinval);
  EXPECT_EQ(value_of(tasks.set_mode_strict(0, 0, true)), kEinval);
  const TaskId other = tasks.fork(0);
  EXPECT_EQ(value_of(tasks.set_mode_filter(other, 0, returns(kAllow))), 0);
  EXPECT_EQ(value_of(tasks.set_mode_strict(other)), kEinval);
  EXPECT_EQ(value_of(tasks.prctl_set_seccomp(other, 1)), kEinval);
  EXPECT_EQ(value_of(tasks.prctl_set_seccomp(0, 1, in_state(State::UnreadableHeader))), 0);
  EXPECT_EQ(tasks.call(0, call(0)).outcome.kind, OutcomeKind::Executes);
  const CallResult death = tasks.call(0, call(39));
  EXPECT_EQ(death.outcome.kind, OutcomeKind::ProcessDies);
  EXPECT_EQ(death.outcome.signal, 9);
  EXPECT_FALSE(tasks.task(0).alive);
  EXPECT_EQ(tasks.shown_mode(0), SeccompMode::Dead);
  EXPECT_TRUE(tasks.task(other).alive);
}

TEST(Task, shows_mode_3_of_the_dead_since_5_17) {
  const KernelModel model = linux_version(5, 16);
  Tasks tasks{model, true};
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, 0, returns(0, model))), 0);
  EXPECT_EQ(tasks.call(0, call(39)).outcome.kind, OutcomeKind::ProcessDies);
  EXPECT_EQ(tasks.shown_mode(0), SeccompMode::Filter);
}

TEST(Task, limit_of_instructions_gives_enomem) {
  Tasks tasks{KernelModel{}, true};
  Program longest(4096, {0x00, 0, 0, 0});
  longest.back() = {0x06, 0, 0, kAllow};
  // 7 of 4100 with 4 each: 28728 of 32768.
  for (int i = 0; i < 7; ++i) {
    ASSERT_EQ(value_of(tasks.set_mode_filter(0, 0, program(longest))), 0) << i;
  }
  Program rest(4036, {0x00, 0, 0, 0});
  rest.back() = {0x06, 0, 0, kAllow};
  Program more(4037, {0x00, 0, 0, 0});
  more.back() = {0x06, 0, 0, kAllow};
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, 0, program(more))), kEnomem);
  const TaskId child = tasks.fork(0);
  EXPECT_EQ(value_of(tasks.set_mode_filter(child, 0, program(more))), kEnomem) << "inherited";
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, 0, program(rest))), 0);
  EXPECT_EQ(tasks.filter_count(child), 7U);
}

TEST(Task, limit_comes_before_the_privileges_until_3_16) {
  for (const int minor : {16, 17}) {
    const KernelModel model = linux_version(3, minor);
    Tasks tasks{model, false, true};
    Program longest(4096, {0x00, 0, 0, 0});
    longest.back() = {0x06, 0, 0, kAllow};
    for (int i = 0; i < 7; ++i) {
      ASSERT_EQ(value_of(tasks.prctl_set_seccomp(0, 2, program(longest, model))), 0) << i;
    }
    tasks.set_sys_admin(0, false);
    EXPECT_EQ(value_of(tasks.prctl_set_seccomp(0, 2, program(longest, model))),
              minor == 16 ? kEnomem : kEacces);
  }
}

TEST(Task, listeners_in_use_give_ebusy_until_they_are_closed) {
  Tasks tasks{KernelModel{}, true};
  const Reply first = tasks.set_mode_filter(0, kNewListener, returns(0x7fc00000U));
  ASSERT_EQ(first.kind, Reply::Kind::Listener);
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, kNewListener, returns(kAllow))), kEbusy);
  tasks.set_descriptors_left(0, false);
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, kNewListener, returns(kAllow))), kEmfile)
      << "the descriptor comes first";
  tasks.set_descriptors_left(0, true);
  const TaskId child = tasks.fork(0);
  tasks.close_listener(0, *first.filter);
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, kNewListener, returns(kAllow))), kEbusy)
      << "the child holds it too";
  tasks.exec(child);  // close-on-exec
  EXPECT_EQ(tasks.set_mode_filter(0, kNewListener, returns(kAllow)).kind, Reply::Kind::Listener);
}

TEST(Task, bad_program_comes_before_a_missing_descriptor) {
  Tasks tasks{KernelModel{}, true};
  tasks.set_descriptors_left(0, false);
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, kNewListener, FilterArgument::refused(1))), kEinval);
}

TEST(Task, tsync_takes_all_threads_along_with_no_new_privs) {
  Tasks tasks{KernelModel{}};
  const TaskId second = tasks.spawn_thread(0);
  const TaskId other_process = tasks.fork(0);
  EXPECT_EQ(value_of(tasks.prctl_set_no_new_privs(0, 1)), 0);
  EXPECT_FALSE(tasks.task(second).no_new_privs) << "it belongs to the thread";
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, kTsync, returns(0x00050001U))), 0);
  EXPECT_TRUE(tasks.task(second).no_new_privs);
  EXPECT_EQ(tasks.call(second, call(39)).outcome.value, -1);
  EXPECT_EQ(tasks.call(other_process, call(39)).outcome.kind, OutcomeKind::Executes);
}

TEST(Task, tsync_names_the_first_thread_that_cannot_come_along) {
  Tasks tasks{KernelModel{}, true};
  const TaskId second = tasks.spawn_thread(0);
  const TaskId third = tasks.spawn_thread(0);
  EXPECT_EQ(value_of(tasks.set_mode_strict(third)), 0);
  EXPECT_EQ(value_of(tasks.set_mode_filter(second, 0, returns(kAllow))), 0);
  const Reply reply = tasks.set_mode_filter(0, kTsync, returns(kAllow));
  EXPECT_EQ(reply.kind, Reply::Kind::Thread);
  EXPECT_EQ(reply.task, second);
  EXPECT_EQ(tasks.filter_count(0), 0U) << "nothing changes";
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, kTsync | kTsyncEsrch, returns(kAllow))), kEsrch);
  const Reply from_second = tasks.set_mode_filter(second, kTsync, returns(kAllow));
  EXPECT_EQ(from_second.task, third) << "the leader has the beginning of its filters: none";
  tasks.exit_thread(third);
  EXPECT_EQ(value_of(tasks.set_mode_filter(second, kTsync, returns(kAllow))), 0);
  EXPECT_EQ(tasks.filter_count(0), 2U);
}

TEST(Task, tsync_with_an_ended_leader_is_not_told_before_6_11) {
  for (const int minor : {10, 11}) {
    const KernelModel model = linux_version(6, minor);
    Tasks tasks{model, true};
    const TaskId second = tasks.spawn_thread(0);
    EXPECT_EQ(value_of(tasks.set_mode_filter(0, 0, returns(kAllow, model))), 0);
    tasks.exit_thread(0);
    const Reply reply = tasks.set_mode_filter(second, kTsync, returns(kAllow, model));
    EXPECT_EQ(reply.kind, minor == 10 ? Reply::Kind::Unknown : Reply::Kind::Value);
  }
}

TEST(Task, flags_are_refused_by_kernels_that_do_not_know_them) {
  struct Row {
    std::uint32_t flags;
    int major;
    int minor;
  };
  for (const Row& row : {Row{kLog, 4, 14}, Row{kSpecAllow, 4, 17}, Row{kNewListener, 5, 0},
                         Row{kTsyncEsrch, 5, 7}, Row{kNewListener | kWaitKillableRecv, 5, 19}}) {
    const KernelModel since = linux_version(row.major, row.minor);
    const KernelModel before =
        row.minor == 0 ? linux_version(4, 20) : linux_version(row.major, row.minor - 1);
    Tasks old{before, true};
    EXPECT_EQ(value_of(old.set_mode_filter(0, row.flags, returns(kAllow, before))), kEinval);
    Tasks young{since, true};
    const Reply reply = young.set_mode_filter(0, row.flags, returns(kAllow, since));
    EXPECT_GE(reply.value, 0) << row.flags;
  }
  Tasks oldest{linux_version(3, 16), true};
  EXPECT_EQ(value_of(oldest.set_mode_filter(0, 0, returns(kAllow, linux_version(3, 16)))), kEnosys);
}

TEST(Task, knows_which_actions_there_are) {
  const Tasks tasks{KernelModel{}};
  EXPECT_EQ(value_of(tasks.get_action_avail(1, std::nullopt)), kEinval);
  EXPECT_EQ(value_of(tasks.get_action_avail(0, std::nullopt)), kEfault);
  for (const ActionInfo& row : actions()) {
    EXPECT_EQ(value_of(tasks.get_action_avail(0, static_cast<std::uint32_t>(row.action))), 0);
  }
  for (const std::uint32_t value : {0x00050001U, 0x7fff0001U, 0x10000U, 0xffff0000U}) {
    EXPECT_EQ(value_of(tasks.get_action_avail(0, value)), kEopnotsupp);
  }
  const Tasks old{linux_version(4, 20)};
  EXPECT_EQ(value_of(old.get_action_avail(0, 0x7fc00000U)), kEopnotsupp);
  EXPECT_EQ(value_of(old.get_notif_sizes(0, true)), kEinval);
  EXPECT_EQ(value_of(tasks.get_notif_sizes(0, false)), kEfault);
  EXPECT_EQ(value_of(tasks.unknown_operation()), kEinval);
}

TEST(Task, killed_thread_leaves_the_others_alive) {
  Tasks tasks{KernelModel{}, true};
  const TaskId second = tasks.spawn_thread(0);
  EXPECT_EQ(value_of(tasks.set_mode_filter(second, 0, returns(0))), 0);
  EXPECT_EQ(tasks.call(second, call(39)).outcome.kind, OutcomeKind::ThreadDies);
  EXPECT_TRUE(tasks.task(0).alive);
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, 0, returns(0))), 0);
  EXPECT_EQ(tasks.call(0, call(39)).outcome.kind, OutcomeKind::ProcessDies);
}

TEST(Task, trap_without_a_handler_is_death_that_leaves_the_mode) {
  Tasks tasks{KernelModel{}, true};
  const TaskId handles = tasks.fork(0);
  tasks.set_sigsys(handles, SigsysAction::Handled);
  for (const TaskId id : {TaskId{0}, handles}) {
    EXPECT_EQ(value_of(tasks.set_mode_filter(id, 0, returns(0x00030007U))), 0);
  }
  EXPECT_EQ(tasks.call(0, call(39)).outcome.kind, OutcomeKind::ProcessDies);
  EXPECT_EQ(tasks.task(0).mode, SeccompMode::Filter);
  const CallResult handled = tasks.call(handles, call(39));
  EXPECT_EQ(handled.outcome.kind, OutcomeKind::Sigsys);
  EXPECT_EQ(handled.outcome.siginfo.error, 7);
  tasks.exec(handles);
  EXPECT_EQ(tasks.call(handles, call(39)).outcome.kind, OutcomeKind::ProcessDies);
}

// TRACE for getpid (39), ERRNO(1) for getppid (110), ALLOW for the rest.
FilterArgument traces_getpid() {
  return program({{0x20, 0, 0, 0},
                  {0x15, 0, 1, 39},
                  {0x06, 0, 0, 0x7ff00005U},
                  {0x15, 0, 1, 110},
                  {0x06, 0, 0, 0x00050001U},
                  {0x06, 0, 0, kAllow}});
}

TEST(Task, tracer_skips_or_changes_a_call_which_is_judged_again) {
  Tasks tasks{KernelModel{}, true};
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, 0, traces_getpid())), 0);
  const auto with = [&](const Tracer& tracer) { return tasks.call(0, call(39), {tracer, {}}); };
  EXPECT_EQ(tasks.call(0, call(39)).outcome.value, kEnosys) << "nobody traces";
  EXPECT_EQ(with({.nr = -1, .value = {}, .args = {}}).outcome.value, kEnosys);
  EXPECT_EQ(with({.nr = -2, .value = 77, .args = {}}).outcome.value, 77);
  EXPECT_EQ(with({}).outcome.kind, OutcomeKind::Executes) << "TRACE again allows";
  EXPECT_EQ(with({.nr = 110, .value = {}, .args = {}}).outcome.value, -1);
  const CallResult changed = with({.nr = 102, .value = {}, .args = {}});
  EXPECT_EQ(changed.outcome.kind, OutcomeKind::Executes);
  EXPECT_EQ(changed.data.nr, 102);
  EXPECT_TRUE(changed.tracer_stop);
}

TEST(Task, tracer_of_kernels_before_4_8_has_the_last_word) {
  const KernelModel model = linux_version(4, 7);
  Tasks tasks{model, true};
  EXPECT_EQ(
      value_of(tasks.set_mode_filter(
          0, 0,
          program({{0x20, 0, 0, 0}, {0x15, 0, 1, 39}, {0x06, 0, 0, 0x7ff00000U}, {0x06, 0, 0, 0}},
                  model))),
      0);
  const CallResult changed =
      tasks.call(0, call(39), {Tracer{.nr = 102, .value = {}, .args = {}}, {}});
  EXPECT_EQ(changed.outcome.kind, OutcomeKind::Executes);
}

TEST(Task, positive_value_of_a_supervisor_is_lost_on_newer_ppc64le) {
  const auto got = [](int major, int minor, Arch arch, std::int64_t sent) {
    KernelModel model = linux_version(major, minor);
    model.arch = arch;
    Tasks tasks{model, true};
    (void)tasks.set_mode_filter(0, filter_flag::kNewListener, returns(0x7fc00000U, model));
    SeccompData data = call(39);
    data.arch = info(arch).token;
    return tasks.call(0, data, {{}, Supervisor{.value = sent}}).outcome;
  };
  EXPECT_EQ(got(6, 1, Arch::Ppc64le, 7).value, 7);
  EXPECT_EQ(got(6, 12, Arch::Ppc64le, 7).kind, OutcomeKind::Unknown);
  EXPECT_EQ(got(7, 2, Arch::Ppc64le, 7).kind, OutcomeKind::Returns);
  EXPECT_EQ(got(7, 2, Arch::Ppc64le, 7).value, 0);
  EXPECT_EQ(got(7, 2, Arch::Ppc64le, -7).value, -7);
  EXPECT_EQ(got(7, 2, Arch::S390x, 7).value, 7);
}

TEST(Task, supervisor_answers_while_its_listener_is_open) {
  Tasks tasks{KernelModel{}, true};
  const Reply installed = tasks.set_mode_filter(0, kNewListener, returns(0x7fc00000U));
  const auto with = [&](const Supervisor& supervisor) {
    return tasks.call(0, call(39), {{}, supervisor});
  };
  EXPECT_EQ(tasks.call(0, call(39)).outcome.kind, OutcomeKind::ListenerDecides);
  EXPECT_EQ(with({.value = 5}).outcome.value, 5);
  EXPECT_EQ(with({.value = 5, .error = -13}).outcome.value, kEacces);
  EXPECT_EQ(with({.error = 33}).outcome.value, 33) << "a positive error is returned as it is";
  EXPECT_EQ(with({.continues = true}).outcome.kind, OutcomeKind::Executes);
  const CallResult refused = with({.value = 1, .continues = true});
  EXPECT_EQ(refused.send_error, 22);
  EXPECT_EQ(refused.outcome.kind, OutcomeKind::ListenerDecides) << "the call still waits";
  tasks.close_listener(0, *installed.filter);
  EXPECT_EQ(with({.value = 5}).outcome.value, kEnosys);
}

TEST(Task, supervisor_gives_descriptors_and_meets_the_errnos_in_order) {
  const auto got = [](const AddFd& addfd, int major = 6, int minor = 18) {
    const KernelModel model = linux_version(major, minor);
    Tasks tasks{model, true};
    (void)tasks.set_mode_filter(0, kNewListener, returns(0x7fc00000U, model));
    return tasks.call(0, call(39), {{}, Supervisor{.value = 7, .addfd = addfd}});
  };
  const auto error = [&](const AddFd& addfd, int major = 6, int minor = 18) {
    return got(addfd, major, minor).added.value_or(AddedFd{.error = -1, .descriptor = {}}).error;
  };
  constexpr std::uint32_t kCloexec = 0x80000;
  constexpr std::uint32_t kBoth = addfd_flag::kSetFd | addfd_flag::kSend;
  AddFd wrong{.flags = 4,
              .new_fd = 1,
              .new_fd_flags = 1,
              .source_open = false,
              .right_id = false,
              .size = 23};
  EXPECT_EQ(error(wrong), 22);
  wrong.size = 24;
  EXPECT_EQ(error(wrong), 22);
  wrong.new_fd_flags = kCloexec;
  EXPECT_EQ(error(wrong), 22);
  wrong.flags = addfd_flag::kSend;
  EXPECT_EQ(error(wrong), 22) << "newfd without SETFD";
  wrong.new_fd = 0;
  EXPECT_EQ(error(wrong), 9) << "EBADF comes before ENOENT";
  wrong.source_open = true;
  EXPECT_EQ(error(wrong), 2);
  EXPECT_EQ(got(wrong).outcome.value, 7) << "the answer behind it is sent";
  EXPECT_EQ(error({.size = 4096}), 22);

  const CallResult plain = got({});
  EXPECT_EQ(plain.added, (AddedFd{.error = 0, .descriptor = {}, .is_reply = false}));
  EXPECT_EQ(plain.outcome.value, 7);
  EXPECT_EQ(got({.flags = addfd_flag::kSend}).outcome.kind, OutcomeKind::Unknown);
  EXPECT_TRUE(got({.flags = addfd_flag::kSend}).added->is_reply);
  EXPECT_EQ(got({.flags = kBoth, .new_fd = 1023}).outcome.value, 1023);
  EXPECT_EQ(error({.flags = kBoth, .new_fd = 1024}), 9);
  EXPECT_EQ(got({.flags = kBoth, .new_fd = 0xffffffffU}).outcome.value, 7);

  EXPECT_EQ(error({}, 5, 8), 22) << "no ADDFD before 5.9";
  EXPECT_EQ(error({}, 5, 9), 0);
  EXPECT_EQ(error({.flags = addfd_flag::kSend}, 5, 13), 22) << "no SEND before 5.14";
  EXPECT_EQ(got({.flags = addfd_flag::kSetFd, .new_fd = 0xffffffffU}, 5, 10).outcome.kind,
            OutcomeKind::Unknown);
}

TEST(Task, process_without_descriptors_is_given_none) {
  Tasks tasks{KernelModel{}, true};
  (void)tasks.set_mode_filter(0, kNewListener, returns(0x7fc00000U));
  tasks.set_descriptors_left(0, false);
  const auto with = [&](const AddFd& addfd) {
    return tasks.call(0, call(39), {{}, Supervisor{.addfd = addfd, .replies = false}});
  };
  EXPECT_EQ(with({.flags = addfd_flag::kSend}).added->error, 24);
  EXPECT_EQ(with({.flags = addfd_flag::kSend}).outcome.kind, OutcomeKind::ListenerDecides);
  EXPECT_EQ(with({.flags = addfd_flag::kSetFd, .new_fd = 5}).outcome.kind, OutcomeKind::Unknown);
}

TEST(Task, newer_filter_without_a_listener_wins_a_tie) {
  Tasks tasks{KernelModel{}, true};
  EXPECT_EQ(tasks.set_mode_filter(0, kNewListener, returns(0x7fc00000U)).kind,
            Reply::Kind::Listener);
  EXPECT_EQ(value_of(tasks.set_mode_filter(0, 0, returns(0x7fc00000U))), 0);
  EXPECT_EQ(tasks.call(0, call(39), {{}, Supervisor{}}).outcome.value, kEnosys);
}

TEST(Task, undefined_shift_is_unknown) {
  const KernelModel model{.version = {5, 0, 0},
                          .arch = Arch::Riscv64,
                          .blinds_constants = false,
                          .engine = KernelEngine::Interpreter};
  Tasks tasks{model, true};
  EXPECT_EQ(value_of(tasks.set_mode_filter(
                0, 0, program({{0x01, 0, 0, 32}, {0x6c, 0, 0, 0}, {0x16, 0, 0, 0}}, model))),
            0);
  EXPECT_EQ(tasks.call(0, call(39)).outcome.kind, OutcomeKind::Unknown);
}

}  // namespace
}  // namespace callgate
