# What a release must not get wrong.
if(BUILD_TESTING AND NOT CALLGATE_SANITIZE)
  find_package(Python3 COMPONENTS Interpreter)
  if(TARGET Python3::Interpreter)
    add_test(NAME a_release_is_one_version_tells_what_it_is_of_and_names_no_machine
             COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/release_test.py ${PROJECT_SOURCE_DIR}
                     ${PROJECT_BINARY_DIR} $<TARGET_FILE:callgate> $<TARGET_FILE:callgate_c> ${PROJECT_BINARY_DIR}/node)
    add_test(NAME scripts_and_schemas_of_the_tree_are_sound
             COMMAND Python3::Interpreter ${CMAKE_CURRENT_LIST_DIR}/tree_test.py ${PROJECT_SOURCE_DIR})
    set_tests_properties(a_release_is_one_version_tells_what_it_is_of_and_names_no_machine
                         scripts_and_schemas_of_the_tree_are_sound PROPERTIES
                         TIMEOUT 300 SKIP_REGULAR_EXPRESSION "\\[  SKIPPED \\]")
  endif()
endif()
