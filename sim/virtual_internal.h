/* The parts of the virtual world, shared by its files: virtual.c (clock and events), virtual_network.c
   (connections and messages), virtual_client.c and virtual_server.c (the nodes). */
#ifndef AQ_SIM_VIRTUAL_INTERNAL_H
#define AQ_SIM_VIRTUAL_INTERNAL_H

#include "base/wheel.h"
#include "client/client.h"
#include "fakeserver/server.h"
#include "sim/disk.h"
#include "sim/packet.h"
#include "sim/virtual.h"

enum event_kind {
    EVENT_DELIVER,     /* subject: packet. A message arrives */
    EVENT_CLIENT_WAKE, /* client */
    EVENT_SERVER_WAKE, /* server */
    EVENT_SAVED,       /* server: staged writes are on disk */
    EVENT_SERVER_UP,   /* server: the process accepts connections */
    EVENT_HANDSHAKE,   /* connection: set-up ends */
    EVENT_HANGUP,      /* connection: the client learns that it is gone */
    EVENT_RETRANSMIT,  /* connection * 2 + direction: try again to send what is held */
    EVENT_WORKER,      /* worker */
    EVENT_ARRIVAL,
    EVENT_STRIKE,    /* fault */
    EVENT_FAULT_END, /* fault */
    EVENT_COMMAND,   /* command */
};

/* Wake-ups of a node that are in the queue: an event at or before the wanted time need not be pushed again.
 */
struct wake {
    aq_time_us near_us; /* the earlier of two known; AQ_TIME_NEVER: none */
    aq_time_us far_us;
};

struct client_node {
    struct aq_client *core; /* NULL while the process is down, and where clients are other programs */
    bool foreign_up;        /* such a program, ready for calls */
    struct wake wake;
    int64_t clock_us;          /* how far its clock is ahead */
    aq_time_us clock_seen_us;  /* the latest time that it has shown */
    uint32_t lives;            /* processes so far */
    uint32_t connects;         /* connections opened so far: names their random streams */
    uint32_t put_set, get_set; /* numbers of the eligible sets; UINT32_MAX: to be found again */
};

struct server_node {
    struct aq_server *core; /* NULL while down */
    struct wake wake;
    uint32_t incarnation;
    bool starting;                    /* an EVENT_SERVER_UP is under way */
    bool ending;                      /* it is being killed: its rules are only read */
    uint32_t paused;                  /* pause rules in force */
    uint64_t start_ticket;            /* sequence of the valid EVENT_SERVER_UP */
    uint64_t save_ticket;             /* sequence of the valid EVENT_SAVED; 0: none */
    aq_time_us save_from_us, save_us; /* of the write under way */
    struct aq_disk disk;
    struct aq_random random; /* disk times; seeds of its cores */
    aq_time_us up_since_us, up_us, busy_us;
    uint64_t requests;
};

enum connection_state { CONNECTION_CONNECTING, CONNECTION_UP, CONNECTION_CLOSED };

struct direction {
    aq_time_us last_us;   /* arrival of the last message: order is kept */
    uint32_t first, last; /* packets held back, waiting for a retransmission; UINT32_MAX: none */
    uint8_t attempts;     /* of the first held packet */
};

/* One connection between a client and an address, from its set-up until nothing refers to it any more. */
struct connection {
    uint32_t client;
    uint32_t address;
    uint32_t server;      /* behind the address; AQ_NOBODY: nothing, or a balancer for each request */
    uint32_t incarnation; /* of the server at set-up */
    uint32_t refs;        /* packets, events and the client that know it */
    uint32_t next_free;
    uint8_t state;      /* enum connection_state, as the client sees it */
    uint8_t attempts;   /* of the set-up */
    bool server_forgot; /* the server's side is gone: crash, reset, half-open */
    bool waits;         /* set-up hangs on a paused server */
    bool hangup_due;    /* an EVENT_HANGUP is under way */
    struct direction to_server, to_client;
    struct aq_random random; /* of its messages */
};

/* A call that waits for the end of the event in which it was made. */
struct submitted {
    uint32_t client;
    uint64_t call;
    const struct aq_request *request;
};

/* What carries messages between the nodes: the simulated network, or real sockets. Every function returns 0
   or a negative AQ_E*. */
struct network {
    int (*connect)(struct aq_virtual *v, uint32_t client, uint32_t address);
    void (*close)(struct aq_virtual *v, uint32_t client, uint32_t address);
    int (*send_request)(struct aq_virtual *v, uint32_t client, uint32_t address, uint32_t correlation,
                        const struct aq_request *request);
    int (*send_reply)(struct aq_virtual *v, uint32_t peer, uint32_t server, uint32_t correlation,
                      const struct aq_reply *reply);
    /* Gives a server that is up a request of the harness itself, whose reply goes nowhere; NULL: a blank one.
     */
    int (*hand_over)(struct aq_virtual *v, uint32_t server, const struct aq_request *request);
    /* The server has finished with the request that came with this token. */
    void (*release_request)(struct aq_virtual *v, uint32_t server, uint32_t token);
    /* The client behind a server's peer; AQ_NOBODY where that is not known. */
    uint32_t (*client_of)(struct aq_virtual *v, uint32_t server, uint32_t peer);
    /* A client's process is gone: its ends are closed. */
    void (*client_gone)(struct aq_virtual *v, uint32_t client);
    /* A server's process starts to listen. */
    int (*server_up)(struct aq_virtual *v, uint32_t server);
    /* A server's process is gone, with the requests that it had not finished: its ends are closed and clients
       learn of it where the network lets them. */
    int (*server_gone)(struct aq_virtual *v, uint32_t server);
    /* A server goes on after a pause: hanging set-ups end. */
    int (*server_resumed)(struct aq_virtual *v, uint32_t server);
    int (*reset)(struct aq_virtual *v, const struct aq_link_rule *between, bool half_open, uint64_t *touched);
    /* Waits for real time and real messages; NULL: time jumps from event to event. See aq_virtual_run. */
    int (*run)(struct aq_virtual *v, aq_time_us until_us);
};
extern const struct network virtual_network;

/* Clients that are other programs, in the place of client cores: see foreign_uv.h. */
struct foreign_clients {
    /* Starts the process, or does nothing where it is starting or up; client_ready follows. */
    int (*start)(void *self, uint32_t client);
    void (*kill)(void *self, uint32_t client);
    /* request is borrowed until the call is answered or the client is killed. */
    int (*call)(void *self, uint32_t client, uint64_t call, const struct aq_request *request);
};

struct aq_virtual {
    struct aq_virtual_config config;
    const struct network *network;
    void *network_self;                    /* of a network with a state of its own */
    const struct foreign_clients *foreign; /* NULL: clients are cores */
    void *foreign_self;
    const struct aq_scenario *scenario;
    struct aq_workload *workload;
    struct aq_nemesis *nemesis;
    struct aq_wheel wheel;
    uint64_t sequence;
    uint64_t events;
    aq_time_us now_us;
    struct client_node *clients;
    struct server_node *servers;
    struct connection *connections;
    uint32_t connection_count, connection_capacity, first_free_connection;
    /* client * addresses + address: current connection plus one; 0: none. Untouched pages cost nothing */
    uint32_t *connection_of;
    uint32_t addresses;        /* in the book at the start, and room for none more */
    uint32_t balancer_address; /* AQ_NOBODY without one */
    struct aq_packets packets;
    struct aq_link_rules rules;
    struct submitted *submitted;
    uint32_t submitted_count, submitted_capacity;
    struct aq_client_effects client_effects;
    struct aq_server_effects server_effects;
    struct aq_random balancer_random;
    uint32_t *all_servers; /* address indexes of the default list */
    uint32_t all_server_count;
    struct aq_map set_of_hash; /* hash of an eligible set: its number */
    uint32_t *scratch;         /* room for one eligible set */
    uint64_t marks[AQ_CLIENT_MARK_COUNT];
};

/* virtual.c */
int virtual_push(struct aq_virtual *v, aq_time_us at_us, enum event_kind kind, uint32_t subject);
int virtual_want_wake(struct aq_virtual *v, struct wake *wake, aq_time_us wanted_us, enum event_kind kind,
                      uint32_t subject);
int virtual_observe(struct aq_virtual *v, const struct aq_observation *seen);

/* Does what an event says, at the time that the clock shows, and takes the calls that came of it. */
int virtual_handle(struct aq_virtual *v, const struct aq_event *event);

/* virtual_client.c */
int client_start(struct aq_virtual *v, uint32_t client);
bool client_is_up(const struct aq_virtual *v, uint32_t client);
int client_ready(struct aq_virtual *v, uint32_t client); /* another program takes calls from now on */
/* The servers that a client is configured with. */
void client_list(const struct aq_virtual *v, uint32_t client, const uint32_t **servers, uint32_t *count);
int client_crash(struct aq_virtual *v, uint32_t client);
int client_clock(struct aq_virtual *v, uint32_t client, int64_t jump_us);
int client_event(struct aq_virtual *v, uint32_t client, const struct aq_client_event *event);
int client_woken(struct aq_virtual *v, uint32_t client);
int clients_take_calls(struct aq_virtual *v);

/* virtual_server.c */
int server_start(struct aq_virtual *v, uint32_t server, aq_time_us delay_us);
int server_up(struct aq_virtual *v, uint32_t server);
int server_crash(struct aq_virtual *v, uint32_t server, bool disk_lost);
int server_event(struct aq_virtual *v, uint32_t server, const struct aq_server_event *event);
int server_woken(struct aq_virtual *v, uint32_t server);
int server_saved(struct aq_virtual *v, uint32_t server);
int server_fault(struct aq_virtual *v, uint32_t server, const struct aq_fault_rule *rule);
int server_heal(struct aq_virtual *v, uint32_t server, uint32_t rule_id, uint64_t *touched);
int server_redirect(struct aq_virtual *v, uint32_t server, uint32_t address, uint64_t *touched);
int server_blank(struct aq_virtual *v, uint32_t server, uint64_t *touched);

/* virtual_network.c: what its events do */
int network_deliver(struct aq_virtual *v, uint32_t packet);
int network_handshake(struct aq_virtual *v, uint32_t connection);
int network_hangup(struct aq_virtual *v, uint32_t connection);
int network_retransmit(struct aq_virtual *v, uint32_t subject);

#endif
