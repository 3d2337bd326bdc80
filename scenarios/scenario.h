/* A scenario as plain data: who runs, on what network, under which load, what breaks when, and what is
   expected. The loader (scenarios/load.h) fills it from JSON; every key is described in docs/SCENARIOS.md. */
#ifndef AQ_SCENARIOS_SCENARIO_H
#define AQ_SCENARIOS_SCENARIO_H

#include "base/distribution.h"
#include "base/limits.h"
#include "client/policy.h"
#include "fakeserver/policy.h"
#include "fakeserver/server.h"

enum aq_profile { AQ_PROFILE_STRICT, AQ_PROFILE_UPSTREAM };

/* X(NAME, word, what it does) in the order of their families: server, link, client,
   worker, load, membership. */
#define AQ_FAULT_KINDS(X)                                                                                    \
    X(CRASH, "crash",                                                                                        \
      "server processes end at once; memory is lost, what is on disk is kept unless disk is \"lost\"")       \
    X(RESTART, "restart", "servers that are down start again")                                               \
    X(PAUSE, "pause", "servers stop working but stay connected, as under SIGSTOP")                           \
    X(SLOW, "slow", "service times are multiplied by factor")                                                \
    X(ERROR_REPLY, "error_reply", "matching requests are answered by an error and not applied")              \
    X(DROP_REQUEST, "drop_request", "matching requests are lost before they are applied")                    \
    X(DROP_REPLY, "drop_reply", "matching requests are applied and their replies lost")                      \
    X(DUPLICATE_REPLY, "duplicate_reply", "matching replies are sent twice")                                 \
    X(CLOCK_JUMP, "clock_jump", "the server's clock jumps by jump, and back at the end of for")              \
    X(MALFORMED_REPLY, "malformed_reply", "matching replies make no sense")                                  \
    X(TRUNCATED_REPLY, "truncated_reply", "matching replies lack their second half")                         \
    X(OVERSIZED_REPLY, "oversized_reply", "matching replies are padded with blanks to 1 MiB")                \
    X(EMPTY_REPLY, "empty_reply", "matching replies are empty")                                              \
    X(WRONG_ID_REPLY, "wrong_id_reply", "matching replies name a job that nobody has")                       \
    X(STALLED_SWEEPS, "stalled_sweeps", "servers do not notice that leases, delays or timeouts are over")    \
    X(DISK_FULL, "disk_full", "servers cannot write to their disks")                                         \
    X(LATENCY, "latency", "extra delay is added to each message")                                            \
    X(JITTER, "jitter", "a random extra delay is drawn for each message; order on a connection is kept")     \
    X(LOSS, "loss", "packets are lost with this probability and sent again, as TCP does")                    \
    X(BANDWIDTH, "bandwidth", "each connection carries at most this many bytes per second")                  \
    X(CHOP, "chop", "bytes are cut into small pieces with a pause after each")                               \
    X(CORRUPT, "corrupt", "a bit of a byte is flipped, now and then or at the n-th byte")                    \
    X(SLOW_CLOSE, "slow_close", "the end of a connection is held back")                                      \
    X(PARTITION, "partition", "nothing passes, in the directions given")                                     \
    X(RESET, "reset", "connections are reset")                                                               \
    X(REFUSED, "refused", "new connections are refused")                                                     \
    X(HALF_OPEN, "half_open", "the server's side forgets its connections without telling the client")        \
    X(CLIENT_CRASH, "client_crash",                                                                          \
      "client processes end; calls under way and what they had learnt are lost")                             \
    X(CLIENT_CLOCK_JUMP, "client_clock_jump",                                                                \
      "the client's clock jumps by jump, and back at the end of for")                                        \
    X(WORKER_CRASH, "worker_crash", "workers die, the job in their hands with them")                         \
    X(WORKER_OVERRUN, "worker_overrun", "processing times are multiplied by factor")                         \
    X(WORKER_REPEAT, "worker_repeat", "workers complete each job twice")                                     \
    X(BURST, "burst", "producers put this many jobs at once, or arrivals are multiplied by factor")          \
    X(HERD, "herd", "workers that wait all get at the same moment")                                          \
    X(POISON_JOB, "poison_job", "jobs that are put kill every worker that takes them")                       \
    X(ADD_SERVER, "add_server", "clients are told to use another server")                                    \
    X(UPDATE_SERVERS, "update_servers", "clients are given a new list of servers")                           \
    X(DRAIN, "drain", "clients are told to drain a server")                                                  \
    X(REDIRECT, "redirect", "servers are told to send their clients to another server")                      \
    X(BLANK_REQUEST, "blank_request", "servers get a message that is blank")

enum aq_fault_kind {
#define X(name, word, text) AQ_FAULT_##name,
    AQ_FAULT_KINDS(X)
#undef X
        AQ_FAULT_KIND_COUNT
};
const char *aq_fault_word(enum aq_fault_kind kind);

/* Which of the servers, clients or workers: exactly one of the ways is used. */
struct aq_selection {
    bool given;        /* false: all */
    uint32_t *indexes; /* owned; these, by index from 0 */
    uint32_t index_count;
    uint32_t random_count; /* this many, drawn anew each time the fault strikes; 0: unused */
    double share;          /* this share of them, drawn likewise; 0: unused */
};

enum aq_direction { AQ_DIRECTION_BOTH, AQ_DIRECTION_TO_SERVER, AQ_DIRECTION_TO_CLIENT };

struct aq_fault_spec {
    enum aq_fault_kind kind;
    char *name;          /* owned; for reports; the kind's word where none is given, never NULL */
    aq_time_us at_us;    /* first strike; with `on`, earliest time for it */
    aq_time_us for_us;   /* how long it lasts; AQ_TIME_NEVER: until the end; 0 for the momentary kinds */
    aq_time_us every_us; /* strikes again this long after the last strike; AQ_TIME_NEVER: once */
    uint32_t times;      /* with every: at most so often; 0: no bound */
    bool on_event;       /* strike when the first `on` is seen at or after at_us */
    enum aq_tap_kind on; /* what servers did, e.g. "done", "lease" */
    struct aq_selection servers;
    struct aq_selection clients;
    struct aq_selection workers;
    uint32_t actions;             /* bits 1 << enum aq_action; 0: all */
    char *tube;                   /* owned; NULL: all */
    double probability;           /* per matching message, 0..1; default 1 */
    uint64_t nth;                 /* only the n-th matching message, or byte for CORRUPT; 0: each */
    double factor;                /* SLOW, WORKER_OVERRUN, BURST */
    uint64_t count;               /* BURST: jobs put at once */
    int64_t jump_us;              /* CLOCK_JUMP */
    struct aq_distribution delay; /* LATENCY: constant; JITTER, SLOW_CLOSE: any; prepared */
    uint32_t bytes_per_s;         /* BANDWIDTH */
    uint32_t piece_bytes;         /* CHOP */
    aq_time_us pause_us;          /* CHOP: after each piece */
    enum aq_direction direction;
    bool disk_lost; /* CRASH */
    bool may_miss;  /* that it touches nothing does not make the verdict unknown */
    char *error;    /* owned; ERROR_REPLY: text after "error: " */
    /* owned; UPDATE_SERVERS: the new list, by index. ADD_SERVER, DRAIN and REDIRECT: one
       entry, the server meant */
    uint32_t *server_list;
    uint32_t server_list_count;
};

/* X(NAME, word, action, keys that mean something beside the common ones, those that are needed) */
#define AQ_COMMANDS(X)                                                                                       \
    X(PAUSE, "pause", AQ_ACTION_PAUSE, "tube", "tube")                                                       \
    X(UNPAUSE, "unpause", AQ_ACTION_UNPAUSE, "tube", "tube")                                                 \
    X(THROTTLE, "throttle", AQ_ACTION_THROTTLE, "tube tps", "tube tps")                                      \
    X(CLEAR, "clear", AQ_ACTION_CLEAR, "tube", "tube")                                                       \
    X(KICK, "kick", AQ_ACTION_KICK, "tube job", "tube")                                                      \
    X(PEEK, "peek", AQ_ACTION_PEEK, "tube buried", "tube")                                                   \
    X(STATS, "stats", AQ_ACTION_STATS, "", "")                                                               \
    X(PING, "ping", AQ_ACTION_PING, "", "")                                                                  \
    X(DRAIN, "drain", AQ_ACTION_DRAIN, "server", "server")                                                   \
    X(ADD_SERVER, "add_server", AQ_ACTION_ADD_SERVER, "server", "server")

enum aq_command_kind {
#define X(name, word, action, keys, required) AQ_COMMAND_##name,
    AQ_COMMANDS(X)
#undef X
        AQ_COMMAND_KIND_COUNT
};

/* An administrative call that an operator makes through a client. */
struct aq_command_spec {
    enum aq_command_kind kind;
    enum aq_action action; /* that of the kind */
    aq_time_us at_us;
    aq_time_us every_us; /* again this long after the last time; AQ_TIME_NEVER: once */
    uint32_t times;      /* with every: at most so often; 0: no bound */
    uint32_t client;
    char *tube;      /* owned; NULL where there is none */
    double tps;      /* THROTTLE: gets per second of all servers together; 0: no limit */
    bool buried;     /* PEEK */
    char *job;       /* owned; KICK: the id that is named; NULL: none */
    uint32_t server; /* DRAIN, ADD_SERVER: address-book index */
};

enum aq_arrivals { AQ_ARRIVALS_NONE, AQ_ARRIVALS_POISSON, AQ_ARRIVALS_CONSTANT, AQ_ARRIVALS_BURSTS };

/* Fair queues; see struct aq_fair_config. */
struct aq_fair_section {
    char *prefix, *suffix, *separator; /* owned */
    bool by_key;
    uint32_t shards, reservation_max;
};

struct aq_server_section {
    uint32_t count;
    enum aq_profile profile;
    struct aq_server_policy policy; /* of the profile, with the keys of `policy` set */
    bool same_host;                 /* all on one host, at different ports */
    uint32_t shared_identity;       /* the first so many are behind the address of server 0; 0 and 1: none */
    bool persistent;
    struct aq_distribution persist; /* time that a write to disk takes */
    struct aq_service_model service;
    int64_t default_ttl_s;
    struct aq_fair_section fair;
    aq_time_us tube_expire_us;
    uint32_t queue_max;
    aq_time_us start_us; /* time from the start of a process to its first accepted connection */
    char *connect;       /* owned; "host:port,...": servers that run elsewhere, count of them; NULL: ours */
    bool own_tube;       /* connect: the tubes of each run get a name that no other run uses */
};

/* A group of clients with a list of their own. Clients in no group know all servers. */
struct aq_client_group {
    double share; /* of the clients, from the highest index down in the order of the groups */
    /* owned; indexes that they know; an index at or above servers.count is an address
       with nothing behind it */
    uint32_t *servers;
    uint32_t server_count;
};

/* How workers talk to a client that is another program. */
enum aq_dialect { AQ_DIALECT_JSON_LINES, AQ_DIALECT_REST };

struct aq_client_section {
    uint32_t count;
    enum aq_profile profile;
    struct aq_client_policy policy;
    struct aq_client_group *groups; /* owned */
    uint32_t group_count;
    char **exec; /* owned; command line of an external client, each client a process of it; NULL: ours */
    uint32_t exec_count;
    enum aq_dialect speak;      /* exec */
    aq_time_us ready_within_us; /* exec: from the start of a process until its port accepts connections */
};

/* What a get says about delete: nothing, false, or true, which ends the job as it is handed out. */
enum aq_get_delete { AQ_GET_DELETE_UNSAID, AQ_GET_DELETE_FALSE, AQ_GET_DELETE_TRUE };

struct aq_worker_section {
    uint32_t count;       /* spread evenly over the clients: worker w belongs to client w % clients */
    char *tube;           /* owned */
    char **further_tubes; /* owned; a worker's gets go to `tube` and these in turn */
    uint32_t further_tube_count;
    aq_time_us start_us;            /* when the first starts */
    aq_time_us ramp_us;             /* the others start evenly over this span; 0: all at once */
    struct aq_distribution poll;    /* wait after an empty or failed get */
    struct aq_distribution process; /* time that one job takes */
    double release_ratio;           /* outcomes of processing; what is left of 1 is done */
    double bury_ratio;
    double delete_ratio;  /* finished by delete instead of done */
    double abandon_ratio; /* the worker dies mid-job and a new one takes its place */
    int64_t release_delay_s;
    aq_time_us touch_every_us;  /* renew the lease this often while processing; AQ_TIME_NEVER: not */
    aq_time_us call_timeout_us; /* the worker gives up on a call; AQ_TIME_NEVER: not */
    aq_time_us restart_us;      /* a dead worker is replaced after this */
    uint32_t batch;             /* jobs wanted per get: 1 uses get, more get_multiple_jobs */
    enum aq_get_delete get_delete;
};

enum aq_noop { AQ_NOOP_NONE, AQ_NOOP_INNER, AQ_NOOP_ALL };

/* A whole number between two, both included. */
struct aq_range {
    uint32_t least, most;
};

/* Workflows: parents and their children. */
struct aq_parent_section {
    double share;             /* of the arrivals that are a workflow instead of a job */
    struct aq_range children; /* of each parent, drawn evenly */
    uint32_t levels;          /* of parents above the jobs that have no children */
    bool children_known;      /* their number is given with the parent; else told when all are put */
    int64_t timeout_s;
    bool run_on_timeout;
    enum aq_noop noop; /* which parents only count and are never run: none, all but the topmost, all */
    char *tube;        /* owned; of children; NULL: that of the producers */
};

/* The keys by which fair queues tell their users apart. */
struct aq_shard_key_section {
    uint32_t count; /* 0: puts carry none */
    double skew;    /* key k is drawn with a weight of 1 / k^skew, counted from 1; 0: evenly */
};

struct aq_producer_section {
    enum aq_arrivals arrivals;
    double rate_per_s;            /* all producers together; BURSTS: bursts per second */
    uint32_t burst_jobs;          /* BURSTS: jobs in each */
    uint64_t jobs_max;            /* stop after so many; 0: no bound */
    aq_time_us start_us, stop_us; /* stop_us: the scenario's duration unless given */
    char *tube;                   /* owned */
    bool ttl_given;
    int64_t ttl_s;
    int64_t delay_s;
    int32_t priority_min, priority_max; /* drawn uniformly */
    int32_t expired_limit;              /* 0: the server's default */
    uint32_t body_bytes;                /* bodies are padded to this; 0: just the token */
    struct aq_parent_section parents;
    struct aq_shard_key_section shard_keys;
};

struct aq_network_section {
    struct aq_distribution latency; /* one way */
    double loss;                    /* probability per message */
    uint32_t connect_round_trips;   /* TCP and the CURVE handshake together: 3 */
    aq_time_us retransmit_first_us; /* 200 ms, as Linux */
    aq_time_us retransmit_max_us;   /* 120 s, as Linux */
};

enum aq_balancer { AQ_BALANCER_NONE, AQ_BALANCER_PER_REQUEST, AQ_BALANCER_PER_CONNECTION };

/* What is judged, and against which budget. */
struct aq_budget_section {
    aq_time_us failover_leave_us;  /* a stopped server is not chosen any more after this */
    aq_time_us failover_return_us; /* a server that is back is chosen again within this */
    /* longest time without progress after the faults are healed; restarts on progress */
    aq_time_us progress_us;
    /* share of completed jobs that may be executed more than once for the excused causes; 1: no bound */
    double duplicate_executions_max;
    double distribution_p_min; /* chi-square p-value below which a run is not uniform */
};

enum aq_slo_kind { AQ_SLO_LATENCY, AQ_SLO_THROUGHPUT, AQ_SLO_AVAILABILITY, AQ_SLO_EMPTY_GETS };

struct aq_slo {
    enum aq_slo_kind kind;
    enum aq_action action; /* LATENCY, AVAILABILITY: put, get or done */
    double quantile;       /* LATENCY: 0..1 */
    /* LATENCY: seconds at most; THROUGHPUT: completed jobs per second at least; AVAILABILITY: share of calls
       not unavailable, unknown or empty at least; EMPTY_GETS: share of gets at most */
    double bound;
};

/* X(NAME, word) in the order of reports. */
#define AQ_CHECKS(X)                                                                                         \
    X(COMPLETION_ORIGIN, "completion-origin")                                                                \
    X(COMPLETION_ARRIVAL, "completion-arrival")                                                              \
    X(NO_FALSE_ACK, "no-false-ack")                                                                          \
    X(CONSERVATION, "conservation")                                                                          \
    X(SINGLE_LEASE, "single-lease")                                                                          \
    X(DUPLICATE_PUT, "duplicate-put")                                                                        \
    X(DUPLICATE_EXECUTION, "duplicate-execution")                                                            \
    X(DISTRIBUTION, "distribution")                                                                          \
    X(FAILOVER, "failover")                                                                                  \
    X(MEMBERSHIP, "membership")                                                                              \
    X(PROGRESS, "progress")                                                                                  \
    X(SEMANTICS, "semantics")                                                                                \
    X(SLO, "slo")

enum aq_check {
#define X(name, word) AQ_CHECK_##name,
    AQ_CHECKS(X)
#undef X
        AQ_CHECK_COUNT
};
const char *aq_check_word(enum aq_check check);

/* A number of the report that must lie in a range; see aq_record_measure for the names. */
struct aq_expected_figure {
    char *name; /* owned */
    double min, max;
    bool exact; /* holds for the scenario as it is written only: its own seed, nothing set, virtual world */
};

/* What a profile is expected to show. */
struct aq_expectation {
    bool given;
    uint32_t caught; /* bits 1 << enum aq_check that must fail; all others must pass. 0: everything passes */
    uint32_t sometimes;                 /* likewise: these may fail or pass, as the seed has it */
    struct aq_expected_figure *figures; /* owned */
    uint32_t figure_count;
};

/* Names of coverage marks. */
struct aq_mark_list {
    char **names; /* owned, as the texts */
    uint32_t count;
};

/* What allqsim explore draws for each seed. The draws themselves stay in the text: scenarios/draw.h reads
   them there. */
struct aq_explore_section {
    double off_ratio;                   /* chance of each family of faults to be left out altogether */
    struct aq_mark_list required_marks; /* to be reached in an exploration, in whichever run */
};

/* What allqsim plan asks for. */
struct aq_plan_section {
    char *slo;             /* owned; the objective, as sim/objective.h reads it; NULL where none is given */
    aq_time_us warm_up_us; /* AQ_TIME_NEVER: a quarter of the duration */
};

struct aq_scenario {
    char *name;    /* owned, as all texts here */
    char *summary; /* what it shows, one sentence */
    /* the JSON text that was loaded, with the settings of the command line applied: what is stored */
    char *text;
    uint64_t hash;   /* XXH3 of text */
    bool as_written; /* no setting of the command line but the profile changed it */
    uint64_t seed;   /* default; the command line may set another */
    /* load and faults; then everything is healed and the run ends when drained or at settle */
    aq_time_us duration_us;
    aq_time_us settle_us; /* longest time after duration for the backlog to drain and late events to show */
    aq_time_us window_us; /* width of the counters over time */
    bool wire;            /* fidelity: every message is encoded and parsed */
    struct aq_server_section servers;
    struct aq_client_section clients;
    struct aq_worker_section workers;
    struct aq_producer_section producers;
    struct aq_network_section network;
    enum aq_balancer balancer;
    struct aq_fault_spec *faults;
    uint32_t fault_count;
    struct aq_command_spec *commands; /* owned */
    uint32_t command_count;
    struct aq_budget_section budgets;
    struct aq_slo *slos;
    uint32_t slo_count;
    struct aq_expectation expect_strict;   /* client profile strict */
    struct aq_expectation expect_upstream; /* client profile upstream */
    uint32_t expect_unknown; /* bits 1 << enum aq_check that need not be able to judge, with any profile */
    void **tables;           /* owned: memory that values point to */
    uint32_t table_count, table_capacity;
    struct aq_mark_list required_marks; /* coverage marks that must be reached at least once */
    struct aq_explore_section explore;
    struct aq_plan_section plan;
};

#endif
