/* What the outside can see of a run, in order: the calls of workers and producers, what servers did, which
   servers clients turned to, what the nemesis broke. Both worlds produce this stream; the ledger and the
   checks live on it alone. */
#ifndef AQ_SIM_OBSERVATION_H
#define AQ_SIM_OBSERVATION_H

#include "base/time.h"
#include "client/client.h"
#include "fakeserver/server.h"
#include "scenarios/scenario.h"

#define AQ_NOBODY UINT32_MAX

enum aq_seen_kind {
    /* caller made a call to its client: caller, client, call, action, token; job for completions */
    AQ_SEEN_CALL,
    /* the client answered: as CALL, plus outcome; job and token of what a get brought (one ANSWER for each
       job of a get_multiple_jobs, the last with `last`); of a put: job is the id given */
    AQ_SEEN_ANSWER,
    /* the call will never be answered to its caller: the caller gave up or died, or its client crashed */
    AQ_SEEN_ABANDONED,
    /* a client picked server for a put or get: client, server, address, call, action; eligible_set, AQ_NOBODY
       for a retry, which avoids where it has been, and where nothing was eligible */
    AQ_SEEN_CHOICE,
    /* a client sent a request to an address: client, server (index or AQ_NOBODY behind a dead address or a
       balancer), address, action, own; for completions job and job_hash as sent */
    AQ_SEEN_SEND,
    /* a server did something: server, incarnation, tap; client, caller and call that asked, where known */
    AQ_SEEN_TAP,
    AQ_SEEN_SERVER_UP, /* server, incarnation: a server accepts connections from now on */
    /* server, incarnation: its process has ended; memory_lost says whether its jobs are gone */
    AQ_SEEN_SERVER_DOWN,
    /* server: up, but it answers no more (paused, partitioned from everyone); counts
       as stopped for failover */
    AQ_SEEN_SERVER_STOPPED,
    AQ_SEEN_SERVER_RESUMED, /* server: the end of that */
    AQ_SEEN_JOB_LOST,       /* server, incarnation, job: a crash lost it with the memory; one for each job */
    AQ_SEEN_CLIENT_UP,      /* client */
    AQ_SEEN_CLIENT_DOWN,    /* client */
    /* client was told about an address: action where a command did, address, member (true: may use it; false:
       must not use it for new jobs) */
    AQ_SEEN_TOLD,
    AQ_SEEN_FAULT,     /* fault begins: fault (index into the scenario's list) */
    AQ_SEEN_FAULT_END, /* fault ends */
    /* duration is over: load stops, everything repairable is repaired; progress is demanded from here on */
    AQ_SEEN_HEALED,
    AQ_SEEN_KIND_COUNT,
};

/* Facts of one observation; fields that its kind does not name are zero or AQ_NOBODY. All texts are
   borrowed for the call. */
struct aq_observation {
    aq_time_us at_us;
    enum aq_seen_kind kind;
    /* worker index, or producer number with is_producer, or index in the scenario's commands with is_command
     */
    uint32_t caller;
    uint32_t client;
    uint32_t server;
    uint32_t incarnation; /* of the server: 0 for the first process, rising by 1 at each start */
    uint32_t address;     /* address-book index */
    uint32_t fault;
    uint32_t eligible_set; /* CHOICE: number of the set of servers that were eligible, see aq_eligible_sets */
    uint64_t call;         /* unique in the run, from 1 */
    enum aq_action action;
    enum aq_outcome outcome;
    bool is_producer, is_command, own, member, memory_lost, last;
    bool error;           /* ANSWER: the reply carried a soft error */
    bool empty;           /* ANSWER of a get: no job */
    uint64_t token;       /* the job's body token, from 1; 0 where unknown */
    uint64_t job_hash;    /* aq_text_hash of the part of job behind the comma; 0 where there is none */
    struct aq_text job;   /* as the caller sees it: "SERVER,JOB"; for JOB_LOST the server's own id */
    aq_time_us called_us; /* ANSWER: when the call was made */
    const struct aq_tap *tap;
    uint64_t tap_token; /* TAP: token read from the job's body, 0 where there is none */
};

/* The distinct sets of eligible servers that occurred, numbered from 0: chi-square needs them apart. */
struct aq_eligible_sets {
    uint32_t *members; /* flat: all sets one after the other, server indexes */
    uint32_t *offsets; /* set i is members[offsets[i]] .. members[offsets[i + 1] - 1] */
    uint32_t count;
    uint32_t members_count, members_capacity, offsets_capacity;
};

#endif
