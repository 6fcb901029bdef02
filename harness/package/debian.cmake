# Packages of Debian by CPack: `callgate_packages` makes them in the build tree's folder packages; README.md here.
set(CPACK_PACKAGE_NAME callgate)
set(CPACK_PACKAGE_VENDOR "Callgate")
set(CPACK_PACKAGE_DIRECTORY ${PROJECT_BINARY_DIR}/packages)
set(CPACK_RESOURCE_FILE_LICENSE ${PROJECT_SOURCE_DIR}/LICENSE)
set(CPACK_VERBATIM_VARIABLES ON)
set(CPACK_STRIP_FILES ON)
set(CPACK_PRE_BUILD_SCRIPTS ${CMAKE_CURRENT_LIST_DIR}/strip.cmake)
set(CPACK_PACKAGE_DESCRIPTION_SUMMARY "")  # each package has its own
set(CPACK_GENERATOR DEB)
set(CPACK_DEB_COMPONENT_INSTALL ON)
set(CPACK_COMPONENTS_ALL tool library development)
# Debian's own names win over what its maintainers would call 0.1.0-1, were it there one day.
set(CPACK_DEBIAN_PACKAGE_RELEASE 0upstream1)
set(callgate_deb_version ${PROJECT_VERSION}-${CPACK_DEBIAN_PACKAGE_RELEASE})
# When this version was released, in seconds: the changelog's date, and that of every file, so that who makes the
# packages again from the same programs gets the same bytes.
set(callgate_release 1795780800)
set(callgate_environment $ENV{SOURCE_DATE_EPOCH})
set(ENV{SOURCE_DATE_EPOCH} ${callgate_release})
string(TIMESTAMP callgate_release_date "%a, %d %b %Y %H:%M:%S +0000" UTC)
set(ENV{SOURCE_DATE_EPOCH} ${callgate_environment})
# Who builds a package answers for it, and says so as for any package of Debian: DEBFULLNAME and DEBEMAIL.
set(callgate_maintainer "Callgate maintainers <maintainers@callgate.invalid>")
if(DEFINED ENV{DEBEMAIL} AND DEFINED ENV{DEBFULLNAME})
  set(callgate_maintainer "$ENV{DEBFULLNAME} <$ENV{DEBEMAIL}>")
endif()
set(CALLGATE_MAINTAINER "${callgate_maintainer}" CACHE STRING "Maintainer of Debian packages, as Name <address>")
set(CPACK_PACKAGE_CONTACT "${CALLGATE_MAINTAINER}")
set(CPACK_DEBIAN_PACKAGE_MAINTAINER "${CALLGATE_MAINTAINER}")
set(CPACK_DEBIAN_FILE_NAME DEB-DEFAULT)
set(CPACK_DEBIAN_PACKAGE_CONTROL_STRICT_PERMISSION TRUE)
set(CPACK_INSTALL_DEFAULT_DIRECTORY_PERMISSIONS
    OWNER_READ OWNER_WRITE OWNER_EXECUTE GROUP_READ GROUP_EXECUTE WORLD_READ WORLD_EXECUTE)
set(CPACK_DEBIAN_PACKAGE_PRIORITY optional)
# pkg-config's files name the prefix that the build was configured with.
set(CPACK_SET_DESTDIR ON)

# What is loaded when it is first needed is nothing that dpkg-shlibdeps sees. A dependency all the same: an answer
# must not hang on what happens to be installed.
set(callgate_loaded "")
foreach(file ${callgate_z3_soname_file} ${callgate_capstone_soname_file})
  execute_process(COMMAND dpkg-query -S ${file} OUTPUT_VARIABLE owner ERROR_QUIET)
  if(owner MATCHES "^([^:]+):")
    list(APPEND callgate_loaded ${CMAKE_MATCH_1})
  else()
    message(WARNING "dpkg does not know whose ${file} is: the packages will not depend on it")
  endif()
endforeach()
list(JOIN callgate_loaded ", " callgate_loaded)
set(CPACK_DEBIAN_TOOL_PACKAGE_DEPENDS "${callgate_loaded}")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_DEPENDS "${callgate_loaded}")

set(CPACK_DEBIAN_TOOL_PACKAGE_NAME callgate)
set(CPACK_DEBIAN_TOOL_PACKAGE_SECTION devel)
set(CPACK_DEBIAN_TOOL_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_TOOL_DESCRIPTION
"explains, tests and measures seccomp filters
Callgate says what Linux does with seccomp filters, in userspace: which
system call gets which verdict, and why. It reads programs of classic BPF
and profiles of containers, services and sandboxes, checks filters as the
kernel would, runs them on made-up or recorded calls, runs suites of
expectations, compares filters, and says what they cost.

This package contains the command.")

set(CPACK_DEBIAN_LIBRARY_PACKAGE_NAME libcallgate0)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SECTION libs)
set(CPACK_DEBIAN_LIBRARY_PACKAGE_SHLIBDEPS ON)
set(CPACK_COMPONENT_LIBRARY_DESCRIPTION
"what Linux does with seccomp filters - C library
Callgate says what Linux does with seccomp filters, in userspace: which
system call gets which verdict, and why.

This package contains the shared library with the interface for C: filters
and profiles are read, checked as the kernel would, stacked, run on
descriptions of calls, explained and compared, and suites of expectations
are run.")

set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_NAME libcallgate-dev)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SECTION libdevel)
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_DEPENDS "libcallgate0 (= ${callgate_deb_version})")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_RECOMMENDS "${callgate_recommends}")
set(CPACK_DEBIAN_DEVELOPMENT_PACKAGE_SUGGESTS "libgmock-dev, libgtest-dev")
set(CPACK_COMPONENT_DEVELOPMENT_DESCRIPTION
"what Linux does with seccomp filters - development files
Callgate says what Linux does with seccomp filters, in userspace: which
system call gets which verdict, and why.

This package contains what programs are built with: the headers and static
libraries for C and C++ and files for pkg-config and CMake. What its part
callgate::harness and programs that are linked with libcallgate.a need of
others is recommended only; the shared library and callgate::verifier need
nothing else.")

# What each of them holds beside what is installed anywhere: a copyright, changelogs, what lintian need not say and why.
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
endforeach()
file(READ ${CMAKE_CURRENT_LIST_DIR}/callgate.lintian-overrides overrides)
if(NOT TARGET callgate_manual)
  string(APPEND overrides "# Built without it, where the command that writes it could not be run: --help says the same.\n"
                          "callgate: no-manual-page [usr/bin/callgate]\n")
endif()
file(CONFIGURE OUTPUT ${debian}/lintian-overrides CONTENT "${overrides}" @ONLY)
install(FILES ${debian}/lintian-overrides DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides
        COMPONENT tool RENAME callgate)
install(FILES ${CMAKE_CURRENT_LIST_DIR}/libcallgate0.lintian-overrides
        DESTINATION ${CMAKE_INSTALL_DATAROOTDIR}/lintian/overrides COMPONENT library RENAME libcallgate0)

# What programs that were linked with the library need of it, and the linker's cache brought up to date. CPack
# would write postinst and postrm that call ldconfig, which Debian does by a trigger: it lets be what it is told
# of, here of files that there are not.
configure_file(${PROJECT_SOURCE_DIR}/harness/capi/libcallgate0.symbols ${debian}/symbols COPYONLY)
file(CONFIGURE OUTPUT ${debian}/triggers CONTENT "activate-noawait ldconfig\n")
set(CPACK_DEBIAN_LIBRARY_PACKAGE_CONTROL_EXTRA
    ${debian}/symbols ${debian}/triggers ${debian}/none/postinst ${debian}/none/postrm)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS ON)
set(CPACK_DEBIAN_PACKAGE_GENERATE_SHLIBS_POLICY ">=")
include(CPack)

# CPack makes folders with the permissions that the caller's umask leaves: /usr must not become one's own.
add_custom_target(callgate_packages
  COMMAND sh -c "umask 022 && exec \"$@\"" sh ${CMAKE_COMMAND} -E env SOURCE_DATE_EPOCH=${callgate_release}
          ${CMAKE_CPACK_COMMAND} --config ${PROJECT_BINARY_DIR}/CPackConfig.cmake
  COMMENT "Making packages of Debian in ${CPACK_PACKAGE_DIRECTORY}" VERBATIM USES_TERMINAL)
add_dependencies(callgate_packages callgate_installed)
