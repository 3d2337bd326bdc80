#include "base/assert.h"

#include <stdio.h>
#include <stdlib.h>

void aq_assert_failed(const char *file, int line, const char *function, const char *invariant) {
    fprintf(stderr, "internal error: %s:%d: %s: broken invariant: %s\n", file, line, function, invariant);
    abort();
}
