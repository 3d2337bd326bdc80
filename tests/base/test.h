/* cmocka, with the headers that it wants before it. */
#ifndef AQ_TESTS_BASE_TEST_H
#define AQ_TESTS_BASE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#endif
