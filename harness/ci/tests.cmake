# What harness/ci gives to CI of others, run here.
if(BUILD_TESTING AND NOT CALLGATE_SANITIZE)
  find_package(Python3 COMPONENTS Interpreter)
  if(TARGET Python3::Interpreter)
    add_test(NAME ci_jobs_of_others_do_what_they_say
             COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/ci_test.py
                     $<TARGET_FILE:callgate> ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/node)
    add_test(NAME hooks_of_pre_commit_keep_what_is_wrong_out
             COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/pre_commit_test.py
                     $<TARGET_FILE:callgate> ${PROJECT_SOURCE_DIR})
    set_tests_properties(ci_jobs_of_others_do_what_they_say hooks_of_pre_commit_keep_what_is_wrong_out PROPERTIES
                         TIMEOUT 300 SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
  endif()
endif()
