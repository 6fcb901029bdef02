# The manual's pages and the completions of shells, which the command writes itself.
if(CMAKE_CROSSCOMPILING AND NOT CMAKE_CROSSCOMPILING_EMULATOR)
  message(STATUS "The manual is left out: the command that writes it runs elsewhere")
  return()
endif()
set(manual ${PROJECT_BINARY_DIR}/manual)
set(zsh_functions zsh/site-functions)
set(compressor "")
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  # As Debian has them.
  set(zsh_functions zsh/vendor-completions)
  find_program(CALLGATE_GZIP gzip REQUIRED)
  set(compressor ${CALLGATE_GZIP})
endif()
add_custom_command(OUTPUT ${manual}/stamp
  COMMAND ${CMAKE_COMMAND} "-DOUT=${manual}" "-DGZIP=${compressor}" -P ${CMAKE_CURRENT_LIST_DIR}/write_manual.cmake
          -- $<TARGET_FILE:callgate>
  DEPENDS callgate ${CMAKE_CURRENT_LIST_DIR}/write_manual.cmake
  COMMENT "Writing the manual" VERBATIM)
add_custom_target(callgate_manual ALL DEPENDS ${manual}/stamp)
add_dependencies(callgate_installed callgate_manual)
install(DIRECTORY ${manual}/man1 DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT tool)
install(FILES ${manual}/bash RENAME callgate COMPONENT tool
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions)
install(FILES ${manual}/zsh RENAME _callgate COMPONENT tool
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/${zsh_functions})
install(FILES ${manual}/fish RENAME callgate.fish COMPONENT tool
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/fish/vendor_completions.d)
