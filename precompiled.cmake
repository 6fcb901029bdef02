# With CALLGATE_PCH the headers of others that many sources read are compiled once. Only those: of ours the
# warnings would be lost, since what is precompiled counts as a system's header. The release preset has them
# for programs alone, so that a missing include of a library is found. Not <filesystem>, nor what includes it in
# harness: with it comes std::quoted, which calls of our quoted would find.
set(callgate_standard_headers
  <algorithm> <array> <bit> <charconv> <chrono> <cstddef> <cstdint> <cstring> <expected> <fstream>
  <functional> <iterator> <limits> <map> <memory> <optional> <set> <span> <sstream> <string> <string_view>
  <tuple> <utility> <vector>)

# callgate_precompiles(RESULT TARGET): whether CALLGATE_PCH is for it.
function(callgate_precompiles result target)
  get_target_property(kind ${target} TYPE)
  set(is_for_it ${CALLGATE_PCH})
  if(CALLGATE_PCH STREQUAL "programs" AND kind MATCHES "^(STATIC|SHARED)_LIBRARY$")
    set(is_for_it OFF)
  endif()
  set(${result} ${is_for_it} PARENT_SCOPE)
endfunction()

# callgate_precompile(TARGET HEADER...): the standard library's and these.
function(callgate_precompile target)
  callgate_precompiles(is_for_it ${target})
  if(NOT is_for_it)
    return()
  endif()
  set(headers ${callgate_standard_headers} ${ARGN})
  list(TRANSFORM headers REPLACE "^<(.*)>$" "$<$<COMPILE_LANGUAGE:CXX>:<\\1$<ANGLE-R>>")
  target_precompile_headers(${target} PRIVATE ${headers})
endfunction()

# callgate_precompile_from(TARGET OTHER): what was compiled for OTHER, whose options must be the same. Not for a
# target that has C as well: OTHER has nothing for that.
function(callgate_precompile_from target other)
  get_target_property(sources ${target} SOURCES)
  callgate_precompiles(is_for_it ${target})
  if(is_for_it AND NOT sources MATCHES "\\.c(;|$)")
    target_precompile_headers(${target} REUSE_FROM ${other})
  endif()
endfunction()

# For test programs: a library of no code, compiled as an executable is.
if(CALLGATE_PCH AND BUILD_TESTING)
  set(callgate_nothing ${PROJECT_BINARY_DIR}/nothing.cpp)
  file(CONFIGURE OUTPUT ${callgate_nothing} CONTENT "")
  add_library(callgate_test_headers OBJECT ${callgate_nothing})
  set_target_properties(callgate_test_headers PROPERTIES POSITION_INDEPENDENT_CODE OFF CALLGATE_NOT_FUZZED TRUE)
  target_compile_options(callgate_test_headers PRIVATE ${CMAKE_CXX_COMPILE_OPTIONS_PIE} ${CALLGATE_TEST_FLAGS})
  target_link_libraries(callgate_test_headers PRIVATE callgate_build GTest::gmock GTest::gtest
                                                      nlohmann_json::nlohmann_json)
  target_compile_features(callgate_test_headers PRIVATE cxx_std_23)
  callgate_precompile(callgate_test_headers <gtest/gtest.h> <gmock/gmock.h> <nlohmann/json.hpp>)
endif()
