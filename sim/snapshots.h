/* AllQueue's own statistics over time: snapshots of stats, one JSON object a line, as an outage leaves them
   behind and as a run can write them.

     {"at": 12.5, "server": "queue1:5555", "stats": {...as a server answers...}}

   `at` is a number of seconds from any beginning, or a time such as "2026-11-24T13:05:07.250Z". Where stats
   is the answer of a client, with a section for each of its servers, "server" is left out. */
#ifndef AQ_SIM_SNAPSHOTS_H
#define AQ_SIM_SNAPSHOTS_H

#include <stdio.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "protocol/message.h"

/* What a server said of a tube. */
struct aq_snapshot_tube {
    uint32_t tube; /* index of its name */
    uint64_t ready, delayed, reserved, buried, parents;
    double avg_s, tps;
};

struct aq_snapshot {
    double at_s;
    uint32_t server; /* index of its name */
    uint64_t gets, puts;
    uint64_t ready, reserved, held; /* all tubes together; held: in any state */
    uint32_t first_tube, tube_count;
};

/* Names, each once, in the order of their first appearance. */
struct aq_name_list {
    const char **names; /* texts in the arena */
    uint32_t count, capacity;
    struct aq_map by_hash;
};

/* All zero is a valid empty one. */
struct aq_snapshots {
    struct aq_snapshot *items;
    uint32_t count, capacity;
    struct aq_snapshot_tube *tubes;
    uint32_t tube_count, tube_capacity;
    struct aq_name_list servers, tube_names;
    struct aq_arena texts;
};

void aq_snapshots_close(struct aq_snapshots *snapshots);

/* Errors: AQ_ENOMEM, AQ_ELIMIT (more servers than AQ_SERVERS_MAX). */
int aq_snapshots_add(struct aq_snapshots *snapshots, double at_s, struct aq_text server,
                     const struct aq_server_stats *stats);

/* Adds what a line says. Errors: AQ_EPARSE, AQ_EINVALID (*error says what is wrong), AQ_ELIMIT, AQ_ENOMEM. */
int aq_snapshots_read_line(struct aq_snapshots *snapshots, const char *line, size_t length,
                           struct aq_error *error);

/* Adds every line of a file that is not blank. `name` stands in errors, as "name:line". Errors: as above, and
 * AQ_EIO. */
int aq_snapshots_read(struct aq_snapshots *snapshots, FILE *file, const char *name, struct aq_error *error);

/* By server, then by time. */
void aq_snapshots_sort(struct aq_snapshots *snapshots);

/* A line as it is read. Errors: AQ_EIO, AQ_ENOMEM. */
int aq_snapshot_write(FILE *file, double at_s, const char *server, const struct aq_server_stats *stats);

/* A time as above, in seconds; false where it is none. text: the characters of a JSON string. */
bool aq_snapshot_time(const char *text, double *out_s);

#endif
