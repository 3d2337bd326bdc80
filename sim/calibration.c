#include "sim/calibration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

#define SHIFT_STEPS 20

const uint32_t aq_calibration_lanes[AQ_CALIBRATION_RATES] = {1, 4, 16, AQ_CALIBRATION_LANES_MAX};

const char *aq_measured_word(enum aq_measured measured) {
    static const char *const words[] = {
#define X(name, word, text) word,
        AQ_MEASURED(X)
#undef X
    };
    return words[measured];
}

const char *aq_measured_text(enum aq_measured measured) {
    static const char *const texts[] = {
#define X(name, word, text) text,
        AQ_MEASURED(X)
#undef X
    };
    return texts[measured];
}

/* ---- series ---- */

void aq_series_close(struct aq_series *series) {
    aq_free(series->us);
    *series = (struct aq_series){0};
}

int aq_series_add(struct aq_series *series, double us) {
    int rc = aq_array_reserve(&series->us, &series->capacity, (size_t)series->count + 1, sizeof *series->us);
    if (!rc) series->us[series->count++] = us;
    return rc;
}

int aq_series_append(struct aq_series *series, const struct aq_series *other) {
    if (!other->count) return 0;
    int rc = aq_array_reserve(&series->us, &series->capacity, (size_t)series->count + other->count,
                              sizeof *series->us);
    if (rc) return rc;
    memcpy(series->us + series->count, other->us, other->count * sizeof *series->us);
    series->count += other->count;
    return 0;
}

static int compare(const void *a, const void *b) {
    double x = *(const double *)a, y = *(const double *)b;
    return (x > y) - (x < y);
}

void aq_series_sort(struct aq_series *series) {
    if (series->count) qsort(series->us, series->count, sizeof *series->us, compare);
}

static double mean_from_us(const struct aq_series *series, uint32_t from) {
    double sum_us = 0;
    for (uint32_t i = from; i < series->count; i++)
        sum_us += series->us[i];
    return series->count > from ? sum_us / (series->count - from) : 0;
}

double aq_series_mean_us(const struct aq_series *series) {
    return mean_from_us(series, 0);
}

double aq_series_quantile_us(const struct aq_series *series, double share) {
    if (!series->count) return 0;
    double at = share * (series->count - 1);
    uint32_t below = (uint32_t)at;
    if (below + 1 >= series->count) return series->us[series->count - 1];
    return series->us[below] + (series->us[below + 1] - series->us[below]) * (at - below);
}

double aq_rate_per_s(const struct aq_rate *rate) {
    return rate->seconds > 0 ? (double)rate->requests / rate->seconds : 0;
}

/* ---- the judgement ---- */

const char *aq_calibration_doubt_text(enum aq_calibration_doubt doubt) {
    switch (doubt) {
    case AQ_DOUBT_UNSATURATED:
        return "64 connections did not fill the server (more than 15 % above 16): the network is estimated too "
               "short, the services too long";
    case AQ_DOUBT_OURSELVES:
        return "this process was busy itself and could not ask faster: the network is estimated too short, the "
               "services too long; run it on a machine of its own";
    case AQ_DOUBT_NEGATIVE:
        return "a ping alone was not slower than one of many: pings tell nothing of the network";
    case AQ_DOUBT_CYCLES:
        return "with many connections put, get, touch and done were served at another rate than the network of pings "
               "lets expect (more than 15 % off): the server does not work on one request at a time, or its load changed";
    case AQ_DOUBT_FEW: return "fewer than 100 requests of a kind: allow more with --requests or --for";
    }
    return "";
}

/* Two standard deviations of the ratio of two counts, relative. */
static double noise(uint64_t a, uint64_t b) {
    return a && b ? 2 * sqrt(1 / (double)a + 1 / (double)b) : 0;
}

/* Those of 16 and of 64 connections together, where 64 bring no more: twice as many requests to count. */
static struct aq_rate saturated(const struct aq_rate rates[AQ_CALIBRATION_RATES], bool *grew) {
    const struct aq_rate *few = &rates[AQ_CALIBRATION_RATES - 2], *many = &rates[AQ_CALIBRATION_RATES - 1];
    double few_per_s = aq_rate_per_s(few), many_per_s = aq_rate_per_s(many);
    double ratio_max = AQ_CALIBRATION_GROWTH_MAX + noise(few->requests, many->requests);
    *grew = many_per_s > few_per_s * ratio_max;
    if (*grew || few_per_s > many_per_s * ratio_max) return *many;
    return (struct aq_rate){few->requests + many->requests, few->seconds + many->seconds, many->busy};
}

/* Of a request of many; 0 where nothing was measured. */
static double us_each(const struct aq_rate *rate) {
    return rate->requests ? rate->seconds * 1e6 / (double)rate->requests : 0;
}

static double cycle_alone_us(const struct aq_calibration_server *s) {
    double sum_us = 0;
    for (int i = AQ_MEASURED_PUT; i <= AQ_MEASURED_DONE; i++)
        sum_us += aq_series_mean_us(&s->alone[i]);
    return sum_us;
}

static bool has_few(const struct aq_calibration_server *s) {
    for (int i = 0; i < AQ_MEASURED_COUNT; i++)
        if (s->alone[i].count < AQ_CALIBRATION_FEW) return true;
    return s->pings[AQ_CALIBRATION_RATES - 1].requests < AQ_CALIBRATION_FEW;
}

static bool differ(const struct aq_calibration_finding *f, uint64_t requests, uint64_t alone) {
    if (!(f->cycles_expected_per_s > 0)) return false;
    double off = f->cycles_per_s / f->cycles_expected_per_s - 1;
    return fabs(off) > AQ_CALIBRATION_CYCLE_OFF + noise(requests, alone);
}

static double average_us(const struct aq_calibration_finding *f, const struct aq_rate *pings,
                         const struct aq_rate *cycles) {
    double weight = (double)(pings->requests + cycles->requests);
    if (!(weight > 0)) return 0;
    double us = (f->network_of_pings_us * (double)pings->requests +
                 f->network_of_cycles_us * (double)cycles->requests) /
                weight;
    return us > 0 ? us : 0;
}

void aq_calibration_judge(struct aq_calibration_server *s, struct aq_calibration_finding *out) {
    bool pings_grew, cycles_grew;
    for (int i = 0; i < AQ_MEASURED_COUNT; i++)
        aq_series_sort(&s->alone[i]);
    struct aq_rate pings = saturated(s->pings, &pings_grew), cycles = saturated(s->cycles, &cycles_grew);
    double ping_alone_us = aq_series_mean_us(&s->alone[AQ_MEASURED_PING]), alone_us = cycle_alone_us(s);
    struct aq_calibration_finding f = {.ping_us = us_each(&pings)};
    f.network_of_pings_us = ping_alone_us - f.ping_us;
    f.network_of_cycles_us = alone_us / AQ_CALIBRATION_CYCLE - us_each(&cycles);
    f.network_us = average_us(&f, &pings, &cycles);
    f.cycles_per_s = aq_rate_per_s(&cycles) / AQ_CALIBRATION_CYCLE;
    double services_us = alone_us - f.network_of_pings_us * AQ_CALIBRATION_CYCLE;
    f.cycles_expected_per_s = services_us > 0 ? 1e6 / services_us : 0;
    if (!(f.network_of_pings_us > 0)) f.doubts |= AQ_DOUBT_NEGATIVE;
    if (pings_grew || cycles_grew) f.doubts |= AQ_DOUBT_UNSATURATED;
    if (s->pings[AQ_CALIBRATION_RATES - 1].busy > AQ_CALIBRATION_BUSY_MAX) f.doubts |= AQ_DOUBT_OURSELVES;
    if (differ(&f, cycles.requests, s->alone[AQ_MEASURED_DONE].count * (uint64_t)AQ_CALIBRATION_CYCLE))
        f.doubts |= AQ_DOUBT_CYCLES;
    if (has_few(s)) f.doubts |= AQ_DOUBT_FEW;
    *out = f;
}

/* ---- what comes out ---- */

static double mean_above_us(const struct aq_series *series, double us) {
    double sum_us = 0;
    for (uint32_t i = 0; i < series->count; i++)
        if (series->us[i] > us) sum_us += series->us[i] - us;
    return series->count ? sum_us / series->count : 0;
}

/* What to take off each latency. Quick ones, below the mean network, become 0 and no less; for the mean to be
   less by the network nevertheless, it is a little more than that. Each step makes the rest of the difference
   smaller. */
static double shift_us(const struct aq_series *alone, double network_us) {
    double shift = network_us, wanted_us = aq_series_mean_us(alone) - network_us;
    if (wanted_us <= 0) return INFINITY;
    for (int i = 0; i < SHIFT_STEPS; i++)
        shift += mean_above_us(alone, shift) - wanted_us;
    return shift;
}

static int pool(const struct aq_calibration_server *servers, const struct aq_calibration_finding *findings,
                uint32_t count, enum aq_measured measured, struct aq_series *out) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = out->count;
        int rc = aq_series_append(out, &servers[i].alone[measured]);
        if (rc) return rc;
        double shift = shift_us(&servers[i].alone[measured], findings[i].network_us);
        for (uint32_t k = from; k < out->count; k++)
            out->us[k] = out->us[k] > shift ? out->us[k] - shift : 0;
    }
    aq_series_sort(out);
    return 0;
}

/* The straight line from the last but one must have the mean of the values above it. */
static double last_quantile_us(const struct aq_series *series, double below_us) {
    uint32_t last = AQ_CALIBRATION_QUANTILES - 2;
    uint32_t from = (uint32_t)((double)series->count * last / (AQ_CALIBRATION_QUANTILES - 1));
    double us = 2 * mean_from_us(series, from) - below_us;
    return us > below_us ? us : below_us;
}

int aq_calibration_quantiles(const struct aq_calibration_server *servers,
                             const struct aq_calibration_finding *findings, uint32_t count,
                             enum aq_measured measured, double out_us[AQ_CALIBRATION_QUANTILES]) {
    struct aq_series all = {0};
    int rc = pool(servers, findings, count, measured, &all);
    if (!rc && !all.count) rc = AQ_ENOENT;
    for (uint32_t i = 0; !rc && i + 1 < AQ_CALIBRATION_QUANTILES; i++)
        out_us[i] = aq_series_quantile_us(&all, (double)i / (AQ_CALIBRATION_QUANTILES - 1));
    if (!rc)
        out_us[AQ_CALIBRATION_QUANTILES - 1] = last_quantile_us(&all, out_us[AQ_CALIBRATION_QUANTILES - 2]);
    aq_series_close(&all);
    return rc;
}

double aq_calibration_network_us(const struct aq_calibration_finding *findings, uint32_t count) {
    double sum_us = 0;
    for (uint32_t i = 0; i < count; i++)
        sum_us += findings[i].network_us;
    return count ? sum_us / count : 0;
}
