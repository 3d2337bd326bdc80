/* How fast events of the full trace go into SQLite, beside a loop of one prepared insert in the same run: the
 * same file system, schema, settings, rows and transactions, and nothing of the store around it. The store
 * and the loop take turns, so that the drift of the machine's speed falls on both. */
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "base/units.h"
#include "reports/store.h"

#define ROWS_PER_TRANSACTION 25000u
#define ROUNDS               5

_Noreturn static void fail(const char *what) {
    fprintf(stderr, "bench_store: %s\n", what);
    exit(70);
}

/* Time that passed, and time of the processor for this program: on a machine that others use the second is
 * the steadier. */
struct spent {
    double wall_s, cpu_s;
};

static double seconds(clockid_t clock) {
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static struct spent now(void) {
    return (struct spent){seconds(CLOCK_MONOTONIC), seconds(CLOCK_PROCESS_CPUTIME_ID)};
}

static struct spent since(struct spent start) {
    struct spent end = now();
    return (struct spent){end.wall_s - start.wall_s, end.cpu_s - start.cpu_s};
}

/* Lines as long as those of a real trace. */
static struct aq_record_event *make_events(void) {
    struct aq_record_event *events = calloc(ROWS_PER_TRANSACTION, sizeof *events);
    char(*texts)[80] = calloc(ROWS_PER_TRANSACTION, sizeof *texts);
    if (!events || !texts) fail("out of memory");
    for (uint32_t i = 0; i < ROWS_PER_TRANSACTION; i++) {
        snprintf(texts[i], sizeof texts[i],
                 "[%u.%06u] worker %u at client %u < done ok MwC2KrP,XBZTXBnB7LxBL%08x", i / 1000, i,
                 i % 5000, i % 1000, i * 2654435761u);
        events[i] = (struct aq_record_event){.at_us = i, .text = texts[i]};
    }
    return events;
}

/* A new database with one run that has begun. */
static int64_t make_database(const char *path, struct aq_store **out) {
    struct aq_error error = {0};
    struct aq_record record;
    int64_t run;
    unlink(path);
    aq_record_init(&record);
    if (aq_store_open(path, true, out, &error) || aq_store_begin_run(*out, &record, &run, &error))
        fail(error.text);
    aq_record_close(&record);
    return run;
}

static void number(struct aq_record_event *events, uint64_t first) {
    for (uint32_t i = 0; i < ROWS_PER_TRANSACTION; i++)
        events[i].number = first + i;
}

/* What the store takes for `rows` rows. */
static struct spent time_store(const char *path, struct aq_record_event *events, uint64_t rows) {
    struct aq_error error = {0};
    struct aq_store *store;
    int64_t run = make_database(path, &store);
    struct spent start = now();
    for (uint64_t done = 0; done < rows; done += ROWS_PER_TRANSACTION) {
        number(events, done);
        if (aq_store_add_events(store, run, events, ROWS_PER_TRANSACTION, &error)) fail(error.text);
    }
    struct spent taken = since(start);
    aq_store_close(store);
    return taken;
}

static void execute(sqlite3 *db, const char *sql) {
    if (sqlite3_exec(db, sql, NULL, NULL, NULL)) fail(sqlite3_errmsg(db));
}

/* The same with nothing but SQLite; the settings are those of the store. */
static struct spent time_bare(const char *path, struct aq_record_event *events, uint64_t rows) {
    struct aq_store *store;
    int64_t run = make_database(path, &store);
    sqlite3 *db;
    sqlite3_stmt *insert;
    aq_store_close(store);
    if (sqlite3_open(path, &db)) fail("cannot open");
    execute(
        db,
        "PRAGMA synchronous = NORMAL; PRAGMA foreign_keys = OFF; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -65536");
    if (sqlite3_prepare_v2(db, "INSERT INTO event (run_id, number, at_us, text) VALUES (?, ?, ?, ?)", -1,
                           &insert, NULL))
        fail(sqlite3_errmsg(db));
    struct spent start = now();
    for (uint64_t done = 0; done < rows; done += ROWS_PER_TRANSACTION) {
        number(events, done);
        execute(db, "BEGIN IMMEDIATE");
        for (uint32_t i = 0; i < ROWS_PER_TRANSACTION; i++) {
            sqlite3_bind_int64(insert, 1, run);
            sqlite3_bind_int64(insert, 2, (sqlite3_int64)events[i].number);
            sqlite3_bind_int64(insert, 3, (sqlite3_int64)events[i].at_us);
            sqlite3_bind_text(insert, 4, events[i].text, -1, SQLITE_STATIC);
            if (sqlite3_step(insert) != SQLITE_DONE) fail(sqlite3_errmsg(db));
            sqlite3_reset(insert);
        }
        execute(db, "COMMIT");
    }
    struct spent taken = since(start);
    sqlite3_finalize(insert);
    sqlite3_close(db);
    return taken;
}

static void print_line(const char *name, uint64_t rows, struct spent store, struct spent bare) {
    const double spans[] = {store.wall_s, bare.wall_s, store.cpu_s, bare.cpu_s};
    printf("%-5s", name);
    for (int i = 0; i < 4; i++) {
        char text[32];
        printf(" %14s", aq_units_format_count(text, sizeof text, (uint64_t)((double)rows / spans[i])));
    }
    printf(" %12.2f\n", bare.cpu_s / store.cpu_s);
    fflush(stdout);
}

int main(int argc, char **argv) {
    uint64_t rows = argc > 1 ? strtoull(argv[1], NULL, 10) : 500000;
    const char *folder = argc > 2 ? argv[2] : "/tmp";
    if (rows < ROWS_PER_TRANSACTION || argc > 3) {
        fprintf(stderr, "usage: bench_store [ROWS_PER_ROUND (from %u) [FOLDER]]\n", ROWS_PER_TRANSACTION);
        return 64;
    }
    rows -= rows % ROWS_PER_TRANSACTION;
    char path[4096];
    snprintf(path, sizeof path, "%s/bench_store.%ld.db", folder, (long)getpid());
    struct aq_record_event *events = make_events();
    struct spent stores = {0}, bares = {0};
    printf("               rows a second           rows a second of the processor\n"
           "round          store           bare          store           bare   store/bare\n");
    for (int round = 0; round < ROUNDS; round++) {
        struct spent bare = time_bare(path, events, rows), store = time_store(path, events, rows);
        char name[16];
        snprintf(name, sizeof name, "%d", round + 1);
        print_line(name, rows, store, bare);
        stores = (struct spent){stores.wall_s + store.wall_s, stores.cpu_s + store.cpu_s};
        bares = (struct spent){bares.wall_s + bare.wall_s, bares.cpu_s + bare.cpu_s};
    }
    unlink(path);
    print_line("all", rows * ROUNDS, stores, bares);
    free((void *)events[0].text);
    free(events);
    return 0;
}
