# Installs Carousel into a folder of its own, moves that folder, and there: compiles every public header alone, builds
# examples/ with find_package, runs the three programs and compares a line of each, builds the program of README.md
# through pkg-config, and runs the installed command.
#
# Oracle: examples/<name>.output, the line that the program's own text promises.
cmake_minimum_required(VERSION 3.25)

set(work ${BUILD_DIR}/install-test)
file(REMOVE_RECURSE ${work})

# run(OUT COMMAND...): stops the test if COMMAND fails; its standard output is left in OUT.
function(run out)
  execute_process(COMMAND ${ARGN} RESULT_VARIABLE status OUTPUT_VARIABLE output ERROR_VARIABLE errors)
  if(NOT status EQUAL 0)
    message(FATAL_ERROR "${ARGN}\nexit status ${status}\n${output}\n${errors}")
  endif()
  set(${out} "${output}" PARENT_SCOPE)
endfunction()

run(_ ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${work}/first)
file(RENAME ${work}/first ${work}/prefix)

file(GLOB headers RELATIVE ${work}/prefix/include ${work}/prefix/include/carousel/*.h)
if(NOT "carousel/carousel.h" IN_LIST headers)
  message(FATAL_ERROR "carousel/carousel.h is not installed, only: ${headers}")
endif()
foreach(header IN LISTS headers)
  file(WRITE ${work}/header.cpp "#include <${header}>\n#include <${header}>\n")
  run(_ ${COMPILER} -std=c++20 -Wall -Wextra -Werror -fsyntax-only -I${work}/prefix/include ${work}/header.cpp)
endforeach()

run(_ ${CMAKE_COMMAND} -S ${SOURCE_DIR}/examples -B ${work}/examples -G Ninja -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${work}/prefix)
run(_ ${CMAKE_COMMAND} --build ${work}/examples)
foreach(example train_classifier forecast stream)
  run(output ${work}/examples/${example})
  file(READ ${SOURCE_DIR}/examples/${example}.output expected)
  string(STRIP "${expected}" expected)
  string(FIND "${output}" "${expected}\n" found)
  if(found EQUAL -1)
    message(FATAL_ERROR "${example}: expected the line\n${expected}\ngot\n${output}")
  endif()
endforeach()

# The program in README.md is what a newcomer copies.
file(READ ${SOURCE_DIR}/README.md readme)
string(REGEX MATCH "```cpp\n([^`]*)```" _ "${readme}")
file(WRITE ${work}/readme.cpp "${CMAKE_MATCH_1}")

file(GLOB_RECURSE package_file ${work}/prefix/*/carousel.pc)
cmake_path(GET package_file PARENT_PATH package_dir)
set(ENV{PKG_CONFIG_PATH} ${package_dir})
run(flags pkg-config --cflags --libs carousel)
separate_arguments(flags UNIX_COMMAND "${flags}")
run(_ ${COMPILER} -std=c++20 ${work}/readme.cpp ${flags} -o ${work}/readme)
cmake_path(GET package_dir PARENT_PATH library_dir)
run(_ ${CMAKE_COMMAND} -E chdir ${work} ${CMAKE_COMMAND} -E env LD_LIBRARY_PATH=${library_dir} ${work}/readme)
if(NOT EXISTS ${work}/mine.safetensors)
  message(FATAL_ERROR "the program of README.md wrote no mine.safetensors")
endif()

run(version ${work}/prefix/bin/carousel version)
message(STATUS "installed ${version}")
