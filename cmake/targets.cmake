# aq_library(name SOURCES files... LINK libraries...): one static library a folder, headers included as "folder/file.h".
function(aq_library name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK;PRIVATE_LINK" ${ARGN})
  add_library(${name} STATIC ${A_SOURCES})
  target_include_directories(${name} PUBLIC ${PROJECT_SOURCE_DIR} ${PROJECT_BINARY_DIR}/generated)
  target_link_libraries(${name} PUBLIC ${A_LINK} PRIVATE ${A_PRIVATE_LINK})
endfunction()

# aq_test(name SOURCES files... LINK libraries...): one cmocka program, run by ctest from the source folder.
function(aq_test name)
  cmake_parse_arguments(A "" "TIMEOUT" "SOURCES;LINK" ${ARGN})
  if(NOT A_TIMEOUT)
    set(A_TIMEOUT 120)
  endif()
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_LINK} PkgConfig::CMOCKA)
  target_link_options(${name} PRIVATE ${AQ_NO_LTO_LINK})
  add_test(NAME ${name} COMMAND ${name} WORKING_DIRECTORY ${PROJECT_SOURCE_DIR})
  set_tests_properties(${name} PROPERTIES TIMEOUT ${A_TIMEOUT})
endfunction()

# aq_program(name SOURCES files... LINK libraries...): a program that users run, optimised as a whole.
function(aq_program name)
  cmake_parse_arguments(A "" "" "SOURCES;LINK" ${ARGN})
  add_executable(${name} ${A_SOURCES})
  target_link_libraries(${name} PRIVATE ${A_LINK})
  target_link_options(${name} PRIVATE ${AQ_LTO_LINK})
  target_compile_definitions(${name} PRIVATE AQ_VERSION="${PROJECT_VERSION}")
endfunction()
