/* Files that commands write: what was there is replaced when all went well, and left alone otherwise. */
#ifndef AQ_SIM_CLI_OUTPUT_H
#define AQ_SIM_CLI_OUTPUT_H

#include <stdbool.h>
#include <stdio.h>

#include "base/error.h"

struct aq_cli_output {
    const char *path; /* borrowed; NULL: there is none */
    char part[4096];  /* the file beside it that is written */
    FILE *stream;
};

/* Are these two names of one file? */
bool aq_cli_output_is(const char *a, const char *b);

/* Makes the file beside the wanted one. `database`: the file that is read meanwhile, which must not be the
   same; NULL: none. Errors: AQ_EIO; nothing has to be closed then. */
int aq_cli_output_open(struct aq_cli_output *output, const char *path, const char *database,
                       struct aq_error *error);

/* Lets it take its place where rc is 0, and takes it away otherwise; returns rc. Errors: AQ_EIO. */
int aq_cli_output_close(struct aq_cli_output *output, int rc, struct aq_error *error);

#endif
