#include "reports/store_columns.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/assert.h"

#define COUNT_OF(array) ((uint32_t)(sizeof(array) / sizeof((array)[0])))

#define R struct aq_record
const struct aq_column aq_run_identity[] = {
    TEXT(R, scenario, "scenario"),
    TEXT(R, summary, "summary"),
    TEXT(R, scenario_text, "scenario_text"),
    HASH(R, scenario_hash, "scenario_hash"),
    HASH(R, seed, "seed"),
    TEXT(R, seed_text, "seed_text"),
    TEXT(R, version, "version"),
    TEXT(R, build, "build"),
    TEXT(R, world, "world"),
    TEXT(R, fidelity, "fidelity"),
    TEXT(R, client_profile, "client_profile"),
    TEXT(R, server_profile, "server_profile"),
    TEXT(R, reproduce, "reproduce"),
    I64(R, started_unix_s, "started_unix_s"),
};
const uint32_t aq_run_identity_count = COUNT_OF(aq_run_identity);

const struct aq_column aq_run_outcome[] = {
    HASH(R, trace_hash, "trace_hash"),
    VERDICT(R, verdict, "verdict"),
    TEXT(R, reason, "reason"),
    I32(R, exit_code, "exit_code"),
    U64(R, events, "events"),
    U64(R, virtual_us, "virtual_us"),
    U64(R, wall_us, "wall_us"),
    U64(R, peak_rss_bytes, "peak_rss_bytes"),
    U64(R, window_us, "window_us"),
    U64(R, jobs.produced, "jobs_produced"),
    U64(R, jobs.accepted, "jobs_accepted"),
    U64(R, jobs.completed, "jobs_completed"),
    U64(R, jobs.held, "jobs_held"),
    U64(R, jobs.lost_declared, "jobs_lost_declared"),
    U64(R, jobs.unexplained, "jobs_unexplained"),
    U64(R, jobs.executed_again, "jobs_executed_again"),
    U64(R, completions.sent, "completions_sent"),
    U64(R, completions.applied, "completions_applied"),
    U64(R, completions.acked, "completions_acked"),
    U64(R, completions.misrouted, "completions_misrouted"),
    U64(R, completions.origin_gone, "completions_origin_gone"),
    U64(R, completions.unknown, "completions_unknown"),
    U32(R, clients.count, "clients"),
    U32(R, clients.workers, "workers"),
};
const uint32_t aq_run_outcome_count = COUNT_OF(aq_run_outcome);
#undef R

static const struct aq_column option_columns[] = {
    TEXT(struct aq_record_option, name, "name"),
    TEXT(struct aq_record_option, value, "value"),
};

#define S struct aq_record_server
static const struct aq_column server_columns[] = {
    TEXT(S, id, "id"),
    TEXT(S, address, "address"),
    U64(S, puts, "puts"),
    U64(S, gets, "gets"),
    U64(S, empty_gets, "empty_gets"),
    U64(S, completions, "completions"),
    U64(S, requests, "requests"),
    U64(S, errors, "errors"),
    U64(S, missed, "missed"),
    U64(S, expired, "expired"),
    U64(S, buried, "buried"),
    U64(S, lost, "lost"),
    U64(S, choices, "choices"),
    REAL(S, share, "share_ratio"),
    REAL(S, busy, "busy_ratio"),
    U32(S, queue_max, "queue_max"),
    U32(S, incarnations, "incarnations"),
    U64(S, held[0], "held_ready"),
    U64(S, held[1], "held_delayed"),
    U64(S, held[2], "held_reserved"),
    U64(S, held[3], "held_buried"),
    U64(S, held[4], "held_parent"),
};
#undef S

static const struct aq_column phase_columns[] = {
    TEXT(struct aq_record_phase, name, "name"),
    TIME(struct aq_record_phase, from_us, "from_us"),
    TIME(struct aq_record_phase, to_us, "to_us"),
};

static const struct aq_column phase_server_columns[] = {{"choices", AQ_COLUMN_U64, 0}}; /* row: uint64_t */

#define F struct aq_record_fault
static const struct aq_column fault_columns[] = {
    TEXT(F, kind, "kind"),     TEXT(F, name, "name"),         TEXT(F, target, "target"),
    TIME(F, at_us, "at_us"),   TIME(F, until_us, "until_us"), U64(F, touched, "touched"),
    BOOL(F, struck, "struck"),
};
#undef F

#define C struct aq_record_check
static const struct aq_column check_columns[] = {
    TEXT(C, name, "name"),
    TEXT(C, holds_when, "holds_when"),
    VERDICT(C, verdict, "verdict"),
    BOOL(C, caught, "caught"),
    BOOL(C, expected_to_fail, "expected_to_fail"),
    U64(C, judged, "judged"),
    U64(C, violations, "violations"),
    TEXT(C, remark, "remark"),
};
#undef C

static const struct aq_column checkpoint_columns[] = {
    U64(struct aq_record_checkpoint, steps, "steps"),
    TIME(struct aq_record_checkpoint, at_us, "at_us"),
    HASH(struct aq_record_checkpoint, hash, "hash"),
};

static const struct aq_column figure_columns[] = {
    TEXT(struct aq_record_figure, name, "name"),
    REAL(struct aq_record_figure, value, "value"),
};

#define V struct aq_record_violation
static const struct aq_column violation_columns[] = {
    TEXT(V, check, "check_name"),
    TEXT(V, cause, "cause"),
    TIME(V, at_us, "at_us"),
    TEXT(V, job, "job"),
    U64(V, token, "token"),
    I32(V, origin, "origin_server"),
    I32(V, receiver, "receiver_server"),
};
#undef V

static const struct aq_column story_columns[] = {{"text", AQ_COLUMN_TEXT, 0}}; /* row: const char * */

#define W struct aq_record_window
static const struct aq_column window_columns[] = {
    U32(W, window, "window_number"),
    U32(W, server, "server"),
    U32(W, puts, "puts"),
    U32(W, gets, "gets"),
    U32(W, empty_gets, "empty_gets"),
    U32(W, completions, "completions"),
    U32(W, choices, "choices"),
    U32(W, errors, "errors"),
    U32(W, queue, "queue"),
    U32(W, ready, "ready"),
    U32(W, reserved, "reserved"),
    U8(W, up, "up"),
};
#undef W

#define L struct aq_latency_row
static const struct aq_column latency_columns[] = {
    TEXT(L, operation, "operation"), U64(L, spans, "spans"),    U64(L, sum_us, "sum_us"),
    TIME(L, min_us, "min_us"),       TIME(L, max_us, "max_us"), TIME(L, p50_us, "p50_us"),
    TIME(L, p90_us, "p90_us"),       TIME(L, p99_us, "p99_us"), TIME(L, p999_us, "p999_us"),
};
#undef L

static const struct aq_column bucket_columns[] = {
    U32(struct aq_bucket_row, bucket, "bucket"),
    U64(struct aq_bucket_row, up_to_us, "up_to_us"),
    U64(struct aq_bucket_row, spans, "spans"),
};

static const struct aq_column mark_columns[] = {
    TEXT(struct aq_record_mark, name, "name"),
    U64(struct aq_record_mark, count, "hits"),
};

#define TABLE(name, parent, position, order, columns, row)                                                   \
    { name, parent, position, order, columns, COUNT_OF(columns), (uint32_t)sizeof(row) }

const struct aq_table aq_store_tables[AQ_TABLE_COUNT] = {
    [AQ_TABLE_OPTION] =
        TABLE("run_option", NULL, "position", "position", option_columns, struct aq_record_option),
    [AQ_TABLE_SERVER] = TABLE("server", NULL, "server", "server", server_columns, struct aq_record_server),
    [AQ_TABLE_PHASE] = TABLE("phase", NULL, "phase", "phase", phase_columns, struct aq_record_phase),
    [AQ_TABLE_PHASE_SERVER] =
        TABLE("phase_server", "phase", "server", "server", phase_server_columns, uint64_t),
    [AQ_TABLE_FAULT] = TABLE("fault", NULL, "position", "position", fault_columns, struct aq_record_fault),
    [AQ_TABLE_CHECK] =
        TABLE("check_result", NULL, "position", "position", check_columns, struct aq_record_check),
    [AQ_TABLE_CHECK_FIGURE] = TABLE("check_figure", "check_position", "position", "position", figure_columns,
                                    struct aq_record_figure),
    [AQ_TABLE_VIOLATION] =
        TABLE("violation", NULL, "position", "position", violation_columns, struct aq_record_violation),
    [AQ_TABLE_STORY_LINE] =
        TABLE("story_line", "violation_position", "position", "position", story_columns, const char *),
    [AQ_TABLE_WINDOW] =
        TABLE("window", NULL, NULL, "window_number, server", window_columns, struct aq_record_window),
    [AQ_TABLE_LATENCY] =
        TABLE("latency", NULL, "position", "position", latency_columns, struct aq_latency_row),
    [AQ_TABLE_LATENCY_BUCKET] =
        TABLE("latency_bucket", "latency_position", NULL, "bucket", bucket_columns, struct aq_bucket_row),
    [AQ_TABLE_MARK] = TABLE("mark", NULL, "position", "position", mark_columns, struct aq_record_mark),
    [AQ_TABLE_FIGURE] =
        TABLE("figure", NULL, "position", "position", figure_columns, struct aq_record_figure),
    [AQ_TABLE_CHECKPOINT] =
        TABLE("checkpoint", NULL, "position", "position", checkpoint_columns, struct aq_record_checkpoint),
};

void aq_sql_append(char sql[AQ_SQL_MAX], const char *text) {
    size_t used = strlen(sql), length = strlen(text);
    AQ_ASSERT(used + length < AQ_SQL_MAX);
    memcpy(sql + used, text, length + 1);
}

void aq_sql_columns(char sql[AQ_SQL_MAX], const struct aq_column *columns, uint32_t count, const char *before,
                    const char *after) {
    for (uint32_t i = 0; i < count; i++) {
        if (i) aq_sql_append(sql, ", ");
        aq_sql_append(sql, before);
        aq_sql_append(sql, columns[i].name);
        aq_sql_append(sql, after);
    }
}

static int bind_text(sqlite3_stmt *statement, int at, const char *text) {
    return sqlite3_bind_text(statement, at, text ? text : "", -1, SQLITE_STATIC);
}

static int bind_hash(sqlite3_stmt *statement, int at, uint64_t hash) {
    char digits[17];
    snprintf(digits, sizeof digits, "%016" PRIx64, hash);
    return sqlite3_bind_text(statement, at, digits, 16, SQLITE_TRANSIENT);
}

static int bind_time(sqlite3_stmt *statement, int at, aq_time_us time_us) {
    return time_us == AQ_TIME_NEVER ? sqlite3_bind_null(statement, at)
                                    : sqlite3_bind_int64(statement, at, (sqlite3_int64)time_us);
}

static int bind_field(sqlite3_stmt *statement, int at, enum aq_column_type type, const void *field) {
    switch (type) {
    case AQ_COLUMN_TEXT: return bind_text(statement, at, *(const char *const *)field);
    case AQ_COLUMN_U64: return sqlite3_bind_int64(statement, at, (sqlite3_int64) * (const uint64_t *)field);
    case AQ_COLUMN_I64: return sqlite3_bind_int64(statement, at, *(const int64_t *)field);
    case AQ_COLUMN_U32: return sqlite3_bind_int64(statement, at, *(const uint32_t *)field);
    case AQ_COLUMN_I32: return sqlite3_bind_int64(statement, at, *(const int32_t *)field);
    case AQ_COLUMN_U8: return sqlite3_bind_int64(statement, at, *(const uint8_t *)field);
    case AQ_COLUMN_BOOL: return sqlite3_bind_int64(statement, at, *(const bool *)field);
    case AQ_COLUMN_TIME: return bind_time(statement, at, *(const aq_time_us *)field);
    case AQ_COLUMN_HASH: return bind_hash(statement, at, *(const uint64_t *)field);
    case AQ_COLUMN_REAL:
        return sqlite3_bind_double(statement, at, *(const double *)field); /* NaN becomes NULL */
    case AQ_COLUMN_VERDICT: return bind_text(statement, at, aq_verdict_word(*(const enum aq_verdict *)field));
    }
    AQ_ASSERT(!"a column type");
    return SQLITE_MISUSE;
}

int aq_columns_bind(sqlite3_stmt *statement, int first, const struct aq_column *columns, uint32_t count,
                    const void *row) {
    for (uint32_t i = 0; i < count; i++) {
        int rc =
            bind_field(statement, first + (int)i, columns[i].type, (const char *)row + columns[i].offset);
        if (rc) return rc;
    }
    return SQLITE_OK;
}

static int read_text(sqlite3_stmt *statement, int at, struct aq_arena *arena, const char **out) {
    const void *bytes = sqlite3_column_text(statement, at);
    size_t length = (size_t)sqlite3_column_bytes(statement, at);
    if (!bytes && sqlite3_column_type(statement, at) != SQLITE_NULL) return AQ_ENOMEM;
    char *copy = aq_arena_alloc(arena, length + 1);
    if (!copy) return AQ_ENOMEM;
    if (length) memcpy(copy, bytes, length);
    copy[length] = 0;
    *out = copy;
    return 0;
}

static int read_hash(sqlite3_stmt *statement, int at, uint64_t *out) {
    const char *digits = (const char *)sqlite3_column_text(statement, at);
    uint64_t value = 0;
    if (!digits || strlen(digits) != 16) return AQ_EPARSE;
    for (int i = 0; i < 16; i++) {
        static const char alphabet[] = "0123456789abcdef";
        const char *digit = strchr(alphabet, digits[i]);
        if (!digit) return AQ_EPARSE;
        value = value << 4 | (uint64_t)(digit - alphabet);
    }
    *out = value;
    return 0;
}

static int read_verdict(sqlite3_stmt *statement, int at, enum aq_verdict *out) {
    static const enum aq_verdict all[] = {AQ_VERDICT_PASS, AQ_VERDICT_FAIL, AQ_VERDICT_UNKNOWN};
    const char *word = (const char *)sqlite3_column_text(statement, at);
    for (size_t i = 0; word && i < COUNT_OF(all); i++)
        if (strcmp(word, aq_verdict_word(all[i])) == 0) {
            *out = all[i];
            return 0;
        }
    return AQ_EPARSE;
}

/* A whole number between the bounds. Errors: AQ_EPARSE. */
static int read_integer(sqlite3_stmt *statement, int at, int64_t min, int64_t max, int64_t *out) {
    int64_t value = sqlite3_column_int64(statement, at);
    if (sqlite3_column_type(statement, at) != SQLITE_INTEGER || value < min || value > max) return AQ_EPARSE;
    *out = value;
    return 0;
}

static int read_field(sqlite3_stmt *statement, int at, enum aq_column_type type, void *field,
                      struct aq_arena *arena) {
    int64_t integer = 0;
    bool null = sqlite3_column_type(statement, at) == SQLITE_NULL;
    int rc = 0;
    switch (type) {
    case AQ_COLUMN_TEXT: return read_text(statement, at, arena, (const char **)field);
    case AQ_COLUMN_HASH: return read_hash(statement, at, (uint64_t *)field);
    case AQ_COLUMN_VERDICT: return read_verdict(statement, at, (enum aq_verdict *)field);
    case AQ_COLUMN_REAL:
        *(double *)field = null ? (double)NAN : sqlite3_column_double(statement, at);
        return 0;
    case AQ_COLUMN_TIME:
        if (!null) rc = read_integer(statement, at, INT64_MIN, INT64_MAX, &integer);
        if (!rc) *(aq_time_us *)field = null ? AQ_TIME_NEVER : (aq_time_us)integer;
        return rc;
    case AQ_COLUMN_U64:
    case AQ_COLUMN_I64:
        rc = read_integer(statement, at, INT64_MIN, INT64_MAX, &integer);
        if (!rc) *(uint64_t *)field = (uint64_t)integer;
        return rc;
    case AQ_COLUMN_U32:
        rc = read_integer(statement, at, 0, UINT32_MAX, &integer);
        if (!rc) *(uint32_t *)field = (uint32_t)integer;
        return rc;
    case AQ_COLUMN_I32:
        rc = read_integer(statement, at, INT32_MIN, INT32_MAX, &integer);
        if (!rc) *(int32_t *)field = (int32_t)integer;
        return rc;
    case AQ_COLUMN_U8:
        rc = read_integer(statement, at, 0, UINT8_MAX, &integer);
        if (!rc) *(uint8_t *)field = (uint8_t)integer;
        return rc;
    case AQ_COLUMN_BOOL:
        rc = read_integer(statement, at, 0, 1, &integer);
        if (!rc) *(bool *)field = integer != 0;
        return rc;
    }
    AQ_ASSERT(!"a column type");
    return AQ_EPARSE;
}

int aq_columns_read(sqlite3_stmt *statement, int first, const struct aq_column *columns, uint32_t count,
                    void *row, struct aq_arena *arena) {
    for (uint32_t i = 0; i < count; i++) {
        int rc =
            read_field(statement, first + (int)i, columns[i].type, (char *)row + columns[i].offset, arena);
        if (rc) return rc;
    }
    return 0;
}
