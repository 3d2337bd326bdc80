/* The answer to stats: one server's, or several servers' in one as a client makes it.
   Private to protocol/. */
#ifndef AQ_PROTOCOL_STATS_H
#define AQ_PROTOCOL_STATS_H

#include "protocol/json.h"
#include "protocol/message.h"
#include "protocol/writer.h"

/* With a server's name, or with several servers, each one's section goes under its name. A tube called
   "global" is left out: AllQueue puts its counters in that place. */
void aq_stats_write(struct aq_writer *writer, const struct aq_reply *reply);

/* Fills kind and servers. The root must have members. Errors: AQ_EPARSE, AQ_ENOMEM. */
int aq_stats_read(const cJSON *root, struct aq_arena *arena, struct aq_reply *reply, struct aq_error *error);

#endif
