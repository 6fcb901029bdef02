# What Debian's packages hold beside what is installed anywhere.
find_program(CALLGATE_GZIP gzip REQUIRED)
set(debian ${PROJECT_BINARY_DIR}/debian)

# callgate_compressed(FILE OUT): as Debian's policy wants it, without a name or a time inside.
function(callgate_compressed file out)
  execute_process(COMMAND ${CALLGATE_GZIP} -9nc ${file} OUTPUT_FILE ${out} COMMAND_ERROR_IS_FATAL ANY)
endfunction()
configure_file(${CMAKE_CURRENT_LIST_DIR}/changelog.in ${debian}/changelog @ONLY)
callgate_compressed(${debian}/changelog ${debian}/changelog.Debian.gz)
callgate_compressed(${PROJECT_SOURCE_DIR}/CHANGELOG.md ${debian}/changelog.gz)

foreach(component tool library development)
  string(TOUPPER ${component} COMPONENT)
  set(name ${CPACK_DEBIAN_${COMPONENT}_PACKAGE_NAME})
  install(FILES ${CMAKE_CURRENT_LIST_DIR}/copyright ${debian}/changelog.Debian.gz ${debian}/changelog.gz
          DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/doc/${name} COMPONENT ${component})
  if(EXISTS ${CMAKE_CURRENT_LIST_DIR}/${name}.lintian-overrides)
    install(FILES ${CMAKE_CURRENT_LIST_DIR}/${name}.lintian-overrides
            DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides COMPONENT ${component} RENAME ${name})
  endif()
endforeach()

# What programs that were linked with the library need of it, and the linker's cache brought up to date. CPack
# would write postinst and postrm that call ldconfig, which Debian does by a trigger: it lets be what it is told
# of, here of files that there are not.
configure_file(${PROJECT_SOURCE_DIR}/harness/capi/libcallgate0.symbols ${debian}/symbols COPYONLY)
file(CONFIGURE OUTPUT ${debian}/triggers CONTENT "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
    ${debian}/symbols ${debian}/triggers ${debian}/none/postinst ${debian}/none/postrm)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
