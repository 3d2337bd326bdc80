/* JSON as scenarios need it: strict syntax, the line of an error, and running out of memory
   told apart from bad input. */
#ifndef AQ_SCENARIOS_TREE_H
#define AQ_SCENARIOS_TREE_H

#include <stdbool.h>
#include <stddef.h>

#include <cjson/cJSON.h>

/* cJSON's hooks for memory are one for the process and belong to protocol/json.c; this folder never sets
   them, and frees what cJSON has made through cJSON alone. */

/* Forgets earlier failures of aq_tree_add and aq_tree_append in this thread. */
void aq_tree_begin(void);

/* Has one of them failed since, or been given something that was NULL? */
bool aq_tree_out_of_memory(void);

/* What is wrong with a text: the line, counted from 1, and a few words. */
struct aq_tree_fault {
    size_t line;
    char what[160];
};

/* A new tree for cJSON_Delete. Stricter than cJSON: numbers, white space, control characters and UTF-8 are as
   RFC 8259 has them. Errors: AQ_EPARSE (*fault filled), AQ_ENOMEM; *out untouched. */
int aq_tree_parse(const char *text, size_t length, cJSON **out, struct aq_tree_fault *fault);

/* The tree as text, indented, for aq_free (a copy of what cJSON makes); NULL when out of memory. */
char *aq_tree_print(const cJSON *json);

/* The same without white space. */
char *aq_tree_print_bare(const cJSON *json);

/* Adds item, which is taken in any case, under key. NULL items are passed over: the failure shows in
   aq_tree_out_of_memory. Returns item, or NULL. */
cJSON *aq_tree_add(cJSON *object, const char *key, cJSON *item);

/* The same at the end of an array. */
cJSON *aq_tree_append(cJSON *array, cJSON *item);

/* The member called key, by exact case, or NULL. */
cJSON *aq_tree_member(const cJSON *object, const char *key);

/* Writes what a person should see of a text that may hold anything: quoted, on one line, cut
   where long. Returns out. */
const char *aq_tree_quote(char *out, size_t size, const char *text);

/* Writes what was found: a number, a quoted text, "an object"... Returns out. */
const char *aq_tree_describe(char *out, size_t size, const cJSON *json);

#endif
