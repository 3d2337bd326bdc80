#include "sim/replay.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/memory.h"
#include "sim/run_record.h"

#define LINES 4096 /* of the stored trace, read at a time */

struct replay {
    const struct aq_replay_options *options;
    const struct aq_record *stored;
    /* checkpoints */
    uint32_t next, compared;
    struct aq_record_checkpoint agreed,
        parted; /* the last that agreed, the first that did not; steps 0: none */
    /* the full trace, where it is stored */
    struct aq_record_event *lines;
    struct aq_arena texts;
    uint32_t line, line_count;
    uint64_t number; /* of the next line */
    bool has_trace, line_differs;
    char expected[300], found[300]; /* the first lines that differ */
    struct aq_error *error;
    int rc; /* of the store */
};

/* ---- checkpoints ---- */

static void on_checkpoint(void *arg, const struct aq_record_checkpoint *now) {
    struct replay *r = arg;
    while (r->next < r->stored->checkpoint_count && r->stored->checkpoints[r->next].steps < now->steps)
        r->next++;
    if (r->parted.steps || r->next == r->stored->checkpoint_count) return;
    const struct aq_record_checkpoint *stored = &r->stored->checkpoints[r->next];
    if (stored->steps != now->steps) return;
    r->compared++;
    if (stored->hash == now->hash)
        r->agreed = *stored;
    else
        r->parted = *stored;
}

/* ---- the full trace ---- */

static int read_lines(struct replay *r) {
    aq_arena_reset(&r->texts);
    r->line = 0;
    return aq_store_read_events(r->options->store, r->options->stored->number, r->number, r->lines, LINES,
                                &r->texts, &r->line_count, r->error);
}

static int on_line(void *arg, aq_time_us at_us, const char *text) {
    struct replay *r = arg;
    (void)at_us;
    if (r->line_differs) return 0;
    if (r->line == r->line_count && (r->rc = read_lines(r))) return r->rc;
    const char *expected = r->line < r->line_count ? r->lines[r->line].text : "nothing more";
    if (strcmp(expected, text) != 0) {
        r->line_differs = true;
        snprintf(r->expected, sizeof r->expected, "%.299s", expected);
        snprintf(r->found, sizeof r->found, "%.299s", text);
        return 0;
    }
    r->line++;
    r->number++;
    return 0;
}

/* ---- the outcome ---- */

static const char *moment(char *text, size_t size, const struct aq_record_checkpoint *at) {
    if (at->steps == 0) return "its beginning";
    snprintf(text, size, "step %" PRIu64 " at %.6f s", at->steps, (double)at->at_us / 1e6);
    return text;
}

static void describe(const struct replay *r, const struct aq_record *again, struct aq_replay_outcome *out) {
    char from[80], to[80];
    if (r->line_differs) {
        snprintf(out->difference, sizeof out->difference,
                 "the first difference is event %" PRIu64 ": stored is \"%s\", found was \"%s\"", r->number,
                 r->expected, r->found);
        return;
    }
    const char *begin = moment(from, sizeof from, &r->agreed);
    const char *end = r->parted.steps ? moment(to, sizeof to, &r->parted) : "its end";
    snprintf(out->difference, sizeof out->difference,
             "the first difference lies between %s and %s (hash stored %016" PRIx64 ", found %016" PRIx64
             "); %s",
             begin, end, r->stored->trace_hash, again->trace_hash,
             r->has_trace ? "no line of the stored trace shows it"
                          : "a run that is stored with --events has the first event that differs");
}

static void conclude(const struct replay *r, const struct aq_record *again, struct aq_replay_outcome *out) {
    *out = (struct aq_replay_outcome){.whole = !again->interrupted,
                                      .compared = r->compared,
                                      .trace_hash = again->trace_hash,
                                      .events = again->events,
                                      .end_us = again->virtual_us};
    const volatile sig_atomic_t *stop = r->options->stop;
    out->interrupted = again->interrupted && stop && *stop;
    bool same = !r->parted.steps && !r->line_differs;
    if (out->whole && !r->stored->interrupted && again->trace_hash != r->stored->trace_hash) same = false;
    if (!same)
        out->verdict = AQ_REPLAY_DIFFERS;
    else if (!out->whole && r->compared == 0 && r->number == 0)
        out->verdict = AQ_REPLAY_UNSURE;
    if (!same) describe(r, again, out);
}

static int begin(struct replay *r) {
    r->lines = aq_alloc(LINES * sizeof *r->lines);
    if (!r->lines) return aq_error_set(r->error, AQ_ENOMEM, "out of memory");
    int rc = read_lines(r);
    r->has_trace = !rc && r->line_count > 0;
    return rc;
}

int aq_replay(const struct aq_replay_options *options, struct aq_replay_outcome *out,
              struct aq_error *error) {
    struct replay r = {.options = options, .stored = &options->stored->record, .error = error};
    struct aq_record again;
    aq_record_init(&again);
    int rc = begin(&r);
    struct aq_run_options run = {.scenario = options->stored->scenario,
                                 .seed = r.stored->seed,
                                 .stop = options->stop,
                                 .client_step = options->client_step,
                                 .until_us = options->until_us,
                                 .trace_line = r.has_trace ? on_line : NULL,
                                 .trace_arg = &r,
                                 .checkpoint = on_checkpoint,
                                 .checkpoint_arg = &r,
                                 .observed = options->observed,
                                 .inspect = options->inspect,
                                 .watch_arg = options->arg};
    if (!rc) rc = aq_run_scenario(&run, &again, error);
    if (!rc) conclude(&r, &again, out);
    aq_record_close(&again);
    aq_arena_close(&r.texts);
    aq_free(r.lines);
    return rc;
}
