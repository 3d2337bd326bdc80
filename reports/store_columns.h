/* How the columns of a table are told: each macro names a field of the row's struct, and the column (or, for
   what is only read, the expression) that it comes from. For the files that have such tables. */
#ifndef AQ_REPORTS_STORE_COLUMNS_H
#define AQ_REPORTS_STORE_COLUMNS_H

#include "reports/store_internal.h"

/* The offset of a field, and nothing that compiles where the field is not of the type. */
#define AT(row, field, type) (offsetof(row, field) + 0 * sizeof(_Generic(&((row *)0)->field, type * : 0)))

#define TEXT(row, field, name)                                                                               \
    { name, AQ_COLUMN_TEXT, AT(row, field, const char *) }
#define U64(row, field, name)                                                                                \
    { name, AQ_COLUMN_U64, AT(row, field, uint64_t) }
#define I64(row, field, name)                                                                                \
    { name, AQ_COLUMN_I64, AT(row, field, int64_t) }
#define U32(row, field, name)                                                                                \
    { name, AQ_COLUMN_U32, AT(row, field, uint32_t) }
#define I32(row, field, name)                                                                                \
    { name, AQ_COLUMN_I32, AT(row, field, int32_t) }
#define U8(row, field, name)                                                                                 \
    { name, AQ_COLUMN_U8, AT(row, field, uint8_t) }
#define BOOL(row, field, name)                                                                               \
    { name, AQ_COLUMN_BOOL, AT(row, field, bool) }
#define TIME(row, field, name)                                                                               \
    { name, AQ_COLUMN_TIME, AT(row, field, aq_time_us) }
#define HASH(row, field, name)                                                                               \
    { name, AQ_COLUMN_HASH, AT(row, field, uint64_t) }
#define REAL(row, field, name)                                                                               \
    { name, AQ_COLUMN_REAL, AT(row, field, double) }
#define VERDICT(row, field, name)                                                                            \
    { name, AQ_COLUMN_VERDICT, AT(row, field, enum aq_verdict) }

#endif
