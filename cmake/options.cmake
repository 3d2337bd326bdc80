# Language, warnings and the switches that the presets set.
option(AQ_TESTS "Build the tests" ON)
option(AQ_BENCH "Build the benchmarks" ON)
option(AQ_WERROR "Treat warnings as errors" OFF)
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
if(AQ_WERROR)
  add_compile_options(-Werror)
endif()
if(AQ_SANITIZE)
  add_compile_options(-fsanitize=${AQ_SANITIZE} -fno-omit-frame-pointer -fno-sanitize-recover=all)
  add_link_options(-fsanitize=${AQ_SANITIZE})
endif()
if(CMAKE_BUILD_TYPE STREQUAL "Release" AND NOT AQ_SANITIZE)
  include(CheckIPOSupported)
  check_ipo_supported(RESULT AQ_IPO LANGUAGES C OUTPUT AQ_IPO_WHY)
  set(CMAKE_INTERPROCEDURAL_OPTIMIZATION ${AQ_IPO})
endif()
