/* Drives a client core by hand at virtual times, and writes what goes in and what comes out as a trace that a
 * test compares. */
#ifndef AQ_TESTS_CLIENT_RIG_H
#define AQ_TESTS_CLIENT_RIG_H

#include "client/client.h"

#define RIG_SENDS_MAX 4096
#define RIG_TRACE_MAX 65536

#define RIG_CALLS_MAX  64
#define RIG_COMING_MAX 256

/* How a server behaves by itself while rig_live runs; BY_HAND: the test tells what happens. */
enum rig_server { RIG_BY_HAND, RIG_SERVES, RIG_REFUSES, RIG_SWALLOWS };

struct rig_coming {
    uint64_t ms;
    struct aq_client_event event;
    struct aq_request request; /* REPLY: what is answered */
    bool over;
};

struct rig_end {
    uint64_t ms;
    enum aq_outcome outcome;
    uint32_t times;
};

struct rig_send {
    uint64_t ms;
    uint64_t call; /* 0 for the client's own */
    uint32_t server, correlation;
    enum aq_action action;
    struct aq_request request;
};

struct rig {
    struct aq_address_book book; /* s0:5555, s1:5555, ... are members 0, 1, ... */
    struct aq_client_policy policy;
    struct aq_client *client;
    struct aq_client_effects effects;
    uint32_t servers[64];
    enum rig_server behaves[64];
    struct rig_coming coming[RIG_COMING_MAX];
    uint32_t coming_count;
    struct rig_end ends[RIG_CALLS_MAX]; /* by call: when and how it was answered */
    uint64_t now_ms;
    bool marks; /* marks are written into the trace */
    uint32_t send_count;
    struct rig_send sends[RIG_SENDS_MAX]; /* everything sent, in order */
    char trace[RIG_TRACE_MAX];
    size_t trace_len;
};

/* A client of `servers` servers; policy copied. For addresses of another form see rig_open_at. */
struct rig *rig_open(const struct aq_client_policy *policy, uint32_t servers, uint64_t seed);
struct rig *rig_open_at(const struct aq_client_policy *policy, const char *const *addresses, uint32_t servers,
                        uint64_t seed);
void rig_close(struct rig *rig);

/* Requests; the texts are borrowed. */
struct aq_request rig_request(enum aq_action action);
struct aq_request rig_tube(enum aq_action action, const char *tube);
struct aq_request rig_job(enum aq_action action, const char *job_id);
struct aq_request rig_address(enum aq_action action, const char *address);

/* "ID,job" of a server of the rig; valid until the rig is closed. */
const char *rig_job_at(struct rig *rig, uint32_t server, const char *job);
const char *rig_id(struct rig *rig, uint32_t server);

void rig_call(struct rig *rig, uint64_t ms, uint64_t call, const struct aq_request *request);
void rig_connected(struct rig *rig, uint64_t ms, uint32_t server);
void rig_disconnected(struct rig *rig, uint64_t ms, uint32_t server);
/* Answers the last request sent to this server. */
void rig_reply(struct rig *rig, uint64_t ms, uint32_t server, const struct aq_reply *reply);
void rig_reply_to(struct rig *rig, uint64_t ms, uint32_t server, uint32_t correlation,
                  const struct aq_reply *reply);
/* The plain good reply to the last request sent to this server. */
void rig_ok(struct rig *rig, uint64_t ms, uint32_t server);
void rig_error(struct rig *rig, uint64_t ms, uint32_t server, const char *soft_error);
void rig_malformed(struct rig *rig, uint64_t ms, uint32_t server);
/* Wakes the client whenever it asks for it, up to and including this time. */
void rig_run(struct rig *rig, uint64_t ms);

/* The same, while servers do by themselves what `behaves` says, each thing a millisecond later. */
void rig_live(struct rig *rig, uint64_t ms);
/* A server's process ends: connections are lost, what it was asked is not answered. It refuses from now on.
 */
void rig_kill(struct rig *rig, uint64_t ms, uint32_t server);
/* Gives a server its behaviour. */
void rig_set(struct rig *rig, uint32_t server, enum rig_server behaves);

/* The good reply to a request, without jobs. */
struct aq_reply rig_good(enum aq_action action, struct aq_text job_id);

/* Compares the trace since the last comparison, and empties it. */
void rig_expect(struct rig *rig, const char *trace);
void rig_forget(struct rig *rig);
/* The server of the last send of a call. */
uint32_t rig_sent_to(const struct rig *rig, uint64_t call);
uint32_t rig_count(const struct rig *rig, const char *word); /* how often a word is in the trace */

#endif
