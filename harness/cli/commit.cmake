# cmake -DSOURCE=FOLDER -DGIVEN=COMMIT -DOUT=FILE.cpp -P commit.cmake: a C++ file that holds the commit of the sources. Run
# at each build; the file is written only where it changes, so that nothing else is compiled anew. GIVEN: for builds
# without a repository, such as from a tarball. Nothing here fails: what cannot be told is said to be unknown.
set(commit "${GIVEN}")
if(commit STREQUAL "")
  find_program(git git)
  if(NOT EXISTS "${SOURCE}/.git")
    set(commit "unknown, because the sources are not a clone by git")
  elseif(NOT git)
    set(commit "unknown, because there was no git")
  else()
    # Without locks: a build must not get into the way of who works in the repository.
    set(ENV{GIT_OPTIONAL_LOCKS} 0)
    execute_process(COMMAND ${git} -C "${SOURCE}" rev-parse HEAD
                    OUTPUT_VARIABLE head OUTPUT_STRIP_TRAILING_WHITESPACE RESULT_VARIABLE code ERROR_QUIET)
    if(code EQUAL 0 AND head MATCHES "^[0-9a-f]+$")
      set(commit "${head}")
      execute_process(COMMAND ${git} -C "${SOURCE}" status --porcelain --untracked-files=no
                      OUTPUT_VARIABLE changes RESULT_VARIABLE code ERROR_QUIET)
      if(NOT code EQUAL 0 OR NOT changes STREQUAL "")
        string(APPEND commit " with changes")
      endif()
    else()
      set(commit "unknown, because git could not tell it")
    endif()
  endif()
endif()
file(CONFIGURE OUTPUT "${OUT}" @ONLY CONTENT [[
// Made by commit.cmake.
#include "harness/cli/build_facts.hpp"

namespace callgate::cli {

std::string_view commit() noexcept { return "@commit@"; }

}  // namespace callgate::cli
]])
