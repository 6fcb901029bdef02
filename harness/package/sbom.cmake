# callgate_sbom: what the command and the C library are made of, beside the packages (README.md here).
find_package(Python3 COMPONENTS Interpreter)
if(NOT TARGET Python3::Interpreter)
  return()
endif()
# A file of each library that becomes part of what is built: its headers, or the archive.
find_path(CALLGATE_CLI11_INCLUDE CLI/CLI.hpp)
find_path(CALLGATE_FMT_INCLUDE fmt/format.h)
find_path(CALLGATE_JSON_INCLUDE nlohmann/json.hpp)
find_path(CALLGATE_YAML_HEADERS yaml-cpp/yaml.h)
find_path(CALLGATE_SECCOMP_HEADERS seccomp.h)
set(compiled ${CALLGATE_CLI11_INCLUDE}/CLI/CLI.hpp ${CALLGATE_FMT_INCLUDE}/fmt/format.h
             ${CALLGATE_JSON_INCLUDE}/nlohmann/json.hpp ${CALLGATE_YAML_HEADERS}/yaml-cpp/yaml.h
             ${CALLGATE_SECCOMP_HEADERS}/seccomp.h)
if(TARGET callgate_jit)
  find_library(CALLGATE_ASMJIT_LIBRARY asmjit)
  list(APPEND compiled ${CALLGATE_ASMJIT_LIBRARY})
endif()
# Shared libraries that are loaded by a program that comes to need them: it does not name them.
set(loaded ${callgate_z3_soname_file} ${callgate_capstone_soname_file})
set(tools ${CMAKE_COMMAND} ${CMAKE_MAKE_PROGRAM} ${CMAKE_CXX_COMPILER} ${CMAKE_LINKER} ${CMAKE_AR})
if(CALLGATE_PAGE_ENGINE AND CALLGATE_WASM_CLANG AND CALLGATE_WASM_LLD AND CALLGATE_WASM_LIBCXX AND CALLGATE_WASM_LIBC)
  list(APPEND compiled ${CALLGATE_WASM_LIBCXX}/expected ${CALLGATE_WASM_LIBC})
  list(APPEND tools ${CALLGATE_WASM_CLANG} ${CALLGATE_WASM_LLD})
endif()
set(callgate_sbom ${PROJECT_BINARY_DIR}/callgate-${PROJECT_VERSION}.cdx.json)
# What sbom.py is asked, one word a line: the target's command and a test give it that.
set(callgate_sbom_words ${PROJECT_BINARY_DIR}/sbom_words)
set(words --version ${PROJECT_VERSION} --programs $<TARGET_FILE:callgate> $<TARGET_FILE:callgate_c>
          --compiled ${compiled} --loaded ${loaded} --tools ${tools})
file(GENERATE OUTPUT ${callgate_sbom_words} CONTENT "$<JOIN:${words},\n>\n")
add_custom_command(OUTPUT ${callgate_sbom}
  COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/sbom.py @${callgate_sbom_words} -o ${callgate_sbom}
  DEPENDS callgate callgate_c ${callgate_sbom_words} ${CMAKE_CURRENT_LIST_DIR}/sbom.py
  COMMENT "Writing the software bill of materials" VERBATIM)
add_custom_target(callgate_sbom DEPENDS ${callgate_sbom})
