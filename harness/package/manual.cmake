# The manual's pages and the completions of shells, which the command writes itself (harness/cli).
if(NOT TARGET callgate_manual)
  return()
endif()
set(manual ${PROJECT_BINARY_DIR}/harness/cli/share)
set(pages ${manual}/man/man1)
set(zsh_functions zsh/site-functions)
add_dependencies(callgate_installed callgate_manual)
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  # As Debian has them.
  set(zsh_functions zsh/vendor-completions)
  find_program(CALLGATE_GZIP gzip REQUIRED)
  set(compressed ${PROJECT_BINARY_DIR}/manual)
  add_custom_command(OUTPUT ${compressed}/stamp
    COMMAND ${CMAKE_COMMAND} -E rm -rf ${compressed}
    COMMAND ${CMAKE_COMMAND} -E copy_directory ${pages} ${compressed}/man1
    COMMAND ${CALLGATE_GZIP} -9nr ${compressed}/man1
    COMMAND ${CMAKE_COMMAND} -E touch ${compressed}/stamp
    DEPENDS callgate callgate_manual
    COMMENT "Compressing the manual" VERBATIM)
  add_custom_target(callgate_compressed_manual ALL DEPENDS ${compressed}/stamp)
  add_dependencies(callgate_installed callgate_compressed_manual)
  set(pages ${compressed}/man1)
endif()
install(DIRECTORY ${pages} DESTINATION ${CMAKE_INSTALL_MANDIR} COMPONENT tool)
install(FILES ${manual}/bash-completion/completions/callgate COMPONENT tool
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/bash-completion/completions)
install(FILES ${manual}/zsh/site-functions/_callgate COMPONENT tool
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/${zsh_functions})
install(FILES ${manual}/fish/vendor_completions.d/callgate.fish COMPONENT tool
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/fish/vendor_completions.d)
