# What can be chosen when configuring, and the flags that our own targets (and only they) are built with.
option(FLUENTGATE_TESTS "build the tests" ON)
option(FLUENTGATE_WORKER "build fluentgate-worker, the reference pipeline" ON)
set(FLUENTGATE_SANITIZE "" CACHE STRING "sanitizers, e.g. address,undefined or thread")

set(CMAKE_CXX_STANDARD 20)
set(CMAKE_CXX_STANDARD_REQUIRED ON)
set(CMAKE_CXX_EXTENSIONS OFF)
set(CMAKE_POSITION_INDEPENDENT_CODE ON)
set(CMAKE_CXX_VISIBILITY_PRESET hidden)
set(CMAKE_C_VISIBILITY_PRESET hidden)
set(CMAKE_VISIBILITY_INLINES_HIDDEN ON)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_LIBRARY_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR})

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE RelWithDebInfo CACHE STRING "" FORCE)
endif()

add_library(fluentgate_flags INTERFACE)
target_compile_options(fluentgate_flags INTERFACE
  -Wall -Wextra -Wpedantic -Wshadow -Wconversion -Wno-sign-conversion -Wnon-virtual-dtor -Woverloaded-virtual
  -Wno-missing-field-initializers -Werror)
target_include_directories(fluentgate_flags INTERFACE ${CMAKE_SOURCE_DIR})
if(FLUENTGATE_SANITIZE)
  target_compile_options(fluentgate_flags INTERFACE -fsanitize=${FLUENTGATE_SANITIZE} -fno-sanitize-recover=all -fno-omit-frame-pointer)
  target_link_options(fluentgate_flags INTERFACE -fsanitize=${FLUENTGATE_SANITIZE})
  if(FLUENTGATE_SANITIZE MATCHES "thread")
    # What makes librdkafka's locks and threads visible to it; -rdynamic: also where a program gets librdkafka only by loading the plugin.
    add_library(fluentgate_tsan_threads OBJECT ${CMAKE_SOURCE_DIR}/test/support/tsan_threads.c)
    target_sources(fluentgate_flags INTERFACE
      $<$<STREQUAL:$<TARGET_PROPERTY:TYPE>,EXECUTABLE>:$<TARGET_OBJECTS:fluentgate_tsan_threads>>)
    target_link_options(fluentgate_flags INTERFACE -rdynamic)
    # A report ends the process, so that the test fails also where it is the host's. Before what the caller's environment says, so that the caller's wins.
    set(FLUENTGATE_TEST_ENVIRONMENT
      "TSAN_OPTIONS=path_list_prepend:suppressions=${CMAKE_SOURCE_DIR}/test/support/tsan.supp halt_on_error=1 second_deadlock_stack=1 history_size=4")
  endif()
else()
  target_compile_options(fluentgate_flags INTERFACE -fstack-protector-strong)
  target_compile_definitions(fluentgate_flags INTERFACE $<$<NOT:$<CONFIG:Debug>>:_FORTIFY_SOURCE=2> _GLIBCXX_ASSERTIONS)
endif()

# Faster builds where the tools are there; nothing depends on them.
find_program(CCACHE_PROGRAM ccache)
if(CCACHE_PROGRAM AND NOT CMAKE_CXX_COMPILER_LAUNCHER)
  set(CMAKE_CXX_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
  set(CMAKE_C_COMPILER_LAUNCHER ${CCACHE_PROGRAM})
endif()
find_program(MOLD_PROGRAM mold)
if(MOLD_PROGRAM AND CMAKE_CXX_COMPILER_ID STREQUAL "GNU")
  add_link_options(-fuse-ld=mold)
endif()
