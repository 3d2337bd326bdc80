#include "sim/proxy_uv.h"

#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "sim/proxy_internal_uv.h"

#define BACKLOG         4096 /* Linux's own limit; thousands of clients connect at once */
#define ACCEPT_AGAIN_MS 100

static int parse_address(const char *host, uint16_t port, struct sockaddr_storage *out,
                         struct aq_error *error) {
    struct sockaddr_storage address = {0};
    if (uv_ip4_addr(host, port, (struct sockaddr_in *)&address) &&
        uv_ip6_addr(host, port, (struct sockaddr_in6 *)&address))
        return aq_error_set(error, AQ_EINVALID, "\"%s\" is not a numeric address", host);
    *out = address;
    return 0;
}

void proxy_start_timer(uv_timer_t *timer, uv_timer_cb on_timer, aq_time_us now_us, aq_time_us at_us) {
    uint64_t wait_ms = at_us > now_us ? (at_us - now_us + 999) / 1000 : 0;
    uv_timer_start(timer, on_timer, wait_ms, 0);
}

/* ---- accepting ---- */

static void try_to_accept(struct aq_proxy *proxy);

static void on_accept_timer(uv_timer_t *timer) {
    try_to_accept(timer->data);
}

static void try_to_accept(struct aq_proxy *proxy) {
    if (proxy->closing || wire_accept(proxy) == 0) return;
    proxy->counters.failed_accepts++;
    uv_timer_start(&proxy->accept_timer, on_accept_timer, ACCEPT_AGAIN_MS, 0);
}

static void on_connection(uv_stream_t *listener, int status) {
    struct aq_proxy *proxy = listener->data;
    if (status < 0)
        proxy->counters.failed_accepts++;
    else
        try_to_accept(proxy);
}

/* ---- life ---- */

static int start_to_listen(struct aq_proxy *proxy, const char *host, struct aq_error *error) {
    struct sockaddr_storage address;
    int length = sizeof address;
    int rc = parse_address(host, proxy->config.port, &address, error);
    if (rc) return rc;
    rc = uv_tcp_bind(&proxy->listener, (struct sockaddr *)&address, 0);
    if (!rc) rc = uv_listen((uv_stream_t *)&proxy->listener, BACKLOG, on_connection);
    if (!rc) rc = uv_tcp_getsockname(&proxy->listener, (struct sockaddr *)&address, &length);
    if (rc)
        return aq_error_set(error, rc == UV_ENOMEM ? AQ_ENOMEM : AQ_EIO, "cannot listen on %s: %s", host,
                            uv_strerror(rc));
    proxy->port = ntohs(address.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&address)->sin6_port
                                                      : ((struct sockaddr_in *)&address)->sin_port);
    return 0;
}

int aq_proxy_new(const struct aq_proxy_config *config, struct aq_proxy **out, struct aq_error *error) {
    AQ_ASSERT(config->loop && config->rules && config->client_of);
    struct aq_proxy *proxy = aq_alloc_zeroed(1, sizeof *proxy);
    if (!proxy) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    proxy->config = *config;
    proxy->config.host = proxy->config.server_host = NULL;
    uv_tcp_init(config->loop, &proxy->listener); /* both only fill the handle */
    uv_timer_init(config->loop, &proxy->accept_timer);
    proxy->listener.data = proxy->accept_timer.data = proxy;
    proxy->handles = 2;
    int rc = aq_proxy_set_server(proxy, config->server_host, config->server_port, error);
    if (!rc) rc = start_to_listen(proxy, config->host, error);
    if (rc)
        aq_proxy_free(proxy);
    else
        *out = proxy;
    return rc;
}

void proxy_let_go(struct aq_proxy *proxy) {
    if (!proxy->closing || proxy->handles || proxy->wires) return;
    for (struct wire *wire = proxy->free_wires, *next; wire; wire = next) {
        next = wire->next;
        aq_free(wire);
    }
    aq_block_pool_close(&proxy->pool);
    aq_map_close(&proxy->connects);
    aq_free(proxy);
}

static void on_closed(uv_handle_t *handle) {
    struct aq_proxy *proxy = handle->data;
    proxy->handles--;
    proxy_let_go(proxy);
}

void aq_proxy_free(struct aq_proxy *proxy) {
    if (!proxy || proxy->closing) return;
    proxy->closing = true;
    for (struct wire *wire = proxy->wires; wire; wire = wire->next)
        wire_reset(wire);
    uv_close((uv_handle_t *)&proxy->listener, on_closed);
    uv_close((uv_handle_t *)&proxy->accept_timer, on_closed);
}

uint16_t aq_proxy_port(const struct aq_proxy *proxy) {
    return proxy->port;
}

int aq_proxy_set_server(struct aq_proxy *proxy, const char *host, uint16_t port, struct aq_error *error) {
    return parse_address(host, port, &proxy->server, error);
}

void aq_proxy_reset(struct aq_proxy *proxy, const struct aq_link_rule *between, bool half_open,
                    uint64_t *touched) {
    if (!aq_index_set_has(&between->servers, proxy->config.server)) return;
    for (struct wire *wire = proxy->wires; wire; wire = wire->next) {
        if (wire->state != WIRE_UP || !wire->open[CLIENT_SIDE] || !wire->open[SERVER_SIDE]) continue;
        if (!aq_index_set_has(&between->clients, wire->client)) continue;
        ++*touched;
        if (half_open)
            wire_half_open(wire);
        else
            wire_reset(wire);
    }
}

struct aq_proxy_counters aq_proxy_counters(const struct aq_proxy *proxy) {
    struct aq_proxy_counters counters = proxy->counters;
    counters.blocks_in_use = proxy->pool.in_use;
    counters.blocks_allocated = proxy->pool.allocated;
    return counters;
}
