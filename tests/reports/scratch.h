/* A scratch folder for one test, and questions to a database in it by SQLite itself. */
#ifndef AQ_TESTS_REPORTS_SCRATCH_H
#define AQ_TESTS_REPORTS_SCRATCH_H

#include <stdint.h>

struct scratch {
    char folder[64];
    char path[96]; /* of the database in it; does not exist yet */
};

/* cmocka set-up and tear-down: *state is the scratch, removed with all files in it. */
int scratch_make(void **state);
int scratch_remove(void **state);

void scratch_execute(const char *path, const char *sql);
int64_t scratch_integer(const char *path, const char *sql);
/* The first column of the first row, to be freed with free(). */
char *scratch_text(const char *path, const char *sql);

#endif
