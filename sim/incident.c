#include "sim/incident.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

#define CALM_LEAST 20 /* intervals up to the first outage, to tell workers and polls from */

/* Sums over all servers at one time. */
struct moment {
    uint64_t ready, reserved;
};

/* What a snapshot says of the leases in a tube. */
struct lease {
    uint32_t tube;
    double avg_s;
};

struct fit {
    struct aq_snapshots *s;
    double first_s;
    struct moment *moments;
    uint32_t moment_count;
    uint64_t puts, gets, ended;
    double calm_s;                  /* up to the first outage, where that is long enough; else everything */
    uint64_t calm_gets, calm_ended; /* of these, up to then */
    struct lease *leases;           /* one for each row of a tube */
    uint32_t lease_count;
    struct aq_incident out;
};

const char *aq_incident_word(enum aq_incident_figure figure) {
    static const char *const words[] = {
#define X(name, word) word,
        AQ_INCIDENT_FIGURES(X)
#undef X
    };
    return words[figure];
}

void aq_incident_close(struct aq_incident *incident) {
    aq_free(incident->outages);
    aq_free(incident->tubes);
    *incident = (struct aq_incident){0};
}

/* ---- times ---- */

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

static int find_interval(struct fit *f, struct aq_error *error) {
    const struct aq_snapshots *s = f->s;
    double *gaps = aq_alloc((s->count + 1) * sizeof *gaps);
    uint32_t count = 0;
    if (!gaps) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    for (uint32_t i = 1; i < s->count; i++)
        if (s->items[i].server == s->items[i - 1].server && s->items[i].at_s > s->items[i - 1].at_s)
            gaps[count++] = s->items[i].at_s - s->items[i - 1].at_s;
    qsort(gaps, count, sizeof *gaps, compare);
    f->out.interval_s = count ? gaps[count / 2] : 0;
    aq_free(gaps);
    if (count >= 2 && f->out.duration_s > 0) return 0;
    return aq_error_set(error, AQ_EINVALID,
                        "at least three snapshots of a server are needed, at different times");
}

static void find_ends(struct fit *f) {
    double last_s = -INFINITY;
    f->first_s = INFINITY;
    for (uint32_t i = 0; i < f->s->count; i++) {
        f->first_s = fmin(f->first_s, f->s->items[i].at_s);
        last_s = fmax(last_s, f->s->items[i].at_s);
    }
    f->out.duration_s = f->s->count ? last_s - f->first_s : 0;
}

/* ---- outages ---- */

static int add_outage(struct fit *f, struct aq_incident_outage outage) {
    struct aq_incident *out = &f->out;
    int rc = aq_array_reserve(&out->outages, &out->outage_capacity, (size_t)out->outage_count + 1,
                              sizeof *out->outages);
    if (rc) return rc;
    if (outage.from_s < 0) outage.from_s = 0;
    if (outage.to_s > out->duration_s) outage.to_s = out->duration_s;
    out->outages[out->outage_count++] = outage;
    out->figures[AQ_INCIDENT_AWAY_S] += outage.to_s - outage.from_s;
    return 0;
}

/* It went away half an interval after it was last seen, on the average, and came back half of one before. */
static int between(struct fit *f, const struct aq_snapshot *a, const struct aq_snapshot *b) {
    double half_s = f->out.interval_s / 2, from_s = a->at_s - f->first_s, to_s = b->at_s - f->first_s;
    bool restarted = b->puts < a->puts || b->gets < a->gets;
    bool gap = to_s - from_s > AQ_INCIDENT_GAP * f->out.interval_s;
    if (!gap && !restarted) return 0;
    struct aq_incident_outage outage = {.server = a->server,
                                        .from_s = from_s + half_s,
                                        .to_s = to_s - half_s,
                                        .restarted = restarted,
                                        .kept_jobs = restarted && a->held >= 5 && b->held >= a->held / 2};
    if (!gap) { /* so short that no snapshot is missing */
        outage.from_s = from_s + half_s / 2;
        outage.to_s = to_s - half_s / 2;
    }
    return add_outage(f, outage);
}

static int edges(struct fit *f, const struct aq_snapshot *first, const struct aq_snapshot *last) {
    double gap_s = AQ_INCIDENT_GAP * f->out.interval_s, half_s = f->out.interval_s / 2;
    double begin_s = first->at_s - f->first_s, end_s = last->at_s - f->first_s;
    int rc = 0;
    if (begin_s > gap_s)
        rc = add_outage(f, (struct aq_incident_outage){first->server, 0, begin_s - half_s, true, false});
    if (!rc && f->out.duration_s - end_s > gap_s)
        rc = add_outage(
            f, (struct aq_incident_outage){last->server, end_s + half_s, f->out.duration_s, true, false});
    return rc;
}

/* ---- load ---- */

/* Of a server that was restarted its new counters alone are known; what its memory held has not ended. */
static void count_load(struct fit *f, const struct aq_snapshot *a, const struct aq_snapshot *b) {
    bool restarted = b->puts < a->puts || b->gets < a->gets;
    uint64_t puts = restarted ? b->puts : b->puts - a->puts;
    uint64_t before = puts + (restarted ? 0 : a->held);
    uint64_t gets = restarted ? b->gets : b->gets - a->gets;
    uint64_t ended = before > b->held ? before - b->held : 0;
    f->puts += puts;
    f->gets += gets;
    f->ended += ended;
    if (b->at_s - f->first_s > f->calm_s) return;
    f->calm_gets += gets;
    f->calm_ended += ended;
}

static void look_at_tubes(struct fit *f, const struct aq_snapshot *snapshot, double weight) {
    for (uint32_t i = 0; i < snapshot->tube_count; i++) {
        const struct aq_snapshot_tube *row = &f->s->tubes[snapshot->first_tube + i];
        struct aq_incident_tube *tube = &f->out.tubes[row->tube];
        uint64_t held = row->ready + row->delayed + row->reserved + row->buried + row->parents;
        tube->ready += (double)row->ready * weight;
        tube->held += (double)held * weight;
        tube->jobs += row->tps * f->out.interval_s + (double)held * weight;
        if (row->avg_s > 0) f->leases[f->lease_count++] = (struct lease){row->tube, row->avg_s};
    }
}

static void look(struct fit *f, const struct aq_snapshot *snapshot) {
    double at = (snapshot->at_s - f->first_s) / f->out.interval_s;
    uint32_t index = (uint32_t)(at + 0.5);
    if (index >= f->moment_count) index = f->moment_count - 1;
    f->moments[index].ready += snapshot->ready;
    f->moments[index].reserved += snapshot->reserved;
    look_at_tubes(f, snapshot, f->out.interval_s / f->out.duration_s);
}

static void sum_up_moments(struct fit *f) {
    double *figures = f->out.figures;
    for (uint32_t i = 0; i < f->moment_count; i++) {
        double ready = (double)f->moments[i].ready, reserved = (double)f->moments[i].reserved;
        figures[AQ_INCIDENT_READY] += ready / f->moment_count;
        figures[AQ_INCIDENT_RESERVED] += reserved / f->moment_count;
        figures[AQ_INCIDENT_READY_MOST] = fmax(figures[AQ_INCIDENT_READY_MOST], ready);
        figures[AQ_INCIDENT_RESERVED_MOST] = fmax(figures[AQ_INCIDENT_RESERVED_MOST], reserved);
    }
}

static const struct aq_snapshot *last_of_server(const struct fit *f, uint32_t from) {
    const struct aq_snapshots *s = f->s;
    while (from + 1 < s->count && s->items[from + 1].server == s->items[from].server)
        from++;
    return &s->items[from];
}

static bool is_first_of_server(const struct fit *f, uint32_t index) {
    return index == 0 || f->s->items[index - 1].server != f->s->items[index].server;
}

static int find_outages(struct fit *f) {
    int rc = 0;
    for (uint32_t i = 0; !rc && i < f->s->count; i++) {
        const struct aq_snapshot *now = &f->s->items[i];
        rc = is_first_of_server(f, i) ? edges(f, now, last_of_server(f, i)) : between(f, now - 1, now);
    }
    f->calm_s = f->out.duration_s;
    for (uint32_t i = 0; i < f->out.outage_count; i++)
        f->calm_s = fmin(f->calm_s, f->out.outages[i].from_s);
    if (f->calm_s < CALM_LEAST * f->out.interval_s) f->calm_s = f->out.duration_s;
    return rc;
}

/* Server by server, from snapshot to snapshot. */
static void walk(struct fit *f) {
    for (uint32_t i = 0; i < f->s->count; i++) {
        const struct aq_snapshot *now = &f->s->items[i];
        if (is_first_of_server(f, i))
            f->out.backlog += now->held;
        else
            count_load(f, now - 1, now);
        look(f, now);
    }
}

/* ---- the model ---- */

static int compare_leases(const void *a, const void *b) {
    const struct lease *x = a, *y = b;
    if (x->tube != y->tube) return x->tube < y->tube ? -1 : 1;
    return compare(&x->avg_s, &y->avg_s);
}

/* The medians of the tubes, each with the weight of its jobs. */
static double lease_s(struct fit *f) {
    double sum = 0, weight = 0;
    qsort(f->leases, f->lease_count, sizeof *f->leases, compare_leases);
    for (uint32_t from = 0, to; from < f->lease_count; from = to) {
        for (to = from + 1; to < f->lease_count && f->leases[to].tube == f->leases[from].tube;)
            to++;
        double jobs = f->out.tubes[f->leases[from].tube].jobs;
        sum += jobs * f->leases[from + (to - from) / 2].avg_s;
        weight += jobs;
    }
    return weight > 0 ? sum / weight : 0;
}

static uint32_t count_workers(const struct fit *f) {
    double most = 1;
    for (uint32_t i = 0; i < f->moment_count && i * f->out.interval_s <= f->calm_s; i++)
        most = fmax(most, (double)f->moments[i].reserved);
    return (uint32_t)most;
}

/* Workers without a job, by Little's law, poll as often as gets bring none. */
static double poll_s(const struct fit *f) {
    double ended_per_s = (double)f->calm_ended / f->calm_s;
    double empty_per_s = (double)f->calm_gets / f->calm_s - ended_per_s;
    double idle = f->out.workers - ended_per_s * f->out.process_s;
    return empty_per_s > 0 && idle > 0 ? idle / empty_per_s : 0;
}

static void conclude(struct fit *f) {
    struct aq_incident *out = &f->out;
    double *figures = out->figures, all_s = out->duration_s;
    sum_up_moments(f);
    figures[AQ_INCIDENT_PUTS] = (double)f->puts / all_s;
    figures[AQ_INCIDENT_GETS] = (double)f->gets / all_s;
    figures[AQ_INCIDENT_ENDED] = (double)f->ended / all_s;
    figures[AQ_INCIDENT_EMPTY] = fmax(0, figures[AQ_INCIDENT_GETS] - figures[AQ_INCIDENT_ENDED]);
    figures[AQ_INCIDENT_LEASE_S] = lease_s(f);
    out->workers = count_workers(f);
    out->process_s = figures[AQ_INCIDENT_LEASE_S];
    out->poll_s = poll_s(f);
}

static int make_room(struct fit *f) {
    f->moment_count = (uint32_t)fmin(1e7, f->out.duration_s / f->out.interval_s + 0.5) + 1;
    f->moments = aq_alloc_zeroed(f->moment_count, sizeof *f->moments);
    f->leases = aq_alloc_zeroed((size_t)f->s->tube_count + 1, sizeof *f->leases);
    f->out.tube_count = f->s->tube_names.count;
    f->out.tubes = aq_alloc_zeroed(f->out.tube_count + 1, sizeof *f->out.tubes);
    if (!f->moments || !f->leases || !f->out.tubes) return AQ_ENOMEM;
    for (uint32_t i = 0; i < f->out.tube_count; i++)
        f->out.tubes[i].name = f->s->tube_names.names[i];
    return 0;
}

int aq_incident_fit(struct aq_snapshots *snapshots, struct aq_incident *out, struct aq_error *error) {
    struct fit f = {.s = snapshots};
    aq_snapshots_sort(snapshots);
    find_ends(&f);
    int rc = find_interval(&f, error);
    if (rc) return rc;
    rc = make_room(&f);
    if (!rc) rc = find_outages(&f);
    if (!rc) walk(&f);
    if (!rc) conclude(&f);
    aq_free(f.moments);
    aq_free(f.leases);
    if (rc) {
        aq_incident_close(&f.out);
        return aq_error_set(error, rc, "%s", aq_error_name(rc));
    }
    *out = f.out;
    return 0;
}
