#include "sim/calibration_print.h"

#include <inttypes.h>

#include "base/units.h"
#include "reports/json_write.h"

#define SPAN_CHARS 32

static const char *span(char text[SPAN_CHARS], double us) {
    return aq_units_format_span(text, SPAN_CHARS, (aq_time_us)(us + 0.5));
}

/* ---- text ---- */

static void print_alone(FILE *stream, const struct aq_calibration_server *s, double network_us) {
    char text[5][SPAN_CHARS], count[SPAN_CHARS];
    fprintf(stream, "  one at a time         requests      mean       p50       p99       max   service\n");
    for (int i = 0; i < AQ_MEASURED_COUNT; i++) {
        const struct aq_series *alone = &s->alone[i];
        double mean_us = aq_series_mean_us(alone),
               service_us = mean_us > network_us ? mean_us - network_us : 0;
        fprintf(stream, "  %-20s %9s %9s %9s %9s %9s %9s\n", aq_measured_text((enum aq_measured)i),
                aq_units_format_count(count, sizeof count, alone->count), span(text[0], mean_us),
                span(text[1], aq_series_quantile_us(alone, 0.5)),
                span(text[2], aq_series_quantile_us(alone, 0.99)),
                span(text[3], aq_series_quantile_us(alone, 1)), span(text[4], service_us));
    }
}

static void print_rates(FILE *stream, const char *name, const struct aq_rate rates[AQ_CALIBRATION_RATES],
                        uint32_t each) {
    fprintf(stream, "  %-20s", name);
    for (int i = 0; i < AQ_CALIBRATION_RATES; i++)
        fprintf(stream, " %9.1f", aq_rate_per_s(&rates[i]) / each);
    fputc('\n', stream);
}

static void print_server(FILE *stream, const struct aq_calibration_server *s,
                         const struct aq_calibration_finding *f) {
    char network[SPAN_CHARS], alone[SPAN_CHARS], many[SPAN_CHARS];
    fprintf(stream, "%s\n", s->address);
    print_alone(stream, s, f->network_us);
    fprintf(stream, "  connections         ");
    for (int i = 0; i < AQ_CALIBRATION_RATES; i++)
        fprintf(stream, " %9" PRIu32, aq_calibration_lanes[i]);
    fputc('\n', stream);
    print_rates(stream, "pings/s", s->pings, 1);
    print_rates(stream, "cycles/s", s->cycles, AQ_CALIBRATION_CYCLE);
    fprintf(stream,
            "  network %s both ways: %+.0f us by pings (alone %s, one of many %s), %+.0f us by cycles\n",
            span(network, f->network_us), f->network_of_pings_us,
            span(alone, aq_series_mean_us(&s->alone[AQ_MEASURED_PING])), span(many, f->ping_us),
            f->network_of_cycles_us);
    for (int i = 0; i < AQ_DOUBT_COUNT; i++)
        if (f->doubts >> i & 1)
            fprintf(stream, "  caution: %s\n",
                    aq_calibration_doubt_text((enum aq_calibration_doubt)(1 << i)));
}

int aq_calibration_print_text(FILE *stream, const struct aq_calibration *c) {
    char count[SPAN_CHARS];
    for (uint32_t i = 0; i < c->count; i++)
        print_server(stream, &c->servers[i], &c->findings[i]);
    fprintf(
        stream,
        "Separation: a server works on one request at a time, so that with many connections a ping takes its\n"
        "service alone; what a lone ping takes beyond that is the network. Service: latency less network.\n");
    fprintf(stream, "%s requests in %.1f s\n", aq_units_format_count(count, sizeof count, c->requests),
            c->seconds);
    if (c->cleared) fprintf(stream, "%" PRIu32 " jobs had been left over and were cleared\n", c->cleared);
    return ferror(stream) ? AQ_EIO : 0;
}

/* ---- JSON ---- */

static void put_span(struct aq_json_put_writer *json, double us) {
    char text[SPAN_CHARS];
    snprintf(text, sizeof text, "%.0fus", us);
    aq_json_put_text(json, text);
}

static int put_quantiles(struct aq_json_put_writer *json, const struct aq_calibration *c, const char *name,
                         enum aq_measured measured) {
    double us[AQ_CALIBRATION_QUANTILES];
    int rc = aq_calibration_quantiles(c->servers, c->findings, c->count, measured, us);
    if (rc) return rc;
    fputs(json->comma ? ",\n  " : "\n  ", json->stream);
    json->comma = false;
    aq_json_put_key(json, name);
    aq_json_put_open(json, '{');
    aq_json_put_key(json, "quantiles");
    aq_json_put_open(json, '[');
    for (int i = 0; i < AQ_CALIBRATION_QUANTILES; i++)
        put_span(json, us[i]);
    aq_json_put_close(json, ']');
    aq_json_put_close(json, '}');
    return 0;
}

/* Actions that were not measured work on one job, as done does. A get is one that finds a job. */
static int put_service(struct aq_json_put_writer *json, const struct aq_calibration *c) {
    static const enum aq_measured measured[] = {AQ_MEASURED_PING, AQ_MEASURED_PUT, AQ_MEASURED_GET,
                                                AQ_MEASURED_TOUCH, AQ_MEASURED_DONE};
    aq_json_put_key(json, "service");
    aq_json_put_open(json, '{');
    int rc = put_quantiles(json, c, "default", AQ_MEASURED_DONE);
    for (size_t i = 0; !rc && i < sizeof measured / sizeof *measured; i++)
        rc = put_quantiles(json, c, aq_measured_word(measured[i]), measured[i]);
    aq_json_put_close(json, '}');
    return rc;
}

static void put_number(struct aq_json_put_writer *json, const char *key, double value) {
    char digits[40];
    snprintf(digits, sizeof digits, "%.6g", value);
    aq_json_put_key(json, key);
    aq_json_put_number_text(json, digits);
}

static void put_alone(struct aq_json_put_writer *json, const struct aq_series *alone) {
    aq_json_put_open(json, '{');
    put_number(json, "requests", alone->count);
    put_number(json, "mean_us", aq_series_mean_us(alone));
    put_number(json, "p50_us", aq_series_quantile_us(alone, 0.5));
    put_number(json, "p99_us", aq_series_quantile_us(alone, 0.99));
    put_number(json, "max_us", aq_series_quantile_us(alone, 1));
    aq_json_put_close(json, '}');
}

static void put_rates(struct aq_json_put_writer *json, const char *key,
                      const struct aq_rate rates[AQ_CALIBRATION_RATES], uint32_t each) {
    aq_json_put_key(json, key);
    aq_json_put_open(json, '[');
    for (int i = 0; i < AQ_CALIBRATION_RATES; i++) {
        aq_json_put_open(json, '{');
        put_number(json, "connections", aq_calibration_lanes[i]);
        put_number(json, "per_s", aq_rate_per_s(&rates[i]) / each);
        put_number(json, "own_busy", rates[i].busy);
        aq_json_put_close(json, '}');
    }
    aq_json_put_close(json, ']');
}

static void put_doubts(struct aq_json_put_writer *json, uint32_t doubts) {
    aq_json_put_key(json, "cautions");
    aq_json_put_open(json, '[');
    for (int i = 0; i < AQ_DOUBT_COUNT; i++)
        if (doubts >> i & 1)
            aq_json_put_text(json, aq_calibration_doubt_text((enum aq_calibration_doubt)(1 << i)));
    aq_json_put_close(json, ']');
}

static void put_server(struct aq_json_put_writer *json, const struct aq_calibration_server *s,
                       const struct aq_calibration_finding *f) {
    aq_json_put_open(json, '{');
    aq_json_put_key(json, "address");
    aq_json_put_text(json, s->address);
    put_number(json, "network_us", f->network_us);
    put_number(json, "network_of_pings_us", f->network_of_pings_us);
    put_number(json, "network_of_cycles_us", f->network_of_cycles_us);
    put_number(json, "ping_service_us", f->ping_us);
    put_number(json, "cycles_per_s", f->cycles_per_s);
    put_number(json, "cycles_expected_per_s", f->cycles_expected_per_s);
    put_doubts(json, f->doubts);
    aq_json_put_key(json, "one_at_a_time");
    aq_json_put_open(json, '{');
    for (int i = 0; i < AQ_MEASURED_COUNT; i++) {
        aq_json_put_key(json, aq_measured_word((enum aq_measured)i));
        put_alone(json, &s->alone[i]);
    }
    aq_json_put_close(json, '}');
    put_rates(json, "pings", s->pings, 1);
    put_rates(json, "cycles", s->cycles, AQ_CALIBRATION_CYCLE);
    aq_json_put_close(json, '}');
}

static void put_measured(struct aq_json_put_writer *json, const struct aq_calibration *c) {
    aq_json_put_key(json, "measured");
    aq_json_put_open(json, '{');
    put_number(json, "requests", (double)c->requests);
    put_number(json, "seconds", c->seconds);
    put_number(json, "jobs_cleared", c->cleared);
    aq_json_put_key(json, "servers");
    aq_json_put_open(json, '[');
    for (uint32_t i = 0; i < c->count; i++)
        put_server(json, &c->servers[i], &c->findings[i]);
    aq_json_put_close(json, ']');
    aq_json_put_close(json, '}');
}

int aq_calibration_print_json(FILE *stream, const struct aq_calibration *c) {
    struct aq_json_put_writer json = {.stream = stream};
    aq_json_put_open(&json, '{');
    int rc = put_service(&json, c);
    if (rc) return rc;
    aq_json_put_key(&json, "network");
    aq_json_put_open(&json, '{');
    aq_json_put_key(&json, "latency");
    put_span(&json, aq_calibration_network_us(c->findings, c->count) / 2);
    aq_json_put_close(&json, '}');
    put_measured(&json, c);
    aq_json_put_close(&json, '}');
    fputc('\n', stream);
    return ferror(stream) ? AQ_EIO : 0;
}
