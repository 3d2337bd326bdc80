#include "reports/record_measure.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/error.h"

/* A field of a struct by its name. */
struct field {
    const char *name;
    size_t offset;
    enum { FIELD_U64, FIELD_U32, FIELD_DOUBLE } type;
};

#define FIELD(owner, prefix, name, type)                                                                     \
    { #name, offsetof(owner, prefix name), type }
#define JOBS(name)         FIELD(struct aq_record, jobs., name, FIELD_U64)
#define COMPLETIONS(name)  FIELD(struct aq_record, completions., name, FIELD_U64)
#define SERVER(name, type) FIELD(struct aq_record_server, , name, type)

static const struct field job_fields[] = {
    JOBS(produced),      JOBS(accepted),    JOBS(completed),      JOBS(held),
    JOBS(lost_declared), JOBS(unexplained), JOBS(executed_again),
};
static const struct field completion_fields[] = {
    COMPLETIONS(sent),      COMPLETIONS(applied),     COMPLETIONS(acked),
    COMPLETIONS(misrouted), COMPLETIONS(origin_gone), COMPLETIONS(unknown),
};
static const struct field server_fields[] = {
    SERVER(puts, FIELD_U64),        SERVER(gets, FIELD_U64),      SERVER(empty_gets, FIELD_U64),
    SERVER(completions, FIELD_U64), SERVER(requests, FIELD_U64),  SERVER(errors, FIELD_U64),
    SERVER(missed, FIELD_U64),      SERVER(expired, FIELD_U64),   SERVER(buried, FIELD_U64),
    SERVER(lost, FIELD_U64),        SERVER(choices, FIELD_U64),   SERVER(share, FIELD_DOUBLE),
    SERVER(busy, FIELD_DOUBLE),     SERVER(queue_max, FIELD_U32), SERVER(incarnations, FIELD_U32),
};

static int of_field(const struct field *fields, size_t count, const void *base, const char *name,
                    double *out) {
    for (size_t i = 0; i < count; i++) {
        if (strcmp(fields[i].name, name) != 0) continue;
        const char *at = (const char *)base + fields[i].offset;
        switch (fields[i].type) {
        case FIELD_U64: *out = (double)*(const uint64_t *)(const void *)at; return 0;
        case FIELD_U32: *out = *(const uint32_t *)(const void *)at; return 0;
        case FIELD_DOUBLE: *out = *(const double *)(const void *)at; return 0;
        }
    }
    return AQ_ENOENT;
}

static int of_figures(const struct aq_record_figure *figures, uint32_t count, const char *name, double *out) {
    for (uint32_t i = 0; i < count; i++)
        if (strcmp(figures[i].name, name) == 0) {
            *out = figures[i].value;
            return 0;
        }
    return AQ_ENOENT;
}

static int of_histogram(const struct aq_histogram *h, const char *name, double *out) {
    static const struct {
        const char *name;
        double share;
    } quantiles[] = {{"p50_s", 0.5}, {"p90_s", 0.9}, {"p99_s", 0.99}, {"p999_s", 0.999}};
    if (strcmp(name, "count") == 0) {
        *out = (double)h->count;
        return 0;
    }
    if (strcmp(name, "max_s") == 0) {
        *out = (double)h->max_us / AQ_US_PER_S;
        return 0;
    }
    if (strcmp(name, "mean_s") == 0) {
        *out = h->count ? (double)h->sum_us / (double)h->count / AQ_US_PER_S : 0;
        return 0;
    }
    for (size_t i = 0; i < sizeof quantiles / sizeof *quantiles; i++)
        if (strcmp(name, quantiles[i].name) == 0) {
            *out = (double)aq_histogram_quantile(h, quantiles[i].share) / AQ_US_PER_S;
            return 0;
        }
    return AQ_ENOENT;
}

/* What follows "word." in name, or NULL. */
static const char *after(const char *name, const char *word) {
    size_t length = strlen(word);
    return strncmp(name, word, length) == 0 && name[length] == '.' ? name + length + 1 : NULL;
}

/* In whatever state. */
static double held_by(const struct aq_record_server *server) {
    double held = 0;
    for (size_t i = 0; i < sizeof server->held / sizeof *server->held; i++)
        held += (double)server->held[i];
    return held;
}

static int of_server(const struct aq_record *record, const char *name, double *out) {
    if (strcmp(name, "used") == 0) {
        uint32_t used = 0;
        for (uint32_t i = 0; i < record->server_count; i++)
            used += record->servers[i].choices > 0;
        *out = used;
        return 0;
    }
    char *end;
    unsigned long index = strtoul(name, &end, 10);
    if (end == name || *end != '.' || index >= record->server_count) return AQ_ENOENT;
    const struct aq_record_server *server = &record->servers[index];
    if (strcmp(end + 1, "held") == 0) {
        *out = held_by(server);
        return 0;
    }
    return of_field(server_fields, sizeof server_fields / sizeof *server_fields, server, end + 1, out);
}

static int of_check(const struct aq_record_check *check, const char *name, double *out) {
    static const struct field fields[] = {FIELD(struct aq_record_check, , judged, FIELD_U64),
                                          FIELD(struct aq_record_check, , violations, FIELD_U64)};
    if (of_field(fields, 2, check, name, out) == 0) return 0;
    return of_figures(check->figures, check->figure_count, name, out);
}

static int of_fault(const struct aq_record *record, const char *name, double *out) {
    for (uint32_t i = 0; i < record->fault_count; i++) {
        const char *rest = after(name, record->faults[i].name);
        if (!rest || strcmp(rest, "touched") != 0) continue;
        *out = (double)record->faults[i].touched;
        return 0;
    }
    return AQ_ENOENT;
}

static int of_mark(const struct aq_record *record, const char *name, double *out) {
    for (uint32_t i = 0; i < record->mark_count; i++)
        if (strcmp(record->marks[i].name, name) == 0) {
            *out = (double)record->marks[i].count;
            return 0;
        }
    return AQ_ENOENT;
}

static int of_latency(const struct aq_record *record, const char *name, double *out) {
    for (uint32_t i = 0; i < record->latency_count; i++) {
        const char *rest = after(name, record->latencies[i].operation);
        if (rest) return of_histogram(&record->latencies[i].histogram, rest, out);
    }
    return AQ_ENOENT;
}

int aq_record_measure(const struct aq_record *record, const char *name, double *out) {
    const char *rest;
    if ((rest = after(name, "jobs")))
        return of_field(job_fields, sizeof job_fields / sizeof *job_fields, record, rest, out);
    if ((rest = after(name, "completions")))
        return of_field(completion_fields, sizeof completion_fields / sizeof *completion_fields, record, rest,
                        out);
    for (uint32_t i = 0; i < record->check_count; i++) {
        /* check names have no dots, and none is another one's beginning followed by a dot */
        rest = after(name, record->checks[i].name);
        if (rest && of_check(&record->checks[i], rest, out) == 0) return 0;
    }
    if ((rest = after(name, "latency"))) return of_latency(record, rest, out);
    if ((rest = after(name, "failover"))) return of_histogram(&record->clients.failover, rest, out);
    if ((rest = after(name, "servers"))) return of_server(record, rest, out);
    if ((rest = after(name, "faults"))) return of_fault(record, rest, out);
    if ((rest = after(name, "marks"))) return of_mark(record, rest, out);
    if ((rest = after(name, "run"))) return of_figures(record->figures, record->figure_count, rest, out);
    return AQ_ENOENT;
}

/* ---- all of them ---- */

struct walk {
    aq_measure_visit visit;
    void *arg;
    int rc;
};

__attribute__((format(printf, 3, 4))) static void tell(struct walk *walk, double value, const char *format,
                                                       ...) {
    char name[AQ_MEASURE_NAME_MAX];
    va_list args;
    if (walk->rc) return;
    va_start(args, format);
    vsnprintf(name, sizeof name, format, args);
    va_end(args);
    walk->rc = walk->visit(walk->arg, name, value);
}

static void tell_fields(struct walk *walk, const struct field *fields, size_t count, const void *base,
                        const char *prefix) {
    for (size_t i = 0; i < count; i++) {
        double value = 0;
        of_field(&fields[i], 1, base, fields[i].name, &value);
        tell(walk, value, "%s.%s", prefix, fields[i].name);
    }
}

static void tell_figures(struct walk *walk, const struct aq_record_figure *figures, uint32_t count,
                         const char *prefix) {
    for (uint32_t i = 0; i < count; i++)
        tell(walk, figures[i].value, "%s.%s", prefix, figures[i].name);
}

static void tell_histogram(struct walk *walk, const struct aq_histogram *h, const char *prefix) {
    static const char *const names[] = {"count", "p50_s", "p90_s", "p99_s", "p999_s", "max_s", "mean_s"};
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        double value = 0;
        of_histogram(h, names[i], &value);
        tell(walk, value, "%s.%s", prefix, names[i]);
    }
}

static void tell_checks(struct walk *walk, const struct aq_record *record) {
    for (uint32_t i = 0; i < record->check_count; i++) {
        const struct aq_record_check *check = &record->checks[i];
        tell(walk, (double)check->judged, "%s.judged", check->name);
        tell(walk, (double)check->violations, "%s.violations", check->name);
        tell_figures(walk, check->figures, check->figure_count, check->name);
    }
}

static void tell_servers(struct walk *walk, const struct aq_record *record) {
    char prefix[40];
    double value = 0;
    of_server(record, "used", &value);
    tell(walk, value, "servers.used");
    for (uint32_t i = 0; i < record->server_count; i++) {
        snprintf(prefix, sizeof prefix, "servers.%" PRIu32, i);
        tell_fields(walk, server_fields, sizeof server_fields / sizeof *server_fields, &record->servers[i],
                    prefix);
        tell(walk, held_by(&record->servers[i]), "%s.held", prefix);
    }
}

int aq_record_measures(const struct aq_record *record, aq_measure_visit visit, void *arg) {
    struct walk walk = {visit, arg, 0};
    char prefix[AQ_MEASURE_NAME_MAX];
    tell_fields(&walk, job_fields, sizeof job_fields / sizeof *job_fields, record, "jobs");
    tell_fields(&walk, completion_fields, sizeof completion_fields / sizeof *completion_fields, record,
                "completions");
    for (uint32_t i = 0; i < record->latency_count; i++) {
        snprintf(prefix, sizeof prefix, "latency.%.100s", record->latencies[i].operation);
        tell_histogram(&walk, &record->latencies[i].histogram, prefix);
    }
    tell_histogram(&walk, &record->clients.failover, "failover");
    tell_figures(&walk, record->figures, record->figure_count, "run");
    tell_checks(&walk, record);
    tell_servers(&walk, record);
    for (uint32_t i = 0; i < record->fault_count; i++)
        tell(&walk, (double)record->faults[i].touched, "faults.%.150s.touched", record->faults[i].name);
    for (uint32_t i = 0; i < record->mark_count; i++)
        tell(&walk, (double)record->marks[i].count, "marks.%.150s", record->marks[i].name);
    return walk.rc;
}
