#include "sim/metrics.h"

#include <stdio.h>

#include "base/error.h"
#include "base/memory.h"

int aq_metrics_init(struct aq_metrics *m, uint32_t server_count) {
    *m = (struct aq_metrics){.server_count = server_count};
    m->totals = aq_alloc_zeroed(server_count, sizeof *m->totals);
    m->last = aq_alloc_zeroed(server_count, sizeof *m->last);
    m->phase_start = aq_alloc_zeroed(server_count, sizeof *m->phase_start);
    m->queue_max = aq_alloc_zeroed(server_count, sizeof *m->queue_max);
    return m->totals && m->last && m->phase_start && m->queue_max ? 0 : AQ_ENOMEM;
}

static void free_phase(struct aq_record_phase *phase) {
    aq_free((char *)phase->name);
    aq_free((uint64_t *)phase->choices);
}

void aq_metrics_close(struct aq_metrics *m) {
    for (uint32_t i = 0; i < m->phase_count; i++)
        free_phase(&m->phases[i]);
    aq_free(m->phases);
    aq_free(m->totals);
    aq_free(m->last);
    aq_free(m->windows);
    aq_free(m->phase_start);
    aq_free(m->queue_max);
    *m = (struct aq_metrics){0};
}

static void count_tap(struct aq_server_totals *t, const struct aq_tap *tap) {
    switch (tap->kind) {
    case AQ_TAP_PUT: t->puts++; break;
    case AQ_TAP_LEASE:
    case AQ_TAP_TAKEN: t->gets++; break;
    case AQ_TAP_EMPTY: t->empty_gets++; break;
    case AQ_TAP_DONE:
    case AQ_TAP_DELETED: t->completions++; break;
    case AQ_TAP_FAILED: t->errors++; break;
    case AQ_TAP_MISSED: t->missed++; break;
    case AQ_TAP_BURIED:
    case AQ_TAP_AUTOBURIED: t->buried++; break;
    case AQ_TAP_EXPIRED:
        t->expired++;
        t->buried += tap->state == AQ_JOB_BURIED;
        break;
    default: break;
    }
}

void aq_metrics_observe(struct aq_metrics *m, const struct aq_observation *seen) {
    if (seen->server >= m->server_count) return;
    struct aq_server_totals *t = &m->totals[seen->server];
    if (seen->kind == AQ_SEEN_TAP) count_tap(t, seen->tap);
    if (seen->kind == AQ_SEEN_CHOICE) t->choices++;
    if (seen->kind == AQ_SEEN_JOB_LOST) t->lost++;
}

static char *copy_text(const char *text) {
    size_t size = strlen(text) + 1;
    char *copy = aq_alloc(size);
    if (copy) memcpy(copy, text, size);
    return copy;
}

void aq_metrics_end(struct aq_metrics *m, aq_time_us now_us) {
    if (m->phase_count == 0) return;
    struct aq_record_phase *phase = &m->phases[m->phase_count - 1];
    uint64_t *choices = (uint64_t *)phase->choices;
    phase->to_us = now_us;
    for (uint32_t i = 0; i < m->server_count; i++)
        choices[i] = m->totals[i].choices - m->phase_start[i];
}

int aq_metrics_phase(struct aq_metrics *m, aq_time_us now_us, const char *name) {
    aq_metrics_end(m, now_us);
    if (m->phase_count && m->phases[m->phase_count - 1].from_us == now_us)
        free_phase(&m->phases[--m->phase_count]);
    int rc = aq_array_reserve(&m->phases, &m->phase_capacity, (size_t)m->phase_count + 1, sizeof *m->phases);
    if (rc) return rc;
    struct aq_record_phase phase = {.name = copy_text(name),
                                    .from_us = now_us,
                                    .to_us = now_us,
                                    .choices = aq_alloc_zeroed(m->server_count, sizeof *phase.choices)};
    if (!phase.name || !phase.choices) {
        free_phase(&phase);
        return AQ_ENOMEM;
    }
    m->phases[m->phase_count++] = phase;
    for (uint32_t i = 0; i < m->server_count; i++)
        m->phase_start[i] = m->totals[i].choices;
    return 0;
}

int aq_metrics_close_window(struct aq_metrics *m, const struct aq_window_state *states) {
    int rc = aq_array_reserve(&m->windows, &m->window_capacity, (size_t)m->window_count + m->server_count,
                              sizeof *m->windows);
    if (rc) return rc;
    for (uint32_t i = 0; i < m->server_count; i++) {
        const struct aq_server_totals *now = &m->totals[i], *then = &m->last[i];
        if (states[i].queue > m->queue_max[i]) m->queue_max[i] = states[i].queue;
        m->windows[m->window_count++] = (struct aq_record_window){
            .window = m->windows_closed,
            .server = i,
            .puts = (uint32_t)(now->puts - then->puts),
            .gets = (uint32_t)(now->gets - then->gets),
            .empty_gets = (uint32_t)(now->empty_gets - then->empty_gets),
            .completions = (uint32_t)(now->completions - then->completions),
            .choices = (uint32_t)(now->choices - then->choices),
            .errors = (uint32_t)(now->errors - then->errors),
            .queue = states[i].queue,
            .ready = states[i].ready,
            .reserved = states[i].reserved,
            .up = states[i].up,
        };
        m->last[i] = *now;
    }
    m->windows_closed++;
    return 0;
}
