# carousel_folder(NAME [FAST | COLD] [SEPARATE] [SOURCES ...] [HOT_SOURCES ...] [LINKS ...] [PRIVATE_LINKS ...]
# [FULL_SOURCES ...] [FULL_LINKS ...]): the static library carousel_NAME of one folder under src/. LINKS are the folders
# (and libraries) that it may include. FULL_*: sources and private links that CAROUSEL_INFERENCE_ONLY leaves out.
# FAST: it computes, so -O3. COLD: mostly text and JSON, where a quick build counts for more, so -O1 except for its
# HOT_SOURCES. SEPARATE: every file is compiled by itself, also with CAROUSEL_UNITY_BUILD (a file that Highway compiles
# once for each instruction set must be).
function(carousel_folder name)
  cmake_parse_arguments(ARG "FAST;COLD;SEPARATE" ""
                        "SOURCES;HOT_SOURCES;LINKS;PRIVATE_LINKS;FULL_SOURCES;FULL_LINKS" ${ARGN})
  if(NOT CAROUSEL_INFERENCE_ONLY)
    list(APPEND ARG_SOURCES ${ARG_FULL_SOURCES})
    list(APPEND ARG_PRIVATE_LINKS ${ARG_FULL_LINKS})
  endif()
  add_library(carousel_${name} STATIC ${ARG_SOURCES} ${ARG_HOT_SOURCES})
  if(ARG_FAST AND CAROUSEL_INFERENCE_ONLY AND NOT ARG_SEPARATE)  # around the kernels; size counts for more
    carousel_precompile(carousel_${name} usual -O2)
  elseif(ARG_FAST)
    carousel_precompile(carousel_${name} fast -O3)
  elseif(ARG_COLD OR CAROUSEL_INFERENCE_ONLY)  # without training base and tensor are cold, too, and small
    set(cold $<IF:$<BOOL:${CAROUSEL_INFERENCE_ONLY}>,-Os,-O1>)
    carousel_precompile(carousel_${name} cold ${cold} <nlohmann/json.hpp>)
    set_source_files_properties(${ARG_HOT_SOURCES} PROPERTIES SKIP_PRECOMPILE_HEADERS ON
                                COMPILE_OPTIONS $<$<CONFIG:Release>:-O2>)
  else()
    carousel_precompile(carousel_${name} usual -O2)
  endif()
  if(NOT ARG_SEPARATE)
    carousel_join_sources(carousel_${name})
  endif()
  target_include_directories(carousel_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
                             $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_link_libraries(carousel_${name} PUBLIC ${ARG_LINKS}
                        PRIVATE ${ARG_PRIVATE_LINKS} $<BUILD_INTERFACE:carousel_flags>)
endfunction()

# carousel_test(FOLDER [SOURCES ...] [LINKS ...] [FULL_SOURCES ...] [FULL_LINKS ...]): the test program of one folder;
# every case is a ctest of its own.
function(carousel_test folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS;FULL_SOURCES;FULL_LINKS" ${ARGN})
  if(NOT CAROUSEL_INFERENCE_ONLY)
    list(APPEND ARG_SOURCES ${ARG_FULL_SOURCES})
    list(APPEND ARG_LINKS ${ARG_FULL_LINKS})
  endif()
  add_executable(${folder}_tests ${ARG_SOURCES})
  target_include_directories(${folder}_tests PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${folder}_tests PRIVATE CAROUSEL_GOLDEN_DIR="${PROJECT_SOURCE_DIR}/tests/golden")
  target_link_libraries(${folder}_tests PRIVATE ${ARG_LINKS} carousel_flags GTest::gtest_main)
  # -fPIC: as the precompiled headers are. The warning is wrong about std::string's operator+ (GCC bug 105651).
  target_compile_options(${folder}_tests PRIVATE -fPIC -Wno-array-bounds)
  carousel_precompile(${folder}_tests test -O1 <gtest/gtest.h>)
  target_link_libraries(carousel_headers_test PRIVATE GTest::gtest)
  gtest_discover_tests(${folder}_tests TEST_PREFIX ${folder}. DISCOVERY_TIMEOUT 60)
endfunction()
