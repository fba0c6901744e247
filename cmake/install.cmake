# `cmake --install`: the program, one shared library made of all folders, the public headers, and what find_package and
# pkg-config need. The public headers expose no third-party type, so an application links this library alone.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

add_library(carousel SHARED)
add_library(carousel::carousel ALIAS carousel)
set(folders base tensor kernels autograd cells layers models)
if(NOT CAROUSEL_INFERENCE_ONLY)
  list(APPEND folders train data formats tasks)
endif()
foreach(folder IN LISTS folders)
  target_sources(carousel PRIVATE $<TARGET_OBJECTS:carousel_${folder}>)
  get_target_property(libraries carousel_${folder} LINK_LIBRARIES)
  list(FILTER libraries EXCLUDE REGEX "^carousel_")  # the other folders: their objects are already here
  target_link_libraries(carousel PRIVATE ${libraries})
endforeach()
file(GLOB public_headers CONFIGURE_DEPENDS ${PROJECT_SOURCE_DIR}/include/carousel/*.h)
if(CAROUSEL_INFERENCE_ONLY)  # carousel.h is all of them
  list(FILTER public_headers EXCLUDE REGEX "/(carousel|graph|loss|operations|optim)\\.h$")
endif()
target_sources(carousel PUBLIC FILE_SET HEADERS BASE_DIRS ${PROJECT_SOURCE_DIR}/include FILES ${public_headers})
target_compile_features(carousel PUBLIC cxx_std_20)
set_target_properties(carousel PROPERTIES VERSION ${PROJECT_VERSION} SOVERSION ${PROJECT_VERSION_MAJOR}
                      LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/lib)
if(NOT CAROUSEL_SANITIZE)
  target_link_options(carousel PRIVATE -Wl,--no-undefined)
endif()
if(CAROUSEL_INFERENCE_ONLY)  # it may stand beside another fmt or nlohmann-json in the same process
  # -Bsymbolic-functions: its calls of its own functions need no entry in the PLT.
  target_link_options(carousel PRIVATE -Wl,--gc-sections -Wl,-Bsymbolic-functions
                      -Wl,--version-script=${PROJECT_SOURCE_DIR}/cmake/exported_symbols.map)
  set_target_properties(carousel PROPERTIES LINK_DEPENDS ${PROJECT_SOURCE_DIR}/cmake/exported_symbols.map)
endif()

install(TARGETS carousel EXPORT carousel FILE_SET HEADERS)
if(NOT CAROUSEL_INFERENCE_ONLY)
  install(TARGETS carousel_cli)
endif()

set(package_dir ${CMAKE_INSTALL_LIBDIR}/cmake/carousel)
install(EXPORT carousel NAMESPACE carousel:: FILE carouselConfig.cmake DESTINATION ${package_dir})
write_basic_package_version_file(carouselConfigVersion.cmake COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/carouselConfigVersion.cmake DESTINATION ${package_dir})

# Written relative to its own place, so that the installed tree can be moved.
file(RELATIVE_PATH pc_include_dir ${CMAKE_INSTALL_FULL_LIBDIR}/pkgconfig ${CMAKE_INSTALL_FULL_INCLUDEDIR})
configure_file(cmake/carousel.pc.in carousel.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/carousel.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
