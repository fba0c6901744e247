# Builds Carousel with CAROUSEL_INFERENCE_ONLY in a folder that is kept from run to run, and there: runs the tests of
# kernels, cells, models, streams and the model file, holds the shared library to its size and to the libraries that it
# may need, installs it, compiles every public header alone, and builds and runs examples/stream.cpp with find_package.
#
# Oracle: docs/embedding.md (2 MB; nothing but the C++ library and Highway), examples/stream.output.
cmake_minimum_required(VERSION 3.25)
include(${CMAKE_CURRENT_LIST_DIR}/../support/install_checks.cmake)

set(work ${BUILD_DIR}/inference-only)
set(prefix ${work}/prefix)

run(_ ${CMAKE_COMMAND} -S ${SOURCE_DIR} -B ${work} -G Ninja -DCMAKE_BUILD_TYPE=Release -DCAROUSEL_INFERENCE_ONLY=ON
    -DCMAKE_CXX_COMPILER=${COMPILER})
run(_ ${CMAKE_COMMAND} --build ${work})
run(_ ${CMAKE_CTEST_COMMAND} --test-dir ${work} --output-on-failure --no-tests=error -j2)

file(REMOVE_RECURSE ${prefix})
run(_ ${CMAKE_COMMAND} --install ${work} --prefix ${prefix} --strip)
file(GLOB_RECURSE library ${prefix}/libcarousel.so.*.*.*)
file(SIZE ${library} size)
if(size GREATER 2000000)
  message(FATAL_ERROR "${library} has ${size} bytes, expected at most 2000000")
endif()
run(needed readelf -d ${library})
string(REGEX MATCHALL "NEEDED[^\n]*\\[[^]]*" needed "${needed}")
foreach(entry IN LISTS needed)
  string(REGEX REPLACE ".*\\[" "" name "${entry}")
  if(NOT name MATCHES "^(libstdc\\+\\+|libm|libc|libgcc_s|ld-linux.*)\\.so")
    message(FATAL_ERROR "${library} needs ${name}")
  endif()
endforeach()
message(STATUS "${library}: ${size} bytes")

check_headers(${prefix} ${work} carousel/stream.h)
file(WRITE ${work}/application/CMakeLists.txt "cmake_minimum_required(VERSION 3.25)
project(application LANGUAGES CXX)
find_package(carousel 0.1 REQUIRED)
add_executable(stream ${SOURCE_DIR}/examples/stream.cpp)
target_link_libraries(stream PRIVATE carousel::carousel)\n")
run(_ ${CMAKE_COMMAND} -S ${work}/application -B ${work}/application/build -G Ninja -DCMAKE_BUILD_TYPE=Release
    -DCMAKE_CXX_COMPILER=${COMPILER} -DCMAKE_PREFIX_PATH=${prefix})
run(_ ${CMAKE_COMMAND} --build ${work}/application/build)
check_example(stream ${work}/application/build/stream)
