/* The parts of a fault proxy. One client's connection, with the one that goes on to the server, is a wire:

     SETTING_UP --- not blocked, after the way there and back ---> CONNECTING --- connected ---> UP
         |                                                             |                          |
         +--- refused, abandoned ---> CLOSING <--- failed -------------+<--- both sides over -----+

   It has two sides, each a socket, and two pipes, each from one side to the other. A pipe goes
   through its bytes in three steps: read into the queue, let pass (or held, when lost or blocked),
   written when due, at the speed and in the pieces allowed. */
#ifndef AQ_SIM_PROXY_INTERNAL_UV_H
#define AQ_SIM_PROXY_INTERNAL_UV_H

#include "base/map.h"
#include "base/random.h"
#include "sim/byte_queue.h"
#include "sim/proxy_uv.h"

enum side { CLIENT_SIDE, SERVER_SIDE };

/* What comes after the last byte of a pipe. */
enum pipe_end {
    END_NONE,
    END_CLOSE, /* FIN */
    END_RESET, /* RST */
};

struct pipe {
    struct wire *wire;
    enum aq_direction direction;
    struct aq_byte_queue queue;
    uv_timer_t timer;
    uv_write_t write;
    uv_shutdown_t shutdown;
    uint32_t writing;  /* bytes of the first chunk that the loop is writing; 0: none */
    bool reading;      /* from its source */
    bool starved;      /* memory was out: reading pauses */
    bool ended;        /* nothing more comes from its source */
    bool done;         /* its end has reached its sink */
    bool end_let_pass; /* the end will reach the sink at end_due_us */
    enum pipe_end end;
    aq_time_us end_due_us;
    uint8_t attempts;     /* of the first thing held, lost or blocked in a row */
    aq_time_us retry_us;  /* when it is tried again */
    double paid_us;       /* BANDWIDTH: the bytes written so far are paid for until this time */
    aq_time_us resume_us; /* CHOP: end of the pause */
};

enum wire_state { WIRE_SETTING_UP, WIRE_CONNECTING, WIRE_UP, WIRE_CLOSING };

struct wire {
    struct aq_proxy *proxy;
    struct wire *previous, *next; /* all of the proxy; next also in its free list */
    enum wire_state state;
    uint32_t client;
    struct aq_random random;
    uv_tcp_t sides[2];    /* by enum side */
    bool open[2];         /* not closed by us */
    struct pipe pipes[2]; /* by the side they come from */
    uv_connect_t connect;
    uint32_t handles;     /* of the loop, not closed yet */
    uint8_t attempts;     /* at setting up, lost or blocked */
    aq_time_us set_up_us; /* when setting up goes on; the timer of the pipe to the server serves for it */
    bool way_is_free;     /* setting up is not blocked: only the way takes its time */
    bool forgotten;       /* half-open: the server's side is gone and the client does not know */
};

struct aq_proxy {
    struct aq_proxy_config config; /* without its texts */
    struct sockaddr_storage server;
    uv_tcp_t listener;
    uv_timer_t accept_timer; /* tries again to accept when memory was out */
    uint16_t port;
    struct wire *wires;
    struct wire *free_wires;
    struct aq_block_pool pool;
    struct aq_map connects; /* by client: its wires so far; they name the random streams */
    struct aq_proxy_counters counters;
    uint32_t handles; /* own ones, not closed yet */
    bool closing;
};

static inline aq_time_us proxy_now_us(void) {
    return uv_hrtime() / 1000;
}

/* Starts a timer that fires at at_us, rounded up to a millisecond. */
void proxy_start_timer(uv_timer_t *timer, uv_timer_cb on_timer, aq_time_us now_us, aq_time_us at_us);

/* A wire for the connection that the listener has ready. Errors: AQ_ENOMEM (nothing was accepted). */
int wire_accept(struct aq_proxy *proxy);
/* Ends all of it at once: whoever is still there gets a RST. */
void wire_reset(struct wire *wire);
void wire_half_open(struct wire *wire);
/* A side's socket has failed, or its peer has reset it. */
void wire_side_broken(struct wire *wire, enum side side);
void wire_close_side(struct wire *wire, enum side side, bool reset);
/* Closes what has nothing more to do. */
void wire_settle(struct wire *wire);
/* The client has given up while its connection was not set up. */
void wire_abandon(struct wire *wire);

void pipe_init(struct pipe *pipe, struct wire *wire, enum aq_direction direction);
/* Does all that can be done now, and sees to it that it is called again. */
void pipe_run(struct pipe *pipe);
void pipe_set_end(struct pipe *pipe, enum pipe_end end);

/* The last handle of a wire or of the proxy is closed. */
void proxy_let_go(struct aq_proxy *proxy);

#endif
