#include "sim/incident.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

/* Sums over all servers at one time. */
struct moment {
    uint64_t ready, reserved;
};

struct fit {
    struct aq_snapshots *s;
    uint32_t count; /* snapshots up to until_s; the others are passed over */
    double first_s, until_s;
    struct moment *moments;
    uint32_t moment_count;
    uint64_t puts, gets, ended;
    double lease_sum, lease_weight;
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

static bool counts(const struct fit *f, const struct aq_snapshot *snapshot) {
    return snapshot->at_s - f->first_s <= f->until_s;
}

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
    for (uint32_t i = 0; i < f->s->count; i++)
        if (f->s->items[i].at_s < f->first_s) f->first_s = f->s->items[i].at_s;
    for (uint32_t i = 0; i < f->s->count; i++)
        if (counts(f, &f->s->items[i]) && f->s->items[i].at_s > last_s) last_s = f->s->items[i].at_s;
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
    f->puts += puts;
    f->gets += restarted ? b->gets : b->gets - a->gets;
    if (before > b->held) f->ended += before - b->held;
}

static void look_at_tubes(struct fit *f, const struct aq_snapshot *snapshot, double weight) {
    for (uint32_t i = 0; i < snapshot->tube_count; i++) {
        const struct aq_snapshot_tube *row = &f->s->tubes[snapshot->first_tube + i];
        struct aq_incident_tube *tube = &f->out.tubes[row->tube];
        uint64_t held = row->ready + row->delayed + row->reserved + row->buried + row->parents;
        tube->ready += (double)row->ready * weight;
        tube->held += (double)held * weight;
        tube->jobs += row->tps * f->out.interval_s + (double)held * weight;
        f->lease_sum += row->avg_s * row->tps;
        f->lease_weight += row->tps;
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

/* Server by server, from snapshot to snapshot. */
static int walk(struct fit *f) {
    const struct aq_snapshot *before = NULL;
    int rc = 0;
    for (uint32_t i = 0; !rc && i < f->s->count; i++) {
        const struct aq_snapshot *now = &f->s->items[i];
        if (!counts(f, now)) continue;
        bool first = !before || before->server != now->server;
        const struct aq_snapshot *last = now;
        for (uint32_t k = i; first && k < f->s->count && f->s->items[k].server == now->server; k++)
            if (counts(f, &f->s->items[k])) last = &f->s->items[k];
        if (first) {
            rc = edges(f, now, last);
            f->out.backlog += now->held;
        } else {
            rc = between(f, before, now);
            count_load(f, before, now);
        }
        look(f, now);
        before = now;
    }
    return rc;
}

/* ---- the model ---- */

static void conclude(struct fit *f) {
    struct aq_incident *out = &f->out;
    double *figures = out->figures, all_s = out->duration_s;
    sum_up_moments(f);
    figures[AQ_INCIDENT_PUTS] = (double)f->puts / all_s;
    figures[AQ_INCIDENT_GETS] = (double)f->gets / all_s;
    figures[AQ_INCIDENT_ENDED] = (double)f->ended / all_s;
    figures[AQ_INCIDENT_EMPTY] = fmax(0, figures[AQ_INCIDENT_GETS] - figures[AQ_INCIDENT_ENDED]);
    figures[AQ_INCIDENT_LEASE_S] = f->lease_weight > 0 ? f->lease_sum / f->lease_weight : 0;
    out->workers = (uint32_t)fmax(1, figures[AQ_INCIDENT_RESERVED_MOST]);
    out->process_s = figures[AQ_INCIDENT_LEASE_S];
    double idle = out->workers - figures[AQ_INCIDENT_RESERVED];
    if (figures[AQ_INCIDENT_EMPTY] > 0 && idle > 0) out->poll_s = idle / figures[AQ_INCIDENT_EMPTY];
}

static int make_room(struct fit *f) {
    f->moment_count = (uint32_t)fmin(1e7, f->out.duration_s / f->out.interval_s + 0.5) + 1;
    f->moments = aq_alloc_zeroed(f->moment_count, sizeof *f->moments);
    f->out.tube_count = f->s->tube_names.count;
    f->out.tubes = aq_alloc_zeroed(f->out.tube_count + 1, sizeof *f->out.tubes);
    if (!f->moments || !f->out.tubes) return AQ_ENOMEM;
    for (uint32_t i = 0; i < f->out.tube_count; i++)
        f->out.tubes[i].name = f->s->tube_names.names[i];
    return 0;
}

int aq_incident_fit(struct aq_snapshots *snapshots, double until_s, struct aq_incident *out,
                    struct aq_error *error) {
    struct fit f = {.s = snapshots, .until_s = until_s};
    aq_snapshots_sort(snapshots);
    find_ends(&f);
    int rc = find_interval(&f, error);
    if (rc) return rc;
    rc = make_room(&f);
    if (!rc) rc = walk(&f);
    if (!rc) conclude(&f);
    aq_free(f.moments);
    if (rc) {
        aq_incident_close(&f.out);
        return aq_error_set(error, rc, "%s", aq_error_name(rc));
    }
    *out = f.out;
    return 0;
}
