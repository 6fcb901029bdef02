# What `callgate --version` says of the build (build_facts.hpp).
set(CALLGATE_COMMIT "" CACHE STRING "The commit that the sources are of; asked of git if empty")
if(NOT CALLGATE_COMMIT MATCHES "^[0-9A-Za-z ._+-]*$")
  message(FATAL_ERROR "CALLGATE_COMMIT is no commit: ${CALLGATE_COMMIT}")
endif()
set(commit_file ${CMAKE_CURRENT_BINARY_DIR}/commit.cpp)
add_custom_target(callgate_commit
  COMMAND ${CMAKE_COMMAND} -DSOURCE=${PROJECT_SOURCE_DIR} -DGIVEN=${CALLGATE_COMMIT} -DOUT=${commit_file}
          -P ${CMAKE_CURRENT_SOURCE_DIR}/commit.cmake
  BYPRODUCTS ${commit_file} COMMENT "Looking up the commit" VERBATIM)
add_dependencies(callgate callgate_commit)
target_sources(callgate PRIVATE build_facts.cpp ${commit_file})

# version_in(OUT HEADER MACRO PATTERN): the version that a macro's line says, as the pattern's group.
function(version_in out header macro pattern)
  set(version "built in, of a version that its header does not say")
  if(EXISTS ${header})
    file(STRINGS ${header} line REGEX "define ${macro} ")
    if(line MATCHES "${pattern}")
      set(version ${CMAKE_MATCH_1})
    endif()
  endif()
  set(${out} "${version}" PARENT_SCOPE)
endfunction()

# Versions of what was found, as their headers and pkg-config's files say.
set(asmjit_version "not built in")
if(TARGET callgate_jit)
  find_path(CALLGATE_ASMJIT_INCLUDE asmjit/core/api-config.h)
  version_in(asmjit_version "${CALLGATE_ASMJIT_INCLUDE}/asmjit/core/api-config.h" ASMJIT_LIBRARY_VERSION
             "/\\* ([0-9.]+) \\*/")
endif()
set(capstone_version "not built in")
if(TARGET callgate_jit_listing)
  set(capstone_version ${CAPSTONE_VERSION})
endif()
set(z3_version "not built in")
if(TARGET callgate_solver)
  version_in(z3_version "${CALLGATE_Z3_INCLUDE}/z3_version.h" Z3_FULL_VERSION "\"([0-9.]+)\"")
endif()
set(page_engine "yes")
if(callgate_page_engine STREQUAL "")
  set(page_engine "no: ${callgate_page_reason}")
endif()
set(build_type "${CMAKE_BUILD_TYPE}")
if(CALLGATE_SANITIZE)
  string(APPEND build_type ", sanitizers ${CALLGATE_SANITIZE}")
endif()
if(CALLGATE_PLANT)
  string(APPEND build_type ", with planted errors: for tests only")
endif()
set_property(SOURCE build_facts.cpp APPEND PROPERTY COMPILE_DEFINITIONS
  CALLGATE_COMPILER="${CMAKE_CXX_COMPILER_ID} ${CMAKE_CXX_COMPILER_VERSION}"
  CALLGATE_BUILD_TYPE="${build_type}"
  CALLGATE_ASMJIT_VERSION="${asmjit_version}"
  CALLGATE_CAPSTONE_VERSION="${capstone_version}"
  CALLGATE_Z3_VERSION="${z3_version}"
  CALLGATE_PAGE_ENGINE_WORDS="${page_engine}")
