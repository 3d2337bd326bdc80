/* What the transport tests share: a loop with a deadline, keys, one fake server's port and one process full
   of clients without their cores, and plain libzmq sockets on the same loop. */
#ifndef AQ_TESTS_TRANSPORT_RIG_H
#define AQ_TESTS_TRANSPORT_RIG_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <string.h>
#include <uv.h>
#include <zmq.h>

#include "client/transport_zmq.h"
#include "fakeserver/gate_zmq.h"
#include "fakeserver/transport_zmq.h"
#include "protocol/loop_zmq.h"

#define RIG_DEADLINE_MS 60000 /* for one test; none comes near it unless something hangs */
#define RIG_SEEN_MAX    4096

struct rig {
    uv_loop_t loop;
    void *context;
    uv_timer_t deadline;
    uint32_t timers_left;
    bool expired;
    struct aq_curve_pair server_keys, client_keys, other_keys;
    struct aq_zmq_queue raw_queue;
    int files_before;
};

/* Counts the open files first; close fails the test where there are more afterwards. */
void rig_open(struct rig *rig);
void rig_close(struct rig *rig);

/* One round of the loop; fails the test when the deadline has passed. */
void rig_step(struct rig *rig, const char *file, int line);
#define RIG_UNTIL(rig, condition)                                                                            \
    do {                                                                                                     \
        while (!(condition))                                                                                 \
            rig_step((rig), __FILE__, __LINE__);                                                             \
    } while (0)

/* Runs the loop for this long, to see that something does not happen. */
void rig_linger(struct rig *rig, uint64_t ms);

int rig_count_files(void);

/* ---- a fake server's port, its requests collected ---- */

struct asked {
    struct aq_server_event event; /* texts and request are valid until finished */
    bool finished;
};

struct port {
    struct rig *rig;
    struct aq_server_transport *transport;
    struct asked asked[RIG_SEEN_MAX];
    uint32_t count;
    int listening; /* 0 not told yet, 1 yes, or the error code */
    uint16_t port;
    char endpoint[64]; /* "127.0.0.1:PORT" */
};

/* Listens, on port number `number` or on any, and returns when it does. */
void port_open(struct port *port, struct rig *rig, uint16_t number);
/* The same with more to set. */
struct aq_server_transport_config port_config(struct port *port, struct rig *rig);
void port_open_with(struct port *port, const struct aq_server_transport_config *config);
void port_close(struct port *port, bool abrupt);

/* Answers the n-th request with this text as the job's id, and finishes it. */
void port_reply(struct port *port, uint32_t n, const char *job_id);
void port_finish(struct port *port, uint32_t n);

/* ---- clients without cores, their events collected ---- */

struct told {
    enum aq_client_event_kind kind;
    uint32_t client, server, correlation;
    bool has_reply;
    uint8_t reply_kind;
    char text[256]; /* of the reply: job id, or the error */
};

struct fleet {
    struct rig *rig;
    struct aq_client_transport *transport;
    struct told told[RIG_SEEN_MAX];
    uint32_t count;
    uint32_t up, down, replies; /* events of each kind */
    uint32_t troubles[AQ_CLIENT_TROUBLE_COUNT];
    void (*on_event)(struct fleet *fleet, const struct told *told); /* may be NULL */
};

void fleet_open(struct fleet *fleet, struct rig *rig);
struct aq_client_transport_config fleet_config(struct fleet *fleet, struct rig *rig);
void fleet_open_with(struct fleet *fleet, const struct aq_client_transport_config *config);
void fleet_close(struct fleet *fleet);
void fleet_put(struct fleet *fleet, uint32_t client, uint32_t address, uint32_t correlation,
               const char *body);

/* ---- plain libzmq sockets ---- */

#define RAW_FRAMES_MAX 8

struct raw_message {
    uint32_t frames;
    uint32_t len[RAW_FRAMES_MAX];
    char bytes[RAW_FRAMES_MAX][512]; /* what is longer is cut */
};

struct raw {
    struct rig *rig;
    struct aq_zmq_watch watch;
    void *socket;
    struct raw_message *messages; /* RIG_SEEN_MAX */
    uint32_t count;
    bool closed;
    void (*on_message)(struct raw *raw, const struct raw_message *message); /* may be NULL */
};

/* A socket with CURVE for a server (server_public NULL) or a client of this server. */
void raw_open(struct raw *raw, struct rig *rig, int type);
void raw_curve_client(struct raw *raw, const struct aq_curve_pair *keys, const char *server_public);
void raw_curve_server(struct raw *raw, const struct aq_curve_pair *keys);
void raw_set(struct raw *raw, int option, int value);
void raw_connect(struct raw *raw, const char *endpoint); /* "host:port" */
void raw_bind(struct raw *raw, char endpoint[64]);       /* tells "127.0.0.1:PORT" */
/* Frames of one message; NULL ends them. */
void raw_send(struct raw *raw, ...) __attribute__((sentinel));
void raw_close(struct raw *raw);

/* ---- plain TCP, without libzmq ---- */

/* A socket that listens on 127.0.0.1; tells its endpoint. */
int tcp_listen(char endpoint[64]);
/* A connection to "127.0.0.1:PORT", not blocking once it is there. */
int tcp_connect(const char *endpoint);
/* Whether somebody listens on "host:port": a server that was closed goes on doing so for a moment. */
bool tcp_answers(const char *endpoint);

#endif
