# carousel_folder(NAME [FAST] [SOURCES ...] [LINKS ...] [PRIVATE_LINKS ...]): the static library carousel_NAME of one
# folder under src/. LINKS are the folders (and libraries) that it may include. FAST: compiled with -O3.
function(carousel_folder name)
  cmake_parse_arguments(ARG "FAST" "" "SOURCES;LINKS;PRIVATE_LINKS" ${ARGN})
  add_library(carousel_${name} STATIC ${ARG_SOURCES})
  if(ARG_FAST)
    target_compile_options(carousel_${name} PRIVATE $<$<CONFIG:Release>:-O3>)
  endif()
  target_include_directories(carousel_${name} PUBLIC $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/src>
                             $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:include>)
  target_link_libraries(carousel_${name} PUBLIC ${ARG_LINKS}
                        PRIVATE ${ARG_PRIVATE_LINKS} $<BUILD_INTERFACE:carousel_flags>)
endfunction()

# carousel_test(FOLDER [SOURCES ...] [LINKS ...]): the test program of one folder; every case is a ctest of its own.
function(carousel_test folder)
  cmake_parse_arguments(ARG "" "" "SOURCES;LINKS" ${ARGN})
  add_executable(${folder}_tests ${ARG_SOURCES})
  target_include_directories(${folder}_tests PRIVATE ${PROJECT_SOURCE_DIR})
  target_compile_definitions(${folder}_tests PRIVATE CAROUSEL_GOLDEN_DIR="${PROJECT_SOURCE_DIR}/tests/golden")
  target_link_libraries(${folder}_tests PRIVATE ${ARG_LINKS} carousel_flags GTest::gtest_main)
  gtest_discover_tests(${folder}_tests TEST_PREFIX ${folder}. DISCOVERY_TIMEOUT 60)
endfunction()
