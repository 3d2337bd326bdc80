#include "reports/store_row.h"

#include <inttypes.h>
#include <math.h>
#include <stdio.h>

#include "base/assert.h"

void aq_row_open(struct aq_store_row *row, struct aq_store *store, const char *sql, struct aq_error *error) {
    *row = (struct aq_store_row){.store = store, .error = error};
    row->rc = aq_store_prepare(store, sql, &row->statement, error);
}

void aq_row_integer(struct aq_store_row *row, uint64_t value) {
    if (!row->rc) sqlite3_bind_int64(row->statement, ++row->at, (sqlite3_int64)value);
}

void aq_row_real(struct aq_store_row *row, double value) {
    if (isnan(value))
        aq_row_null(row);
    else if (!row->rc)
        sqlite3_bind_double(row->statement, ++row->at, value);
}

void aq_row_text(struct aq_store_row *row, const char *value) {
    if (!row->rc) sqlite3_bind_text(row->statement, ++row->at, value ? value : "", -1, SQLITE_STATIC);
}

void aq_row_hash(struct aq_store_row *row, uint64_t value) {
    char digits[17];
    snprintf(digits, sizeof digits, "%016" PRIx64, value);
    if (!row->rc) sqlite3_bind_text(row->statement, ++row->at, digits, -1, SQLITE_TRANSIENT);
}

void aq_row_null(struct aq_store_row *row) {
    if (!row->rc) sqlite3_bind_null(row->statement, ++row->at);
}

void aq_row_put(struct aq_store_row *row) {
    if (!row->rc) AQ_ASSERT(row->at == sqlite3_bind_parameter_count(row->statement));
    if (!row->rc) row->rc = aq_store_run(row->store, row->statement, row->error);
    row->at = 0;
}

int aq_row_close(struct aq_store_row *row) {
    sqlite3_finalize(row->statement);
    return row->rc;
}
