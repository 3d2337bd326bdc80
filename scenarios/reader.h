/* Where the loader is in a file, and how it says what is wrong there. */
#ifndef AQ_SCENARIOS_READER_H
#define AQ_SCENARIOS_READER_H

#include <stdint.h>

#include "base/error.h"
#include "scenarios/tree.h"
#include "scenarios/keys.h"

/* keys are short and nest a few levels; a longer path is cut in messages only */
#define AQ_READER_PATH_MAX 256

struct aq_scenario;

/* A setting of the command line that is part of the tree. */
struct aq_reader_setting {
    const char *text;              /* borrowed: "clients.count=2000" */
    char path[AQ_READER_PATH_MAX]; /* "faults[0].at" */
};

struct aq_reader {
    const char *name; /* of the file, in messages */
    const struct aq_reader_setting *settings;
    uint32_t setting_count;
    struct aq_scenario *scenario;  /* being read: it owns the tables of its values */
    char path[AQ_READER_PATH_MAX]; /* JSON path of the value being read; empty at the top */
    struct aq_error *error;
};

/* Goes down to a member or an item; the length returned is for aq_reader_leave. */
size_t aq_reader_enter(struct aq_reader *reader, const char *key);
size_t aq_reader_enter_item(struct aq_reader *reader, int index);
void aq_reader_leave(struct aq_reader *reader, size_t length);

/* Fills the error with "place: path: message" and returns code. The place is the setting of the command line
   that the value comes from, otherwise the file. */
int aq_reader_fail(struct aq_reader *reader, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* "found X, allowed is ..."; AQ_EINVALID. */
int aq_reader_wrong(struct aq_reader *reader, const cJSON *found, const char *allowed, ...)
    __attribute__((format(printf, 3, 4)));

/* "unknown <what> "found"; did you mean ...? (allowed: ...)"; AQ_EINVALID. */
int aq_reader_unknown(struct aq_reader *reader, const char *what, const char *found, const char *const *known,
                      size_t count);

/* Out of memory. */
int aq_reader_nomem(struct aq_reader *reader);

/* Checks the members of json against the keys of the object and fills the struct at base, defaults included.
   json may be NULL: all keys have their defaults then. *given, if wanted, has bit i set where the object's
   i-th key is in the file. */
int aq_reader_object(struct aq_reader *reader, const cJSON *json, const struct aq_object *object, void *base,
                     uint64_t *given);

/* Fills one field from its JSON. */
int aq_reader_value(struct aq_reader *reader, const struct aq_key *key, const cJSON *json, void *base);

/* The readers by type: the field, or fields, of *base that the key stands for. */
#define X(name, reader)                                                                                      \
    int aq_read_##reader(struct aq_reader *, const struct aq_key *, const cJSON *, char *base);
AQ_KEY_TYPES(X)
#undef X

/* Reads an object of exactly one member, as {"exp": "20ms"}: *index says which of the words its key
   is, *value what it has. */
int aq_reader_choice(struct aq_reader *reader, const cJSON *json, const char *what, const char *const *words,
                     size_t count, size_t *index, const cJSON **value);

/* Reads a list of different words as bits. */
int aq_read_word_bits(struct aq_reader *reader, const struct aq_words *words, const cJSON *json,
                      uint32_t *out);

/* Makes a zeroed list with one item for each of a JSON array, so that a half-filled one can be freed; `what`
   says what the items are. An empty array leaves *items and *count alone. */
int aq_reader_list(struct aq_reader *reader, const struct aq_key *key, const cJSON *json, const char *what,
                   size_t item_bytes, void *items_pointer, uint32_t *count);

/* A zeroed table of count items that belongs to the scenario being read; NULL when out of memory. */
void *aq_reader_table(struct aq_reader *reader, size_t count, size_t item_bytes);

/* Checks what no single key can show; called once everything is read. */
int aq_scenario_check(struct aq_reader *reader, const struct aq_scenario *scenario);

#endif
