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
if(TARGET callgate_jit_listing)
  string(APPEND callgate_harness_libraries " -lcallgate_jit_listing")
endif()
if(TARGET callgate_solver)
  string(APPEND callgate_harness_libraries " -lcallgate_solver")
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

if(TARGET callgate_manual)
  include(${CMAKE_CURRENT_LIST_DIR}/manual.cmake)
endif()

# Packages of Debian are of a build that was configured for /usr: elsewhere Debian puts nothing.
if(CMAKE_INSTALL_PREFIX STREQUAL "/usr")
  include(${CMAKE_CURRENT_LIST_DIR}/debian.cmake)
endif()
include(${CMAKE_CURRENT_LIST_DIR}/sbom.cmake)
include(${CMAKE_CURRENT_LIST_DIR}/tests.cmake)
# Not a test: it wants root, debootstrap, lintian, a mirror of Debian.
add_custom_target(package_check
  COMMAND sh ${CMAKE_CURRENT_LIST_DIR}/check.sh ${PROJECT_BINARY_DIR}/package VERBATIM USES_TERMINAL)
