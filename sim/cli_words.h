/* Command lines for people to copy: words, quoted for a shell where they must be. */
#ifndef AQ_SIM_CLI_WORDS_H
#define AQ_SIM_CLI_WORDS_H

#include "base/arena.h"

/* A line that grows in an arena; text NULL: there was no memory left. */
struct aq_cli_line {
    struct aq_arena *memory;
    const char *text;
};

void aq_cli_line_begin(struct aq_cli_line *line, struct aq_arena *memory, const char *program);
void aq_cli_line_word(struct aq_cli_line *line, const char *word);
/* Nothing where the value is NULL. */
void aq_cli_line_option(struct aq_cli_line *line, const char *option, const char *value);

#endif
