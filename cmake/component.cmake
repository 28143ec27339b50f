# trefoil_component(NAME DEPENDS ...): the static library of one folder, from all its .cc files.
# Compile flags live in the interface target trefoil_flags.

add_library(trefoil_flags INTERFACE)
target_compile_features(trefoil_flags INTERFACE cxx_std_20)
target_compile_options(trefoil_flags INTERFACE -Wall -Wextra -Wno-missing-field-initializers -Wshadow -Wnon-virtual-dtor -Wold-style-cast
  -Wunused -Woverloaded-virtual -Werror -fno-rtti -march=x86-64-v2)
# libstdc++ 12 uses in stable_sort what it deprecates itself, and only clang says so.
target_compile_options(trefoil_flags INTERFACE
  $<$<CXX_COMPILER_ID:Clang>:-Wno-deprecated-declarations>)
target_compile_definitions(trefoil_flags INTERFACE TREFOIL_VERSION="${PROJECT_VERSION}"
  $<$<BOOL:${TREFOIL_VERIFY}>:TREFOIL_VERIFY>)
target_include_directories(trefoil_flags INTERFACE
  ${PROJECT_SOURCE_DIR} ${PROJECT_SOURCE_DIR}/include)
find_program(TREFOIL_MOLD mold)
if(TREFOIL_MOLD)
  target_link_options(trefoil_flags INTERFACE -fuse-ld=mold)
endif()
if(TREFOIL_SANITIZE)
  target_compile_options(trefoil_flags INTERFACE -fsanitize=${TREFOIL_SANITIZE}
    -fno-sanitize=vptr -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(trefoil_flags INTERFACE -fsanitize=${TREFOIL_SANITIZE})
endif()
if(TREFOIL_FUZZ)  # the product reports its coverage to libFuzzer; only the fuzz targets link it
  target_compile_options(trefoil_flags INTERFACE -fsanitize=fuzzer-no-link)
endif()

function(trefoil_component name)
  cmake_parse_arguments(arg "" "" "DEPENDS" ${ARGN})
  file(GLOB_RECURSE sources CONFIGURE_DEPENDS ${CMAKE_CURRENT_SOURCE_DIR}/*.cc)
  if(sources)
    add_library(trefoil_${name} STATIC ${sources})
    target_link_libraries(trefoil_${name} PUBLIC trefoil_flags ${arg_DEPENDS})
    set_property(GLOBAL APPEND PROPERTY TREFOIL_OBJECTS $<TARGET_OBJECTS:trefoil_${name}>)
  else()
    add_library(trefoil_${name} INTERFACE)
    target_link_libraries(trefoil_${name} INTERFACE trefoil_flags ${arg_DEPENDS})
  endif()
  list(FILTER arg_DEPENDS EXCLUDE REGEX "^trefoil_")
  set_property(GLOBAL APPEND PROPERTY TREFOIL_SYSTEM_LIBRARIES ${arg_DEPENDS})
endfunction()
