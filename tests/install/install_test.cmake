# Installs Carousel into a folder of its own, moves that folder, and there: compiles every public header alone, builds
# examples/ with find_package, runs those that read no data and compares a line of each, builds the program of README.md
# through pkg-config, and runs the installed command.
#
# Oracle: examples/<name>.output, the line that the program's own text promises.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/../support/install_checks.cmake)

set(work ${BUILD_DIR}/install-test)
file(REMOVE_RECURSE ${work})

run(_ ${CMAKE_COMMAND} --install ${BUILD_DIR} --prefix ${work}/first)
file(RENAME ${work}/first ${work}/prefix)

check_headers(${work}/prefix ${work} carousel/carousel.h)

run(_ ${CMAKE_COMMAND} -S ${SOURCE_DIR}/examples -B ${work}/examples -G Ninja -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${work}/prefix)
run(_ ${CMAKE_COMMAND} --build ${work}/examples)
foreach(example train_classifier forecast stream)
  check_example(${example} ${work}/examples/${example})
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

# What no ordinary start needs is loaded when it is used: docs/performance.md, "Start".
run(needed readelf -d ${work}/prefix/bin/carousel)
if(needed MATCHES "libsndfile")
  message(FATAL_ERROR "the program loads libsndfile at every start: src/data/audio/sound_library.h")
endif()
run(version ${work}/prefix/bin/carousel version)
message(STATUS "installed ${version}")
