#include "tests/fakeserver_model/observed.h"

#include <stdlib.h>
#include <string.h>

#include "tests/fakeserver_model/operation.h"

#define SLACK_NUMBER 0
#define SLACK_TIME   0
#define SLACK_JOB    0
#define SLACK_STATE  0
#define SLACK_ACTION 0
#define SLACK_TUBE   0
#define SLACK_CAUSE  0
#define SLACK_MEAN   1

bool line_equal(const struct line *a, const struct line *b) {
    if (strcmp(a->word, b->word) != 0) return false;
#define X(field, how)                                                                                        \
    if (a->field != b->field && llabs(a->field - b->field) > SLACK_##how) return false;
    OBSERVED_FIELDS(X)
#undef X
    return true;
}

static void print_NUMBER(FILE *out, const char *name, int64_t value) {
    fprintf(out, " %s %lld", name, (long long)value);
}

#define print_MEAN print_NUMBER

static void print_TIME(FILE *out, const char *name, int64_t value) {
    fprintf(out, " %s %.6f", name, (double)value / 1e6);
}

static void print_JOB(FILE *out, const char *name, int64_t value) {
    fprintf(out, " %s j%lld", name, (long long)value);
}

static void print_STATE(FILE *out, const char *name, int64_t value) {
    static const char *const words[] = {"ready", "delayed", "reserved", "buried", "parent"};
    if (value >= 0 && value < AQ_JOB_STATE_COUNT)
        fprintf(out, " %s %s", name, words[value]);
    else
        print_NUMBER(out, name, value);
}

static void print_ACTION(FILE *out, const char *name, int64_t value) {
    fprintf(out, " %s %s", name, value < AQ_ACTION_COUNT ? aq_action_word((enum aq_action)value) : "none");
}

static void print_CAUSE(FILE *out, const char *name, int64_t value) {
    fprintf(out, " %s %s", name, aq_tap_word((enum aq_tap_kind)value));
}

static void print_TUBE(FILE *out, const char *name, int64_t value) {
    if (value >= 0 && value < TUBES) fprintf(out, " %s %s", name, tube_names[value]);
    if (value >= TUBES) fprintf(out, " %s of an unknown name", name);
}

void line_print(FILE *out, const struct line *line) {
    fprintf(out, "%s", line->word);
#define X(field, how)                                                                                        \
    if (line->field) print_##how(out, #field, line->field);
    OBSERVED_FIELDS(X)
#undef X
}
