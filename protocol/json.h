/* Reading of JSON messages with cJSON, in an arena, with errors that name the field. Private to protocol/. */
#ifndef AQ_PROTOCOL_JSON_H
#define AQ_PROTOCOL_JSON_H

#include <cjson/cJSON.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/arena.h"
#include "base/error.h"

/* Where a field stands, for messages: "params." and "ttl". Both are literals or lie in the tree. */
struct aq_json_place {
    const char *within; /* ends in a dot, or is empty */
    const char *field;
};

/* Parses a whole message; the tree and its texts lie in arena and are never freed one by one. Errors:
   AQ_EPARSE (not JSON, not UTF-8, a NUL character, something behind the end), AQ_ENOMEM. */
int aq_json_parse(const char *bytes, size_t len, struct aq_arena *arena, const cJSON **out,
                  struct aq_error *error);

/* Errors: AQ_EPARSE where the bytes are not UTF-8 or hold a NUL. */
int aq_json_check_text(const char *bytes, size_t len, struct aq_error *error);

/* Gives back what was allocated since *mark, a copy of *arena, was taken. */
void aq_json_rewind(struct aq_arena *arena, const struct aq_arena *mark);

/* The member called key, or NULL; of equal names the last, as in AllQueue's own parser. */
const cJSON *aq_json_member(const cJSON *object, const char *key);

/* A text as error messages show it: in quotes, on one line, cut between characters where it is long. */
#define AQ_JSON_SHOWN_MAX 64
void aq_json_show(const char *text, char *out, size_t size);

/* Fills *error with "within.field: found ..., allowed is ..." and returns AQ_EPARSE. */
int aq_json_wrong(const cJSON *item, struct aq_json_place place, const char *allowed, struct aq_error *error);
int aq_json_missing(struct aq_json_place place, const char *needed_by, struct aq_error *error);

/* Each reads one value. A text may come as a number or a truth value, a number as a text: AllQueue turns
   every value into a text. Errors: AQ_EPARSE, AQ_ENOMEM; *out is untouched then. */
int aq_json_text(const cJSON *item, struct aq_json_place place, struct aq_arena *arena, struct aq_text *out,
                 struct aq_error *error);
int aq_json_whole(const cJSON *item, struct aq_json_place place, int64_t min, int64_t max, int64_t *out,
                  struct aq_error *error);
int aq_json_number(const cJSON *item, struct aq_json_place place, double *out, struct aq_error *error);
int aq_json_bool(const cJSON *item, struct aq_json_place place, bool *out, struct aq_error *error);

#endif
