# What runs AArch64 code for the test of the engine jit: vm/jit/aarch64_runner.c, built by clang and lld,
# under qemu-aarch64 where this is no such machine. callgate_aarch64: the test's definitions, how to run
# it or why it cannot be run.
find_program(CALLGATE_CLANG NAMES clang-19 clang clang-14)
find_program(CALLGATE_LLD NAMES ld.lld-19 ld.lld ld.lld-14)
find_program(CALLGATE_QEMU_AARCH64 NAMES qemu-aarch64-static qemu-aarch64)
set(runner ${CMAKE_CURRENT_BINARY_DIR}/aarch64_runner)
if(NOT CALLGATE_CLANG OR NOT CALLGATE_LLD)
  set(callgate_aarch64 "CALLGATE_NO_AARCH64=\"clang and lld are needed to build the runner\"")
elseif(NOT CALLGATE_QEMU_AARCH64 AND NOT CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
  set(callgate_aarch64 "CALLGATE_NO_AARCH64=\"qemu-user-static is needed\"")
else()
  set(source ${PROJECT_SOURCE_DIR}/vm/jit/aarch64_runner.c)
  add_custom_command(
    OUTPUT ${runner}
    COMMAND ${CALLGATE_CLANG} --target=aarch64-linux-gnu -std=c11 -O1 -ffreestanding -fno-builtin
            -fno-stack-protector -Wall -Wextra -Werror -nostdlib -static --ld-path=${CALLGATE_LLD}
            -o ${runner} ${source}
    DEPENDS ${source}
    VERBATIM)
  add_custom_target(callgate_aarch64_runner DEPENDS ${runner})
  if(CMAKE_SYSTEM_PROCESSOR STREQUAL aarch64)
    set(callgate_aarch64 "CALLGATE_AARCH64_RUN=\"'${runner}'\"")
  else()
    set(callgate_aarch64 "CALLGATE_AARCH64_RUN=\"${CALLGATE_QEMU_AARCH64} '${runner}'\"")
  endif()
endif()
