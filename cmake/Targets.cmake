# One helper per kind of target. Sources are always named one by one.

# fluentgate_library(NAME domain SOURCES a.cpp LINK fluentgate_x PkgConfig::Y): a room of the house, a static library named fluentgate_NAME.
function(fluentgate_library)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;LINK" ${ARGN})
  add_library(fluentgate_${ARG_NAME} STATIC ${ARG_SOURCES})
  target_link_libraries(fluentgate_${ARG_NAME} PUBLIC ${ARG_LINK} PRIVATE fluentgate_flags)
  target_include_directories(fluentgate_${ARG_NAME} PUBLIC ${CMAKE_SOURCE_DIR})
endfunction()

# fluentgate_program(NAME fluentgate-token SOURCES main.cpp LINK ...)
function(fluentgate_program)
  cmake_parse_arguments(ARG "" "NAME" "SOURCES;LINK" ${ARGN})
  add_executable(${ARG_NAME} ${ARG_SOURCES})
  target_link_libraries(${ARG_NAME} PRIVATE ${ARG_LINK} fluentgate_flags)
endfunction()

# fluentgate_test(NAME domain_language KIND unit SOURCES language_test.cpp LINK fluentgate_domain [DEPENDS targets] [TIMEOUT s] [SERIAL] [REAL | REAL_ONLY]):
# a cmocka program; each TEST() in it becomes a ctest test of its own, named KIND.NAME.test_name. With REAL it becomes a second one, with ".real" at
# the end and the label "real", that runs against the real Kafka and Redis (test/support/servers.cpp), unless test/embedded_only.txt says why not.
# With REAL_ONLY that is the only one.
function(fluentgate_test)
  cmake_parse_arguments(ARG "SERIAL;REAL;REAL_ONLY" "NAME;KIND;TIMEOUT" "SOURCES;LINK;DEPENDS" ${ARGN})
  set(target ${ARG_KIND}_${ARG_NAME})
  if(NOT ARG_TIMEOUT)
    set(ARG_TIMEOUT 60)
  endif()
  add_executable(${target} ${ARG_SOURCES})
  target_link_libraries(${target} PRIVATE ${ARG_LINK} fluentgate_test_support fluentgate_flags)
  target_compile_definitions(${target} PRIVATE
    FLUENTGATE_BUILD_DIR="${CMAKE_BINARY_DIR}" FLUENTGATE_SOURCE_DIR="${CMAKE_SOURCE_DIR}")
  if(ARG_DEPENDS)
    add_dependencies(${target} ${ARG_DEPENDS})
  endif()
  set(real_options "")
  if(ARG_REAL OR ARG_REAL_ONLY)
    set(real_options -DRUNNER=$<TARGET_FILE:fluentgate-test-servers> -DREAL_ONLY=${ARG_REAL_ONLY} -DEMBEDDED_ONLY=${CMAKE_SOURCE_DIR}/test/embedded_only.txt)
    add_dependencies(${target} fluentgate-test-servers)
    # The list of tests is written anew when the file has changed.
    set_property(TARGET ${target} APPEND PROPERTY LINK_DEPENDS ${CMAKE_SOURCE_DIR}/test/embedded_only.txt ${CMAKE_SOURCE_DIR}/cmake/ListTests.cmake)
  endif()
  set(list_file ${CMAKE_CURRENT_BINARY_DIR}/${target}_tests.cmake)
  add_custom_command(TARGET ${target} POST_BUILD
    COMMAND ${CMAKE_COMMAND} -DPROGRAM=$<TARGET_FILE:${target}> -DPREFIX=${ARG_KIND}.${ARG_NAME} -DTIMEOUT=${ARG_TIMEOUT}
            -DSERIAL=${ARG_SERIAL} -DENVIRONMENT=${FLUENTGATE_TEST_ENVIRONMENT} ${real_options} -DOUT=${list_file} -P ${CMAKE_SOURCE_DIR}/cmake/ListTests.cmake
    VERBATIM)
  # A test program that was not built is a failed test, not a missing one.
  set(include_file ${CMAKE_CURRENT_BINARY_DIR}/${target}_include.cmake)
  file(WRITE ${include_file}
    "if(EXISTS \"${list_file}\")\n  include(\"${list_file}\")\nelse()\n  add_test(${target}_NOT_BUILT ${target}_NOT_BUILT)\nendif()\n")
  set_property(DIRECTORY APPEND PROPERTY TEST_INCLUDE_FILES ${include_file})
endfunction()
