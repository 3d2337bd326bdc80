#include <math.h>
#include <string.h>

#include "base/memory.h"
#include "base/real.h"
#include "reports/json_write.h"
#include "reports/print_html.h"

/* Windows of time added up to bins, few enough to draw. */
struct bins {
    uint32_t count, windows_per_bin;
    uint32_t shown_count;
    uint32_t shown[AQ_HTML_SERVERS_MAX];
    uint64_t *puts, *gets, *completions, *errors; /* by bin */
    uint64_t *ready, *reserved;                   /* by bin, at its end */
    uint64_t *choices;                            /* by bin and shown server; the last place is all others */
};

uint32_t aq_html_choose_servers(const struct aq_record *record, uint32_t chosen[AQ_HTML_SERVERS_MAX]) {
    uint32_t count = 0;
    for (uint32_t i = 0; i < record->server_count; i++) {
        const struct aq_record_server *server = &record->servers[i];
        if (count == AQ_HTML_SERVERS_MAX) {
            uint32_t least = 0;
            for (uint32_t c = 1; c < count; c++)
                if (record->servers[chosen[c]].choices <= record->servers[chosen[least]].choices) least = c;
            if (record->servers[chosen[least]].choices >= server->choices) continue;
            memmove(&chosen[least], &chosen[least + 1], (--count - least) * sizeof *chosen);
        }
        chosen[count++] = i;
    }
    return count;
}

static uint32_t place_of(const struct bins *bins, uint32_t server) {
    uint32_t place = 0;
    while (place < bins->shown_count && bins->shown[place] != server)
        place++;
    return place;
}

static uint32_t last_window(const struct aq_record *record) {
    uint32_t last = 0;
    for (uint32_t i = 0; i < record->window_count; i++)
        if (record->windows[i].window > last) last = record->windows[i].window;
    return last;
}

static void close_bins(struct bins *bins) {
    aq_free(bins->puts);
    aq_free(bins->choices);
}

static int init_bins(struct bins *bins, const struct aq_record *record) {
    uint32_t last = record->window_count ? last_window(record) : 0;
    *bins = (struct bins){.windows_per_bin = 1 + last / AQ_HTML_BINS_MAX};
    bins->count = record->window_count ? last / bins->windows_per_bin + 1 : 0;
    bins->shown_count = aq_html_choose_servers(record, bins->shown);
    bins->puts = aq_alloc_zeroed((size_t)bins->count * 6 + 1, sizeof *bins->puts);
    bins->choices = aq_alloc_zeroed((size_t)bins->count * (bins->shown_count + 1) + 1, sizeof *bins->choices);
    if (!bins->puts || !bins->choices) {
        close_bins(bins);
        return AQ_ENOMEM;
    }
    uint64_t **const series[] = {&bins->gets, &bins->completions, &bins->errors, &bins->ready,
                                 &bins->reserved};
    for (uint32_t i = 0; i < 5; i++)
        *series[i] = bins->puts + (size_t)bins->count * (i + 1);
    return 0;
}

static void fill_bins(struct bins *bins, const struct aq_record *record) {
    uint32_t end_of_bin = bins->windows_per_bin - 1, last = last_window(record);
    for (uint32_t i = 0; i < record->window_count; i++) {
        const struct aq_record_window *w = &record->windows[i];
        uint32_t bin = w->window / bins->windows_per_bin;
        bins->puts[bin] += w->puts;
        bins->gets[bin] += w->gets;
        bins->completions[bin] += w->completions;
        bins->errors[bin] += w->errors;
        bins->choices[(size_t)bin * (bins->shown_count + 1) + place_of(bins, w->server)] += w->choices;
        if (w->window % bins->windows_per_bin != end_of_bin && w->window != last) continue;
        bins->ready[bin] += w->ready;
        bins->reserved[bin] += w->reserved;
    }
}

static void put_series(struct aq_json_put_writer *json, const char *key, const uint64_t *values,
                       uint32_t count, uint32_t stride) {
    aq_json_put_key(json, key);
    aq_json_put_open(json, '[');
    for (uint32_t i = 0; i < count; i++)
        aq_json_put_u64(json, values[(size_t)i * stride]);
    aq_json_put_close(json, ']');
}

static void put_bins(struct aq_json_put_writer *json, const struct aq_record *record,
                     const struct bins *bins) {
    aq_json_put_key(json, "bin_us");
    aq_json_put_u64(json, record->window_us * bins->windows_per_bin);
    aq_json_put_key(json, "windows_per_bin");
    aq_json_put_u64(json, bins->windows_per_bin);
    aq_json_put_key(json, "end_us");
    aq_json_put_u64(json, record->virtual_us);
    put_series(json, "puts", bins->puts, bins->count, 1);
    put_series(json, "gets", bins->gets, bins->count, 1);
    put_series(json, "completions", bins->completions, bins->count, 1);
    put_series(json, "errors", bins->errors, bins->count, 1);
    put_series(json, "ready", bins->ready, bins->count, 1);
    put_series(json, "reserved", bins->reserved, bins->count, 1);
    aq_json_put_key(json, "servers");
    aq_json_put_open(json, '[');
    for (uint32_t s = 0; s <= bins->shown_count; s++) {
        char name[48];
        uint32_t others = record->server_count - bins->shown_count;
        if (s == bins->shown_count && others == 0) break;
        if (s < bins->shown_count)
            snprintf(name, sizeof name, "server %u", bins->shown[s]);
        else
            snprintf(name, sizeof name, "%u others", others);
        aq_json_put_open(json, '{');
        aq_json_put_key(json, "name");
        aq_json_put_text(json, name);
        put_series(json, "choices", bins->choices + s, bins->count, bins->shown_count + 1);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

/* ---- latency over time ---- */

static bool is_about(const struct aq_record_latency_window *row, const char *operation) {
    return strcmp(row->operation, operation) == 0;
}

/* The worst of the windows in each bin: quantiles cannot be added up. Pairs of the bin and the three values.
 */
static void put_latency_over_time(struct aq_json_put_writer *json, const struct aq_record *record,
                                  const struct bins *bins, const char *operation) {
    uint64_t worst[3] = {0}, bin = UINT64_MAX;
    aq_json_put_key(json, operation);
    aq_json_put_open(json, '[');
    for (uint32_t i = 0; i <= record->latency_window_count; i++) {
        const struct aq_record_latency_window *row =
            i < record->latency_window_count ? &record->latency_windows[i] : NULL;
        if (row && !is_about(row, operation)) continue;
        if (bin != UINT64_MAX && (!row || row->window / bins->windows_per_bin != bin)) {
            aq_json_put_u64(json, bin);
            for (int k = 0; k < 3; k++)
                aq_json_put_u64(json, worst[k]);
            memset(worst, 0, sizeof worst);
        }
        if (!row) break;
        const aq_time_us values[] = {row->p50_us, row->p99_us, row->max_us};
        bin = row->window / bins->windows_per_bin;
        for (int k = 0; k < 3; k++)
            if (values[k] > worst[k]) worst[k] = values[k];
    }
    aq_json_put_close(json, ']');
}

static void put_latencies_over_time(struct aq_json_put_writer *json, const struct aq_record *record,
                                    const struct bins *bins) {
    aq_json_put_key(json, "latency");
    aq_json_put_open(json, '{');
    for (uint32_t l = 0; l < record->latency_count && record->latency_window_count; l++)
        put_latency_over_time(json, record, bins, record->latencies[l].operation);
    aq_json_put_close(json, '}');
}

/* ---- percentiles and failover ---- */

/* Pairs of 1 / (1 - share) and the span at that share; points as far apart as the curve needs to look smooth.
 */
static void put_percentiles(struct aq_json_put_writer *json, const struct aq_histogram *histogram) {
    uint64_t seen = 0;
    double next = 0, step = aq_log((double)histogram->count + 1) / AQ_HTML_POINTS_MAX;
    aq_json_put_open(json, '[');
    for (uint32_t i = 0; i < AQ_HISTOGRAM_BUCKETS && histogram->count; i++) {
        if (!histogram->buckets[i]) continue;
        seen += histogram->buckets[i];
        bool last = seen == histogram->count;
        double x = (double)histogram->count / (double)(last ? 1 : histogram->count - seen);
        if (aq_log(x) < next && !last) continue;
        next = aq_log(x) + step;
        aq_json_put_double(json, floor(x * 1000) / 1000);
        aq_json_put_u64(json, last ? histogram->max_us : aq_histogram_bucket_max_us(i));
    }
    aq_json_put_close(json, ']');
}

static void put_all_percentiles(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_put_key(json, "percentiles");
    aq_json_put_open(json, '{');
    for (uint32_t i = 0; i < record->latency_count; i++) {
        if (record->latencies[i].histogram.count == 0) continue;
        aq_json_put_key(json, record->latencies[i].operation);
        put_percentiles(json, &record->latencies[i].histogram);
    }
    aq_json_put_close(json, '}');
}

#define FAILOVER_BARS       24u
#define FAILOVER_BAR_MIN_US 1000u

/* Clients by how long they went on: bars of equal width. */
static void put_failover(struct aq_json_put_writer *json, const struct aq_histogram *histogram) {
    uint64_t bars[FAILOVER_BARS] = {0}, width_us = histogram->max_us / FAILOVER_BARS + 1;
    if (width_us < FAILOVER_BAR_MIN_US) width_us = FAILOVER_BAR_MIN_US;
    for (uint32_t i = 0; i < AQ_HISTOGRAM_BUCKETS && histogram->count; i++) {
        aq_time_us bound_us = aq_time_min(aq_histogram_bucket_max_us(i), histogram->max_us);
        bars[bound_us / width_us] += histogram->buckets[i];
    }
    aq_json_put_key(json, "failover_bar_us");
    aq_json_put_u64(json, width_us);
    put_series(json, "failover", bars, histogram->count ? FAILOVER_BARS : 0, 1);
}

/* ---- phases, faults, outcomes ---- */

static void put_phases(struct aq_json_put_writer *json, const struct aq_record *record,
                       const struct bins *bins) {
    aq_json_put_key(json, "phases");
    aq_json_put_open(json, '[');
    for (uint32_t i = 0; i < record->phase_count && i < AQ_HTML_PHASES_MAX; i++) {
        const struct aq_record_phase *phase = &record->phases[i];
        uint64_t total = 0;
        for (uint32_t s = 0; s < record->server_count; s++)
            total += phase->choices ? phase->choices[s] : 0;
        aq_json_put_open(json, '{');
        aq_json_put_key(json, "name");
        aq_json_put_text(json, phase->name);
        aq_json_put_key(json, "total");
        aq_json_put_u64(json, total);
        aq_json_put_key(json, "choices");
        aq_json_put_open(json, '[');
        for (uint32_t s = 0; s < bins->shown_count; s++)
            aq_json_put_u64(json, phase->choices ? phase->choices[bins->shown[s]] : 0);
        aq_json_put_close(json, ']');
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

static void put_faults(struct aq_json_put_writer *json, const struct aq_record *record) {
    aq_json_put_key(json, "faults");
    aq_json_put_open(json, '[');
    for (uint32_t i = 0; i < record->fault_count && i < AQ_HTML_ROWS_MAX; i++) {
        const struct aq_record_fault *fault = &record->faults[i];
        if (!fault->struck) continue;
        aq_json_put_open(json, '{');
        aq_json_put_key(json, "number");
        aq_json_put_u64(json, i + 1);
        aq_json_put_key(json, "name");
        aq_json_put_text(json, fault->name);
        aq_json_put_key(json, "at_s");
        aq_json_put_seconds(json, fault->at_us);
        aq_json_put_key(json, "until_s");
        aq_json_put_seconds(json, fault->until_us);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

static void put_outcomes(struct aq_json_put_writer *json, const struct aq_record *record) {
    const struct {
        const char *name;
        uint64_t count;
    } outcomes[] = {{"sent", record->completions.sent},
                    {"applied", record->completions.applied},
                    {"acked", record->completions.acked},
                    {"misrouted", record->completions.misrouted},
                    {"origin gone", record->completions.origin_gone},
                    {"unknown", record->completions.unknown}};
    aq_json_put_key(json, "outcomes");
    aq_json_put_open(json, '{');
    for (size_t i = 0; i < sizeof outcomes / sizeof *outcomes; i++) {
        aq_json_put_key(json, outcomes[i].name);
        aq_json_put_u64(json, outcomes[i].count);
    }
    aq_json_put_close(json, '}');
}

int aq_html_data(FILE *stream, const struct aq_record *record) {
    struct aq_json_put_writer json = {.stream = stream, .for_html = true};
    struct bins bins;
    int rc = init_bins(&bins, record);
    if (rc) return rc;
    fill_bins(&bins, record);
    fputs("<script type=\"application/json\" class=\"data\">", stream);
    aq_json_put_open(&json, '{');
    put_bins(&json, record, &bins);
    put_latencies_over_time(&json, record, &bins);
    put_all_percentiles(&json, record);
    put_failover(&json, &record->clients.failover);
    put_phases(&json, record, &bins);
    put_faults(&json, record);
    put_outcomes(&json, record);
    aq_json_put_close(&json, '}');
    fputs("</script>\n", stream);
    close_bins(&bins);
    return 0;
}
