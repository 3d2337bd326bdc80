#include "sim/fakeserver_keys.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zmq.h>

#include "base/memory.h"
#include "protocol/loop_zmq.h"

#define KEYS_FILE_MAX  65536
#define ALLOW_FILE_MAX (16U << 20)

static int io_error(struct aq_error *error, const char *path) {
    return aq_error_set(error, AQ_EIO, "%s: %s", path, strerror(errno));
}

/* The whole of an open file, in memory that the caller frees. */
static int read_all(int fd, const char *path, uint32_t max, char **out, uint32_t *len,
                    struct aq_error *error) {
    struct stat info;
    if (fstat(fd, &info)) return io_error(error, path);
    if (info.st_size > (off_t)max)
        return aq_error_set(error, AQ_EPARSE, "%s: longer than %u bytes", path, max);
    char *text = aq_alloc((size_t)info.st_size + 1);
    if (!text) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    ssize_t got = 0;
    uint32_t used = 0;
    while (used < (uint32_t)info.st_size && (got = read(fd, text + used, (size_t)info.st_size - used)) > 0)
        used += (uint32_t)got;
    if (got < 0) {
        int rc = io_error(error, path);
        aq_free(text);
        return rc;
    }
    *out = text;
    *len = used;
    return 0;
}

static int check_pair(const char *path, const char *who, const struct aq_curve_pair *pair,
                      struct aq_error *error) {
    char public[AQ_CURVE_Z85_CHARS + 1];
    if (zmq_curve_public(public, pair->secret_z85) == 0 && strcmp(public, pair->public_z85) == 0) return 0;
    return aq_error_set(error, AQ_EINVALID, "%s: the %s's keys do not belong together", path, who);
}

static int check(const char *path, struct aq_curve_keys *keys, struct aq_error *error) {
    if (!keys->has_server_secret)
        return aq_error_set(error, AQ_EINVALID, "%s: server_secret is missing", path);
    int rc = check_pair(path, "server", &keys->server, error);
    if (rc) return rc;
    if (keys->has_client) return check_pair(path, "client", &keys->client, error);
    keys->has_client = true;
    return aq_zmq_curve_pair(&keys->client);
}

static int read_keys(int fd, const char *path, struct aq_curve_keys *out, struct aq_error *error) {
    struct aq_curve_keys keys = {0};
    char *text;
    uint32_t len;
    int rc = read_all(fd, path, KEYS_FILE_MAX, &text, &len, error);
    if (rc) return rc;
    rc = aq_curve_keys_parse((struct aq_text){text, len}, path, &keys, error);
    explicit_bzero(text, len);
    aq_free(text);
    if (!rc) rc = check(path, &keys, error);
    if (!rc) *out = keys;
    aq_curve_keys_wipe(&keys);
    return rc;
}

static int make_keys(struct aq_curve_keys *out, struct aq_error *error) {
    struct aq_curve_keys keys = {.has_server_secret = true, .has_client = true};
    int rc = aq_zmq_curve_pair(&keys.server);
    if (!rc) rc = aq_zmq_curve_pair(&keys.client);
    if (rc) return aq_error_set(error, rc, "this libzmq has no CURVE");
    *out = keys;
    aq_curve_keys_wipe(&keys);
    return 0;
}

static int write_whole(int fd, const char *text, uint32_t len) {
    ssize_t put = 0;
    for (uint32_t used = 0; used < len; used += (uint32_t)put)
        if ((put = write(fd, text + used, len - used)) < 0) return -1;
    return fsync(fd);
}

/* Written under another name first: a file of that name is whole or is not there. Errors: AQ_EEXISTS. */
static int keep_keys(const char *path, const struct aq_curve_keys *keys, struct aq_error *error) {
    char text[AQ_CURVE_FILE_CHARS_MAX + 1], own[4096];
    if ((size_t)snprintf(own, sizeof own, "%s.%d", path, (int)getpid()) >= sizeof own)
        return aq_error_set(error, AQ_EIO, "%s: the path is too long", path);
    unlink(own); /* of a dead process that had the same number */
    int fd = open(own, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0) return io_error(error, own);
    uint32_t len = aq_curve_keys_format(keys, text, sizeof text);
    int rc = write_whole(fd, text, len) ? io_error(error, own) : 0;
    explicit_bzero(text, sizeof text);
    close(fd);
    if (!rc && link(own, path)) {
        rc = io_error(error, path);
        if (errno == EEXIST) rc = AQ_EEXISTS;
    }
    unlink(own);
    return rc;
}

int aq_fakeserver_keys(const char *path, struct aq_curve_keys *out, bool *others_can_read,
                       struct aq_error *error) {
    struct stat info;
    struct aq_curve_keys keys = {0};
    *others_can_read = false;
    if (!path) return make_keys(out, error);
    int fd = open(path, O_RDONLY | O_CLOEXEC), rc;
    if (fd < 0 && errno == ENOENT) {
        rc = make_keys(&keys, error);
        if (!rc) rc = keep_keys(path, &keys, error);
        if (!rc) *out = keys;
        aq_curve_keys_wipe(&keys);
        if (rc != AQ_EEXISTS) return rc;
        fd = open(path, O_RDONLY | O_CLOEXEC); /* another process was faster */
    }
    if (fd < 0) return io_error(error, path);
    *others_can_read = fstat(fd, &info) == 0 && (info.st_mode & (S_IRGRP | S_IROTH));
    rc = read_keys(fd, path, out, error);
    close(fd);
    return rc;
}

int aq_fakeserver_allow_list(const char *path, struct aq_curve_allow_list *out, struct aq_error *error) {
    char *text;
    uint32_t len;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) return io_error(error, path);
    int rc = read_all(fd, path, ALLOW_FILE_MAX, &text, &len, error);
    close(fd);
    if (rc) return rc;
    rc = aq_curve_allow_list_parse((struct aq_text){text, len}, path, out, error);
    aq_free(text);
    return rc;
}
