#include "sim/objective.h"

#include <ctype.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/assert.h"

enum unit { UNIT_SPAN, UNIT_RATE, UNIT_RATIO, UNIT_ANY };

static const struct {
    const char *word, *figure;
    enum unit unit;
} plain[] = {
    {"throughput", "run.steady_throughput_per_s", UNIT_RATE},
    {"ready_growth", "run.steady_ready_growth_per_s", UNIT_RATE},
    {"empty_get_ratio", "run.steady_empty_get_ratio", UNIT_RATIO},
    {"hidden_work_ratio", "run.steady_hidden_work_ratio", UNIT_RATIO},
    {"failed_call_ratio", "run.steady_failed_call_ratio", UNIT_RATIO},
    {"utilization", "run.steady_utilization", UNIT_RATIO},
    {"utilization_max", "run.steady_utilization_max", UNIT_RATIO},
    {"fairness", "run.steady_fairness", UNIT_RATIO},
    {"executed_again", "jobs.executed_again", UNIT_ANY},
};
static const char *const quantities[] = {"p50", "p90", "p95", "p99", "p999", "mean", "max"};
static const char *const spans[] = {"put", "get", "done", "wait", "put_to_done", "get_to_done"};

#define COUNT(list) (sizeof(list) / sizeof *(list))
#define PLAIN_WORDS                                                                                          \
    "throughput, ready_growth, empty_get_ratio, hidden_work_ratio, failed_call_ratio, utilization, "         \
    "utilization_max, fairness, executed_again"

/* A place in the text that is read. */
struct cursor {
    const char *origin, *begin, *at;
    struct aq_error *error;
};

static void skip_blanks(struct cursor *c) {
    while (isspace((unsigned char)*c->at))
        c->at++;
}

static int refuse(const struct cursor *c, const char *at, size_t length, const char *allowed) {
    return aq_error_set(c->error, AQ_EPARSE, "%s: column %zu: found \"%.*s\", allowed is %s", c->origin,
                        (size_t)(at - c->begin) + 1, (int)(length < 40 ? length : 40), at, allowed);
}

static size_t word_length(const char *at) {
    size_t length = 0;
    while (isalnum((unsigned char)at[length]) || (at[length] && strchr("_.-", at[length])))
        length++;
    return length;
}

static bool is_word(const char *at, size_t length, const char *word) {
    return strlen(word) == length && strncmp(at, word, length) == 0;
}

static bool is_listed(const char *at, size_t length, const char *const *words, size_t count) {
    for (size_t i = 0; i < count; i++)
        if (is_word(at, length, words[i])) return true;
    return false;
}

/* "p99(get)", of which the word in front of the parenthesis has been read. */
static int read_span(struct cursor *c, const char *quantity, size_t length, char *figure) {
    if (!is_listed(quantity, length, quantities, COUNT(quantities)))
        return refuse(c, quantity, length, "p50, p90, p95, p99, p999, mean or max in front of \"(\"");
    c->at++;
    skip_blanks(c);
    const char *span = c->at;
    size_t span_length = word_length(span);
    if (!is_listed(span, span_length, spans, COUNT(spans)))
        return refuse(c, span, span_length ? span_length : 1,
                      "put, get, done, wait, put_to_done or get_to_done");
    c->at += span_length;
    skip_blanks(c);
    if (*c->at != ')') return refuse(c, c->at, 1, "\")\"");
    c->at++;
    snprintf(figure, AQ_MEASURE_CHARS_MAX, "run.steady_%.*s_%.*s_s", (int)span_length, span, (int)length,
             quantity);
    return 0;
}

static int read_measure(struct cursor *c, char *figure, enum unit *unit) {
    skip_blanks(c);
    const char *word = c->at;
    size_t length = word_length(word);
    c->at += length;
    skip_blanks(c);
    *unit = UNIT_SPAN;
    if (length && *c->at == '(') return read_span(c, word, length, figure);
    for (size_t i = 0; i < COUNT(plain); i++)
        if (is_word(word, length, plain[i].word)) {
            snprintf(figure, AQ_MEASURE_CHARS_MAX, "%s", plain[i].figure);
            *unit = plain[i].unit;
            return 0;
        }
    *unit = UNIT_ANY;
    if (!memchr(word, '.', length) || length >= AQ_MEASURE_CHARS_MAX)
        return refuse(c, word,
                      length         ? length
                      : strlen(word) ? 1
                                     : 0,
                      "a measure such as p99(get), " PLAIN_WORDS
                      ", or a figure of the report with a dot in its name");
    snprintf(figure, AQ_MEASURE_CHARS_MAX, "%.*s", (int)length, word);
    return 0;
}

static int read_comparison(struct cursor *c, struct aq_objective_term *term) {
    skip_blanks(c);
    if (*c->at != '<' && *c->at != '>') return refuse(c, c->at, *c->at ? 1 : 0, "<, <=, > or >=");
    term->at_least = *c->at++ == '>';
    term->or_equal = *c->at == '=';
    c->at += term->or_equal;
    return 0;
}

static const struct {
    const char *word;
    enum unit unit;
    double factor;
} units[] = {{"us", UNIT_SPAN, 1e-6},     {"ms", UNIT_SPAN, 1e-3},       {"s", UNIT_SPAN, 1},
             {"m", UNIT_SPAN, 60},        {"h", UNIT_SPAN, 3600},        {"/s", UNIT_RATE, 1},
             {"/m", UNIT_RATE, 1.0 / 60}, {"/h", UNIT_RATE, 1.0 / 3600}, {"%", UNIT_RATIO, 0.01}};

static int read_bound(struct cursor *c, enum unit unit, struct aq_objective_term *term) {
    static const char *const allowed[] = {"a span such as 250ms or 1.5s", "a rate such as 500/s",
                                          "a ratio such as 0.2 or 20%", "a number"};
    char *end;
    skip_blanks(c);
    const char *number = c->at;
    bool digits = isdigit((unsigned char)*number) || (strchr("+-.", *number) && *number);
    term->bound = digits ? strtod(number, &end) : 0;
    if (!digits || end == number || !isfinite(term->bound))
        return refuse(c, number, strcspn(number, ", "), allowed[unit]);
    c->at = end;
    size_t length = strcspn(end, " \t\n,");
    if (length == 0) {
        if (unit == UNIT_RATIO || unit == UNIT_ANY || term->bound == 0) return 0;
        return refuse(c, number, (size_t)(end - number), allowed[unit]);
    }
    for (size_t i = 0; i < COUNT(units); i++)
        if (is_word(end, length, units[i].word) && (units[i].unit == unit || unit == UNIT_ANY)) {
            term->bound *= units[i].factor;
            c->at += length;
            return 0;
        }
    return refuse(c, number, (size_t)(end - number) + length, allowed[unit]);
}

/* Copies without the blanks around it. */
static void copy_trimmed(char *out, size_t size, const char *from, const char *to) {
    while (from < to && isspace((unsigned char)*from))
        from++;
    while (to > from && isspace((unsigned char)to[-1]))
        to--;
    snprintf(out, size, "%.*s", (int)(to - from), from);
}

static int read_term(struct cursor *c, struct aq_objective_term *term) {
    const char *begin = c->at;
    enum unit unit;
    int rc = read_measure(c, term->figure, &unit);
    copy_trimmed(term->measure, sizeof term->measure, begin, c->at);
    if (!rc) rc = read_comparison(c, term);
    if (!rc) rc = read_bound(c, unit, term);
    copy_trimmed(term->text, sizeof term->text, begin, c->at);
    return rc;
}

static bool is_there(const struct aq_objective *parsed, const char *term) {
    for (uint32_t i = 0; i + 1 < parsed->count; i++)
        if (strcmp(parsed->terms[i].text, term) == 0) return true;
    return false;
}

int aq_objective_parse(const char *text, const char *origin, struct aq_objective *out,
                       struct aq_error *error) {
    struct cursor cursor = {origin, text, text, error};
    struct aq_objective parsed = {.count = 0};
    for (;;) {
        if (parsed.count == AQ_OBJECTIVE_TERMS_MAX)
            return refuse(&cursor, cursor.at, strlen(cursor.at), "no more than 16 terms");
        skip_blanks(&cursor);
        const char *begin = cursor.at;
        int rc = read_term(&cursor, &parsed.terms[parsed.count++]);
        if (rc) return rc;
        const char *term = parsed.terms[parsed.count - 1].text;
        if (is_there(&parsed, term)) return refuse(&cursor, begin, strlen(term), "each term once");
        skip_blanks(&cursor);
        if (!*cursor.at) break;
        if (*cursor.at != ',') return refuse(&cursor, cursor.at, 1, "\",\" or the end");
        cursor.at++;
    }
    *out = parsed;
    return 0;
}

int aq_objective_figure(const char *measure, const char *origin, char figure[AQ_MEASURE_CHARS_MAX],
                        struct aq_error *error) {
    struct cursor cursor = {origin, measure, measure, error};
    char found[AQ_MEASURE_CHARS_MAX];
    enum unit unit;
    int rc = read_measure(&cursor, found, &unit);
    skip_blanks(&cursor);
    if (!rc && *cursor.at) rc = refuse(&cursor, cursor.at, strlen(cursor.at), "the end");
    if (!rc) memcpy(figure, found, sizeof found);
    return rc;
}

const char *aq_held_word(enum aq_held held) {
    static const char *const words[] = {"fails", "holds", "open"};
    AQ_ASSERT((unsigned)held < COUNT(words));
    return words[held];
}

static bool is_good(const struct aq_objective_term *term, double value) {
    if (value == term->bound) return term->or_equal;
    return term->at_least ? value > term->bound : value < term->bound;
}

enum aq_held aq_objective_judge(const struct aq_objective_term *term, double low, double high) {
    if (isnan(low) || isnan(high)) return AQ_HELD_NO;
    bool low_good = is_good(term, low), high_good = is_good(term, high);
    if (low_good != high_good) return AQ_HELD_OPEN;
    return low_good ? AQ_HELD_YES : AQ_HELD_NO;
}
