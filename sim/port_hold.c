#include "sim/port_hold.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

/* Linux lets a second socket listen where all that are bound allow it by SO_REUSEADDR, as libzmq's and
 * libuv's do, and none listens. */
static int bind_to(struct sockaddr_in *address, int *out) {
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), yes = 1;
    socklen_t len = sizeof *address;
    if (fd < 0) return -1;
    if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) ||
        bind(fd, (struct sockaddr *)address, sizeof *address) ||
        getsockname(fd, (struct sockaddr *)address, &len)) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    *out = fd;
    return 0;
}

int aq_port_hold(const char *host, uint16_t port, int *fd, uint16_t *bound, struct aq_error *error) {
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons(port)};
    if (inet_pton(AF_INET, host, &address.sin_addr) != 1)
        return aq_error_set(error, AQ_EINVALID, "host: found \"%s\", allowed is an IPv4 address", host);
    if (bind_to(&address, fd))
        return aq_error_set(error, AQ_EIO, "cannot listen on %s port %u: %s", host, port, strerror(errno));
    *bound = ntohs(address.sin_port);
    return 0;
}

int aq_held_addresses_open(uint32_t count, bool same_host, struct aq_held_addresses *out,
                           struct aq_error *error) {
    out->texts = aq_alloc(count * sizeof *out->texts);
    out->fds = aq_alloc(count * sizeof *out->fds);
    if (!out->texts || !out->fds) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    for (uint32_t i = 0; i < count; i++) {
        uint32_t at = same_host ? 0 : i;
        char host[16];
        uint16_t port;
        snprintf(host, sizeof host, "127.0.%u.%u", (1 + at / 254) & 255, 1 + at % 254);
        int rc = aq_port_hold(host, 0, &out->fds[i], &port, error);
        if (rc) return rc;
        out->count++;
        snprintf(out->texts[i], sizeof out->texts[i], "%s:%u", host, port);
    }
    return 0;
}

void aq_held_addresses_close(struct aq_held_addresses *held) {
    for (uint32_t i = 0; i < held->count; i++)
        close(held->fds[i]);
    aq_free(held->texts);
    aq_free(held->fds);
    *held = (struct aq_held_addresses){0};
}
