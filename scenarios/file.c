#include "scenarios/file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"

#define FILE_BYTES_MAX (8u << 20) /* a thousand faults take about 200 kB */

static int read_stream(FILE *file, const char *path, char **out, size_t *length, struct aq_error *error) {
    char *text = NULL;
    uint32_t capacity = 0;
    size_t used = 0;
    for (;;) {
        if (aq_array_reserve(&text, &capacity, used + 4096 + 1, 1)) {
            aq_free(text);
            return aq_error_set(error, AQ_ENOMEM, "%s: out of memory", path);
        }
        size_t got = fread(text + used, 1, 4096, file);
        used += got;
        if (got == 0 || used > FILE_BYTES_MAX) break;
    }
    int failed = ferror(file) ? errno : 0;
    if (failed || used > FILE_BYTES_MAX) {
        aq_free(text);
        if (failed) return aq_error_set(error, AQ_EIO, "%s: cannot be read: %s", path, strerror(failed));
        return aq_error_set(error, AQ_ELIMIT, "%s: longer than %u bytes, which no file of this sort needs",
                            path, FILE_BYTES_MAX);
    }
    text[used] = 0;
    *out = text;
    *length = used;
    return 0;
}

int aq_file_read(const char *path, char **out, size_t *length, struct aq_error *error) {
    FILE *file = fopen(path, "rb");
    if (!file) return aq_error_set(error, AQ_EIO, "%s: cannot be opened: %s", path, strerror(errno));
    int rc = read_stream(file, path, out, length, error);
    fclose(file);
    return rc;
}

int aq_file_read_tree(const char *path, cJSON **out, struct aq_error *error) {
    char *text = NULL;
    size_t length = 0;
    struct aq_tree_fault fault;
    int rc = aq_file_read(path, &text, &length, error);
    if (rc) return rc;
    aq_tree_begin();
    rc = aq_tree_parse(text, length, out, &fault);
    aq_free(text);
    if (rc == AQ_EPARSE) return aq_error_set(error, rc, "%s:%zu: %s", path, fault.line, fault.what);
    return rc ? aq_error_set(error, rc, "%s: out of memory", path) : 0;
}
