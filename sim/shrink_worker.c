#include "sim/shrink_worker.h"

#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"
#include "base/memory.h"
#include "scenarios/load.h"

/* ---- in the worker ---- */

static aq_time_us first_at(const struct aq_record *record, const char *check) {
    for (uint32_t i = 0; i < record->violation_count; i++)
        if (strcmp(record->violations[i].check, check) == 0) return record->violations[i].at_us;
    return record->virtual_us;
}

static void add(struct aq_shrink_message *out, const struct aq_fingerprint *fingerprint, aq_time_us at_us) {
    AQ_ASSERT(out->failure_count < AQ_SHRINK_FAILURES_MAX);
    out->failures[out->failure_count] = *fingerprint;
    out->failed_us[out->failure_count++] = at_us;
}

/* Only what makes the run fail: a file that shows it must not end in another verdict. */
static void take_failures(struct aq_shrink_message *out, const struct aq_record *record) {
    struct aq_fingerprint fingerprint;
    if (record->verdict != AQ_VERDICT_FAIL) return;
    for (uint32_t i = 0; i < record->check_count; i++) {
        if (!aq_fingerprint_broken(&record->checks[i])) continue;
        aq_fingerprint_of_check(record, &record->checks[i], &fingerprint);
        add(out, &fingerprint, first_at(record, record->checks[i].name));
    }
    if (!out->failure_count && aq_fingerprint_of_run(record, &fingerprint) == 0)
        add(out, &fingerprint, record->virtual_us);
}

static int run(const struct aq_shrink_options *options, uint64_t seed, const char *text,
               struct aq_shrink_message *out, struct aq_error *error) {
    struct aq_scenario *scenario;
    struct aq_record record;
    int rc = aq_scenario_parse(text, "shrunk.json", NULL, &scenario, error);
    if (rc) return rc;
    struct aq_run_options run = {.scenario = scenario, .seed = seed, .client_step = options->client_step};
    aq_record_init(&record);
    rc = aq_run_identify(scenario, seed, &record);
    if (!rc) rc = aq_run_scenario(&run, &record, error);
    if (!rc) {
        out->run = (struct aq_shrink_run){
            .events = record.events, .jobs = record.jobs.produced, .virtual_us = record.virtual_us};
        snprintf(out->reason, sizeof out->reason, "%s", record.reason);
        take_failures(out, &record);
    }
    aq_record_close(&record);
    aq_scenario_free(scenario);
    return rc;
}

static bool send_message(int to, const struct aq_shrink_message *message) {
    size_t failures = message->failure_count * sizeof *message->failures;
    const struct aq_pool_part part = {message, offsetof(struct aq_shrink_message, failures) + failures};
    return aq_pool_send(to, &part, 1);
}

bool aq_shrink_work(const struct aq_shrink_options *options, const void *input, size_t bytes, int to) {
    static struct aq_shrink_message out;
    struct aq_error error = {0};
    uint64_t seed;
    if (bytes <= sizeof seed) return false;
    memcpy(&seed, input, sizeof seed);
    out.failure_count = 0;
    out.run = (struct aq_shrink_run){0};
    out.rc = run(options, seed, (const char *)input + sizeof seed, &out, &error);
    if (out.rc)
        snprintf(out.reason, sizeof out.reason, "%.199s", error.text[0] ? error.text : aq_error_name(out.rc));
    return send_message(to, &out);
}

/* ---- in the process that hands out the variants ---- */

const void *aq_shrink_letter_write(struct aq_shrink_letter *letter, uint64_t seed, const char *text,
                                   size_t *bytes) {
    *bytes = 0;
    if (aq_array_reserve(&letter->bytes, &letter->capacity, sizeof seed + strlen(text) + 1, 1)) return "";
    *bytes = sizeof seed + strlen(text) + 1;
    memcpy(letter->bytes, &seed, sizeof seed);
    strcpy(letter->bytes + sizeof seed, text);
    return letter->bytes;
}

void aq_shrink_letter_close(struct aq_shrink_letter *letter) {
    aq_free(letter->bytes);
    *letter = (struct aq_shrink_letter){.bytes = NULL};
}

void aq_shrink_death(const char *why, bool no_memory, struct aq_shrink_message *out) {
    *out = (struct aq_shrink_message){.rc = no_memory ? AQ_ENOMEM : 0, .failure_count = !no_memory};
    snprintf(out->reason, sizeof out->reason, "%.199s", why);
    aq_fingerprint_make(&out->failures[0], "crash", why, "");
}

uint32_t aq_shrink_cpu_limit_s(const struct aq_shrink_options *options) {
    return options->cpu_limit_s ? options->cpu_limit_s : AQ_SHRINK_CPU_LIMIT_S;
}

/* ---- one run by itself ---- */

struct alone {
    const struct aq_shrink_options *options;
    const char *text;
    uint64_t seed;
    struct aq_shrink_letter letter;
    struct aq_shrink_message *out;
    bool given, told;
};

static bool work_on(void *arg, uint64_t task, const void *input, size_t bytes, int to) {
    const struct alone *alone = arg;
    (void)task;
    return aq_shrink_work(alone->options, input, bytes, to);
}

static bool next(void *arg, uint64_t *task) {
    struct alone *alone = arg;
    bool first = !alone->given;
    *task = 0;
    alone->given = true;
    return first;
}

static const void *input_of(void *arg, uint64_t task, size_t *bytes) {
    struct alone *alone = arg;
    (void)task;
    return aq_shrink_letter_write(&alone->letter, alone->seed, alone->text, bytes);
}

static int take_result(void *arg, uint64_t task, const void *input, size_t bytes) {
    struct alone *alone = arg;
    (void)task;
    AQ_ASSERT(bytes <= sizeof *alone->out);
    memcpy(alone->out, input, bytes);
    alone->told = true;
    return 1;
}

static int take_death(void *arg, uint64_t task, const char *why, bool no_memory) {
    struct alone *alone = arg;
    (void)task;
    aq_shrink_death(why, no_memory, alone->out);
    alone->told = true;
    return 1;
}

int aq_shrink_run_alone(const struct aq_shrink_options *options, const char *text, uint64_t seed,
                        struct aq_shrink_message *out, struct aq_error *error) {
    struct alone alone = {.options = options, .text = text, .seed = seed, .out = out};
    struct aq_pool_options pool = {.jobs = 1,
                                   .cpu_limit_s = aq_shrink_cpu_limit_s(options),
                                   .work_on = work_on,
                                   .input = input_of,
                                   .next = next,
                                   .result = take_result,
                                   .died = take_death,
                                   .arg = &alone};
    int rc = aq_pool_run(&pool, error);
    aq_shrink_letter_close(&alone.letter);
    if (!rc && !alone.told) rc = aq_error_set(error, AQ_ENOMEM, "out of memory");
    return rc;
}
