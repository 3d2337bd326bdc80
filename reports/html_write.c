#include "reports/html_write.h"

#include <inttypes.h>
#include <math.h>
#include <stdarg.h>
#include <stdbool.h>
#include <string.h>

#include "base/units.h"
#include "reports/print_shared.h"

static const char *reference(char c) {
    switch (c) {
    case '&': return "&amp;";
    case '<': return "&lt;";
    case '>': return "&gt;";
    case '"': return "&quot;";
    case '\'': return "&#39;";
    default: return NULL;
    }
}

/* What neither HTML nor XML allows in a document: C0 and C1 controls, U+FFFE, U+FFFF. */
static bool is_forbidden(const char *text, size_t length) {
    unsigned char first = (unsigned char)text[0];
    if (length == 1) return (first < 0x20 && first != '\n' && first != '\t') || first == 0x7f;
    if (length == 2) return first == 0xc2 && (unsigned char)text[1] < 0xa0;
    return length == 3 && first == 0xef && (unsigned char)text[1] == 0xbf && (unsigned char)text[2] >= 0xbe;
}

void aq_html_text(FILE *stream, const char *text) {
    for (text = text ? text : ""; *text;) {
        size_t length = aq_print_utf8_length(text);
        const char *written = reference(*text);
        if (written)
            fputs(written, stream);
        else if (length == 0 || is_forbidden(text, length))
            fputs("\xef\xbf\xbd", stream);
        else
            fwrite(text, 1, length, stream);
        text += length ? length : 1;
    }
}

void aq_html_format(FILE *stream, const char *format, ...) {
    char text[1024];
    va_list arguments;
    va_start(arguments, format);
    vsnprintf(text, sizeof text, format, arguments);
    va_end(arguments);
    aq_html_text(stream, text);
}

void aq_html_element(FILE *stream, const char *tag, const char *class, const char *text) {
    fprintf(stream, class ? "<%s class=\"%s\">" : "<%s>", tag, class);
    aq_html_text(stream, text);
    fprintf(stream, "</%s>", tag);
}

void aq_html_table_begin(FILE *stream, const char *class, const char *caption) {
    fputs("<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"", stream);
    aq_html_text(stream, caption);
    fprintf(stream, "\"><table class=\"%s\"><thead><tr>", class);
}

void aq_html_table_column(FILE *stream, const char *name, bool number) {
    fprintf(stream, "<th scope=\"col\"%s>", number ? " class=\"n\"" : "");
    aq_html_text(stream, name);
    fputs("</th>", stream);
}

void aq_html_table_body(FILE *stream) {
    fputs("</tr></thead><tbody>\n", stream);
}

void aq_html_table_open(FILE *stream, const char *class, const char *caption, const char *columns) {
    aq_html_table_begin(stream, class, caption);
    while (*columns) {
        char name[64];
        size_t length = strcspn(columns, "|");
        bool number = *columns == '#';
        snprintf(name, sizeof name, "%.*s", (int)length - number, columns + number);
        aq_html_table_column(stream, name, number);
        columns += length + (columns[length] == '|');
    }
    aq_html_table_body(stream);
}

void aq_html_table_close(FILE *stream) {
    fputs("</tbody></table></div>\n", stream);
}

void aq_html_cell_count(FILE *stream, uint64_t count) {
    char text[32];
    fprintf(stream, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>", count,
            aq_units_format_count(text, sizeof text, count));
}

void aq_html_cell_span(FILE *stream, aq_time_us span_us) {
    char text[48];
    if (span_us == AQ_TIME_NEVER)
        fputs("<td class=\"n\">-</td>", stream);
    else
        fprintf(stream, "<td class=\"n\" data-v=\"%" PRIu64 "\">%s</td>", span_us,
                aq_units_format_span(text, sizeof text, span_us));
}

void aq_html_cell_percent(FILE *stream, double ratio) {
    if (isfinite(ratio))
        fprintf(stream, "<td class=\"n\" data-v=\"%.6f\">%.1f&nbsp;%%</td>", ratio, ratio * 100 + 0.0);
    else
        fputs("<td class=\"n\">-</td>", stream);
}
