/* Distribution: free choices are uniform over the servers that were eligible at that instant.

   Choices are counted apart for each set of eligible servers. Within a set they are independent and equally
   likely, so Pearson's chi-square statistic with one degree of freedom less than the set has members tells
   whether they look uniform; statistics and degrees of freedom of the sets add up. (K. Pearson, "On the
   criterion that a given system of deviations...", Philosophical Magazine 50, 1900.)

   Counts go into the current window of time; a window is added to its phase, a phase to the run when it ends.
   A phase is the stretch between two changes of the faults in force. */
#include "sim/checks.h"
#include "sim/statistics.h"

#include "base/assert.h"
#include "base/memory.h"

#define NOT_ELIGIBLE "chose a server that was not eligible"
#define NOT_UNIFORM  "choices are not uniform"
#define LEFT_OUT     "a server that every client knows was never chosen, and nothing had happened to it"

#define CHOICES_EACH_MIN 50   /* on average, before a server without any counts as left out */
#define EXPECTED_MIN     20   /* choices expected for each member, for a set to be judged */
#define SETS_MAX         4096 /* sets counted apart; choices from further ones are left out of the test */
#define CELLS_MAX        (1u << 21) /* and as many members of them in all: 32 MB */
#define FIGURES          14
#define SHARES_MAX       16         /* servers whose share is reported */
#define NO_MEMBER        UINT32_MAX /* in a cell's window: this server is not in the set */
#define ROW_NONE         UINT32_MAX
#define ROW_POOLED       (UINT32_MAX - 1)
/* With 20 expected a cell, multinomial probabilities beyond the chi-square quantile for 1e-6 are up to twice
   as large (1.4e-6 for 4 servers, 1.8e-6 for 8, by exact enumeration). Halving the threshold keeps the
   promise about false alarms. */
#define TAIL_MARGIN 2

struct cell {
    uint32_t window; /* choices in the current window, or NO_MEMBER */
    uint32_t phase;  /* in the windows of the current phase that have ended */
    uint64_t run;    /* in the phases that have ended */
};

struct set {
    uint32_t first_cell; /* of `width` cells, by server index */
    uint32_t width;
    uint32_t members;
    bool in_window, in_phase; /* on the list of sets used */
};

/* Indexes of the sets that were used, each once. Room for all sets is reserved before a set is. */
struct used {
    uint32_t *sets;
    uint32_t count, capacity;
};

/* A sum of the statistics of several sets. */
struct chi_square {
    double statistic;
    uint64_t df;
    double p; /* 1 where df is 0 */
};

struct distribution {
    uint32_t *set_of; /* by number of the eligible set: index in sets, ROW_NONE or ROW_POOLED */
    uint32_t known, set_of_capacity;
    struct set *sets;
    uint32_t set_count, set_capacity;
    struct cell *cells;
    uint32_t cell_count, cell_capacity;
    struct used in_window, in_phase;
    uint64_t *choices_of; /* by server index, from all sets */
    uint32_t servers, choices_of_capacity;
    aq_time_us window_us, window_end_us, phase_start_us, last_us;
    uint64_t choices, pooled, strays, retries;
    bool disturbed; /* there was a fault: sets may rightly leave servers out */
    uint32_t left_out;
    uint64_t windows_judged, phases_judged;
    double window_p_min;
    struct chi_square worst_phase;
    aq_time_us worst_from_us, worst_until_us;
};

static int init(void *state, const struct aq_ledger *ledger) {
    struct distribution *d = state;
    d->window_us = aq_ledger_scenario(ledger)->window_us;
    d->window_end_us = d->window_us ? d->window_us : AQ_TIME_NEVER;
    d->window_p_min = d->worst_phase.p = 1;
    return 0;
}

static void close_state(void *state) {
    struct distribution *d = state;
    aq_free(d->set_of);
    aq_free(d->sets);
    aq_free(d->cells);
    aq_free(d->in_window.sets);
    aq_free(d->in_phase.sets);
    aq_free(d->choices_of);
}

/* ---- the statistic ---- */

enum level { LEVEL_WINDOW, LEVEL_PHASE, LEVEL_RUN };

static uint64_t count_of(const struct cell *cell, enum level level) {
    return level == LEVEL_WINDOW ? cell->window : level == LEVEL_PHASE ? cell->phase : cell->run;
}

/* Adds one set to the sum if it has enough choices. */
static void add_set(struct chi_square *sum, const struct cell *cells, const struct set *set,
                    enum level level) {
    if (set->members < 2) return;
    uint64_t total = 0;
    for (uint32_t i = 0; i < set->width; i++)
        if (cells[i].window != NO_MEMBER) total += count_of(&cells[i], level);
    double expected = (double)total / set->members, squares = 0;
    if (expected < EXPECTED_MIN) return;
    for (uint32_t i = 0; i < set->width; i++) {
        if (cells[i].window == NO_MEMBER) continue;
        double off = (double)count_of(&cells[i], level) - expected;
        squares += off * off;
    }
    sum->statistic += squares / expected;
    sum->df += set->members - 1;
}

static void take_p(struct chi_square *sum) {
    sum->p = sum->df ? aq_statistics_chi_square_sf(sum->statistic, (double)sum->df) : 1;
}

/* ---- windows and phases ---- */

static void close_window(struct distribution *d) {
    struct chi_square sum = {0};
    for (uint32_t i = 0; i < d->in_window.count; i++) {
        uint32_t index = d->in_window.sets[i];
        struct set *set = &d->sets[index];
        struct cell *cells = d->cells + set->first_cell;
        add_set(&sum, cells, set, LEVEL_WINDOW);
        for (uint32_t k = 0; k < set->width; k++) {
            if (cells[k].window == NO_MEMBER) continue;
            cells[k].phase += cells[k].window;
            cells[k].window = 0;
        }
        set->in_window = false;
        if (!set->in_phase) d->in_phase.sets[d->in_phase.count++] = index;
        set->in_phase = true;
    }
    d->in_window.count = 0;
    take_p(&sum);
    if (sum.df) d->windows_judged++;
    if (sum.p < d->window_p_min) d->window_p_min = sum.p;
}

static void close_phase(struct distribution *d, aq_time_us now_us) {
    close_window(d);
    struct chi_square sum = {0};
    for (uint32_t i = 0; i < d->in_phase.count; i++) {
        struct set *set = &d->sets[d->in_phase.sets[i]];
        struct cell *cells = d->cells + set->first_cell;
        add_set(&sum, cells, set, LEVEL_PHASE);
        for (uint32_t k = 0; k < set->width; k++) {
            if (cells[k].window == NO_MEMBER) continue;
            cells[k].run += cells[k].phase;
            cells[k].phase = 0;
        }
        set->in_phase = false;
    }
    d->in_phase.count = 0;
    take_p(&sum);
    if (sum.df) d->phases_judged++;
    if (sum.df && sum.p < d->worst_phase.p) {
        d->worst_phase = sum;
        d->worst_from_us = d->phase_start_us;
        d->worst_until_us = now_us;
    }
    d->phase_start_us = now_us;
}

/* ---- counting ---- */

/* Room for one more set and `width` more cells, and for every set on both lists. */
static int reserve(struct distribution *d, uint32_t width) {
    size_t sets = (size_t)d->set_count + 1;
    int rc = aq_array_reserve(&d->sets, &d->set_capacity, sets, sizeof *d->sets);
    if (!rc) rc = aq_array_reserve(&d->in_window.sets, &d->in_window.capacity, sets, sizeof(uint32_t));
    if (!rc) rc = aq_array_reserve(&d->in_phase.sets, &d->in_phase.capacity, sets, sizeof(uint32_t));
    if (!rc)
        rc = aq_array_reserve(&d->cells, &d->cell_capacity, (size_t)d->cell_count + width, sizeof *d->cells);
    if (!rc && width > d->servers) {
        rc = aq_array_reserve(&d->choices_of, &d->choices_of_capacity, width, sizeof *d->choices_of);
        if (rc) return rc;
        while (d->servers < width)
            d->choices_of[d->servers++] = 0;
    }
    return rc;
}

/* Gives the set its cells, or pools it with those that are not counted apart. */
static int take_in(struct distribution *d, const struct aq_eligible_sets *all, uint32_t number) {
    const uint32_t *members = all->members + all->offsets[number];
    uint32_t count = all->offsets[number + 1] - all->offsets[number], width = 0;
    for (uint32_t i = 0; i < count; i++)
        if (members[i] >= width) width = members[i] + 1;
    if (d->set_count == SETS_MAX || width > CELLS_MAX - d->cell_count) {
        d->set_of[number] = ROW_POOLED;
        return 0;
    }
    int rc = reserve(d, width);
    if (rc) return rc;
    struct cell *cells = d->cells + d->cell_count;
    for (uint32_t i = 0; i < width; i++)
        cells[i] = (struct cell){.window = NO_MEMBER};
    for (uint32_t i = 0; i < count; i++)
        cells[members[i]].window = 0;
    d->sets[d->set_count] = (struct set){.first_cell = d->cell_count, .width = width, .members = count};
    d->cell_count += width;
    d->set_of[number] = d->set_count++;
    return 0;
}

static int find_set(struct distribution *d, const struct aq_eligible_sets *all, uint32_t number,
                    uint32_t *out) {
    AQ_ASSERT(number < all->count);
    if (number >= d->known) {
        int rc = aq_array_reserve(&d->set_of, &d->set_of_capacity, all->count, sizeof *d->set_of);
        if (rc) return rc;
        while (d->known < all->count)
            d->set_of[d->known++] = ROW_NONE;
    }
    if (d->set_of[number] == ROW_NONE) {
        int rc = take_in(d, all, number);
        if (rc) return rc;
    }
    *out = d->set_of[number];
    return 0;
}

static void next_window(struct distribution *d, aq_time_us now_us) {
    close_window(d);
    aq_time_us start_us = now_us - now_us % d->window_us;
    d->window_end_us = aq_time_after(start_us, d->window_us);
}

static int stray(struct distribution *d, struct aq_ledger *ledger, const struct aq_observation *seen) {
    d->strays++;
    return aq_ledger_violation(ledger, AQ_CHECK_DISTRIBUTION, seen, NULL, NULL, NOT_ELIGIBLE);
}

static bool is_listed(const struct aq_eligible_sets *all, uint32_t number, uint32_t server) {
    for (uint32_t i = all->offsets[number]; i < all->offsets[number + 1]; i++)
        if (all->members[i] == server) return true;
    return false;
}

static int choice_seen(struct distribution *d, struct aq_ledger *ledger, const struct aq_observation *seen) {
    uint32_t server = seen->server == AQ_NOBODY ? seen->address : seen->server;
    const struct aq_eligible_sets *all = aq_ledger_eligible_sets(ledger);
    if (seen->eligible_set >= all->count) { /* a retry names no set: it avoids the servers that were tried */
        d->retries++;
        return 0;
    }
    if (seen->at_us >= d->window_end_us) next_window(d, seen->at_us);
    uint32_t index;
    int rc = find_set(d, all, seen->eligible_set, &index);
    if (rc) return rc;
    d->choices++;
    d->last_us = seen->at_us;
    if (server < d->servers) d->choices_of[server]++;
    if (index == ROW_POOLED) {
        d->pooled++;
        return is_listed(all, seen->eligible_set, server) ? 0 : stray(d, ledger, seen);
    }
    struct set *set = &d->sets[index];
    if (server >= set->width || d->cells[set->first_cell + server].window == NO_MEMBER)
        return stray(d, ledger, seen);
    d->cells[set->first_cell + server].window++;
    if (!set->in_window) {
        set->in_window = true;
        d->in_window.sets[d->in_window.count++] = index;
    }
    return 0;
}

static int observe(void *state, struct aq_ledger *ledger, const struct aq_observation *seen,
                   const struct aq_ledger_copy *copy, const struct aq_ledger_job *job) {
    struct distribution *d = state;
    (void)copy, (void)job;
    if (seen->kind == AQ_SEEN_CHOICE) return choice_seen(d, ledger, seen);
    if (seen->kind == AQ_SEEN_FAULT) d->disturbed = true;
    close_phase(d, seen->at_us);
    return 0;
}

/* ---- the verdict ---- */

static struct chi_square whole_run(const struct distribution *d) {
    struct chi_square sum = {0};
    for (uint32_t i = 0; i < d->set_count; i++)
        add_set(&sum, d->cells + d->sets[i].first_cell, &d->sets[i], LEVEL_RUN);
    take_p(&sum);
    return sum;
}

/* True if a client ever had more than one server to choose from. */
static bool had_a_choice(const struct distribution *d) {
    for (uint32_t i = 0; i < d->set_count; i++)
        if (d->sets[i].members > 1) return true;
    return d->pooled > 0;
}

/* The sets are as the clients see them. Where nothing happened, all of them must hold every server. */
static int judge_left_out(struct distribution *d, struct aq_ledger *ledger) {
    const struct aq_scenario *s = aq_ledger_scenario(ledger);
    uint32_t servers = s->servers.count;
    bool all_known = s->clients.group_count == 0 && s->balancer == AQ_BALANCER_NONE;
    if (d->disturbed || !all_known || d->choices < (uint64_t)CHOICES_EACH_MIN * servers) return 0;
    for (uint32_t i = 0; i < servers; i++) {
        if (i && i < s->servers.shared_identity) continue; /* behind the address of server 0 */
        if (i < d->servers && d->choices_of[i]) continue;
        struct aq_observation seen = {
            .kind = AQ_SEEN_KIND_COUNT, .server = i, .client = AQ_NOBODY, .caller = AQ_NOBODY};
        d->left_out++;
        int rc = aq_ledger_violation(ledger, AQ_CHECK_DISTRIBUTION, &seen, NULL, NULL, LEFT_OUT);
        if (rc) return rc;
    }
    return 0;
}

static void share_figures(const struct distribution *d, uint32_t server, struct aq_record *record,
                          struct aq_record_figure out[3]) {
    struct aq_interval interval = aq_statistics_wilson(d->choices_of[server], d->choices, AQ_Z_95);
    double share = (double)d->choices_of[server] / (double)d->choices;
    out[0] = (struct aq_record_figure){aq_record_text(record, "share_s%u", server), share};
    out[1] = (struct aq_record_figure){aq_record_text(record, "share_s%u_low", server), interval.low};
    out[2] = (struct aq_record_figure){aq_record_text(record, "share_s%u_high", server), interval.high};
}

static int add_figures(const struct distribution *d, const struct chi_square *run, struct aq_record *record,
                       struct aq_record_check *out) {
    struct aq_record_figure figures[FIGURES + 3 * SHARES_MAX] = {
        {"p_value", run->p},
        {"chi_square", run->statistic},
        {"df", (double)run->df},
        {"choices", (double)d->choices},
        {"choices_untested_sets", (double)d->pooled},
        {"max_over_mean", aq_statistics_max_over_mean(d->choices_of, d->servers)},
        {"cv", aq_statistics_cv(d->choices_of, d->servers)},
        {"jain", aq_statistics_jain(d->choices_of, d->servers)},
        {"gated_tests", (double)(d->phases_judged + (run->df > 0))},
        {"phase_p_min", d->worst_phase.p},
        {"windows", (double)d->windows_judged},
        {"window_p_min", d->window_p_min},
        {"sets", (double)d->set_count},
        {"retries", (double)d->retries},
    };
    uint32_t count = FIGURES;
    for (uint32_t i = 0; i < d->servers && i < SHARES_MAX && d->choices; i++, count += 3)
        share_figures(d, i, record, figures + count);
    for (uint32_t i = 0; i < count; i++)
        if (!figures[i].name) return AQ_ENOMEM;
    return aq_check_figures(record, figures, count, out);
}

static const char *remark_of(const struct distribution *d, const struct chi_square *run, bool uneven,
                             double gate, struct aq_record *record) {
    if (d->left_out) return aq_record_text(record, "%u servers were never chosen", (unsigned)d->left_out);
    if (!had_a_choice(d) && !d->strays) return "only one server to choose from at any time: not applicable";
    if (d->strays)
        return aq_record_text(record, "%llu choices of a server that was not eligible",
                              (unsigned long long)d->strays);
    if (uneven && run->p < gate)
        return aq_record_text(record,
                              "whole run: p = %.3g, below %.3g; chi-square %.1f with %llu degrees of freedom",
                              run->p, gate, run->statistic, (unsigned long long)run->df);
    if (uneven)
        return aq_record_text(
            record,
            "from %.3f s to %.3f s: p = %.3g, below %.3g; chi-square %.1f with %llu degrees of freedom",
            (double)d->worst_from_us / 1e6, (double)d->worst_until_us / 1e6, d->worst_phase.p, gate,
            d->worst_phase.statistic, (unsigned long long)d->worst_phase.df);
    if (run->df == 0)
        return aq_record_text(record, "too few choices to judge: %llu, fewer than %d for each server",
                              (unsigned long long)d->choices, EXPECTED_MIN);
    return "";
}

static int finish(void *state, struct aq_ledger *ledger, struct aq_record *record,
                  struct aq_record_check *out) {
    struct distribution *d = state;
    close_phase(d, d->last_us);
    struct chi_square run = whole_run(d);
    uint64_t tests = d->phases_judged + (run.df > 0);
    double gate =
        tests ? aq_ledger_scenario(ledger)->budgets.distribution_p_min / (double)tests / TAIL_MARGIN : 0;
    bool uneven = run.p < gate || d->worst_phase.p < gate;
    if (uneven) {
        int told = aq_ledger_violation(ledger, AQ_CHECK_DISTRIBUTION, NULL, NULL, NULL, NOT_UNIFORM);
        if (told) return told;
    }
    int rc = judge_left_out(d, ledger);
    if (rc) return rc;
    bool choice = had_a_choice(d) || d->left_out;
    out->judged = choice ? d->choices : 0;
    out->verdict = uneven || d->strays || d->left_out ? AQ_VERDICT_FAIL
                   : choice && run.df == 0            ? AQ_VERDICT_UNKNOWN
                                                      : AQ_VERDICT_PASS;
    if (d->choices == 0) out->verdict = AQ_VERDICT_UNKNOWN;
    out->remark = d->choices ? remark_of(d, &run, uneven, gate, record) : "no client chose a server";
    return out->remark ? add_figures(d, &run, record, out) : AQ_ENOMEM;
}

const struct aq_checker aq_check_distribution = {
    .check = AQ_CHECK_DISTRIBUTION,
    .holds_when = "choices are uniform over the servers that were eligible at that instant",
    .interests = 1u << AQ_SEEN_CHOICE | 1u << AQ_SEEN_FAULT | 1u << AQ_SEEN_FAULT_END | 1u << AQ_SEEN_HEALED,
    .state_bytes = sizeof(struct distribution),
    .init = init,
    .observe = observe,
    .finish = finish,
    .close = close_state,
};
