#include "sim/verdict.h"

#include <stdio.h>
#include <string.h>

#include "base/error.h"
#include "reports/record_measure.h"

static enum aq_exit exit_of(enum aq_check check) {
    switch (check) {
    case AQ_CHECK_PROGRESS:
    case AQ_CHECK_FAILOVER: return AQ_EXIT_PROGRESS;
    case AQ_CHECK_DISTRIBUTION:
    case AQ_CHECK_SLO: return AQ_EXIT_MEASURE;
    default: return AQ_EXIT_SAFETY;
    }
}

/* A growing list "a, b, c" in fixed room; what does not fit is left out. */
struct names {
    char text[400];
    uint32_t count;
};

static void add_name(struct names *names, const char *name) {
    size_t used = strlen(names->text);
    snprintf(names->text + used, sizeof names->text - used, "%s%s", names->count++ ? ", " : "", name);
}

static bool mark_reached(const struct aq_record *record, const char *name) {
    for (uint32_t i = 0; i < record->mark_count; i++)
        if (strcmp(record->marks[i].name, name) == 0) return record->marks[i].count > 0;
    return false;
}

/* Faults beyond the list were added while the run went on. */
static bool may_miss(const struct aq_scenario *scenario, uint32_t fault) {
    return fault < scenario->fault_count && scenario->faults[fault].may_miss;
}

struct findings {
    struct names declared, broken, missed, caught, silent, idle_faults, missing_marks, figures;
    enum aq_exit
        worst; /* the gravest exit of broken and missed checks: safety before progress before measure */
    uint32_t holding;
};

static void judge_check(struct aq_record_check *check, enum aq_check which, bool may_be_unknown,
                        struct findings *f) {
    bool fails = check->verdict == AQ_VERDICT_FAIL;
    check->caught = fails && check->expected_to_fail;
    if (check->verdict == AQ_VERDICT_UNKNOWN)
        add_name(may_be_unknown ? &f->declared : &f->silent, check->name);
    if (check->verdict == AQ_VERDICT_PASS && !check->expected_to_fail && check->judged) f->holding++;
    if (check->caught) add_name(&f->caught, check->name);
    if (fails == check->expected_to_fail ||
        (check->verdict == AQ_VERDICT_UNKNOWN && !check->expected_to_fail))
        return;
    add_name(fails ? &f->broken : &f->missed, check->name);
    enum aq_exit code = exit_of(which);
    if (f->worst == AQ_EXIT_PASS || code < f->worst) f->worst = code;
}

/* The scenario as its file has it: only then do exact figures hold. */
static bool as_written(const struct aq_scenario *scenario, const struct aq_record *record) {
    return scenario->as_written && record->seed == scenario->seed && strcmp(record->world, "live") != 0;
}

static void judge_figure(const struct aq_expected_figure *figure, const struct aq_record *record,
                         struct findings *f) {
    char line[160];
    double found;
    if (aq_record_measure(record, figure->name, &found)) {
        snprintf(line, sizeof line, "%s (no figure of this run has that name)", figure->name);
        add_name(&f->figures, line);
    } else if (!(found >= figure->min && found <= figure->max)) {
        if (figure->min == figure->max)
            snprintf(line, sizeof line, "%s is %.9g, expected is %.9g", figure->name, found, figure->min);
        else
            snprintf(line, sizeof line, "%s is %.9g, expected are %.9g to %.9g", figure->name, found,
                     figure->min, figure->max);
        add_name(&f->figures, line);
    }
}

static int conclude(struct aq_record *record, enum aq_verdict verdict, int exit_code, const char *what,
                    const char *names) {
    record->verdict = verdict;
    record->exit_code = record->interrupted ? AQ_EXIT_INTERRUPTED : exit_code;
    record->reason = aq_record_text(record, "%s%s", what, names);
    return record->reason ? 0 : AQ_ENOMEM;
}

int aq_verdict_reach(const struct aq_scenario *scenario, struct aq_record *record,
                     struct aq_record_check *checks) {
    const struct aq_expectation *expect = scenario->clients.profile == AQ_PROFILE_UPSTREAM
                                              ? &scenario->expect_upstream
                                              : &scenario->expect_strict;
    struct findings f = {0};
    for (int i = 0; i < AQ_CHECK_COUNT; i++) {
        bool sometimes = expect->sometimes >> i & 1 && checks[i].verdict == AQ_VERDICT_FAIL;
        checks[i].expected_to_fail = expect->caught >> i & 1 || sometimes;
        judge_check(&checks[i], (enum aq_check)i, scenario->expect_unknown >> i & 1, &f);
    }
    for (uint32_t i = 0; i < expect->figure_count; i++)
        if (!expect->figures[i].exact || as_written(scenario, record))
            judge_figure(&expect->figures[i], record, &f);
    for (uint32_t i = 0; i < record->fault_count; i++)
        if (!may_miss(scenario, i) && (!record->faults[i].struck || record->faults[i].touched == 0))
            add_name(&f.idle_faults, record->faults[i].name);
    for (uint32_t i = 0; i < scenario->required_marks.count; i++)
        if (!mark_reached(record, scenario->required_marks.names[i]))
            add_name(&f.missing_marks, scenario->required_marks.names[i]);

    if (f.broken.count) return conclude(record, AQ_VERDICT_FAIL, (int)f.worst, "broken: ", f.broken.text);
    if (record->interrupted)
        return conclude(record, AQ_VERDICT_UNKNOWN, AQ_EXIT_INTERRUPTED, "interrupted before its end", "");
    if (f.missed.count)
        return conclude(record, AQ_VERDICT_FAIL, (int)f.worst,
                        "expected to be caught, but not caught: ", f.missed.text);
    if (f.figures.count)
        return conclude(record, AQ_VERDICT_FAIL, AQ_EXIT_MEASURE,
                        "figures not as expected: ", f.figures.text);
    if (f.idle_faults.count)
        return conclude(record, AQ_VERDICT_UNKNOWN, AQ_EXIT_UNKNOWN,
                        "faults that touched nothing: ", f.idle_faults.text);
    if (f.silent.count)
        return conclude(record, AQ_VERDICT_UNKNOWN, AQ_EXIT_UNKNOWN,
                        "checks that could not judge: ", f.silent.text);
    if (f.missing_marks.count)
        return conclude(record, AQ_VERDICT_UNKNOWN, AQ_EXIT_UNKNOWN,
                        "required marks not reached: ", f.missing_marks.text);
    if (f.caught.count)
        return conclude(record, AQ_VERDICT_PASS, AQ_EXIT_PASS, "caught as expected: ", f.caught.text);
    char holding[480];
    snprintf(holding, sizeof holding, "%u%s%s", f.holding, f.declared.count ? "; unknown, as expected: " : "",
             f.declared.text);
    return conclude(record, AQ_VERDICT_PASS, AQ_EXIT_PASS,
                    "all checks hold; with something to judge: ", holding);
}
