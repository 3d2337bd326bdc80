#include "sim/forecast.h"

#include <math.h>
#include <stdio.h>
#include <string.h>

/* ---- what is modelled ---- */

static const char *workers_not_modelled(const struct aq_scenario *s) {
    const struct aq_worker_section *w = &s->workers;
    if (w->batch > 1) return "workers.batch";
    if (w->further_tube_count || strcmp(w->tube, s->producers.tube) != 0) return "several tubes";
    if (w->get_delete != AQ_GET_DELETE_UNSAID) return "workers.get_delete";
    if (w->release_ratio + w->bury_ratio + w->delete_ratio + w->abandon_ratio > 0)
        return "other ends of jobs than done";
    if (w->touch_every_us != AQ_TIME_NEVER) return "workers.touch_every";
    return NULL;
}

static const char *producers_not_modelled(const struct aq_producer_section *p) {
    if (p->arrivals != AQ_ARRIVALS_POISSON) return "arrivals that are not poisson";
    if (p->parents.share > 0) return "producers.parents";
    if (p->shard_keys.count) return "fair queues";
    if (p->delay_s > 0) return "producers.delay";
    return NULL;
}

static const char *find_not_modelled(const struct aq_scenario *s) {
    const char *found = workers_not_modelled(s);
    if (!found) found = producers_not_modelled(&s->producers);
    if (found) return found;
    if (s->servers.persistent) return "servers.persistent";
    if (s->balancer != AQ_BALANCER_NONE) return "a balancer";
    if (s->clients.group_count) return "clients.groups";
    if (s->network.loss > 0) return "network.loss";
    if (s->fault_count) return "faults";
    if (s->command_count) return "commands";
    uint64_t in_flight = s->clients.count ? (s->workers.count + s->clients.count - 1) / s->clients.count : 0;
    if (s->clients.policy.in_flight_per_server <= in_flight) return "clients.policy.in_flight_per_server";
    return NULL;
}

/* ---- the balance ---- */

struct balance {
    struct aq_forecast *out;
    uint32_t servers;
    double workers, poll_s, process_s;
};

/* The queue at a server with so many jobs and gets a second in all, and, if wanted, how far what a done finds
   goes together with what its get found. False: not stable. */
static bool queue_at(const struct balance *b, double jobs_per_s, double puts_per_s, double gets_per_s,
                     struct aq_theory_open *out, double *correlation) {
    const struct aq_forecast *f = b->out;
    double all = puts_per_s + gets_per_s + jobs_per_s;
    struct aq_theory_moments service = {0};
    if (all <= 0) {
        *out = (struct aq_theory_open){0};
        return true;
    }
    aq_theory_mix(&service, &f->put, puts_per_s / all);
    aq_theory_mix(&service, &f->get, gets_per_s / all);
    aq_theory_mix(&service, &f->done, jobs_per_s / all);
    if (!aq_theory_mg1(all / b->servers, &service, out)) return false;
    if (correlation) {
        double lag_s = out->wait_s + f->get.first + f->network_s + b->process_s;
        *correlation = aq_theory_correlation(all / b->servers, &service, lag_s);
    }
    return true;
}

/* How many workers this takes; infinite where servers cannot do it. */
static double workers_for(const struct balance *b, double jobs_per_s, double puts_per_s, double gets_per_s) {
    struct aq_theory_open queue;
    const struct aq_forecast *f = b->out;
    if (!queue_at(b, jobs_per_s, puts_per_s, gets_per_s, &queue, NULL)) return INFINITY;
    return gets_per_s * (queue.wait_s + f->get.first + f->network_s) + (gets_per_s - jobs_per_s) * b->poll_s +
           jobs_per_s * (b->process_s + queue.wait_s + f->done.first + f->network_s);
}

/* The gets (with empty_gets) or jobs that the workers come to. */
static double solve(const struct balance *b, double puts_per_s, bool empty_gets, double low, double high) {
    for (int step = 0; step < 100; step++) {
        double middle = (low + high) / 2;
        if (workers_for(b, empty_gets ? puts_per_s : middle, puts_per_s, middle) < b->workers)
            low = middle;
        else
            high = middle;
    }
    return low;
}

static void reach_balance(struct balance *b, double puts_per_s) {
    struct aq_forecast *f = b->out;
    struct aq_theory_open queue;
    double fastest = f->get.first + f->network_s, most = 1e9;
    if (fastest + b->poll_s > 0 && b->workers / (fastest + b->poll_s) + puts_per_s < most)
        most = (b->workers + puts_per_s * b->poll_s) / (fastest + b->poll_s) + puts_per_s;
    f->jobs_per_s = f->gets_per_s = puts_per_s;
    if (b->workers <= 0) f->jobs_per_s = f->gets_per_s = 0;
    if (!queue_at(b, f->jobs_per_s, puts_per_s, f->gets_per_s, &queue, NULL)) {
        f->limit = AQ_FORECAST_SERVERS;
        f->utilization = 1;
        return;
    }
    if (b->workers > 0 && workers_for(b, puts_per_s, puts_per_s, puts_per_s) <= b->workers) {
        f->gets_per_s = solve(b, puts_per_s, true, puts_per_s, most);
    } else {
        f->limit = AQ_FORECAST_WORKERS;
        f->jobs_per_s = f->gets_per_s = b->workers > 0 ? solve(b, puts_per_s, false, 0, puts_per_s) : 0;
    }
    f->empty_get_ratio = f->gets_per_s > 0 ? 1 - f->jobs_per_s / f->gets_per_s : 0;
    (void)queue_at(b, f->jobs_per_s, puts_per_s, f->gets_per_s, &f->queue, &f->correlation);
    f->utilization = f->queue.utilization;
}

void aq_forecast_make(const struct aq_scenario *s, uint32_t servers_up, struct aq_forecast *out) {
    *out = (struct aq_forecast){.not_modelled = find_not_modelled(s), .process = s->workers.process};
    const struct aq_distribution *service = s->servers.service.by_action;
    bool finite = aq_theory_moments(&service[AQ_ACTION_PUT], &out->put) &&
                  aq_theory_moments(&service[AQ_ACTION_GET], &out->get) &&
                  aq_theory_moments(&service[AQ_ACTION_DONE], &out->done) &&
                  isfinite(aq_distribution_mean_us(&s->workers.process)) &&
                  isfinite(aq_distribution_mean_us(&s->workers.poll));
    if (!out->not_modelled && !finite) out->not_modelled = "spans whose moments are infinite";
    if (out->not_modelled || servers_up == 0) return;
    out->network_s = 2 * aq_distribution_mean_us(&s->network.latency) / 1e6;
    struct balance balance = {.out = out,
                              .servers = servers_up,
                              .workers = s->workers.count,
                              .poll_s = aq_distribution_mean_us(&s->workers.poll) / 1e6,
                              .process_s = aq_distribution_mean_us(&s->workers.process) / 1e6};
    reach_balance(&balance, s->producers.rate_per_s);
}

/* ---- figures ---- */

static double variance_of(const struct aq_theory_moments *m) {
    return m->second - m->first * m->first;
}

/* Mean and variance of the random part of a span, its constant part, and what is added to it. */
struct span {
    double constant_s, mean_s, variance;
    const struct aq_distribution *spread;
    double spread_s; /* mean */
};

static bool span_of(const struct aq_forecast *f, const char *operation, struct span *out) {
    const struct aq_theory_moments *service = strcmp(operation, "put") == 0   ? &f->put
                                              : strcmp(operation, "get") == 0 ? &f->get
                                                                              : &f->done;
    *out = (struct span){.constant_s = f->network_s,
                         .mean_s = f->queue.wait_s + service->first,
                         .variance = f->queue.wait_variance + variance_of(service)};
    if (strcmp(operation, "put") == 0 || strcmp(operation, "get") == 0 || strcmp(operation, "done") == 0)
        return true;
    if (strcmp(operation, "get_to_done") != 0) return false;
    out->constant_s += f->network_s;
    out->mean_s += f->queue.wait_s + f->get.first;
    out->variance += (1 + 2 * f->correlation) * f->queue.wait_variance + variance_of(&f->get);
    out->spread = &f->process;
    out->spread_s = aq_distribution_mean_us(&f->process) / 1e6;
    return true;
}

/* "OPERATION_QUANTITY_s", of which the beginning has been read. */
static bool span_figure(const struct aq_forecast *f, const char *name, double *out) {
    static const struct {
        const char *end;
        double share; /* 0: the mean */
    } quantities[] = {{"_mean_s", 0},   {"_p50_s", 0.5},  {"_p90_s", 0.9},
                      {"_p95_s", 0.95}, {"_p99_s", 0.99}, {"_p999_s", 0.999}};
    struct span span;
    char operation[32];
    size_t length = strlen(name);
    for (size_t i = 0; i < sizeof quantities / sizeof *quantities; i++) {
        size_t end = strlen(quantities[i].end);
        if (length <= end || length - end >= sizeof operation ||
            strcmp(name + length - end, quantities[i].end) != 0)
            continue;
        snprintf(operation, sizeof operation, "%.*s", (int)(length - end), name);
        if (!span_of(f, operation, &span)) return false;
        if (f->limit == AQ_FORECAST_SERVERS)
            *out = INFINITY;
        else if (quantities[i].share == 0)
            *out = span.constant_s + span.mean_s + span.spread_s;
        else
            *out = aq_theory_quantile_s(quantities[i].share, span.constant_s, span.spread, span.mean_s,
                                        span.variance);
        return true;
    }
    return false;
}

bool aq_forecast_figure(const struct aq_forecast *f, const char *name, double *out) {
    const struct {
        const char *name;
        double value;
        bool always; /* without a steady state as well */
    } plain[] = {{"throughput_per_s", f->jobs_per_s, false},
                 {"empty_get_ratio", f->empty_get_ratio, false},
                 {"utilization", f->utilization, true},
                 {"utilization_max", f->utilization, true},
                 {"fairness", 1, true}};
    static const char prefix[] = "run.steady_";
    if (f->not_modelled || strncmp(name, prefix, sizeof prefix - 1) != 0) return false;
    name += sizeof prefix - 1;
    for (size_t i = 0; i < sizeof plain / sizeof *plain; i++)
        if (strcmp(name, plain[i].name) == 0 && (plain[i].always || f->limit != AQ_FORECAST_SERVERS)) {
            *out = plain[i].value;
            return true;
        }
    return span_figure(f, name, out);
}
