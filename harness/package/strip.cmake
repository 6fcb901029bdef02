# CPack, before it makes packages of what it installed: archives and programs without what compilers note about
# themselves, as Debian has them (CPack itself strips programs and shared libraries, no archives).
find_program(strip strip REQUIRED)
file(GLOB_RECURSE archives ${CPACK_TEMPORARY_DIRECTORY}/*.a)
file(GLOB_RECURSE programs ${CPACK_TEMPORARY_DIRECTORY}/callgate ${CPACK_TEMPORARY_DIRECTORY}/*.so.*)
list(FILTER programs INCLUDE REGEX "/bin/callgate$|\\.so\\.[0-9.]+$")
if(archives)
  execute_process(COMMAND ${strip} --strip-debug --enable-deterministic-archives
                          --remove-section=.comment --remove-section=.note ${archives}
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
if(programs)
  execute_process(COMMAND ${strip} --remove-section=.comment --remove-section=.note ${programs}
                  COMMAND_ERROR_IS_FATAL ANY)
endif()
