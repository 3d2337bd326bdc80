/* AllQueue's requests and replies as plain structs. All texts are borrowed; who owns them is said where a
   message is handed over. The wire form of each is in protocol/codec.h. */
#ifndef AQ_PROTOCOL_MESSAGE_H
#define AQ_PROTOCOL_MESSAGE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/text.h"

/* X(NAME, word on the wire). The last three are understood by a client only and never reach a server. */
#define AQ_ACTIONS(X)                                                                                        \
    X(PUT, "put")                                                                                            \
    X(GET, "get")                                                                                            \
    X(GET_MULTIPLE, "get_multiple_jobs")                                                                     \
    X(DONE, "done")                                                                                          \
    X(DELETE, "delete")                                                                                      \
    X(TOUCH, "touch")                                                                                        \
    X(RELEASE, "release")                                                                                    \
    X(BURY, "bury")                                                                                          \
    X(KICK, "kick")                                                                                          \
    X(PEEK, "peek")                                                                                          \
    X(CLEAR, "clear")                                                                                        \
    X(STATS, "stats")                                                                                        \
    X(PAUSE, "pause")                                                                                        \
    X(UNPAUSE, "unpause")                                                                                    \
    X(THROTTLE, "throttle")                                                                                  \
    X(SET_PARENT_JOB, "set_parent_job")                                                                      \
    X(SET_CHILDREN_STARTED, "set_children_started")                                                          \
    X(ADMIN, "admin")                                                                                        \
    X(PING, "ping")                                                                                          \
    X(VERSION, "version")                                                                                    \
    X(DRAIN, "drain")                                                                                        \
    X(ADD_SERVER, "add_server")                                                                              \
    X(UPDATE_SERVERS, "update_servers")

enum aq_action {
#define X(name, word) AQ_ACTION_##name,
    AQ_ACTIONS(X)
#undef X
        AQ_ACTION_COUNT
};

/* The word of the action on the wire, a literal. */
const char *aq_action_word(enum aq_action action);

/* Errors: AQ_ENOENT (out untouched) for an unknown word. */
int aq_action_parse(struct aq_text word, enum aq_action *out);

/* The action whose word stands in the reply to `asked`: get for get_multiple_jobs and peek, pause for
   unpause, and itself for all others. */
enum aq_action aq_action_answered_as(enum aq_action asked);

/* done, delete, touch, release, bury: actions on a job that a worker holds, which must
   reach the job's origin. */
static inline bool aq_action_is_completion(enum aq_action action) {
    return action == AQ_ACTION_DONE || action == AQ_ACTION_DELETE || action == AQ_ACTION_TOUCH ||
           action == AQ_ACTION_RELEASE || action == AQ_ACTION_BURY;
}

/* Which parameters a request carries: one bit each in aq_request.given. An absent one
   has the server's default. */
enum aq_param {
    AQ_PARAM_TUBE = 1 << 0,
    AQ_PARAM_JOB_ID = 1 << 1,
    AQ_PARAM_BODY = 1 << 2,
    AQ_PARAM_PARENT_ID = 1 << 3,
    AQ_PARAM_SHARD_KEY = 1 << 4,
    AQ_PARAM_ADDRESS = 1 << 5,
    AQ_PARAM_PORT = 1 << 6,
    AQ_PARAM_TTL = 1 << 7,
    AQ_PARAM_DELAY = 1 << 8,
    AQ_PARAM_PRIORITY = 1 << 9,
    AQ_PARAM_EXPIRED_LIMIT = 1 << 10,
    AQ_PARAM_COUNT = 1 << 11,
    AQ_PARAM_LIMIT = 1 << 12,
    AQ_PARAM_TIMEOUT = 1 << 13,
    AQ_PARAM_TPS = 1 << 14,
    AQ_PARAM_NOOP = 1 << 15,
    AQ_PARAM_RUN_ON_TIMEOUT = 1 << 16,
    AQ_PARAM_REMOVE = 1 << 17,
    AQ_PARAM_BURIED = 1 << 18,
};

/* Fields of absent parameters are zero. */
struct aq_request {
    uint8_t action; /* enum aq_action */
    bool noop;
    bool run_on_timeout;
    bool remove;           /* the value of get's "delete" parameter; AllQueue looks at its presence only */
    bool buried;           /* peek at the buried jobs */
    uint16_t port;         /* admin redirect: "port" */
    uint32_t given;        /* AQ_PARAM_* bits */
    int32_t priority;      /* as sent; clamping is the server's */
    int32_t expired_limit; /* expiries before the job is buried */
    int32_t count;         /* jobs wanted */
    int32_t limit;         /* children of a parent job */
    double tps;            /* throttle: gets per second, 0 or less for none */
    int64_t ttl_s;         /* seconds a lease lasts */
    int64_t delay_s;       /* seconds before a put or released job is ready */
    int64_t timeout_s;     /* seconds after which a parent job no longer waits */
    struct aq_text tube;
    struct aq_text job_id; /* "server,job" towards a client, "job" towards a server */
    struct aq_text body;
    struct aq_text parent_id; /* as job_id */
    struct aq_text shard_key; /* fair queues */
    /* admin: "server"; drain: "server_id"; add_server: "server_url"; update_servers: "servers" */
    struct aq_text address;
};

/* One job as get and peek hand it out. AllQueue returns neither priority, ttl, delay nor parent. */
struct aq_job {
    struct aq_text job_id;
    struct aq_text body;
    struct aq_text tube;
    uint32_t expireds; /* leases of this job that ran out */
    uint32_t releases; /* times it was released */
};

struct aq_tube_stats {
    struct aq_text tube;
    uint64_t ready, delayed, reserved, buried, parents;
    uint64_t throttle_size; /* jobs per second; meaningful with has_throttle */
    bool has_throttle;
    double avg_s; /* mean seconds that the last completed jobs were reserved */
    double tps;   /* completions per second */
};

struct aq_server_stats {
    struct aq_text server; /* "ID,host:port" in a client's answer; empty from a server */
    const struct aq_tube_stats *tubes;
    uint32_t tube_count;
    uint64_t action_count, job_get, job_put; /* the "global" section */
};

enum aq_reply_kind {
    AQ_REPLY_RESPONSE, /* {"response": {...}, ...}: the normal form */
    AQ_REPLY_ERROR,    /* plain text "error: ..."; the text after the prefix in error */
    AQ_REPLY_EMPTY,    /* {} : unknown action; also AllQueue's client when a call failed */
    AQ_REPLY_PONG,     /* ping */
    AQ_REPLY_VERSION,  /* version; the text in value */
    AQ_REPLY_STATS,    /* stats; one server from a server, several from a client */
    AQ_REPLY_REDIRECT, /* {"admin": {"name": "redirect", ...}}: host in value, port */
    AQ_REPLY_RESULT,   /* {"result": {"action_type": ...}}: the answer to admin; action_type in value */
};

/* What became of the bytes of a reply on their way out: bits of aq_reply.damage, done in this order. */
enum aq_damage {
    AQ_DAMAGE_QUOTED = 1 << 0,    /* encoded as a JSON string once more */
    AQ_DAMAGE_CUT = 1 << 1,       /* cut by one byte for each non-ASCII byte but the first of a character */
    AQ_DAMAGE_GARBLED = 1 << 2,   /* the first byte is no JSON, nor the beginning of any plain text */
    AQ_DAMAGE_TRUNCATED = 1 << 3, /* the second half is missing */
    AQ_DAMAGE_EMPTIED = 1 << 4,   /* nothing is left */
    AQ_DAMAGE_PADDED = 1 << 5,    /* blanks follow, up to AQ_PADDED_BYTES */
};
#define AQ_PADDED_BYTES (1U << 20) /* more than a message may have */

/* The answers to drain and add_server, which only a client gives, are responses with the server in value. */
struct aq_reply {
    uint8_t kind;   /* enum aq_reply_kind */
    uint8_t action; /* enum aq_action that it answers; decoded ones hold aq_action_answered_as() of it */
    uint8_t damage; /* AQ_DAMAGE_* bits, for the encoder; a decoded reply has none */
    bool many;      /* the job list is an array ("jobs"), also with 0 or 1 jobs */
    bool has_job_id, has_error, has_value; /* in a response; what another kind is made of it has always */
    uint16_t port;
    struct aq_text job_id;
    struct aq_text error; /* a soft error inside a response, or the text of AQ_REPLY_ERROR */
    struct aq_text value;
    const struct aq_job *jobs; /* what get and peek found; put's own job section is written from job_id */
    uint32_t job_count;
    const struct aq_server_stats *servers; /* stats */
    uint32_t server_count;
};

/* Deep copies: everything that *out points to lies in arena, valid until it is reset. Errors:
   AQ_ENOMEM (*out untouched). */
int aq_request_copy(const struct aq_request *request, struct aq_arena *arena, struct aq_request *out);
int aq_reply_copy(const struct aq_reply *reply, struct aq_arena *arena, struct aq_reply *out);

/* Equality of everything that the wire carries, for tests: parameters that the action does not have are not
   looked at, and actions that are answered alike are alike in a reply. */
bool aq_request_equal(const struct aq_request *a, const struct aq_request *b);
bool aq_reply_equal(const struct aq_reply *a, const struct aq_reply *b);

#endif
