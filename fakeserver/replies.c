/* Replies that say something else than they should, or nothing. */
#include "base/error.h"
#include "fakeserver/internal.h"

/* An id that nobody has, in place of the one that is there: the same but for its last character. */
static struct aq_text other_id(struct aq_server *server, struct aq_text id) {
    if (!id.len) return id;
    struct aq_text other = aq_server_text(server, "", id, "");
    if (!other.len) return id;
    char *last = (char *)other.at + other.len - 1;
    *last = *last == 'A' ? 'B' : 'A';
    return other;
}

static void change_ids(struct aq_server *server, struct aq_reply *reply) {
    if (reply->has_job_id) reply->job_id = other_id(server, reply->job_id);
    if (!reply->job_count) return;
    struct aq_job *jobs = aq_arena_alloc(aq_server_texts(server), reply->job_count * sizeof *jobs);
    if (!jobs) {
        aq_server_fail(server, AQ_ENOMEM);
        return;
    }
    for (uint32_t i = 0; i < reply->job_count; i++) {
        jobs[i] = reply->jobs[i];
        jobs[i].job_id = other_id(server, jobs[i].job_id);
    }
    reply->jobs = jobs;
}

void aq_damage_by_faults(struct aq_server *server, struct aq_reply *reply) {
    static const struct {
        enum aq_server_fault_kind kind;
        uint8_t damage;
    } spoilt[] = {{AQ_SERVER_FAULT_MALFORMED_REPLY, AQ_DAMAGE_GARBLED},
                  {AQ_SERVER_FAULT_TRUNCATED_REPLY, AQ_DAMAGE_TRUNCATED},
                  {AQ_SERVER_FAULT_OVERSIZED_REPLY, AQ_DAMAGE_PADDED},
                  {AQ_SERVER_FAULT_EMPTY_REPLY, AQ_DAMAGE_EMPTIED}};
    for (size_t i = 0; i < sizeof spoilt / sizeof *spoilt; i++)
        if (aq_server_acting(server, spoilt[i].kind)) reply->damage |= spoilt[i].damage;
    if (aq_server_acting(server, AQ_SERVER_FAULT_WRONG_ID_REPLY)) change_ids(server, reply);
}

static bool is_wide(struct aq_text text) {
    for (uint32_t i = 0; i < text.len; i++)
        if ((unsigned char)text.at[i] > 0x7f) return true;
    return false;
}

static bool stats_are_wide(const struct aq_server_stats *stats) {
    for (uint32_t i = 0; i < stats->tube_count; i++)
        if (is_wide(stats->tubes[i].tube)) return true;
    return false;
}

bool aq_damage_has_wide(const struct aq_reply *reply) {
    if (is_wide(reply->job_id) || is_wide(reply->error) || is_wide(reply->value)) return true;
    for (uint32_t i = 0; i < reply->job_count; i++)
        if (is_wide(reply->jobs[i].job_id) || is_wide(reply->jobs[i].body) || is_wide(reply->jobs[i].tube))
            return true;
    for (uint32_t i = 0; i < reply->server_count; i++)
        if (stats_are_wide(&reply->servers[i])) return true;
    return false;
}
