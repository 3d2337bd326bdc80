# Language, warnings and the switches that the presets set.
option(AQ_TESTS "Build the tests" ON)
option(AQ_BENCH "Build the benchmarks" ON)
option(AQ_WERROR "Treat warnings as errors" OFF)
option(ALLQSIM_MUTANTS "Build the cores with the bugs that allqsim mutants tries the checks on" OFF)
set(AQ_SANITIZE "" CACHE STRING "Sanitizers for every target, as in -fsanitize=, for instance address,undefined")

set(CMAKE_C_STANDARD 17)
set(CMAKE_C_STANDARD_REQUIRED ON)
set(CMAKE_C_EXTENSIONS OFF)
set(CMAKE_EXPORT_COMPILE_COMMANDS ON)
set(CMAKE_RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)

if(NOT CMAKE_BUILD_TYPE)
  set(CMAKE_BUILD_TYPE Release)
endif()

add_compile_definitions(_GNU_SOURCE)
add_compile_options(-Wall -Wextra -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wpointer-arith -Wvla
                    -Wno-missing-field-initializers -fno-strict-aliasing)
# A run must be the same on every compiler and build type: no fused multiply-add, no reordered floating point.
add_compile_options(-ffp-contract=off)
# GCC clears and copies structs with string instructions, whose start alone takes longer than a few vector moves.
include(CheckCCompilerFlag)
set(AQ_STRUCT_MOVES -mmemset-strategy=unrolled_loop:512:noalign,libcall:-1:noalign
                    -mmemcpy-strategy=unrolled_loop:512:noalign,libcall:-1:noalign)
check_c_compiler_flag("${AQ_STRUCT_MOVES}" AQ_HAS_STRUCT_MOVES)
if(AQ_HAS_STRUCT_MOVES)
  add_compile_options("$<$<CONFIG:Release>:${AQ_STRUCT_MOVES}>")
endif()
if(ALLQSIM_MUTANTS)
  add_compile_definitions(AQ_MUTANTS)
endif()
if(AQ_WERROR)
  add_compile_options(-Werror)
endif()
if(AQ_SANITIZE)
  add_compile_options(-fsanitize=${AQ_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${AQ_SANITIZE})
endif()
# Link-time optimisation for what users run. Tests are linked without it, which takes a fraction of the time: so the libraries hold both
# forms, which GCC offers.
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT AQ_SANITIZE AND CMAKE_C_COMPILER_ID STREQUAL "GNU")
  add_compile_options(-flto=auto -ffat-lto-objects)
  set(AQ_LTO_LINK -flto=auto)
  set(AQ_NO_LTO_LINK -fno-lto)
endif()
