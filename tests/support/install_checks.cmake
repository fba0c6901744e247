# What the tests of the installed package share. They are given COMPILER and SOURCE_DIR.

# run(OUT COMMAND...): stops the test if COMMAND fails; its standard output is left in OUT.
function(run out)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nexit status ${status}\n${output}\n${errors}")
  endif()
  set(${out} "${output}" PARENT_SCOPE)
endfunction()

# Compiles every installed public header alone; each must bear being included twice. `expected` is one of them.
function(check_headers prefix work expected)
  file(GLOB headers RELATIVE ${prefix}/include ${prefix}/include/carousel/*.h)
  if(NOT expected IN_LIST headers)
    message(FATAL_ERROR "${expected} is not installed, only: ${headers}")
  endif()
  foreach(header IN LISTS headers)
    file(WRITE ${work}/header.cpp "#include <${header}>\n#include <${header}>\n")
    run(_ ${COMPILER} -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I${prefix}/include ${work}/header.cpp)
  endforeach()
endfunction()

# Runs an example; the line in examples/<name>.output must be among those that it prints.
function(check_example name program)
  run(output ${program})
  file(READ ${SOURCE_DIR}/examples/${name}.output expected)
  string(STRIP "${expected}" expected)
  string(FIND "${output}" "${expected}\n" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${name}: expected the line\n${expected}\ngot\n${output}")
  endif()
endfunction()
