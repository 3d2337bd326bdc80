#include "sim/what_if.h"

#include <math.h>
#include <string.h>

#include "base/assert.h"

/* ---- variants ---- */

/* The end of the value that begins here: a comma that belongs to none, or the end of the text. */
static const char *end_of_value(const char *at) {
    int depth = 0;
    bool quoted = false;
    for (; *at; at++) {
        if (*at == '"' && at[-1] != '\\') quoted = !quoted;
        if (quoted) continue;
        if (*at == '[' || *at == '{') depth++;
        if (*at == ']' || *at == '}') depth--;
        if (*at == ',' && depth <= 0) break;
    }
    return at;
}

static const char *join(struct aq_arena *memory, const char *path, size_t path_length, const char *value,
                        size_t length) {
    char *text = aq_arena_alloc(memory, path_length + length + 1);
    if (!text) return NULL;
    memcpy(text, path, path_length);
    memcpy(text + path_length, value, length);
    text[path_length + length] = '\0';
    return text;
}

int aq_what_if_parse(const char *text, struct aq_arena *memory, struct aq_what_if_vary *out,
                     struct aq_error *error) {
    const char *equals = strchr(text, '=');
    uint32_t count = 0;
    struct aq_what_if_vary parsed;
    if (!equals || equals == text)
        return aq_error_set(error, AQ_EPARSE, "--vary: found \"%s\", allowed is PATH=VALUE,VALUE,...", text);
    size_t path_length = (size_t)(equals - text) + 1;
    for (const char *at = equals + 1;; at++) {
        const char *end = end_of_value(at);
        if (count == AQ_WHAT_IF_VARIANTS_MAX)
            return aq_error_set(error, AQ_ELIMIT, "--vary: \"%.40s...\" has more than %d values", text,
                                AQ_WHAT_IF_VARIANTS_MAX);
        parsed.settings[count] = join(memory, text, path_length, at, (size_t)(end - at));
        if (!parsed.settings[count++]) return aq_error_set(error, AQ_ENOMEM, "out of memory");
        at = end;
        if (!*at) break;
    }
    if (count < 2)
        return aq_error_set(error, AQ_EPARSE,
                            "--vary: \"%s\" has one value only, and nothing to compare it with", text);
    parsed.count = count;
    *out = parsed;
    return 0;
}

uint32_t aq_what_if_variants(const struct aq_what_if_vary *vary, uint32_t vary_count) {
    uint64_t product = 1;
    for (uint32_t i = 0; i < vary_count && product <= AQ_WHAT_IF_VARIANTS_MAX; i++)
        product *= vary[i].count;
    return product > AQ_WHAT_IF_VARIANTS_MAX ? UINT32_MAX : (uint32_t)product;
}

void aq_what_if_settings(const struct aq_what_if_vary *vary, uint32_t vary_count, uint32_t variant,
                         const char *settings[AQ_WHAT_IF_VARY_MAX]) {
    AQ_ASSERT(vary_count <= AQ_WHAT_IF_VARY_MAX);
    for (uint32_t i = vary_count; i-- > 0;) {
        settings[i] = vary[i].settings[variant % vary[i].count];
        variant /= vary[i].count;
    }
}

/* ---- differences ---- */

void aq_what_if_compare(const struct aq_measured *base, const struct aq_measured *other, uint32_t seeds,
                        const char *figure, struct aq_what_if_difference *out) {
    static double values[AQ_WHAT_IF_SEEDS_MAX], differences[AQ_WHAT_IF_SEEDS_MAX];
    uint32_t pairs = 0;
    AQ_ASSERT(seeds <= AQ_WHAT_IF_SEEDS_MAX);
    for (uint32_t i = 0; i < seeds; i++) {
        double one, two;
        if (!aq_measured_get(&base[i], figure, &one) || !aq_measured_get(&other[i], figure, &two)) continue;
        if (isnan(one) || isnan(two)) continue;
        values[pairs] = two;
        differences[pairs++] = two - one;
    }
    *out = (struct aq_what_if_difference){.value = aq_statistics_mean(values, pairs),
                                          .difference = aq_statistics_mean(differences, pairs),
                                          .pairs = pairs};
    out->differs = pairs > 1 && fabs(out->difference.mean) > out->difference.half;
}
