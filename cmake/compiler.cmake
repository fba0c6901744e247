# Compiler settings shared by every target of the house.
set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
# The folders that compute ask for -O3 themselves (carousel_folder(... FAST)); elsewhere it buys build time only.
set(CMAKE_CXX_FLAGS_RELEASE "-O2 -DNDEBUG")
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
set(CMAKE_ARCHIVE_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)

add_library(carousel_flags INTERFACE)
target_compile_options(carousel_flags INTERFACE -Wall -Wextra -Wshadow -Wconversion -Wno-sign-conversion
                       # A product and a sum are two roundings everywhere, so that the same source gives the same bits.
                       -ffp-contract=off)
if(CMAKE_SYSTEM_PROCESSOR STREQUAL "aarch64")
  # Highway's NEON asks for it, also in code that its own pragmas do not reach; no instruction of it is generated.
  target_compile_options(carousel_flags INTERFACE -march=armv8-a+crypto)
endif()
if(CAROUSEL_WERROR)
  target_compile_options(carousel_flags INTERFACE -Werror)
endif()
if(CAROUSEL_SANITIZE)
  target_compile_options(carousel_flags INTERFACE -fsanitize=${CAROUSEL_SANITIZE} -fno-omit-frame-pointer)
  target_link_options(carousel_flags INTERFACE -fsanitize=${CAROUSEL_SANITIZE})
endif()
if(CAROUSEL_ASSERTIONS)
  target_compile_definitions(carousel_flags INTERFACE CAROUSEL_ASSERTIONS=1)
endif()

find_program(CCACHE ccache)
if(CCACHE)
  # ccache's manual, "Precompiled headers": without this no file that uses one is cached.
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CMAKE_COMMAND} -E env CCACHE_SLOPPINESS=pch_defines,time_macros ${CCACHE})
  target_compile_options(carousel_flags INTERFACE -fpch-preprocess)
endif()

# carousel_precompile(TARGET KIND OPTIMISATION [HEADER ...]): the headers that nearly every file includes, and those
# given with the first target of a KIND, are parsed once for all targets of this KIND instead of once per file. All
# targets of a KIND have the same options. It saves time only: files include what they use.
function(carousel_precompile target kind optimisation)
  set(headers carousel_headers_${kind})
  if(NOT TARGET ${headers})
    file(WRITE ${CMAKE_BINARY_DIR}/empty.cpp "")
    add_library(${headers} OBJECT ${CMAKE_BINARY_DIR}/empty.cpp)
    target_compile_options(${headers} PRIVATE $<$<CONFIG:Release>:${optimisation}>)
    target_link_libraries(${headers} PRIVATE carousel_flags fmt::fmt)
    target_precompile_headers(${headers} PRIVATE <algorithm> <array> <cmath> <cstdint> <functional> <map> <memory>
      <numeric> <optional> <span> <string> <string_view> <unordered_map> <vector> <fmt/format.h> ${ARGN})
  endif()
  target_compile_options(${target} PRIVATE $<$<CONFIG:Release>:${optimisation}>)
  target_precompile_headers(${target} REUSE_FROM ${headers})
endfunction()

# carousel_join_sources(TARGET): compiles its files five at a time (CMake's unity build), which reads headers and makes
# instances of templates once for five files. It saves time only: presets dev and tsan compile every file by itself.
function(carousel_join_sources target)
  set_target_properties(${target} PROPERTIES UNITY_BUILD ${CAROUSEL_UNITY_BUILD} UNITY_BUILD_BATCH_SIZE 5)
  if(CAROUSEL_UNITY_BUILD)  # it warns of an unnamed namespace that it takes to be in a header
    target_compile_options(${target} PRIVATE -Wno-subobject-linkage)
  endif()
endfunction()
