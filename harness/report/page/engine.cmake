# The engine for the browser: vm's reference and what it needs, by clang for wasm32.
# Without libraries (-nostdlib) nothing can be imported unseen; their headers are used. callgate_page_engine:
# the file, empty where the tools are missing; callgate_page_reason says which.
set(CALLGATE_PAGE_ENGINE ON CACHE BOOL "Compile the engine of `callgate report` for the browser")
find_program(CALLGATE_WASM_CLANG NAMES clang++-19)
find_program(CALLGATE_WASM_LLD NAMES wasm-ld-19)
find_path(CALLGATE_WASM_LIBCXX NAMES expected PATHS /usr/lib/llvm-19/include/wasm32-wasi/c++/v1
          NO_DEFAULT_PATH)
find_library(CALLGATE_WASM_LIBC NAMES libc.a PATHS /usr/lib/wasm32-wasi NO_DEFAULT_PATH)
set(callgate_page_engine "")
set(callgate_page_reason "")
if(NOT CALLGATE_PAGE_ENGINE)
  set(callgate_page_reason "it was built without (CALLGATE_PAGE_ENGINE is off)")
elseif(NOT CALLGATE_WASM_CLANG)
  set(callgate_page_reason "it was built without clang-19")
elseif(NOT CALLGATE_WASM_LLD)
  set(callgate_page_reason "it was built without lld-19")
elseif(NOT CALLGATE_WASM_LIBCXX)
  set(callgate_page_reason "it was built without libc++-19-dev-wasm32")
elseif(NOT CALLGATE_WASM_LIBC)
  set(callgate_page_reason "it was built without wasi-libc")
else()
  set(callgate_page_engine ${CMAKE_CURRENT_BINARY_DIR}/report/page/engine.wasm)
  set(sources harness/report/page/engine.cpp vm/actions.cpp vm/arches.cpp vm/filter_stack.cpp
              vm/kernel_model.cpp vm/outcome.cpp vm/reference.cpp vm/seccomp_data.cpp)
  list(TRANSFORM sources PREPEND ${PROJECT_SOURCE_DIR}/)
  file(GLOB headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/vm/*.hpp ${PROJECT_SOURCE_DIR}/vm/*.def)
  file(MAKE_DIRECTORY ${CMAKE_CURRENT_BINARY_DIR}/report/page)
  add_custom_command(
    OUTPUT ${callgate_page_engine}
    COMMAND ${CALLGATE_WASM_CLANG} --target=wasm32-wasi -std=c++23 -O2 -fno-exceptions -fno-rtti
            -ffunction-sections -fdata-sections -fvisibility=hidden -stdlib=libc++ -Wall -Wextra
            -Werror -mexec-model=reactor -nostdlib -I${PROJECT_SOURCE_DIR}
            -fuse-ld=lld -Wl,--no-entry -Wl,--gc-sections -Wl,--strip-all
            -o ${callgate_page_engine} ${sources}
    DEPENDS ${sources} ${headers}
    COMMENT "Compiling the engine of callgate report for the browser"
    VERBATIM)
endif()
