# What `callgate report` puts into its pages: the document, its style and scripts, and the engine.
include(report/page/engine.cmake)
set(page ${CMAKE_CURRENT_SOURCE_DIR}/report/page)
set(page_scripts words.js engine.js summary.js table.js blocks.js layout.js graph.js cost.js call.js differences.js coverage.js main.js)
list(TRANSFORM page_scripts PREPEND ${page}/ OUTPUT_VARIABLE page_script_files)
add_custom_command(
  OUTPUT ${CMAKE_CURRENT_BINARY_DIR}/report/page/page_files.cpp
  COMMAND ${CMAKE_COMMAND} "-DFOLDER=${page}" "-DSCRIPTS=${page_scripts}"
          "-DENGINE=${callgate_page_engine}" "-DREASON=${callgate_page_reason}"
          "-DOUT=${CMAKE_CURRENT_BINARY_DIR}/report/page/page_files.cpp" -P ${page}/embed.cmake
  DEPENDS ${page}/page.html ${page}/page.css ${page_script_files} ${page}/embed.cmake
          ${callgate_page_engine}
  VERBATIM)

callgate_add_test(callgate_page_test ONE_THREAD
  SOURCES report/page/page_test.cpp
  LIBRARIES callgate::harness nlohmann_json::nlohmann_json)

# The page in a browser. `npm` puts what it needs into node/ of the build folder (./bootstrap test).
if(BUILD_TESTING AND NOT CALLGATE_SANITIZE)
  find_program(CALLGATE_NODE NAMES node nodejs)
  find_program(CALLGATE_CHROMIUM NAMES chromium chromium-browser)
  add_test(NAME page_in_a_browser
           COMMAND sh ${page}/browser_test.sh "${CALLGATE_NODE}" $<TARGET_FILE:callgate>
                   "${CALLGATE_CHROMIUM}" ${PROJECT_BINARY_DIR}/node ${PROJECT_SOURCE_DIR}/corpus
                   ${CMAKE_CURRENT_BINARY_DIR}/report/page/browser)
  set_tests_properties(page_in_a_browser PROPERTIES TIMEOUT 900 SKIP_RETURN_CODE 77 COST 100)
endif()
