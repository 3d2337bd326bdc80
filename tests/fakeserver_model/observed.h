/* What can be seen of a server, in a form that model and core share: lines of named numbers. */
#ifndef AQ_TESTS_FAKESERVER_MODEL_OBSERVED_H
#define AQ_TESTS_FAKESERVER_MODEL_OBSERVED_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

#include "base/assert.h"

/* X(FIELD, how it is printed). A MEAN is rounded and may differ by 1. */
#define OBSERVED_FIELDS(X)                                                                                   \
    X(at_us, TIME)                                                                                           \
    X(action, ACTION)                                                                                        \
    X(job, JOB)                                                                                              \
    X(former, JOB)                                                                                           \
    X(parent, JOB)                                                                                           \
    X(child, JOB)                                                                                            \
    X(cause, CAUSE)                                                                                          \
    X(state, STATE)                                                                                          \
    X(before, STATE)                                                                                         \
    X(tube, TUBE)                                                                                            \
    X(body, NUMBER)                                                                                          \
    X(priority, NUMBER)                                                                                      \
    X(own_priority, NUMBER)                                                                                  \
    X(expired_limit, NUMBER)                                                                                 \
    X(expireds, NUMBER)                                                                                      \
    X(releases, NUMBER)                                                                                      \
    X(ttl_s, NUMBER)                                                                                         \
    X(due_us, TIME)                                                                                          \
    X(lease, NUMBER)                                                                                         \
    X(children, NUMBER)                                                                                      \
    X(started, NUMBER)                                                                                       \
    X(limit, NUMBER)                                                                                         \
    X(delay_s, NUMBER)                                                                                       \
    X(run_on_timeout, NUMBER)                                                                                \
    X(noop, NUMBER)                                                                                          \
    X(folder, NUMBER)                                                                                        \
    X(paused, NUMBER)                                                                                        \
    X(rate_millionths, NUMBER)                                                                               \
    X(correlation, NUMBER)                                                                                   \
    X(peer, NUMBER)                                                                                          \
    X(kind, NUMBER)                                                                                          \
    X(damage, NUMBER)                                                                                        \
    X(many, NUMBER)                                                                                          \
    X(error, NUMBER)                                                                                         \
    X(value, NUMBER)                                                                                         \
    X(port, NUMBER)                                                                                          \
    X(jobs, NUMBER)                                                                                          \
    X(ready, NUMBER)                                                                                         \
    X(delayed, NUMBER)                                                                                       \
    X(reserved, NUMBER)                                                                                      \
    X(buried, NUMBER)                                                                                        \
    X(parents, NUMBER)                                                                                       \
    X(throttle, NUMBER)                                                                                      \
    X(avg_us, MEAN)                                                                                          \
    X(tps_millionths, MEAN)                                                                                  \
    X(action_count, NUMBER)                                                                                  \
    X(job_get, NUMBER)                                                                                       \
    X(job_put, NUMBER)

struct line {
    const char *word; /* a tap's word, "reply", "job", "tube", "global" */
#define X(field, how) int64_t field;
    OBSERVED_FIELDS(X)
#undef X
};

#define LINES_MAX 2048

/* What one operation made visible, in its order. */
struct seen {
    struct line lines[LINES_MAX];
    uint32_t count;
};

static inline struct line *seen_line(struct seen *seen, const char *word) {
    AQ_ASSERT(seen->count < LINES_MAX);
    struct line *line = &seen->lines[seen->count++];
    *line = (struct line){.word = word};
    return line;
}

bool line_equal(const struct line *a, const struct line *b);

/* Writes the word and all fields that are not 0. */
void line_print(FILE *out, const struct line *line);

#endif
