/* A listening unix socket at a path, which survives that a process before this one was killed.

   A lock file, "PATH.lock", is held (flock) as long as the socket is served; the kernel lets go of it when
   the process ends, in whatever way. Only who holds the lock touches the path. A socket that is found there
   and takes no connection is a dead process' and is replaced; one that does is somebody else's and is left
   alone. The new socket listens under a name of its own before it is renamed to the path, so that the path
   never names a socket that refuses. */
#ifndef AQ_CLIENT_UNIX_SOCKET_H
#define AQ_CLIENT_UNIX_SOCKET_H

#include <sys/types.h>

#include "base/error.h"

#define AQ_UNIX_SOCKET_PATH_MAX 96 /* a socket's name holds 107 bytes, and a process id is put behind it */

struct aq_unix_socket {
    int fd;      /* listening, non-blocking; the caller's to close */
    int lock_fd; /* -1: closed */
    dev_t device;
    ino_t inode;
    char path[AQ_UNIX_SOCKET_PATH_MAX + 1];
};

/* Errors: AQ_EINVALID (the path is too long, or names something that is no socket), AQ_EEXISTS (another
   process serves there), AQ_EIO; *out untouched. */
int aq_unix_socket_open(const char *path, struct aq_unix_socket *out, struct aq_error *error);

/* Removes the path, if it still is this socket, and the lock. Not fd, which should be closed after this:
   while it is open nothing else can be taken for it. */
void aq_unix_socket_close(struct aq_unix_socket *socket);

#endif
