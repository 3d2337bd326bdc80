/* What the pages share: facts, tiles, commands, texts of scenarios, frames of charts. */
#include <inttypes.h>
#include <string.h>

#include "base/units.h"
#include "reports/html_write.h"
#include "reports/print_html.h"

void aq_html_chart(FILE *stream, const char *kind, const char *title, const char *note) {
    fprintf(
        stream,
        "<figure class=\"chart\" data-chart=\"%s\"><figcaption><strong>%s</strong> <span class=\"note\">%s</span>"
        "</figcaption><div class=\"plot\"><canvas role=\"img\" aria-label=\"%s\"></canvas></div></figure>\n",
        kind, title, note, title);
}

void aq_html_fact(FILE *stream, const char *name, const char *value) {
    fputs("<div class=\"fact\">", stream);
    aq_html_element(stream, "dt", NULL, name);
    aq_html_element(stream, "dd", NULL, value);
    fputs("</div>", stream);
}

void aq_html_tile(FILE *stream, const char *name, uint64_t count, bool bad) {
    char text[32];
    fprintf(stream, "<div class=\"tile%s\"><span>%s</span><b>%s</b></div>", bad && count ? " bad" : "", name,
            aq_units_format_count(text, sizeof text, count));
}

void aq_html_command(FILE *stream, const char *title, const char *command) {
    fprintf(stream, "<div class=\"reproduce\"><span>%s</span><code>", title);
    aq_html_text(stream, command);
    fputs("</code><button type=\"button\" class=\"copy\">Copy</button></div>\n", stream);
}

void aq_html_left_out(FILE *stream, uint64_t count, uint64_t max, const char *what) {
    char number[32];
    if (count > max)
        fprintf(stream, "<p class=\"note\">%s more %s are in the database.</p>\n",
                aq_units_format_count(number, sizeof number, count - max), what);
}

/* ---- texts of scenarios ---- */

static bool is_inside_character(const char *text, size_t at) {
    return ((unsigned char)text[at] & 0xc0) == 0x80;
}

/* In pieces that end between characters. */
static void put_long_text(FILE *stream, const char *text, size_t length) {
    for (size_t at = 0; at < length;) {
        char piece[1024];
        size_t bytes = length - at < sizeof piece - 1 ? length - at : sizeof piece - 1;
        while (bytes > 1 && at + bytes < length && is_inside_character(text, at + bytes))
            bytes--;
        memcpy(piece, text + at, bytes);
        piece[bytes] = 0;
        aq_html_text(stream, piece);
        at += bytes;
    }
}

static void put_pre(FILE *stream, const char *text, size_t length) {
    size_t shown = length;
    if (shown > AQ_HTML_SCENARIO_BYTES)
        for (shown = AQ_HTML_SCENARIO_BYTES; shown && is_inside_character(text, shown);)
            shown--;
    fputs("<pre tabindex=\"0\">", stream);
    put_long_text(stream, text, shown);
    fputs("</pre>", stream);
    if (shown < length)
        fprintf(stream, "<p class=\"note\">%zu more bytes are in the database.</p>", length - shown);
}

void aq_html_scenario(FILE *stream, const char *title, const char *text) {
    fprintf(stream, "<details><summary>%s</summary>", title);
    put_pre(stream, text ? text : "", text ? strlen(text) : 0);
    fputs("</details>\n", stream);
}

/* The end of a JSON value that begins at `text`, or of the text. */
static const char *end_of_value(const char *text) {
    int depth = 0;
    for (bool in_string = false; *text; text++) {
        if (in_string && *text == '\\' && text[1]) {
            text++;
        } else if (*text == '"') {
            in_string = !in_string;
        } else if (!in_string) {
            if (depth == 0 && strchr(",}]", *text)) return text;
            depth += (*text == '{' || *text == '[') - (*text == '}' || *text == ']');
        }
    }
    return text;
}

/* The value of a member of the outermost object; NULL where there is none. */
static const char *find_member(const char *text, const char *name, size_t *length) {
    size_t letters = strlen(name);
    text += strspn(text, " \t\r\n");
    while (*text && *text != '}') {
        text += 1 + strspn(text + 1, " \t\r\n"); /* behind the brace, or the comma */
        bool found = *text == '"' && strncmp(text + 1, name, letters) == 0 && text[letters + 1] == '"';
        const char *end = end_of_value(text); /* of the name and its value */
        if (found) {
            text += letters + 2;
            text += strspn(text, " \t\r\n:");
            *length = (size_t)(end - text);
            return text;
        }
        text = end;
    }
    return NULL;
}

bool aq_html_scenario_part(FILE *stream, const char *text, const char *name) {
    size_t length;
    const char *value = text && *text ? find_member(text, name, &length) : NULL;
    if (value) put_pre(stream, value, length);
    return value;
}
