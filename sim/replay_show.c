#include "sim/replay_show.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "sim/run_record.h"
#include "sim/trace.h"

/* ---- what is asked for ---- */

static int fail(const char *text, const char *what, struct aq_error *error) {
    return aq_error_set(error, AQ_EINVALID, "--show: found \"%s\", %s", text, what);
}

static int parse_index(const char *text, const char *number, uint32_t count, uint32_t *out,
                       struct aq_error *error) {
    char *end;
    errno = 0;
    unsigned long value = strtoul(number, &end, 10);
    if (number[0] < '0' || number[0] > '9' || *end || errno || value >= count)
        return aq_error_set(error, AQ_EINVALID, "--show: found \"%s\", allowed are numbers from 0 to %u",
                            text, count - 1);
    *out = (uint32_t)value;
    return 0;
}

/* "41" is the number of a put; in "SERVER,ID" the id is what counts. */
static int parse_job(const char *text, const char *job, struct aq_show *out, struct aq_error *error) {
    const char *comma = strchr(job, ','), *id = comma ? comma + 1 : job;
    if (!*id) return fail(text, "a job is SERVER,ID as reports show it, or the number of its put", error);
    if (!comma && strspn(job, "0123456789") == strlen(job) && strlen(job) < 20)
        out->token = strtoull(job, NULL, 10);
    else
        out->hashes[out->hash_count++] = aq_text_hash(aq_text_of(id));
    return 0;
}

int aq_show_add(struct aq_show_list *list, const char *text, const struct aq_scenario *scenario,
                struct aq_error *error) {
    struct aq_show show = {.text = text};
    const char *colon = strchr(text, ':');
    size_t length = colon ? (size_t)(colon - text) : 0;
    int rc;
    if (list->count == AQ_SHOW_MAX)
        return aq_error_set(error, AQ_ELIMIT, "--show: more than %d", AQ_SHOW_MAX);
    if (length == 6 && strncmp(text, "server", 6) == 0) {
        show.kind = AQ_SHOW_SERVER;
        rc = parse_index(text, colon + 1, scenario->servers.count, &show.index, error);
    } else if (length == 6 && strncmp(text, "client", 6) == 0) {
        show.kind = AQ_SHOW_CLIENT;
        rc = parse_index(text, colon + 1, scenario->clients.count, &show.index, error);
    } else if (length == 3 && strncmp(text, "job", 3) == 0) {
        show.kind = AQ_SHOW_JOB;
        rc = parse_job(text, colon + 1, &show, error);
    } else {
        rc = fail(text, "allowed are server:N, client:N, job:SERVER,ID and job:NUMBER", error);
    }
    if (!rc) list->items[list->count++] = show;
    return rc;
}

void aq_show_close(struct aq_show_list *list) {
    for (uint32_t i = 0; i < list->count; i++)
        aq_free(list->items[i].lines);
    aq_arena_close(&list->texts);
    list->count = 0;
}

/* ---- what is seen of jobs ---- */

static bool has_hash(const struct aq_show *show, uint64_t hash) {
    for (uint32_t i = 0; i < show->hash_count; i++)
        if (show->hashes[i] == hash) return true;
    return false;
}

bool aq_show_wants_seek(const struct aq_show_list *list) {
    for (uint32_t i = 0; i < list->count; i++)
        if (list->items[i].kind == AQ_SHOW_JOB && !list->items[i].token) return true;
    return false;
}

int aq_show_seek(struct aq_show_list *list, const struct aq_observation *seen) {
    if (!seen->tap || !seen->tap_token) return 0;
    bool found = false;
    for (uint32_t i = 0; i < list->count; i++) {
        struct aq_show *show = &list->items[i];
        if (show->kind != AQ_SHOW_JOB || show->token || !has_hash(show, seen->tap->job_hash)) continue;
        show->token = seen->tap_token;
        found = true;
    }
    return found && !aq_show_wants_seek(list) ? AQ_EINTERRUPTED : 0;
}

/* Is the observation about the job? Learns the ids of its copies by the way. */
static bool is_about(struct aq_show *show, const struct aq_observation *seen) {
    if (show->kind != AQ_SHOW_JOB) return false;
    uint64_t job_hash = seen->tap ? seen->tap->job_hash : seen->job_hash;
    uint64_t token = seen->tap ? seen->tap_token : seen->token;
    bool same = show->token && token == show->token;
    if (same && job_hash && !has_hash(show, job_hash) && show->hash_count < AQ_SHOW_HASHES_MAX)
        show->hashes[show->hash_count++] = job_hash;
    return same || has_hash(show, job_hash);
}

static int keep_line(struct aq_show_list *list, struct aq_show *show, const struct aq_observation *seen) {
    char text[512];
    struct aq_text copy;
    if (show->line_count == AQ_SHOW_LIST_MAX) {
        show->lines_left_out++;
        return 0;
    }
    aq_trace_describe(seen, text, sizeof text);
    if (aq_array_reserve(&show->lines, &show->line_capacity, (size_t)show->line_count + 1,
                         sizeof *show->lines) ||
        aq_arena_text(&list->texts, (struct aq_text){text, (uint32_t)strlen(text) + 1}, &copy))
        return AQ_ENOMEM;
    show->lines[show->line_count++] = copy.at;
    return 0;
}

int aq_show_observed(struct aq_show_list *list, const struct aq_observation *seen) {
    int rc = 0;
    for (uint32_t i = 0; i < list->count && !rc; i++)
        if (is_about(&list->items[i], seen)) rc = keep_line(list, &list->items[i], seen);
    return rc;
}

/* ---- pieces of JSON ---- */

/* What the visitors write with. */
struct page {
    struct aq_json_put_writer *json;
    struct aq_run *run;
    const struct aq_show *show;
    uint32_t listed;
    uint64_t left_out;
};

static void put_count(struct page *p, const char *key, uint64_t value) {
    aq_json_put_key(p->json, key);
    aq_json_put_u64(p->json, value);
}

static void put_flag(struct page *p, const char *key, bool value) {
    aq_json_put_key(p->json, key);
    aq_json_put_bool(p->json, value);
}

static void put_span(struct page *p, const char *key, aq_time_us span_us) {
    aq_json_put_key(p->json, key);
    aq_json_put_seconds(p->json, span_us);
}

static void put_word(struct page *p, const char *key, const char *value) {
    aq_json_put_key(p->json, key);
    aq_json_put_text(p->json, value);
}

static void put_text(struct page *p, const char *key, struct aq_text value) {
    char text[300];
    snprintf(text, sizeof text, "%.*s", (int)(value.len < 299 ? value.len : 299), value.at ? value.at : "");
    put_word(p, key, text);
}

/* An index, or null for AQ_NOBODY. */
static void put_index(struct page *p, const char *key, uint32_t index) {
    aq_json_put_key(p->json, key);
    if (index == AQ_NOBODY)
        aq_json_put_number_text(p->json, "null");
    else
        aq_json_put_u64(p->json, index);
}

static void open_list(struct page *p, const char *key) {
    aq_json_put_key(p->json, key);
    aq_json_put_open(p->json, '[');
    p->listed = 0;
    p->left_out = 0;
}

static void close_list(struct page *p, const char *left_out_key) {
    aq_json_put_close(p->json, ']');
    if (p->left_out) put_count(p, left_out_key, p->left_out);
}

static bool fits(struct page *p) {
    if (p->listed < AQ_SHOW_LIST_MAX) {
        p->listed++;
        return true;
    }
    p->left_out++;
    return false;
}

static const char *state_word(uint32_t state) {
    static const char *const words[AQ_JOB_STATE_COUNT] = {"ready", "delayed", "reserved", "buried", "parent"};
    return words[state];
}

static void put_states(struct page *p, const uint64_t jobs[AQ_JOB_STATE_COUNT]) {
    for (uint32_t i = 0; i < AQ_JOB_STATE_COUNT; i++)
        put_count(p, state_word(i), jobs[i]);
}

/* ---- a server ---- */

static void put_tube(void *arg, const struct aq_tube_view *tube) {
    struct page *p = arg;
    if (!fits(p)) return;
    aq_json_put_open(p->json, '{');
    put_text(p, "tube", tube->name);
    put_states(p, tube->jobs);
    put_flag(p, "paused", tube->paused);
    if (tube->tps > 0) {
        aq_json_put_key(p->json, "throttle_per_s");
        aq_json_put_double(p->json, tube->tps);
    }
    aq_json_put_close(p->json, '}');
}

static void put_job_head(struct page *p, const struct aq_job_record *job) {
    put_text(p, "job", job->job_id);
    put_word(p, "state", state_word(job->state));
    put_text(p, "tube", job->tube);
}

static void put_lease(void *arg, const struct aq_job_record *job) {
    struct page *p = arg;
    if (job->is_tube || job->state != AQ_JOB_RESERVED || !fits(p)) return;
    const struct aq_ledger_copy *copy = aq_ledger_copy_by_hash(p->run->ledger, aq_text_hash(job->job_id));
    aq_json_put_open(p->json, '{');
    put_job_head(p, job);
    if (copy) {
        put_span(p, "lease_until_s", copy->lease_until_us);
        put_index(p, "holder_worker", copy->holder);
        put_index(p, "holder_client", copy->holder_client);
    }
    aq_json_put_close(p->json, '}');
}

static void put_rule(void *arg, const struct aq_fault_rule *rule) {
    struct page *p = arg;
    aq_json_put_open(p->json, '{');
    put_word(p, "kind", aq_server_fault_word(rule->kind));
    put_count(p, "matched", rule->matched);
    put_count(p, "touched", rule->touched);
    aq_json_put_close(p->json, '}');
}

static void put_connection(void *arg, const struct aq_virtual_connection *c) {
    struct page *p = arg;
    bool server = p->show->kind == AQ_SHOW_SERVER;
    if ((server ? c->server : c->client) != p->show->index || !fits(p)) return;
    aq_json_put_open(p->json, '{');
    if (server)
        put_count(p, "client", c->client);
    else
        put_index(p, "server", c->server);
    put_word(p, "state", c->state);
    put_flag(p, "server_forgot", c->server_forgot);
    put_count(p, "sends_again_to_server", c->attempts[0]);
    put_count(p, "sends_again_to_client", c->attempts[1]);
    aq_json_put_close(p->json, '}');
}

static void put_connections(struct page *p) {
    open_list(p, "connections");
    aq_virtual_each_connection(p->run->world, put_connection, p);
    close_list(p, "connections_left_out");
}

static void put_server(struct page *p) {
    uint32_t index = p->show->index;
    struct aq_virtual_server_state state = aq_virtual_server_state(p->run->world, index);
    const struct aq_server *core = aq_virtual_server_core(p->run->world, index);
    put_count(p, "server", index);
    put_word(p, "id", p->run->server_ids[index]);
    put_word(p, "address", p->run->book.items[index].text);
    put_flag(p, "up", state.up);
    put_flag(p, "paused", aq_virtual_server_pauses(p->run->world, index) > 0);
    put_flag(p, "stopped", aq_ledger_server(p->run->ledger, index)->stopped);
    put_count(p, "incarnations", state.incarnations);
    put_count(p, "requests", state.requests);
    put_count(p, "queue", state.counters.queue);
    put_states(p, state.counters.jobs);
    open_list(p, "tubes");
    if (core) aq_server_each_tube(core, put_tube, p);
    close_list(p, "tubes_left_out");
    open_list(p, "leases");
    aq_virtual_each_job(p->run->world, index, put_lease, p);
    close_list(p, "leases_left_out");
    put_connections(p);
    open_list(p, "faults");
    if (core) aq_server_each_rule(core, put_rule, p);
    close_list(p, "faults_left_out");
}

/* ---- a client ---- */

static void put_client_server(void *arg, const struct aq_client_server_view *s) {
    static const char *const healths[] = {"well", "sick", "probing", "draining", "removed"};
    struct page *p = arg;
    if (!fits(p)) return;
    aq_json_put_open(p->json, '{');
    put_index(p, "server", s->server < p->run->metrics.server_count ? s->server : AQ_NOBODY);
    put_word(p, "address", p->run->book.items[s->server].text);
    put_word(p, "health", healths[s->health]);
    put_flag(p, "member", s->member);
    put_word(p, "connection", s->connection);
    put_count(p, "calls_sent", s->flying);
    put_count(p, "calls_waiting", s->waiting);
    put_count(p, "calls_parked", s->parked);
    put_count(p, "calls_resting", s->resting);
    put_count(p, "failed_probes", s->failed_probes);
    put_span(p, "heard_s", s->heard_us ? s->heard_us : AQ_TIME_NEVER);
    if (s->health == AQ_SERVER_SICK) put_span(p, "probe_s", s->probe_at_us);
    aq_json_put_close(p->json, '}');
}

static void put_call(void *arg, const struct aq_client_call_view *c) {
    struct page *p = arg;
    if (!fits(p)) return;
    aq_json_put_open(p->json, '{');
    put_count(p, "call", c->call);
    put_word(p, "made_by", c->made_by);
    put_word(p, "action", aq_action_word(c->action));
    put_word(p, "state", c->state);
    put_index(p, "server", c->server);
    if (c->job.len) put_text(p, "job", c->job);
    put_flag(p, "may_be_applied", c->may_be_applied);
    if (c->sent_us) put_span(p, "sent_s", c->sent_us);
    put_span(p, "deadline_s", c->deadline_us);
    aq_json_put_close(p->json, '}');
}

static void put_client(struct page *p) {
    struct aq_virtual_client_state state = aq_virtual_client_state(p->run->world, p->show->index);
    put_count(p, "client", p->show->index);
    put_flag(p, "up", state.core != NULL);
    put_count(p, "processes", state.lives);
    aq_json_put_key(p->json, "clock_ahead_s");
    aq_json_put_double(p->json, (double)state.clock_us / 1e6);
    put_count(p, "calls_open", state.core ? aq_client_calls_open(state.core) : 0);
    open_list(p, "servers");
    if (state.core) aq_client_each_server(state.core, put_client_server, p);
    close_list(p, "servers_left_out");
    open_list(p, "calls");
    if (state.core) aq_client_each_call(state.core, put_call, p);
    close_list(p, "calls_left_out");
    put_connections(p);
}

/* ---- a job ---- */

static void put_held(void *arg, const struct aq_job_record *job) {
    struct page *p = arg;
    if (job->is_tube || !has_hash(p->show, aq_text_hash(job->job_id))) return;
    aq_json_put_open(p->json, '{');
    put_count(p, "server", p->listed);
    put_job_head(p, job);
    aq_json_put_key(p->json, "priority");
    aq_json_put_i64(p->json, job->priority);
    aq_json_put_key(p->json, "ttl_s");
    aq_json_put_i64(p->json, job->ttl_s);
    put_count(p, "expireds", job->expireds);
    put_count(p, "releases", job->releases);
    aq_json_put_close(p->json, '}');
}

/* What the servers themselves hold. */
static void put_holders(struct page *p) {
    aq_json_put_key(p->json, "servers");
    aq_json_put_open(p->json, '[');
    for (uint32_t i = 0; i < p->run->metrics.server_count; i++) {
        p->listed = i;
        aq_virtual_each_job(p->run->world, i, put_held, p);
    }
    aq_json_put_close(p->json, ']');
}

static int put_copy(void *arg, struct aq_ledger_copy *copy) {
    struct page *p = arg;
    const struct aq_ledger_job *job = aq_ledger_job_of(p->run->ledger, copy);
    if (!has_hash(p->show, copy->hash) && !(p->show->token && job->token == p->show->token)) return 0;
    aq_json_put_open(p->json, '{');
    put_word(p, "job", copy->id);
    put_count(p, "origin", copy->server);
    put_word(p, "state",
             copy->gone ? copy->lost      ? "lost"
                          : copy->renamed ? "renamed"
                                          : "gone"
                        : state_word(copy->state));
    put_count(p, "leases", copy->leases);
    put_count(p, "executions", copy->executions);
    put_span(p, "lease_until_s", copy->lease ? copy->lease_until_us : AQ_TIME_NEVER);
    put_index(p, "holder_worker", copy->lease ? copy->holder : AQ_NOBODY);
    put_span(p, "ended_s", copy->ended_us ? copy->ended_us : AQ_TIME_NEVER);
    put_count(p, "completions_sent", copy->completions_sent);
    put_count(p, "completions_seen", copy->completions_seen);
    put_count(p, "completions_applied", copy->completions_applied);
    put_flag(p, "completion_acknowledged", copy->acked);
    aq_json_put_close(p->json, '}');
    return 0;
}

/* The ledger's books; a job that ended cleanly is not in them any more. */
static void put_books(struct page *p) {
    struct aq_ledger_job *job =
        p->show->token ? aq_ledger_job_by_token(p->run->ledger, p->show->token) : NULL;
    aq_json_put_key(p->json, "ledger");
    aq_json_put_open(p->json, '{');
    put_flag(p, "ended_cleanly", p->show->token && aq_ledger_forgot_token(p->run->ledger, p->show->token));
    if (job) {
        put_word(p, "put",
                 job->put_answered    ? aq_outcome_word((enum aq_outcome)job->put_outcome)
                 : job->put_abandoned ? "abandoned"
                                      : "open");
        put_count(p, "executions", job->executions);
        put_count(p, "open_calls", job->open_calls);
        put_flag(p, "ended", job->ended);
    }
    aq_json_put_key(p->json, "copies");
    aq_json_put_open(p->json, '[');
    (void)aq_ledger_each_copy(p->run->ledger, put_copy, p);
    aq_json_put_close(p->json, ']');
    aq_json_put_close(p->json, '}');
}

static void put_job(struct page *p) {
    put_word(p, "job", strchr(p->show->text, ':') + 1);
    put_count(p, "put_number", p->show->token);
    put_books(p);
    put_holders(p);
    open_list(p, "life");
    for (uint32_t i = 0; i < p->show->line_count; i++)
        aq_json_put_text(p->json, p->show->lines[i]);
    p->left_out = p->show->lines_left_out;
    close_list(p, "life_left_out");
}

void aq_show_write(const struct aq_show_list *list, struct aq_run *run, struct aq_json_put_writer *json) {
    struct page page = {.json = json, .run = run};
    aq_json_put_open(json, '[');
    for (uint32_t i = 0; i < list->count; i++) {
        page.show = &list->items[i];
        aq_json_put_open(json, '{');
        if (page.show->kind == AQ_SHOW_SERVER)
            put_server(&page);
        else if (page.show->kind == AQ_SHOW_CLIENT)
            put_client(&page);
        else
            put_job(&page);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}
