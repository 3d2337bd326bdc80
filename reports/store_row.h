/* A statement whose parameters are bound one after the other, for one row after the other. The first failure
   stays in rc, and everything after it does nothing. */
#ifndef AQ_REPORTS_STORE_ROW_H
#define AQ_REPORTS_STORE_ROW_H

#include "reports/store_internal.h"

struct aq_store_row {
    struct aq_store *store;
    sqlite3_stmt *statement;
    int at; /* parameters bound */
    int rc; /* as aq_store_fail */
    struct aq_error *error;
};

void aq_row_open(struct aq_store_row *row, struct aq_store *store, const char *sql, struct aq_error *error);

void aq_row_integer(struct aq_store_row *row, uint64_t value);
/* NULL where it is not a number; infinity is a number to SQLite. */
void aq_row_real(struct aq_store_row *row, double value);
void aq_row_text(struct aq_store_row *row, const char *value); /* borrowed until aq_row_put; NULL: "" */
void aq_row_hash(struct aq_store_row *row, uint64_t value);    /* as 16 hex digits */
void aq_row_null(struct aq_store_row *row);

/* Carries the statement out; the next row begins anew. All parameters have to be bound. */
void aq_row_put(struct aq_store_row *row);

/* Returns rc. */
int aq_row_close(struct aq_store_row *row);

#endif
