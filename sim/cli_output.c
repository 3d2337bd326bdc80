#include "sim/cli_output.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool aq_cli_output_is(const char *a, const char *b) {
    struct stat first, second;
    return stat(a, &first) == 0 && stat(b, &second) == 0 && first.st_dev == second.st_dev &&
           first.st_ino == second.st_ino;
}

static int fail(const char *path, struct aq_error *error) {
    return aq_error_set(error, AQ_EIO, "%s: cannot be written: %s", path, strerror(errno));
}

int aq_cli_output_open(struct aq_cli_output *output, const char *path, const char *database,
                       struct aq_error *error) {
    *output = (struct aq_cli_output){.path = path};
    if (database && aq_cli_output_is(path, database))
        return aq_error_set(error, AQ_EIO, "%s: is the database itself: choose another name", path);
    if (snprintf(output->part, sizeof output->part, "%s.part", path) >= (int)sizeof output->part)
        return aq_error_set(error, AQ_EIO, "%s: the name is too long", path);
    output->stream = fopen(output->part, "w");
    return output->stream ? 0 : fail(path, error);
}

int aq_cli_output_close(struct aq_cli_output *output, int rc, struct aq_error *error) {
    bool written = !ferror(output->stream);
    if (fclose(output->stream)) written = false;
    if (!rc && (!written || rename(output->part, output->path))) rc = fail(output->path, error);
    if (rc) unlink(output->part);
    return rc;
}
