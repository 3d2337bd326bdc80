#include "client/unix_socket.h"

#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 1024

static int io_error(struct aq_error *error, const char *path) {
    return aq_error_set(error, AQ_EIO, "%s: %s", path, strerror(errno));
}

static void lock_path_of(const char *path, char out[AQ_UNIX_SOCKET_PATH_MAX + 8]) {
    snprintf(out, AQ_UNIX_SOCKET_PATH_MAX + 8, "%s.lock", path);
}

/* Whether the locked file is still the one that others find under its name. */
static bool is_at(int fd, const char *path) {
    struct stat mine, there;
    return fstat(fd, &mine) == 0 && stat(path, &there) == 0 && mine.st_ino == there.st_ino &&
           mine.st_dev == there.st_dev;
}

static int take_lock(const char *path, int *out, struct aq_error *error) {
    char lock_path[AQ_UNIX_SOCKET_PATH_MAX + 8];
    lock_path_of(path, lock_path);
    for (int attempt = 0; attempt < 10; attempt++) {
        int fd = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, 0600);
        if (fd < 0) return io_error(error, lock_path);
        if (flock(fd, LOCK_EX | LOCK_NB)) {
            int why = errno;
            close(fd);
            errno = why;
            if (why != EWOULDBLOCK) return io_error(error, lock_path);
            return aq_error_set(error, AQ_EEXISTS, "%s: another process serves there", path);
        }
        if (is_at(fd, lock_path)) {
            *out = fd;
            return 0;
        }
        close(fd); /* its owner was just removing it */
    }
    return aq_error_set(error, AQ_EIO, "%s: is removed again and again", lock_path);
}

static struct sockaddr_un address_of(const char *path) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    return address;
}

static int new_socket(void) {
    return socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
}

/* Errors: AQ_EEXISTS where somebody answers at the path, AQ_EINVALID where it is no socket. */
static int check_free(const char *path, struct aq_error *error) {
    struct stat there;
    if (lstat(path, &there)) return errno == ENOENT ? 0 : io_error(error, path);
    if (!S_ISSOCK(there.st_mode))
        return aq_error_set(error, AQ_EINVALID, "%s: is there already and is no socket", path);
    int fd = new_socket();
    if (fd < 0) return io_error(error, path);
    struct sockaddr_un address = address_of(path);
    int rc = connect(fd, (struct sockaddr *)&address, sizeof address);
    int why = errno;
    close(fd);
    if (rc && (why == ECONNREFUSED || why == ENOENT)) return 0;
    if (rc == 0 || why == EAGAIN)
        return aq_error_set(error, AQ_EEXISTS, "%s: another process serves there", path);
    errno = why;
    return io_error(error, path);
}

static int listen_at(const char *path, struct aq_unix_socket *out, struct aq_error *error) {
    char own[sizeof((struct sockaddr_un *)0)->sun_path];
    snprintf(own, sizeof own, "%s.%d", path, (int)getpid());
    int fd = new_socket();
    if (fd < 0) return io_error(error, path);
    struct sockaddr_un address = address_of(own);
    struct stat made;
    unlink(own); /* of a dead process that had the same number */
    if (bind(fd, (struct sockaddr *)&address, sizeof address) || listen(fd, BACKLOG) || lstat(own, &made) ||
        rename(own, path)) {
        int rc = io_error(error, path);
        unlink(own);
        close(fd);
        return rc;
    }
    out->fd = fd;
    out->device = made.st_dev;
    out->inode = made.st_ino;
    return 0;
}

static void release_lock(const char *path, int fd) {
    char lock_path[AQ_UNIX_SOCKET_PATH_MAX + 8];
    lock_path_of(path, lock_path);
    unlink(lock_path);
    close(fd);
}

int aq_unix_socket_open(const char *path, struct aq_unix_socket *out, struct aq_error *error) {
    struct aq_unix_socket opened = {.fd = -1, .lock_fd = -1};
    if (path[0] == 0 || strlen(path) > AQ_UNIX_SOCKET_PATH_MAX)
        return aq_error_set(error, AQ_EINVALID, "%s: a socket's path has 1 to %d bytes", path,
                            AQ_UNIX_SOCKET_PATH_MAX);
    snprintf(opened.path, sizeof opened.path, "%s", path);
    int rc = take_lock(path, &opened.lock_fd, error);
    if (rc) return rc;
    rc = check_free(path, error);
    if (!rc) rc = listen_at(path, &opened, error);
    if (rc)
        release_lock(path, opened.lock_fd);
    else
        *out = opened;
    return rc;
}

void aq_unix_socket_close(struct aq_unix_socket *socket) {
    struct stat there;
    if (socket->lock_fd < 0) return;
    if (lstat(socket->path, &there) == 0 && there.st_dev == socket->device && there.st_ino == socket->inode)
        unlink(socket->path);
    release_lock(socket->path, socket->lock_fd);
    socket->lock_fd = -1;
}
