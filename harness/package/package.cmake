# What is installed beside libraries and headers: pkg-config's files, and packages of Debian by CPack.

# Everything that `cmake --install` takes.
add_custom_target(callgate_installed DEPENDS callgate_vm callgate_verifier callgate_engines callgate_harness
                                             callgate_c callgate_c_static)
foreach(target callgate callgate_jit callgate_jit_listing callgate_solver)
  if(TARGET ${target})
    add_dependencies(callgate_installed ${target})
  endif()
endforeach()

# pkg-config: callgate (C), callgate-verifier and callgate-harness (C++, static libraries). What programs that
# are linked with -static need beside the C library's own archives:
set(callgate_cxx_runtime ${CMAKE_CXX_IMPLICIT_LINK_LIBRARIES})
list(REMOVE_ITEM callgate_cxx_runtime ${CMAKE_C_IMPLICIT_LINK_LIBRARIES})
list(TRANSFORM callgate_cxx_runtime PREPEND -l)
list(REMOVE_DUPLICATES callgate_cxx_runtime)
list(JOIN callgate_cxx_runtime " " callgate_cxx_runtime)
set(callgate_engine_libraries "-lcallgate_engines")
set(callgate_harness_libraries "-lcallgate_harness")
set(callgate_harness_requires "libseccomp >= 2.5, fmt, yaml-cpp >= 0.7")
set(callgate_recommends "libfmt-dev, libseccomp-dev, libyaml-cpp-dev")
set(callgate_static_libraries "")
set(callgate_solver_libraries "")
if(TARGET callgate_jit_listing)
  string(APPEND callgate_harness_libraries " -lcallgate_jit_listing")
  string(APPEND callgate_harness_requires ", capstone >= 4")
  string(APPEND callgate_recommends ", libcapstone-dev")
endif()
if(TARGET callgate_solver)
  string(APPEND callgate_harness_libraries " -lcallgate_solver")
  set(callgate_solver_libraries "-lz3")
  string(APPEND callgate_recommends ", libz3-dev")
endif()
if(TARGET callgate_jit)
  string(APPEND callgate_engine_libraries " -lcallgate_jit")
  set(callgate_static_libraries "-lasmjit -lrt -lpthread")
  string(APPEND callgate_recommends ", libasmjit-dev")
endif()
foreach(folder INCLUDEDIR LIBDIR)
  set(callgate_pc_${folder} "\${prefix}/${CMAKE_INSTALL_${folder}}")
  if(IS_ABSOLUTE "${CMAKE_INSTALL_${folder}}")
    set(callgate_pc_${folder} "${CMAKE_INSTALL_${folder}}")
  endif()
endforeach()
# Where things are is known when they are installed: `cmake --install --prefix` may say it anew.
set(callgate_pc ${PROJECT_BINARY_DIR}/pkgconfig)
foreach(name callgate callgate-verifier callgate-harness)
  configure_file(${CMAKE_CURRENT_LIST_DIR}/${name}.pc.in ${callgate_pc}/${name}.pc.in @ONLY)
  install(CODE "
    file(READ \"${callgate_pc}/${name}.pc.in\" text)
    string(REPLACE \"{PREFIX}\" \"\${CMAKE_INSTALL_PREFIX}\" text \"\${text}\")
    file(WRITE \"${callgate_pc}/${name}.pc\" \"\${text}\")")
  install(FILES ${callgate_pc}/${name}.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
endforeach()

# Packages: `callgate_packages` builds them in the build tree's folder packages; harness/package/README.md.
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
are checked as the kernel would, stacked, and run on descriptions of calls.")

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
callgate::harness needs of others is recommended only; the C library and
callgate::verifier need nothing else.")

# What Debian wants in each package: a copyright, a changelog, what lintian need not say and why.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
endif()
include(CPack)

add_custom_target(callgate_packages
  COMMAND ${CMAKE_CPACK_COMMAND} --config ${PROJECT_BINARY_DIR}/CPackConfig.cmake
  COMMENT "Making packages of Debian in ${CPACK_PACKAGE_DIRECTORY}" VERBATIM USES_TERMINAL)
add_dependencies(callgate_packages callgate_installed)
# Not a test: it wants root, debootstrap, lintian, a mirror of Debian.
add_custom_target(package_check
  COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/check.sh ${PROJECT_BINARY_DIR}/package VERBATIM USES_TERMINAL)
