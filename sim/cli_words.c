#include "sim/cli_words.h"

#include <string.h>

void aq_cli_line_begin(struct aq_cli_line *line, struct aq_arena *memory, const char *program) {
    *line = (struct aq_cli_line){memory, program};
}

/* Puts the word at `at`, in single quotes where a shell would read it otherwise; returns its end. */
static char *put_word(char *at, const char *word) {
    static const char plain[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-/=:,+@%";
    bool quoted = !word[0] || word[strspn(word, plain)];
    if (quoted) *at++ = '\'';
    for (; *word; word++) {
        if (*word == '\'') {
            memcpy(at, "'\\''", 4);
            at += 4;
        } else {
            *at++ = *word;
        }
    }
    if (quoted) *at++ = '\'';
    return at;
}

void aq_cli_line_word(struct aq_cli_line *line, const char *word) {
    if (!line->text) return;
    size_t used = strlen(line->text);
    char *text = aq_arena_alloc(line->memory, used + 4 * strlen(word) + 4);
    if (text) {
        memcpy(text, line->text, used);
        text[used] = ' ';
        *put_word(text + used + 1, word) = '\0';
    }
    line->text = text;
}

void aq_cli_line_option(struct aq_cli_line *line, const char *option, const char *value) {
    if (!value) return;
    aq_cli_line_word(line, option);
    aq_cli_line_word(line, value);
}
