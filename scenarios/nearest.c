#include "scenarios/nearest.h"

#include <ctype.h>
#include <stdbool.h>
#include <string.h>

#define CHARS_MAX 63 /* keys and names are shorter; bounds the work for hostile ones */

static size_t least(size_t a, size_t b, size_t c) {
    size_t d = a < b ? a : b;
    return d < c ? d : c;
}

static bool same(char a, char b) {
    return tolower((unsigned char)a) == tolower((unsigned char)b);
}

size_t aq_word_distance(const char *a, const char *b) {
    size_t rows[3][CHARS_MAX + 1];
    size_t n = strnlen(a, CHARS_MAX), m = strnlen(b, CHARS_MAX);
    for (size_t k = 0; k <= m; k++)
        rows[0][k] = k;
    for (size_t i = 1; i <= n; i++) {
        size_t *row = rows[i % 3];
        const size_t *above = rows[(i + 2) % 3], *two_above = rows[(i + 1) % 3];
        row[0] = i;
        for (size_t k = 1; k <= m; k++) {
            row[k] = least(row[k - 1] + 1, above[k] + 1, above[k - 1] + !same(a[i - 1], b[k - 1]));
            bool swapped = i > 1 && k > 1 && same(a[i - 1], b[k - 2]) && same(a[i - 2], b[k - 1]);
            if (swapped && two_above[k - 2] + 1 < row[k]) row[k] = two_above[k - 2] + 1;
        }
    }
    return rows[n % 3][m];
}

const char *aq_word_nearest(const char *word, const char *const *words, size_t count) {
    const char *best = NULL;
    size_t best_distance = 0, length = strlen(word);
    if (length == 0 || length > CHARS_MAX) return NULL;
    for (size_t i = 0; i < count; i++) {
        size_t distance = aq_word_distance(word, words[i]);
        size_t known = strlen(words[i]);
        /* The start of a longer word ("prob" for "probability") is near as well, after every real
         * misspelling. */
        bool start = length >= 3 && known > length && strncmp(word, words[i], length) == 0;
        size_t near = 1 + (length < known ? length : known) / 3;
        if (start && distance > near) distance = near;
        if (distance > near || distance >= known) continue;
        if (!best || distance < best_distance) {
            best = words[i];
            best_distance = distance;
        }
    }
    return best;
}
