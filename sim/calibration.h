/* What measured latencies say of a server: how long it works on a request, and how long messages take.

   A server works on one request at a time. So, when many connections ask at once, it answers one ping in its
   mean service time of a ping, whatever the network does; one connection that asks one ping after the other
   waits for the network as well. The difference of the two is the network: both ways, with the sockets of
   both ends. The same holds of put, get, touch and done, one after the other; the two estimates are averaged,
   by the number of requests. What an action takes by itself, less the network, is its service time.

   Limits. Where the requests of many connections were not enough to fill the server, or where it was this
   process that could not ask faster, the difference is too small, and the services are too long by what is
   missing: aq_calibration_judge says so. The network is taken to be one number. Pure: no clock, no sockets.
 */
#ifndef AQ_SIM_CALIBRATION_H
#define AQ_SIM_CALIBRATION_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* What was measured with one request under way at a time. X(NAME, word, text) */
#define AQ_MEASURED(X)                                                                                       \
    X(PING, "ping", "ping")                                                                                  \
    X(PUT, "put", "put")                                                                                     \
    X(GET, "get", "get that finds a job")                                                                    \
    X(TOUCH, "touch", "touch")                                                                               \
    X(DONE, "done", "done")                                                                                  \
    X(EMPTY_GET, "empty_get", "get of an empty tube")

enum aq_measured {
#define X(name, word, text) AQ_MEASURED_##name,
    AQ_MEASURED(X)
#undef X
        AQ_MEASURED_COUNT
};
const char *aq_measured_word(enum aq_measured measured);
const char *aq_measured_text(enum aq_measured measured);

/* With how many connections at once, each with one request under way, throughput is measured. */
#define AQ_CALIBRATION_RATES 4
extern const uint32_t aq_calibration_lanes[AQ_CALIBRATION_RATES]; /* 1, 4, 16, 64 */
#define AQ_CALIBRATION_LANES_MAX 64

#define AQ_CALIBRATION_CYCLE 4 /* requests: put, get, touch, done */

#define AQ_CALIBRATION_QUANTILES 101 /* of a service time: at every hundredth */

/* Spans in microseconds. All zero is a valid empty series. */
struct aq_series {
    double *us; /* owned */
    uint32_t count, capacity;
};

void aq_series_close(struct aq_series *series);
/* Errors: AQ_ENOMEM (unchanged). */
int aq_series_add(struct aq_series *series, double us);
int aq_series_append(struct aq_series *series, const struct aq_series *other);
void aq_series_sort(struct aq_series *series);
/* 0 where it is empty. */
double aq_series_mean_us(const struct aq_series *series);
/* Of a sorted series, at this share of it, with straight lines between the values; 0 where it is empty. */
double aq_series_quantile_us(const struct aq_series *series, double share);

/* Throughput with a number of connections. */
struct aq_rate {
    uint64_t requests;
    double seconds;
    double busy; /* share of a processor core that the busier of this process's threads took meanwhile */
};
double aq_rate_per_s(const struct aq_rate *rate); /* 0 where nothing was measured */

/* One server. */
struct aq_calibration_server {
    const char *address;                        /* borrowed */
    struct aq_series alone[AQ_MEASURED_COUNT];  /* latencies, one request under way at a time */
    struct aq_rate pings[AQ_CALIBRATION_RATES]; /* by the number of connections */
    struct aq_rate cycles[AQ_CALIBRATION_RATES];
};

/* Why the separation is not to be trusted. Bits. */
enum aq_calibration_doubt {
    AQ_DOUBT_UNSATURATED = 1 << 0, /* the throughput of pings still grew from 16 to 64 connections */
    AQ_DOUBT_OURSELVES = 1 << 1,   /* this process was busy: it could not ask faster */
    AQ_DOUBT_NEGATIVE = 1 << 2, /* a ping alone took less than one of many: there is no network to be seen */
    AQ_DOUBT_CYCLES = 1 << 3,   /* cycles are served at another rate than the services say */
    AQ_DOUBT_FEW = 1 << 4,      /* too few requests for the percentiles */
};
/* A sentence that says what it means. */
const char *aq_calibration_doubt_text(enum aq_calibration_doubt doubt);
#define AQ_DOUBT_COUNT 5

/* Beyond these come two standard deviations of the counts, which are taken as those of a Poisson process. */
#define AQ_CALIBRATION_GROWTH_MAX 1.15 /* from 16 to 64 connections, of a server that is saturated */
#define AQ_CALIBRATION_BUSY_MAX   0.85
#define AQ_CALIBRATION_CYCLE_OFF  0.15
#define AQ_CALIBRATION_FEW        100

/* What follows from the measurement of a server. */
struct aq_calibration_finding {
    double ping_us;               /* what one ping of many takes: the mean service of a ping */
    double network_of_pings_us;   /* both ways, as all of these; may be negative */
    double network_of_cycles_us;  /* likewise */
    double network_us;            /* the average of these, at least 0 */
    double cycles_per_s;          /* at saturation */
    double cycles_expected_per_s; /* as the network of pings has it; 0 where the services are too short */
    uint32_t doubts;              /* enum aq_calibration_doubt */
};

/* Sorts the series. */
void aq_calibration_judge(struct aq_calibration_server *server, struct aq_calibration_finding *out);

/* The service times: the latencies of all servers, each less its own network and at least 0, so that the mean
   is less by exactly the network; as quantiles at evenly spaced probabilities. The last one is set so that
   the mean of the slowest hundredth is kept: one straggler is not taken for a hundredth of all. After
   aq_calibration_judge. Errors: AQ_ENOENT (nothing of the kind was measured), AQ_ENOMEM. */
int aq_calibration_quantiles(const struct aq_calibration_server *servers,
                             const struct aq_calibration_finding *findings, uint32_t count,
                             enum aq_measured measured, double out_us[AQ_CALIBRATION_QUANTILES]);

/* The mean network of all servers, both ways. */
double aq_calibration_network_us(const struct aq_calibration_finding *findings, uint32_t count);

#endif
