# What users link and install: all components in one static library, trefoil::trefoil, the public
# headers, the command line, and the descriptions for find_package and pkg-config.
include(GNUInstallDirs)
include(CMakePackageConfigHelpers)

get_property(objects GLOBAL PROPERTY TREFOIL_OBJECTS)
get_property(system_libraries GLOBAL PROPERTY TREFOIL_SYSTEM_LIBRARIES)
list(REMOVE_DUPLICATES system_libraries)
list(APPEND system_libraries pthread)

add_library(trefoil_library STATIC ${objects})
add_library(trefoil::trefoil ALIAS trefoil_library)
set_target_properties(trefoil_library PROPERTIES OUTPUT_NAME trefoil EXPORT_NAME trefoil
  LINKER_LANGUAGE CXX)
target_compile_features(trefoil_library INTERFACE cxx_std_20)
target_link_libraries(trefoil_library INTERFACE ${system_libraries})
target_include_directories(trefoil_library INTERFACE
  $<BUILD_INTERFACE:${PROJECT_SOURCE_DIR}/include> $<INSTALL_INTERFACE:${CMAKE_INSTALL_INCLUDEDIR}>)

install(TARGETS trefoil)
install(FILES ${PROJECT_BINARY_DIR}/cli/trefoil.1 DESTINATION ${CMAKE_INSTALL_MANDIR}/man1)
install(TARGETS trefoil_library EXPORT trefoil)
install(DIRECTORY include/trefoil DESTINATION ${CMAKE_INSTALL_INCLUDEDIR})
install(EXPORT trefoil NAMESPACE trefoil:: FILE trefoilConfig.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/trefoil)
write_basic_package_version_file(${PROJECT_BINARY_DIR}/trefoilConfigVersion.cmake
  COMPATIBILITY SameMinorVersion)
install(FILES ${PROJECT_BINARY_DIR}/trefoilConfigVersion.cmake
  DESTINATION ${CMAKE_INSTALL_LIBDIR}/cmake/trefoil)

list(TRANSFORM system_libraries PREPEND -l OUTPUT_VARIABLE link_flags)
list(JOIN link_flags " " link_flags)
configure_file(${CMAKE_CURRENT_LIST_DIR}/trefoil.pc.in ${PROJECT_BINARY_DIR}/trefoil.pc @ONLY)
install(FILES ${PROJECT_BINARY_DIR}/trefoil.pc DESTINATION ${CMAKE_INSTALL_LIBDIR}/pkgconfig)
