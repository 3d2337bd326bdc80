/* Whole files as texts, and as JSON with the line of an error. */
#ifndef AQ_SCENARIOS_FILE_H
#define AQ_SCENARIOS_FILE_H

#include "base/error.h"
#include "scenarios/tree.h"

/* Reads a file of at most 8 MiB; *out has a NUL behind it and is for aq_free. Errors: AQ_EIO, AQ_ELIMIT,
   AQ_ENOMEM; *error names the file. */
int aq_file_read(const char *path, char **out, size_t *length, struct aq_error *error);

/* Reads a file as JSON, for cJSON_Delete. Errors: as above, and AQ_EPARSE with the line. */
int aq_file_read_tree(const char *path, cJSON **out, struct aq_error *error);

#endif
