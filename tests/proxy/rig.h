/* A loop with servers, clients and a fault proxy between them, all over loopback and in one thread. A test
   says what it waits for; if that does not come within half a minute, it fails. */
#ifndef AQ_TESTS_PROXY_RIG_H
#define AQ_TESTS_PROXY_RIG_H

#include "tests/base/test.h"

#include <uv.h>

#include "base/random.h"
#include "sim/byte_queue.h"
#include "sim/proxy_uv.h"

#define MS AQ_US_PER_MS

struct rig;

/* One socket of a test: a client's, or one that a server has accepted. What it sends is a fixed row of bytes,
   and what it gets is compared to the same row. */
struct end {
    uv_tcp_t tcp;
    struct rig *rig;
    bool connected, gone;                 /* gone: closed by the test */
    bool echo;                            /* sends back what it gets */
    bool deaf;                            /* does not read */
    bool eof;                             /* the peer has ended */
    int error;                            /* what reading or connecting failed with; 0: nothing */
    aq_time_us eof_us, first_us, last_us; /* when the end, and the first and last bytes came */
    uint64_t received;
    uint32_t reads, largest_read;
    uint64_t wrong_bytes;   /* that differ from the row */
    uint64_t wrong_at;      /* the last of them */
    uint8_t wrong_bits;     /* and how it differs */
    uint64_t sent, to_send; /* by send_bytes */
    uint32_t piece_max;     /* of each write, drawn */
    bool close_when_sent;
    struct aq_random random;
    uv_write_t write;
    uv_shutdown_t shutdown;
    bool writing;
    uint8_t *out; /* owned: what the write under way holds */
};

struct rig {
    uv_loop_t loop;
    uv_timer_t watchdog;
    bool late;
    uv_tcp_t listener;
    bool listening;
    uint16_t server_port;
    bool accept_deaf, accept_quiet; /* of accepted ends: do not read; do not echo */
    struct end **accepted;          /* owned */
    uint32_t accepted_count, accepted_capacity;
    struct end **clients; /* owned; in the order of connecting */
    uint32_t client_count, client_capacity;
    struct aq_link_rules rules;
    struct aq_proxy *proxy;
    int fds_before;
};

/* setup and teardown of cmocka; the teardown demands that no descriptor is left over. */
int rig_setup(void **state);
int rig_teardown(void **state);

/* The proxy, with changes to its standard configuration in *change, which may be NULL: retransmission after 5
   ms up to 40 ms, connecting again after 5 ms. Its server is the rig's, number 3. */
void rig_start(struct rig *rig, void (*change)(struct aq_proxy_config *config));

void rig_listen(struct rig *rig);
void rig_stop_listening(struct rig *rig);

/* A connection of this client, from 127.1.<client / 200>.<client % 200 + 1>. */
struct end *rig_connect(struct rig *rig, uint32_t client);
/* The same, and waits until the server has accepted it; *accepted, if wanted, is that end. */
struct end *rig_connect_up(struct rig *rig, uint32_t client, struct end **accepted);

/* Sends the next bytes of the row in writes of 1 to piece_max bytes; 0: in one write, up to 128 KiB. */
void send_bytes(struct end *end, uint64_t count, uint32_t piece_max);
void shut_down(struct end *end);
void hang_up(struct end *end, bool reset);
void listen_again(struct end *end); /* ends being deaf */

/* Runs the loop until the condition holds; the test fails where it does not in time. */
#define WAIT_FOR(rig, condition)                                                                             \
    do {                                                                                                     \
        rig_begin_wait(rig);                                                                                 \
        while (!(condition))                                                                                 \
            rig_step(rig, #condition, __FILE__, __LINE__);                                                   \
    } while (0)
void rig_begin_wait(struct rig *rig);
void rig_step(struct rig *rig, const char *condition, const char *file, int line);

aq_time_us now_us(void);
uint8_t row_byte(uint64_t at);
int open_fds(void);

/* A rule for all clients and servers. */
struct aq_link_rule rule_of(enum aq_fault_kind kind, enum aq_direction direction);
void only_client(struct aq_link_rule *rule, uint32_t client);
void put_in_force(struct rig *rig, struct aq_link_rule *rule);
void heal(struct rig *rig, struct aq_link_rule *rule);

#endif
