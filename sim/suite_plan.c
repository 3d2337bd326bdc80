/* What a suite is to run: files found, scenarios loaded, runs listed. */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>

#include "base/memory.h"
#include "sim/cli_words.h"
#include "sim/run.h"
#include "sim/suite.h"

struct file {
    const char *label, *path; /* in the session's arena */
    dev_t device;
    ino_t inode;
};

struct files {
    struct aq_suite_session *session;
    struct file *list; /* owned */
    uint32_t count, capacity;
};

static int no_memory(struct aq_suite_session *s) {
    return aq_error_set(&s->error, AQ_ENOMEM, "out of memory");
}

static const char *keep(struct aq_suite_session *s, const char *text) {
    size_t bytes = strlen(text) + 1;
    char *copy = aq_arena_alloc(&s->texts, bytes);
    return copy ? memcpy(copy, text, bytes) : NULL;
}

/* ---- files ---- */

/* A file that is there already, by another way to it as well, is run once. */
static bool is_known(const struct files *files, const struct stat *status) {
    for (uint32_t i = 0; i < files->count; i++)
        if (files->list[i].device == status->st_dev && files->list[i].inode == status->st_ino) return true;
    return false;
}

static int add_file(void *arg, const char *label, const char *path) {
    struct files *files = arg;
    struct stat status = {0};
    if (stat(path, &status) == 0 && is_known(files, &status)) return 0;
    if (aq_array_reserve(&files->list, &files->capacity, (size_t)files->count + 1, sizeof *files->list))
        return no_memory(files->session);
    struct file file = {keep(files->session, label), keep(files->session, path), status.st_dev,
                        status.st_ino};
    if (!file.label || !file.path) return no_memory(files->session);
    files->list[files->count++] = file;
    return 0;
}

static int find_files(struct files *files) {
    const struct aq_suite_arguments *a = files->session->arguments;
    int rc = 0;
    for (uint32_t i = 0; i < a->word_count && !rc; i++)
        rc = aq_scenario_expand(a->words[i], a->folder, add_file, files, &files->session->error);
    return rc;
}

/* ---- scenarios ---- */

static int describe(struct aq_suite_session *s, const struct aq_scenario *scenario,
                    struct aq_suite_row *row) {
    struct aq_record record;
    char both[100];
    aq_record_init(&record);
    int rc = aq_run_identify(scenario, 0, &record); /* for the words */
    if (!rc && strcmp(record.client_profile, record.server_profile) == 0)
        snprintf(both, sizeof both, "%s", record.client_profile);
    else if (!rc)
        snprintf(both, sizeof both, "%s/%s", record.client_profile, record.server_profile);
    aq_record_close(&record);
    if (rc) return no_memory(s);
    row->scenario = scenario->name;
    row->profile = keep(s, both);
    return row->profile ? 0 : no_memory(s);
}

static int load_entry(struct aq_suite_session *s, const struct file *file, const char *profile) {
    const struct aq_suite_arguments *a = s->arguments;
    struct aq_scenario_options options = {a->settings, a->setting_count, profile, a->fidelity};
    struct aq_suite_entry *entry = &s->entries[s->entry_count];
    *entry = (struct aq_suite_entry){file->label, profile, NULL};
    int rc = aq_scenario_load(file->path, &options, &entry->scenario, &s->error);
    if (rc) return rc;
    s->entry_count++;
    rc = aq_scenario_check_world(entry->scenario, false, &s->error);
    if (rc) {
        aq_error_prefix(&s->error, "%s", file->path);
        return rc;
    }
    return describe(s, entry->scenario, &s->rows[s->entry_count - 1]);
}

static int load_all(struct aq_suite_session *s, const struct files *files) {
    const struct aq_suite_arguments *a = s->arguments;
    size_t profiles = a->profile_count ? a->profile_count : 1, most = files->count * profiles;
    s->entries = aq_alloc_zeroed(most, sizeof *s->entries);
    s->rows = aq_alloc_zeroed(most, sizeof *s->rows);
    if (!s->entries || !s->rows) return no_memory(s);
    for (uint32_t i = 0; i < files->count; i++)
        for (size_t p = 0; p < profiles; p++) {
            int rc = load_entry(s, &files->list[i], a->profile_count ? a->profiles[p] : NULL);
            if (rc) return rc;
        }
    return 0;
}

/* ---- runs ---- */

static uint64_t seeds_of_row(const struct aq_suite_arguments *a) {
    return a->seeds.given ? a->seeds.to - a->seeds.from + 1 : 1;
}

/* The place of a run in the list of all shards together, which is in the order of rows, then seeds. */
static uint64_t place_of(const struct aq_suite_arguments *a, uint32_t run) {
    return a->shard - 1 + (uint64_t)run * a->shards;
}

uint64_t aq_suite_seed_of(const struct aq_suite_session *s, uint32_t run) {
    const struct aq_suite_arguments *a = s->arguments;
    if (a->seed_text) return a->seed;
    if (a->seeds.given) return a->seeds.from + place_of(a, run) % seeds_of_row(a);
    return s->entries[s->runs[run].row].scenario->seed;
}

static const char *reproduce_line(struct aq_suite_session *s, const struct aq_suite_run *run) {
    const struct aq_suite_arguments *a = s->arguments;
    const struct aq_suite_entry *entry = &s->entries[run->row];
    struct aq_cli_line line;
    aq_cli_line_begin(&line, &s->texts, "allqsim run");
    aq_cli_line_word(&line, entry->label);
    aq_cli_line_option(&line, "--seed", run->seed_text);
    aq_cli_line_option(&line, "--profile", entry->profile);
    aq_cli_line_option(&line, "--fidelity", a->fidelity);
    for (uint32_t i = 0; i < a->setting_count; i++)
        aq_cli_line_option(&line, "--set", a->settings[i]);
    return line.text;
}

static int list_runs(struct aq_suite_session *s) {
    const struct aq_suite_arguments *a = s->arguments;
    uint64_t seeds = seeds_of_row(a), all = seeds * s->entry_count;
    uint64_t count = all / a->shards + (all % a->shards >= a->shard);
    if (count > AQ_SUITE_RUNS_MAX)
        return aq_error_set(&s->error, AQ_ELIMIT,
                            "%" PRIu32 " scenarios with %" PRIu64
                            " seeds each: a suite has at most %d runs; allqsim explore is for more seeds",
                            s->entry_count, seeds, AQ_SUITE_RUNS_MAX);
    s->runs = aq_alloc_zeroed(count + 1, sizeof *s->runs);
    if (!s->runs) return no_memory(s);
    s->run_count = (uint32_t)count;
    for (uint32_t i = 0; i < s->run_count; i++) {
        struct aq_suite_run *run = &s->runs[i];
        char seed[24];
        *run =
            (struct aq_suite_run){.row = (uint32_t)(place_of(a, i) / seeds), .verdict = AQ_VERDICT_UNKNOWN};
        snprintf(seed, sizeof seed, "%" PRIu64, aq_suite_seed_of(s, i));
        run->seed_text = a->seed_text ? a->seed_text : keep(s, seed);
        if (!run->seed_text || !(run->reproduce = reproduce_line(s, run))) return no_memory(s);
    }
    return 0;
}

/* Rows of which all runs belong to other shards are theirs alone. */
static void leave_out_empty_rows(struct aq_suite_session *s) {
    uint32_t kept = 0, run = 0;
    for (uint32_t row = 0; row < s->entry_count; row++) {
        if (run == s->run_count || s->runs[run].row != row) {
            aq_scenario_free(s->entries[row].scenario);
            continue;
        }
        for (; run < s->run_count && s->runs[run].row == row; run++)
            s->runs[run].row = kept;
        s->entries[kept] = s->entries[row];
        s->rows[kept++] = s->rows[row];
    }
    s->entry_count = kept;
}

int aq_suite_identify(const struct aq_suite_session *s, uint32_t run, struct aq_record *record) {
    int rc = aq_run_identify(s->entries[s->runs[run].row].scenario, aq_suite_seed_of(s, run), record);
    record->version = AQ_VERSION;
    record->started_unix_s = (int64_t)time(NULL);
    record->seed_text = s->runs[run].seed_text;
    record->reproduce = s->runs[run].reproduce;
    return rc;
}

int aq_suite_plan(struct aq_suite_session *s) {
    struct files files = {.session = s};
    int rc = find_files(&files);
    if (!rc) rc = load_all(s, &files);
    if (!rc) rc = list_runs(s);
    if (!rc) leave_out_empty_rows(s);
    aq_free(files.list);
    return rc;
}
