#include "sim/calibration.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"

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
        return "a ping alone was not slower than one of many: nothing can be told of the network, which is taken "
               "as none";
    case AQ_DOUBT_CYCLES:
        return "64 connections with put, get, touch and done were served at another rate than the services say "
               "(more than 15 % off): the server does not work on one request at a time, or its load changed";
    case AQ_DOUBT_FEW: return "fewer than 100 requests of a kind: allow more with --requests or --for";
    }
    return "";
}

/* Two standard deviations of the ratio of two counts, relative. */
static double noise(uint64_t a, uint64_t b) {
    return a && b ? 2 * sqrt(1 / (double)a + 1 / (double)b) : 0;
}

/* Those of 16 and of 64 connections together, where 64 bring no more: twice as many requests to count. */
static double saturated_per_s(const struct aq_rate rates[AQ_CALIBRATION_RATES], bool *grew) {
    const struct aq_rate *few = &rates[AQ_CALIBRATION_RATES - 2], *many = &rates[AQ_CALIBRATION_RATES - 1];
    const struct aq_rate both = {few->requests + many->requests, few->seconds + many->seconds, 0};
    double few_per_s = aq_rate_per_s(few), many_per_s = aq_rate_per_s(many);
    double ratio_max = AQ_CALIBRATION_GROWTH_MAX + noise(few->requests, many->requests);
    *grew = many_per_s > few_per_s * ratio_max;
    if (*grew || few_per_s > many_per_s * ratio_max) return many_per_s;
    return aq_rate_per_s(&both);
}

static double service_us(const struct aq_series *alone, double network_us) {
    double us = aq_series_mean_us(alone) - network_us;
    return us > 0 ? us : 0;
}

/* A cycle at saturation takes the sum of its services. */
static double cycles_expected_per_s(const struct aq_calibration_server *s, double network_us) {
    double sum_us = 0;
    for (int i = AQ_MEASURED_PUT; i <= AQ_MEASURED_DONE; i++)
        sum_us += service_us(&s->alone[i], network_us);
    return sum_us > 0 ? 1e6 / sum_us : 0;
}

static bool has_few(const struct aq_calibration_server *s) {
    for (int i = 0; i < AQ_MEASURED_COUNT; i++)
        if (s->alone[i].count < AQ_CALIBRATION_FEW) return true;
    return s->pings[AQ_CALIBRATION_RATES - 1].requests < AQ_CALIBRATION_FEW;
}

void aq_calibration_judge(struct aq_calibration_server *s, struct aq_calibration_finding *out) {
    const struct aq_rate *full = &s->pings[AQ_CALIBRATION_RATES - 1];
    bool pings_grew, cycles_grew;
    for (int i = 0; i < AQ_MEASURED_COUNT; i++)
        aq_series_sort(&s->alone[i]);
    double pings_per_s = saturated_per_s(s->pings, &pings_grew);
    double alone_us = aq_series_mean_us(&s->alone[AQ_MEASURED_PING]);
    *out = (struct aq_calibration_finding){
        .ping_us = pings_per_s > 0 ? 1e6 / pings_per_s : 0,
        .cycles_per_s = saturated_per_s(s->cycles, &cycles_grew) / AQ_CALIBRATION_CYCLE,
    };
    if (alone_us > out->ping_us)
        out->network_us = alone_us - out->ping_us;
    else
        out->doubts |= AQ_DOUBT_NEGATIVE;
    out->cycles_expected_per_s = cycles_expected_per_s(s, out->network_us);
    double off = out->cycles_expected_per_s > 0 ? out->cycles_per_s / out->cycles_expected_per_s - 1 : 0;
    double off_max =
        AQ_CALIBRATION_CYCLE_OFF + noise(s->cycles[AQ_CALIBRATION_RATES - 1].requests,
                                         s->alone[AQ_MEASURED_DONE].count * AQ_CALIBRATION_CYCLE);
    if (pings_grew) out->doubts |= AQ_DOUBT_UNSATURATED;
    if (full->busy > AQ_CALIBRATION_BUSY_MAX) out->doubts |= AQ_DOUBT_OURSELVES;
    if (off > off_max || off < -off_max) out->doubts |= AQ_DOUBT_CYCLES;
    if (has_few(s)) out->doubts |= AQ_DOUBT_FEW;
}

/* ---- what comes out ---- */

static int pool(const struct aq_calibration_server *servers, const struct aq_calibration_finding *findings,
                uint32_t count, enum aq_measured measured, struct aq_series *out) {
    for (uint32_t i = 0; i < count; i++) {
        uint32_t from = out->count;
        int rc = aq_series_append(out, &servers[i].alone[measured]);
        if (rc) return rc;
        for (uint32_t k = from; k < out->count; k++) {
            double us = out->us[k] - findings[i].network_us;
            out->us[k] = us > 0 ? us : 0;
        }
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
