/* The frame of the HTML pages. Everything is inside: styles, scripts, data. The policy in the head forbids
   the browser to load anything, and to run any script or style but those whose hashes it names. */
#include "reports/print_html.h"

#include <sha2.h>
#include <string.h>

#include "reports/html_write.h"
#include "reports/page_files.h"

struct embedded {
    const char *text;
    const uint64_t *bytes;
};

static const struct embedded scripts[] = {{aq_embedded_chart_js, &aq_embedded_chart_js_bytes},
                                          {aq_embedded_charts_js, &aq_embedded_charts_js_bytes},
                                          {aq_embedded_page_js, &aq_embedded_page_js_bytes}};
static const struct embedded style = {aq_embedded_page_css, &aq_embedded_page_css_bytes};

/* The hash of a file in the form that the policy wants. */
static void put_hash(FILE *stream, const struct embedded *file) {
    static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    uint8_t hash[SHA256_DIGEST_LENGTH + 1] = {0}; /* one more: 33 is a multiple of 3 */
    SHA2_CTX context;
    SHA256Init(&context);
    SHA256Update(&context, (const uint8_t *)file->text, *file->bytes);
    SHA256Final(hash, &context);
    fputs(" 'sha256-", stream);
    for (size_t i = 0; i < sizeof hash; i += 3) {
        uint32_t bits = (uint32_t)hash[i] << 16 | (uint32_t)hash[i + 1] << 8 | hash[i + 2];
        for (int shift = 18; shift >= 0; shift -= 6) {
            bool padding = i + 3 == sizeof hash && shift == 0;
            putc(padding ? '=' : digits[bits >> shift & 63], stream);
        }
    }
    putc('\'', stream);
}

static void put_policy(FILE *stream) {
    fputs("<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; script-src", stream);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++)
        put_hash(stream, &scripts[i]);
    fputs("; style-src", stream);
    put_hash(stream, &style);
    fputs("; base-uri 'none'; form-action 'none'\">\n", stream);
}

void aq_html_page_open(FILE *stream, const char *title) {
    fputs("<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n", stream);
    put_policy(stream);
    fputs("<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
          "<meta name=\"color-scheme\" content=\"light dark\">\n<title>",
          stream);
    aq_html_text(stream, title);
    fputs("</title>\n<style>", stream);
    fwrite(style.text, 1, *style.bytes, stream);
    fputs("</style>\n</head>\n<body>\n<main>\n", stream);
}

void aq_html_page_close(FILE *stream) {
    fputs("</main>\n", stream);
    for (size_t i = 0; i < sizeof scripts / sizeof *scripts; i++) {
        fputs("<script>", stream);
        fwrite(scripts[i].text, 1, *scripts[i].bytes, stream);
        fputs("</script>\n", stream);
    }
    fputs("</body>\n</html>\n", stream);
}

static int flushed(FILE *stream, int rc) {
    return rc ? rc : fflush(stream) || ferror(stream) ? AQ_EIO : 0;
}

int aq_print_html(FILE *stream, int64_t run, const struct aq_record *record) {
    char title[256];
    snprintf(title, sizeof title, "%s %.120s - allqsim", aq_verdict_word(record->verdict),
             record->scenario ? record->scenario : "");
    aq_html_page_open(stream, title);
    int rc = aq_html_run(stream, run, record);
    aq_html_page_close(stream);
    return flushed(stream, rc);
}

int aq_print_html_exploration(FILE *stream, const struct aq_stored_exploration *stored) {
    char title[256];
    snprintf(title, sizeof title, "%s %.120s, explored - allqsim",
             aq_exploration_verdict(&stored->exploration), stored->exploration.scenario);
    aq_html_page_open(stream, title);
    int rc = aq_html_exploration(stream, stored);
    aq_html_page_close(stream);
    return flushed(stream, rc);
}

int aq_print_html_plan(FILE *stream, const struct aq_stored_plan *stored) {
    char title[256];
    snprintf(title, sizeof title, "plan of %.120s - allqsim", stored->plan.scenario);
    aq_html_page_open(stream, title);
    int rc = aq_html_plan(stream, stored);
    aq_html_page_close(stream);
    return flushed(stream, rc);
}
