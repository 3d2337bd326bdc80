#include "client/tcp_socket.h"

#include <errno.h>
#include <netdb.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#define BACKLOG 1024

static uint16_t port_of(int fd) {
    union {
        struct sockaddr any;
        struct sockaddr_in v4;
        struct sockaddr_in6 v6;
    } address;
    socklen_t len = sizeof address;
    if (getsockname(fd, &address.any, &len)) return 0;
    return ntohs(address.any.sa_family == AF_INET6 ? address.v6.sin6_port : address.v4.sin_port);
}

static int open_at(const struct addrinfo *at, int *out) {
    int fd = socket(at->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0), yes = 1;
    if (fd < 0) return -1;
    setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes);
    if (bind(fd, at->ai_addr, at->ai_addrlen) || listen(fd, BACKLOG)) {
        int why = errno;
        close(fd);
        errno = why;
        return -1;
    }
    *out = fd;
    return 0;
}

int aq_tcp_socket_open(const char *host, uint16_t port, int *fd, uint16_t *bound, struct aq_error *error) {
    struct addrinfo hints = {.ai_flags = AI_NUMERICHOST | AI_PASSIVE, .ai_socktype = SOCK_STREAM}, *found;
    char service[8];
    snprintf(service, sizeof service, "%u", port);
    if (getaddrinfo(strcmp(host, "localhost") == 0 ? "127.0.0.1" : host, service, &hints, &found))
        return aq_error_set(error, AQ_EINVALID,
                            "address to listen on: found \"%s\", allowed is an IP address or localhost",
                            host);
    int opened = -1, rc = open_at(found, &opened);
    if (rc) rc = aq_error_set(error, AQ_EIO, "cannot listen on %s port %u: %s", host, port, strerror(errno));
    freeaddrinfo(found);
    if (rc) return rc;
    *fd = opened;
    *bound = port_of(opened);
    return 0;
}
