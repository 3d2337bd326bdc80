/* The SQLite database of runs: one file, many runs. Written in bulk between steps, atomically: a killed run
   leaves no row or one that says it is unfinished. The tables are described in reports/schema.sql. */
#ifndef AQ_REPORTS_STORE_H
#define AQ_REPORTS_STORE_H

#include <stdio.h>

#include "base/error.h"
#include "reports/record.h"
#include "reports/runs.h"

struct aq_store;

/* Opens or makes the file, with the schema. Errors: AQ_EDATABASE (locked, read-only, damaged, no database, of
   another program or of a newer version; when reading, also not there), AQ_EIO (cannot be made), AQ_ENOMEM;
   *error names the file and the remedy; *out untouched. All functions below may come to AQ_EDATABASE as well.
 */
int aq_store_open(const char *path, bool for_writing, struct aq_store **out, struct aq_error *error);
/* For reading, and not a byte of the file is changed: what a killed program left half done is an error. */
int aq_store_open_untouched(const char *path, struct aq_store **out, struct aq_error *error);
void aq_store_close(struct aq_store *store); /* NULL is allowed */

/* How long to wait for another process that has the file locked; 10 s unless set. */
void aq_store_set_patience_ms(struct aq_store *store, int patience_ms);

/* Adds the row of a run that has begun, marked unfinished, from the identity part of the
   record. Errors: AQ_EIO. */
int aq_store_begin_run(struct aq_store *store, const struct aq_record *record, int64_t *out_run,
                       struct aq_error *error);

/* The same for many, in one transaction: out_runs gets a number for each (what is in it after a failure means
 * nothing). */
int aq_store_begin_runs(struct aq_store *store, const struct aq_record *records, uint32_t count,
                        int64_t *out_runs, struct aq_error *error);

/* Takes the rows of runs away that never came to be, in one transaction; those that have ended are left
   alone. Errors: AQ_EIO. */
int aq_store_forget_runs(struct aq_store *store, const int64_t *runs, uint32_t count, struct aq_error *error);

/* Adds events of the full trace to a begun run, in one transaction. Errors: AQ_EIO, AQ_ENOENT (no
   unfinished run of that number). */
int aq_store_add_events(struct aq_store *store, int64_t run, const struct aq_record_event *events,
                        uint32_t count, struct aq_error *error);

/* Writes everything else of the record and marks the run finished (or interrupted), in one transaction.
   Errors: AQ_EIO, AQ_ENOENT (no unfinished run of that number). */
int aq_store_finish_run(struct aq_store *store, int64_t run, const struct aq_record *record,
                        struct aq_error *error);

/* Reads a run back into an initialised, empty record (untouched on failure); run 0 is the newest
   one that is finished or was interrupted. Errors: AQ_ENOENT (no such run, or one that never
   ended), AQ_EIO, AQ_ENOMEM. */
int aq_store_load_run(struct aq_store *store, int64_t run, struct aq_record *record, struct aq_error *error);

/* Reads up to `room` events of the full trace from number `first` on, in their order; texts are copied into
   the arena. *out_count less than room: there are no more. Errors: AQ_EIO, AQ_ENOMEM. */
int aq_store_read_events(struct aq_store *store, int64_t run, uint64_t first, struct aq_record_event *out,
                         uint32_t room, struct aq_arena *texts, uint32_t *out_count, struct aq_error *error);

/* The heads of runs of a database, by number. */
struct aq_run_list {
    struct aq_run_head *heads; /* owned, as the texts in them */
    uint32_t count, capacity;
    struct aq_arena memory;
};

/* Fills an all-zero list with one run, by its number, or with one of these. None that fits: an empty list.
   Errors: AQ_EIO, AQ_ENOMEM; close it in any case. */
#define AQ_RUNS_ALL    0
#define AQ_RUNS_NEWEST (-1) /* the newest that has ended */
int aq_store_list_runs(struct aq_store *store, int64_t which, struct aq_run_list *list,
                       struct aq_error *error);
void aq_run_list_close(struct aq_run_list *list);

/* What a report is about when nothing is said: a run, an exploration or a plan. */
enum aq_stored_kind { AQ_STORED_RUN, AQ_STORED_EXPLORATION, AQ_STORED_PLAN };

/* The newest run that has ended. Those that explorations have kept belong to them: where there are no others,
   the newest exploration or plan. 0 for the number of a run: there is nothing that has ended. Errors: AQ_EIO.
 */
int aq_store_choose(struct aq_store *store, enum aq_stored_kind *kind, int64_t *number,
                    struct aq_error *error);

/* Writes a table or view as CSV: a line of names, then the rows of one run, or of all where run is 0. Texts
   are quoted where they must be, and where they are empty; what is NULL is nothing. Errors: AQ_ENOENT (no
   such table; the message names those there are), AQ_EIO, AQ_ENOMEM. */
int aq_store_print_csv(struct aq_store *store, const char *table, int64_t run, FILE *stream,
                       struct aq_error *error);

/* Lists the ready-made queries, which are the views of the database, with what each answers; runs one and
   writes its rows in aligned columns, those of one run, or of all where run is 0. Errors: as above. */
int aq_store_print_queries(struct aq_store *store, FILE *stream, struct aq_error *error);
int aq_store_print_query(struct aq_store *store, const char *view, int64_t run, FILE *stream,
                         struct aq_error *error);

#endif
