#include "sim/incident_scenario.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/memory.h"
#include "scenarios/tree.h"

#define TEXT_CHARS 400
#define BACKLOG_AT "200ms" /* after the start of producers, when all clients are there */

static cJSON *text_of(const char *format, ...) __attribute__((format(printf, 1, 2)));

static cJSON *text_of(const char *format, ...) {
    char text[TEXT_CHARS];
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    return cJSON_CreateString(text);
}

static cJSON *span(double seconds) {
    return text_of("%.0fms", fmax(1, seconds * 1000));
}

/* ---- events ---- */

static int take_event(cJSON *tree, double first_s, char **out, struct aq_error *error) {
    const cJSON *at = aq_tree_member(tree, "at");
    cJSON *fault = aq_tree_member(tree, "fault");
    double at_s = 0;
    if (cJSON_IsNumber(at))
        at_s = at->valuedouble;
    else if (!cJSON_IsString(at) || !aq_snapshot_time(at->valuestring, &at_s))
        return aq_error_set(error, AQ_EINVALID,
                            "at: a number of seconds or a time such as \"2026-11-24T13:05:07Z\" is needed");
    if (!cJSON_IsObject(fault))
        return aq_error_set(error, AQ_EINVALID, "fault: an object is needed, as in the faults of a scenario");
    if (aq_tree_member(fault, "at"))
        return aq_error_set(error, AQ_EINVALID, "fault.at: the time stands outside of the fault");
    if (at_s < first_s) return aq_error_set(error, AQ_EINVALID, "at: this is before the first snapshot");
    aq_tree_begin();
    aq_tree_add(fault, "at", span(at_s - first_s));
    *out = aq_tree_out_of_memory() ? NULL : aq_tree_print_bare(fault);
    return *out ? 0 : aq_error_set(error, AQ_ENOMEM, "out of memory");
}

int aq_incident_event(const char *line, size_t length, double first_s, char **out, struct aq_error *error) {
    struct aq_tree_fault fault;
    cJSON *tree = NULL;
    int rc = aq_tree_parse(line, length, &tree, &fault);
    if (rc == AQ_EPARSE) return aq_error_set(error, rc, "%s", fault.what);
    if (rc) return aq_error_set(error, rc, "out of memory");
    rc = cJSON_IsObject(tree) ? take_event(tree, first_s, out, error)
                              : aq_error_set(error, AQ_EINVALID, "a line has to be a JSON object");
    cJSON_Delete(tree);
    return rc;
}

/* ---- parts ---- */

static uint32_t busiest(const struct aq_incident *incident) {
    uint32_t best = 0;
    for (uint32_t i = 1; i < incident->tube_count; i++)
        if (incident->tubes[i].jobs > incident->tubes[best].jobs) best = i;
    return best;
}

static void add_notes(cJSON *root, const struct aq_incident_scenario *c) {
    cJSON *notes = aq_tree_add(root, "notes", cJSON_CreateArray());
    const struct aq_incident *in = c->incident;
    double all = 0;
    aq_tree_append(
        notes,
        text_of("Fitted: arrivals, workers, process, poll and faults. Not known from stats, and taken as "
                "usual: clients, lease times, the network%s.",
                c->service ? "" : ", the servers' service times"));
    for (uint32_t i = 0; i < c->snapshots->servers.count; i++)
        aq_tree_append(notes, text_of("server %u: %.200s", i, c->snapshots->servers.names[i]));
    for (uint32_t i = 0; i < in->tube_count; i++)
        all += in->tubes[i].jobs;
    for (uint32_t i = 0; i < in->tube_count && all > 0; i++)
        aq_tree_append(notes, text_of("tube %.200s: %.1f %% of the jobs, %.2f a second", in->tubes[i].name,
                                      in->tubes[i].jobs / all * 100,
                                      in->tubes[i].jobs / all * in->figures[AQ_INCIDENT_PUTS]));
    if (in->tube_count > 1)
        aq_tree_append(notes, text_of("All tubes are put together here: a scenario's producers know one."));
}

static bool kept_jobs(const struct aq_incident *incident) {
    for (uint32_t i = 0; i < incident->outage_count; i++)
        if (incident->outages[i].kept_jobs) return true;
    return false;
}

static void add_servers(cJSON *root, const struct aq_incident_scenario *c) {
    cJSON *servers = aq_tree_add(root, "servers", cJSON_CreateObject());
    aq_tree_add(servers, "count", cJSON_CreateNumber(c->snapshots->servers.count));
    if (kept_jobs(c->incident)) aq_tree_add(servers, "persistent", cJSON_CreateTrue());
    if (!c->service) return;
    cJSON *service = aq_tree_add(servers, "service", cJSON_CreateObject());
    aq_tree_add(service, "empirical", cJSON_CreateString(c->service));
}

static void add_load(cJSON *root, const struct aq_incident_scenario *c) {
    const struct aq_incident *in = c->incident;
    const char *tube = in->tube_count ? in->tubes[busiest(in)].name : "default";
    cJSON *clients = aq_tree_add(root, "clients", cJSON_CreateObject());
    aq_tree_add(clients, "count", cJSON_CreateNumber(c->clients));
    cJSON *workers = aq_tree_add(root, "workers", cJSON_CreateObject());
    aq_tree_add(workers, "count", cJSON_CreateNumber(in->workers));
    aq_tree_add(workers, "tube", cJSON_CreateString(tube));
    aq_tree_add(workers, "ramp", cJSON_CreateString("0"));
    if (in->process_s > 0) {
        cJSON *process = aq_tree_add(workers, "process", cJSON_CreateObject());
        aq_tree_add(process, "exp", span(in->process_s));
    }
    if (in->poll_s > 0) {
        cJSON *poll = aq_tree_add(workers, "poll", cJSON_CreateObject());
        aq_tree_add(poll, "exp", span(in->poll_s));
    }
    cJSON *producers = aq_tree_add(root, "producers", cJSON_CreateObject());
    aq_tree_add(producers, "tube", cJSON_CreateString(tube));
    aq_tree_add(producers, "ttl", cJSON_CreateString("default"));
    if (!(in->figures[AQ_INCIDENT_PUTS] > 0)) {
        aq_tree_add(producers, "arrivals", cJSON_CreateString("none"));
        return;
    }
    cJSON *arrivals = aq_tree_add(producers, "arrivals", cJSON_CreateObject());
    aq_tree_add(arrivals, "poisson", text_of("%.4f/s", in->figures[AQ_INCIDENT_PUTS]));
}

/* ---- faults ---- */

/* An event is known to a few snapshots at best. */
static bool is_told(const struct aq_incident_outage *outage, const cJSON *faults, double slack_s) {
    const cJSON *fault;
    cJSON_ArrayForEach(fault, faults) {
        const cJSON *server = aq_tree_member(fault, "servers"), *at = aq_tree_member(fault, "at");
        double at_s = cJSON_IsString(at) ? atof(at->valuestring) / 1000 : -1; /* as span writes it */
        if (cJSON_IsNumber(server) && server->valuedouble == outage->server &&
            at_s >= outage->from_s - slack_s && at_s <= outage->to_s + slack_s)
            return true;
    }
    return false;
}

static void add_outage(cJSON *faults, const struct aq_incident_scenario *c,
                       const struct aq_incident_outage *outage) {
    cJSON *fault = aq_tree_append(faults, cJSON_CreateObject());
    aq_tree_add(fault, "kind", cJSON_CreateString(outage->restarted ? "crash" : "pause"));
    aq_tree_add(fault, "name", text_of("%.100s away", c->snapshots->servers.names[outage->server]));
    aq_tree_add(fault, "servers", cJSON_CreateNumber(outage->server));
    aq_tree_add(fault, "at", span(outage->from_s));
    if (outage->to_s < c->incident->duration_s)
        aq_tree_add(fault, "for", span(outage->to_s - outage->from_s));
}

static int add_faults(cJSON *root, const struct aq_incident_scenario *c, struct aq_error *error) {
    const struct aq_incident *in = c->incident;
    cJSON *faults = aq_tree_add(root, "faults", cJSON_CreateArray());
    if (in->backlog) {
        cJSON *burst = aq_tree_append(faults, cJSON_CreateObject());
        aq_tree_add(burst, "kind", cJSON_CreateString("burst"));
        aq_tree_add(burst, "name", cJSON_CreateString("held at the beginning"));
        aq_tree_add(burst, "at", cJSON_CreateString(BACKLOG_AT));
        aq_tree_add(burst, "count", cJSON_CreateNumber((double)in->backlog));
    }
    for (uint32_t i = 0; i < c->event_count; i++)
        aq_tree_append(faults, cJSON_Parse(c->events[i]));
    for (uint32_t i = 0; i < in->outage_count; i++)
        if (!is_told(&in->outages[i], faults, 2 * in->interval_s)) add_outage(faults, c, &in->outages[i]);
    if (cJSON_GetArraySize(faults) <= AQ_FAULTS_MAX) return 0;
    return aq_error_set(
        error, AQ_ELIMIT,
        "%d outages and events, and a scenario takes %d faults: give a shorter part of the snapshots",
        cJSON_GetArraySize(faults), AQ_FAULTS_MAX);
}

int aq_incident_scenario_text(const struct aq_incident_scenario *c, char **out, struct aq_error *error) {
    aq_tree_begin();
    cJSON *root = cJSON_CreateObject();
    aq_tree_add(root, "summary", text_of("Made of the snapshots in %.300s.", c->name));
    add_notes(root, c);
    aq_tree_add(root, "duration", span(c->incident->duration_s));
    aq_tree_add(root, "settle", cJSON_CreateString("2m"));
    aq_tree_add(root, "window", span(c->incident->interval_s));
    add_servers(root, c);
    add_load(root, c);
    int rc = root ? add_faults(root, c, error) : AQ_ENOMEM;
    char *text = !rc && !aq_tree_out_of_memory() ? aq_tree_print(root) : NULL;
    cJSON_Delete(root);
    if (rc) return rc;
    if (!text) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    *out = text;
    return 0;
}
