#include "scenarios/include.h"

#include <stdio.h>
#include <string.h>

#include "scenarios/file.h"

#define PATH_BYTES 4096

/* Writes the path as seen from here. Errors: AQ_ELIMIT. */
static int resolve(const struct aq_reader *r, const char *path, char *out, size_t size) {
    const char *slash = strrchr(r->name, '/');
    int folder = *path == '/' || !slash ? 0 : (int)(slash + 1 - r->name);
    int used = snprintf(out, size, "%.*s%s", folder, r->name, path);
    return used < 0 || (size_t)used >= size ? AQ_ELIMIT : 0;
}

/* A file whose member "service" is an object. *out is for cJSON_Delete. */
static int read_service(struct aq_reader *r, const char *path, cJSON **out) {
    struct aq_error error = {0};
    cJSON *tree = NULL;
    int rc = aq_file_read_tree(path, &tree, &error);
    if (rc) return aq_reader_fail(r, rc, "%s", error.text);
    *out = cJSON_DetachItemFromObjectCaseSensitive(tree, "service");
    cJSON_Delete(tree);
    if (cJSON_IsObject(*out) && !aq_tree_member(*out, "empirical")) return 0;
    cJSON_Delete(*out);
    *out = NULL;
    return aq_reader_fail(r, AQ_EINVALID,
                          "%s: there is no \"service\" with times in it: allqsim calibrate writes one", path);
}

int aq_scenario_include(struct aq_reader *r, cJSON *tree) {
    cJSON *servers = aq_tree_member(tree, "servers"), *service = NULL;
    cJSON *old = servers ? aq_tree_member(servers, "service") : NULL;
    const cJSON *path = old ? aq_tree_member(old, "empirical") : NULL;
    char resolved[PATH_BYTES];
    if (!path) return 0;
    size_t top = aq_reader_enter(r, "servers");
    aq_reader_enter(r, "service");
    aq_reader_enter(r, "empirical");
    if (!cJSON_IsString(path) || !*path->valuestring)
        return aq_reader_wrong(r, path, "the path of a file that allqsim calibrate has written");
    if (old->child->next)
        return aq_reader_fail(r, AQ_EINVALID,
                              "the measured times stand alone: leave out the other keys of service");
    if (resolve(r, path->valuestring, resolved, sizeof resolved))
        return aq_reader_fail(r, AQ_ELIMIT, "the path is longer than %d bytes", PATH_BYTES - 1);
    int rc = read_service(r, resolved, &service);
    if (rc) return rc;
    /* It brings its name, "service", with it: no memory is needed. */
    cJSON_ReplaceItemViaPointer(servers, old, service);
    aq_reader_leave(r, top);
    return 0;
}
