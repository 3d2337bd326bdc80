#include "sim/serve.h"

#include <cjson/cJSON.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "scenarios/load.h"
#include "sim/run_record.h"
#include "sim/verdict.h"

#define SETTING_CHARS_MAX 64

/* ---- before the run ---- */

/* What is left out acts on clients, workers or producers, or on some clients only: these are not ours. */
static bool can_act(const struct aq_fault_spec *fault) {
    switch (fault->kind) {
    case AQ_FAULT_CLIENT_CRASH:
    case AQ_FAULT_CLIENT_CLOCK_JUMP:
    case AQ_FAULT_WORKER_CRASH:
    case AQ_FAULT_WORKER_OVERRUN:
    case AQ_FAULT_WORKER_REPEAT:
    case AQ_FAULT_HERD:
    case AQ_FAULT_POISON_JOB:
    case AQ_FAULT_BURST:
    case AQ_FAULT_ADD_SERVER:
    case AQ_FAULT_UPDATE_SERVERS:
    case AQ_FAULT_DRAIN: return false;
    default: return !fault->clients.given;
    }
}

static void free_fault(struct aq_fault_spec *fault) {
    aq_free(fault->name);
    aq_free(fault->tube);
    aq_free(fault->error);
    aq_free(fault->servers.indexes);
    aq_free(fault->clients.indexes);
    aq_free(fault->workers.indexes);
    aq_free(fault->server_list);
}

static void drop_faults(struct aq_scenario *s, void (*left_out)(void *arg, const struct aq_fault_spec *fault),
                        void *arg) {
    uint32_t kept = 0;
    for (uint32_t i = 0; i < s->fault_count; i++) {
        if (can_act(&s->faults[i])) {
            s->faults[kept++] = s->faults[i];
            continue;
        }
        left_out(arg, &s->faults[i]);
        free_fault(&s->faults[i]);
    }
    s->fault_count = kept;
}

int aq_serve_prepare(struct aq_scenario *s, void (*left_out)(void *arg, const struct aq_fault_spec *fault),
                     void *arg) {
    drop_faults(s, left_out, arg);
    s->clients.count = 0;
    s->workers.count = 0;
    s->producers.arrivals = AQ_ARRIVALS_NONE;
    s->balancer = AQ_BALANCER_NONE;
    s->servers.shared_identity = 0;
    s->expect_strict = s->expect_upstream = (struct aq_expectation){0};
    s->slo_count = 0; /* of our workers, of whom there are none */
    s->settle_us = 0;
    for (uint32_t i = 0; i < s->command_count; i++)
        aq_free(s->commands[i].tube);
    s->command_count = 0; /* they need a client of ours */
    struct aq_fault_spec *faults =
        aq_realloc(s->faults, ((size_t)s->fault_count + AQ_SERVE_ADDED_FAULTS_MAX) * sizeof *faults);
    if (!faults) return AQ_ENOMEM;
    s->faults = faults;
    return 0;
}

/* ---- commands ---- */

struct command {
    struct aq_run *run;
    const cJSON *json;
    cJSON *answer;
    bool failed; /* the answer is an error already */
};

static void refuse(struct command *c, const char *text) {
    cJSON_DeleteItemFromObject(c->answer, "ok");
    cJSON_AddFalseToObject(c->answer, "ok");
    cJSON_AddStringToObject(c->answer, "error", text);
    c->failed = true;
}

/* Where the servers have an index, it must be one. */
static bool read_server(struct command *c, uint32_t *out) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(c->json, "server");
    uint32_t count = c->run->options->scenario->servers.count;
    if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < count &&
        item->valuedouble == (uint32_t)item->valuedouble) {
        *out = (uint32_t)item->valuedouble;
        return true;
    }
    char text[64];
    snprintf(text, sizeof text, "server: allowed is a whole number, 0 to %u", count - 1);
    refuse(c, text);
    return false;
}

static bool read_fault_id(struct command *c, uint32_t *out) {
    const cJSON *item = cJSON_GetObjectItemCaseSensitive(c->json, "id");
    uint32_t count = c->run->options->scenario->fault_count;
    if (cJSON_IsNumber(item) && item->valuedouble >= 0 && item->valuedouble < count &&
        item->valuedouble == (uint32_t)item->valuedouble) {
        *out = (uint32_t)item->valuedouble;
        return true;
    }
    refuse(c, "id: there is no fault with this id");
    return false;
}

/* Messages that the fault met and acted on; those of a strike in force are still in the servers. */
static void add_receipts(struct command *c, uint32_t id, cJSON *to) {
    struct aq_receipt receipt = aq_nemesis_receipt(c->run->nemesis, id);
    uint64_t touched = receipt.touched + aq_virtual_touched(c->run->world, id);
    cJSON_AddNumberToObject(to, "strikes", receipt.strikes);
    cJSON_AddNumberToObject(to, "touched", (double)touched);
}

static void list_faults(struct command *c) {
    const struct aq_scenario *s = c->run->options->scenario;
    cJSON *faults = cJSON_AddArrayToObject(c->answer, "faults");
    for (uint32_t i = 0; faults && i < s->fault_count; i++) {
        if (!aq_nemesis_is_alive(c->run->nemesis, i)) continue;
        cJSON *fault = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(faults, fault)) return;
        cJSON_AddNumberToObject(fault, "id", i);
        cJSON_AddStringToObject(fault, "kind", aq_fault_word(s->faults[i].kind));
        cJSON_AddStringToObject(fault, "name", s->faults[i].name);
        cJSON_AddBoolToObject(fault, "in_force", aq_nemesis_is_in_force(c->run->nemesis, i));
        add_receipts(c, i, fault);
    }
}

static int strike_added(struct command *c, struct aq_scenario *parsed) {
    struct aq_run *run = c->run;
    struct aq_scenario *s = run->options->serve->scenario;
    uint32_t id = s->fault_count;
    s->faults[s->fault_count++] = parsed->faults[0]; /* with its texts */
    parsed->fault_count = 0;
    cJSON_AddNumberToObject(c->answer, "id", id);
    return aq_nemesis_add(run->nemesis, aq_virtual_now(run->world));
}

/* The fault is read as the scenario's own faults are, by the same rules. */
static int add_fault(struct command *c, const char *fault) {
    const struct aq_scenario *s = c->run->options->scenario;
    size_t size = strlen(fault) + 128;
    char *text = aq_alloc(size);
    if (!text) return AQ_ENOMEM;
    snprintf(text, size, "{\"summary\": \"added\", \"servers\": {\"count\": %u}, \"faults\": [%s]}",
             s->servers.count, fault);
    struct aq_error error = {0};
    struct aq_scenario *parsed;
    int rc = aq_scenario_parse(text, "fault", NULL, &parsed, &error);
    aq_free(text);
    if (rc == AQ_ENOMEM) return rc;
    if (rc) {
        refuse(c, error.text);
        return 0;
    }
    const struct aq_fault_spec *spec = &parsed->faults[0];
    if (!can_act(spec))
        refuse(c, "fault: acts on clients, and these are not ours");
    else if (aq_live_needs_proxy(spec->kind) && !aq_live_has_proxies(c->run->live))
        refuse(c, "fault: acts on links, which needs a start with --proxies");
    else if (aq_nemesis_room(c->run->nemesis) == 0)
        refuse(c, "fault: no more can be added in this run");
    else
        rc = strike_added(c, parsed);
    aq_scenario_free(parsed);
    return rc;
}

/* "server" beside the fault is short for "servers" in it; "all" is what a fault without it means. */
static bool aim(struct command *c, cJSON *fault) {
    const cJSON *server = cJSON_GetObjectItemCaseSensitive(c->json, "server");
    if (!server || (cJSON_IsString(server) && strcmp(server->valuestring, "all") == 0)) return true;
    uint32_t index;
    if (!read_server(c, &index)) return false;
    cJSON *servers = cJSON_AddArrayToObject(fault, "servers");
    return servers && cJSON_AddItemToArray(servers, cJSON_CreateNumber(index));
}

static int command_add(struct command *c) {
    const cJSON *given = cJSON_GetObjectItemCaseSensitive(c->json, "fault");
    if (!cJSON_IsObject(given)) {
        refuse(c, "fault: allowed is an object as in a scenario's faults");
        return 0;
    }
    cJSON *fault = cJSON_Duplicate(given, true);
    if (!fault) return AQ_ENOMEM;
    bool timed = cJSON_HasObjectItem(fault, "at") || cJSON_HasObjectItem(fault, "on");
    if (!timed) cJSON_AddStringToObject(fault, "at", "0");
    char *text = aim(c, fault) ? cJSON_PrintUnformatted(fault) : NULL;
    cJSON_Delete(fault);
    if (c->failed) return 0;
    int rc = text ? add_fault(c, text) : AQ_ENOMEM;
    cJSON_free(text);
    return rc;
}

static int command_remove(struct command *c) {
    uint32_t id;
    if (!read_fault_id(c, &id)) return 0;
    if (!aq_nemesis_is_alive(c->run->nemesis, id)) {
        refuse(c, "id: this fault is over");
        return 0;
    }
    int rc = aq_nemesis_remove(c->run->nemesis, aq_virtual_now(c->run->world), id);
    add_receipts(c, id, c->answer);
    return rc;
}

static int command_crash(struct command *c) {
    uint32_t server;
    if (!read_server(c, &server)) return 0;
    if (!aq_virtual_server_state(c->run->world, server).up) {
        refuse(c, "server: is down already");
        return 0;
    }
    char fault[SETTING_CHARS_MAX];
    snprintf(fault, sizeof fault, "{\"kind\": \"crash\", \"servers\": [%u], \"at\": \"0\"}", server);
    return add_fault(c, fault);
}

static int command_restart(struct command *c) {
    uint32_t server;
    if (!read_server(c, &server)) return 0;
    if (aq_virtual_server_state(c->run->world, server).up) {
        refuse(c, "server: is up; crash it first");
        return 0;
    }
    return aq_nemesis_restart(c->run->nemesis, aq_virtual_now(c->run->world), server);
}

static void add_server_stats(struct command *c, uint32_t server, cJSON *to) {
    static const char *const states[AQ_JOB_STATE_COUNT] = {"ready", "delayed", "reserved", "buried",
                                                           "parent"};
    struct aq_virtual_server_state state = aq_virtual_server_state(c->run->world, server);
    cJSON_AddNumberToObject(to, "server", server);
    cJSON_AddStringToObject(to, "address", c->run->book.items[server].text);
    cJSON_AddStringToObject(to, "id", c->run->server_ids[server]);
    cJSON_AddBoolToObject(to, "up", state.up);
    cJSON_AddNumberToObject(to, "incarnations", state.incarnations);
    cJSON_AddNumberToObject(to, "requests", (double)state.requests);
    cJSON_AddNumberToObject(to, "queue", state.counters.queue);
    for (int i = 0; i < AQ_JOB_STATE_COUNT; i++)
        cJSON_AddNumberToObject(to, states[i], (double)state.counters.jobs[i]);
}

static void tell_stats(struct command *c) {
    struct aq_server_gate_counters gate = aq_live_gate_counters(c->run->live);
    cJSON_AddNumberToObject(c->answer, "up_s", (double)aq_virtual_now(c->run->world) / 1e6);
    cJSON_AddNumberToObject(c->answer, "violations", (double)aq_ledger_violations(c->run->ledger));
    cJSON_AddNumberToObject(c->answer, "completed", (double)aq_ledger_completed(c->run->ledger));
    cJSON_AddNumberToObject(c->answer, "clients_admitted", (double)gate.admitted);
    cJSON_AddNumberToObject(c->answer, "clients_refused", (double)gate.refused);
    cJSON_AddNumberToObject(c->answer, "handshakes_failed", (double)aq_live_strangers(c->run->live));
    cJSON *servers = cJSON_AddArrayToObject(c->answer, "servers");
    for (uint32_t i = 0; servers && i < c->run->options->scenario->servers.count; i++) {
        cJSON *server = cJSON_CreateObject();
        if (!cJSON_AddItemToArray(servers, server)) return;
        add_server_stats(c, i, server);
    }
}

static int dispatch(struct command *c) {
    const cJSON *cmd = cJSON_GetObjectItemCaseSensitive(c->json, "cmd");
    const char *word = cJSON_IsString(cmd) ? cmd->valuestring : "";
    if (strcmp(word, "add") == 0) return command_add(c);
    if (strcmp(word, "remove") == 0) return command_remove(c);
    if (strcmp(word, "crash") == 0) return command_crash(c);
    if (strcmp(word, "restart") == 0) return command_restart(c);
    if (strcmp(word, "list") == 0)
        list_faults(c);
    else if (strcmp(word, "stats") == 0)
        tell_stats(c);
    else
        refuse(c, "cmd: allowed are list, add, remove, stats, crash, restart");
    return 0;
}

/* NULL where the text is not JSON, or goes on behind it. */
static cJSON *parse_whole(const char *text, size_t len) {
    const char *end = NULL;
    cJSON *json = cJSON_ParseWithLengthOpts(text, len, &end, false);
    while (json && end < text + len && (*end == ' ' || *end == '\t'))
        end++;
    if (!json || end == text + len) return json;
    cJSON_Delete(json);
    return NULL;
}

char *aq_serve_command(struct aq_run *run, const char *text, size_t len) {
    cJSON *json = parse_whole(text, len);
    struct command c = {.run = run, .json = json, .answer = cJSON_CreateObject()};
    int rc = 0;
    cJSON_AddTrueToObject(c.answer, "ok");
    if (cJSON_IsObject(json)) {
        aq_live_enter(run->live);
        rc = dispatch(&c);
        aq_live_leave(run->live, rc);
    } else {
        refuse(&c, "a command is a JSON object on one line");
    }
    if (rc && !c.failed) refuse(&c, aq_error_name(rc));
    char *answer = cJSON_PrintUnformatted(c.answer);
    cJSON_Delete(c.answer);
    cJSON_Delete(json);
    return answer;
}

void aq_serve_answer_free(char *answer) {
    cJSON_free(answer);
}

/* ---- after the run ---- */

static int add_gate_marks(const struct aq_run *run, struct aq_record *record) {
    struct aq_server_gate_counters gate = aq_live_gate_counters(run->live);
    struct aq_record_mark *marks = aq_arena_alloc(&record->memory, (record->mark_count + 3) * sizeof *marks);
    if (!marks) return AQ_ENOMEM;
    if (record->mark_count) memcpy(marks, record->marks, record->mark_count * sizeof *marks);
    marks[record->mark_count++] = (struct aq_record_mark){"clients-let-in", gate.admitted};
    marks[record->mark_count++] = (struct aq_record_mark){"clients-refused", gate.refused};
    marks[record->mark_count++] = (struct aq_record_mark){"handshakes-failed", aq_live_strangers(run->live)};
    record->marks = marks;
    return 0;
}

int aq_serve_verdict(const struct aq_run *run, struct aq_record *record) {
    char broken[400] = "", holding[400] = "";
    for (uint32_t i = 0; i < record->check_count; i++) {
        const struct aq_record_check *check = &record->checks[i];
        char *names = check->verdict == AQ_VERDICT_FAIL                    ? broken
                      : check->verdict == AQ_VERDICT_PASS && check->judged ? holding
                                                                           : NULL;
        size_t used = names ? strlen(names) : 0;
        if (names) snprintf(names + used, sizeof broken - used, "%s%s", used ? ", " : "", check->name);
    }
    record->verdict = broken[0] ? AQ_VERDICT_FAIL : holding[0] ? AQ_VERDICT_PASS : AQ_VERDICT_UNKNOWN;
    record->exit_code = broken[0] ? AQ_EXIT_SAFETY : AQ_EXIT_PASS;
    record->interrupted = false;
    record->reason = broken[0]    ? aq_record_text(record, "broken: %s", broken)
                     : holding[0] ? aq_record_text(record, "the servers' side holds: %s", holding)
                                  : aq_record_text(record, "nothing to judge: no client did anything");
    return record->reason ? add_gate_marks(run, record) : AQ_ENOMEM;
}
