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
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE})
endif()
