/* libzmq sockets on a libuv loop: the context with the limits that thousands of connections need, and the
   queue of sockets to look at. Shared by the transports of client and fake server.

   The file descriptor of a libzmq socket is edge-triggered: it says once that something has changed, and any
   call on the socket may swallow that. So a socket is looked at when its descriptor is readable and after
   every send, and the look reads until nothing is left or its budget is used up. A socket with more waiting
   goes to the end of the queue, and the loop polls the others before it comes to it again. */
#ifndef AQ_PROTOCOL_LOOP_ZMQ_H
#define AQ_PROTOCOL_LOOP_ZMQ_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

#include "base/error.h"
#include "protocol/curve_keys.h"

#define AQ_ZMQ_LOOK_BUDGET 32 /* messages read from one socket before others have their turn */

/* A context for up to sockets_max sockets: one for each connection of a client transport, two more for each
   that is being made and watched, one for each fake server. io_threads at least 1. The caller ends it with
   zmq_ctx_term, after all transports on it are freed and their loops have run. Errors: AQ_ENOMEM, AQ_ELIMIT
   (*error says what there is). */
int aq_zmq_context_new(uint32_t sockets_max, uint32_t io_threads, void **out, struct aq_error *error);

/* A fresh pair of keys. Errors: AQ_EUNSUPPORTED (a libzmq without CURVE; out untouched). */
int aq_zmq_curve_pair(struct aq_curve_pair *out);

struct aq_zmq_watch;

/* Reads at most AQ_ZMQ_LOOK_BUDGET messages; true where there may be more. May close this watch and others.
 */
typedef bool aq_zmq_look(struct aq_zmq_watch *watch);
typedef void aq_zmq_closed(struct aq_zmq_watch *watch);

/* One socket on the loop. Embedded in its owner, at a fixed place. */
struct aq_zmq_watch {
    uv_poll_t poll;
    void *socket; /* NULL before open and after close */
    struct aq_zmq_queue *queue;
    aq_zmq_look *look;
    aq_zmq_closed *closed;
    struct aq_zmq_watch *next, *prev; /* in the queue */
    bool queued;
};

struct aq_zmq_queue {
    uv_idle_t idle; /* runs while something is queued */
    struct aq_zmq_watch *first, *last;
    uint32_t count;
    void (*closed)(struct aq_zmq_queue *queue);
};

void aq_zmq_queue_init(struct aq_zmq_queue *queue, uv_loop_t *loop);

/* Forgets what is queued. closed is called from the loop: only then may the memory be used again. */
void aq_zmq_queue_close(struct aq_zmq_queue *queue, void (*closed)(struct aq_zmq_queue *queue));

/* A watch without a socket; its looks can be queued already. */
void aq_zmq_watch_init(struct aq_zmq_watch *watch, struct aq_zmq_queue *queue, aq_zmq_look *look);

/* Watches a socket, which then belongs to the watch, and queues a first look. Errors: AQ_EIO (the socket is
   still the caller's). */
int aq_zmq_watch_open(struct aq_zmq_watch *watch, void *socket);

/* Queues a look: to be called when a call on the socket outside of a look may have swallowed a change. */
void aq_zmq_watch_wake(struct aq_zmq_watch *watch);

/* Closes the socket at once; no look follows. True where there was one: then closed is called from the loop,
   and only after that may the memory be used again. */
bool aq_zmq_watch_close(struct aq_zmq_watch *watch, aq_zmq_closed *closed);

/* ZMQ_POLLIN | ZMQ_POLLOUT as they are now. */
int aq_zmq_events(void *socket);

/* The next event of a socket that zmq_socket_monitor writes to. False where nothing waits. */
bool aq_zmq_monitor_read(void *socket, uint16_t *event, uint32_t *value);

/* Names of connections, as ROUTER sockets see them: the client's number in this process, made unique by
   process and serial number. */
#define AQ_ZMQ_ROUTE_CHARS_MAX 47
uint32_t aq_zmq_route_write(char route[AQ_ZMQ_ROUTE_CHARS_MAX + 1], uint32_t client, uint64_t serial);

/* The client's number, or UINT32_MAX where the name is not of this form. */
uint32_t aq_zmq_route_client(const void *route, size_t len);

#endif
