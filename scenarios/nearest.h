/* The nearest known word to a misspelt one. */
#ifndef AQ_SCENARIOS_NEAREST_H
#define AQ_SCENARIOS_NEAREST_H

#include <stddef.h>

/* Edits (a character put in, left out, changed, or two neighbours swapped) that turn one word into the other;
   capital and small letters count as equal. Words are looked at up to 63 characters. */
size_t aq_word_distance(const char *a, const char *b);

/* The word of the list that was most likely meant (the first of several equally near ones), or
   NULL where none is near. */
const char *aq_word_nearest(const char *word, const char *const *words, size_t count);

#endif
