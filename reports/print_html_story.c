/* Message diagrams. A story's lines (sim/story.c) are read back into who sent what to whom; a line that is of
   no known form becomes a remark, so that nothing is left out. */
#include <inttypes.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "reports/html_write.h"
#include "reports/print_html.h"

#define LINES_MAX  48u
#define ACTORS_MAX 12u
#define NAME_BYTES 48u
#define NOBODY     UINT32_MAX
#define ROW        34 /* pixels */
#define COLUMN     140
#define GUTTER     86
#define TOP        54

/* From left to right. */
enum actor_kind { CALLER, CLIENT, ELSEWHERE, SERVER };

struct actor {
    char name[NAME_BYTES];
    enum actor_kind kind;
    uint32_t number;
};

enum line_kind {
    REMARK,  /* a text beside an actor, or across */
    CALL,    /* caller > action to its client */
    ANSWER,  /* client < outcome to the caller */
    SENT,    /* left the client */
    ARRIVED, /* handled by the server */
};

struct line {
    enum line_kind kind;
    char time[24];
    uint32_t from, to; /* actors */
    char label[160];
    char action[24];
    uint32_t arrival; /* of SENT: the line that tells of the arrival; NOBODY: none does */
    bool joined;      /* of ARRIVED: an earlier line tells of the sending */
};

struct diagram {
    struct line lines[LINES_MAX];
    uint32_t line_count;
    struct actor actors[ACTORS_MAX];
    uint32_t actor_count;
};

/* ---- reading ---- */

static uint32_t actor(struct diagram *d, const char *name, enum actor_kind kind, uint32_t number) {
    for (uint32_t i = 0; i < d->actor_count; i++)
        if (strcmp(d->actors[i].name, name) == 0) return i;
    if (d->actor_count == ACTORS_MAX) return NOBODY;
    struct actor *added = &d->actors[d->actor_count];
    snprintf(added->name, sizeof added->name, "%.*s", (int)NAME_BYTES - 1, name);
    added->kind = kind;
    added->number = number;
    return d->actor_count++;
}

static bool skip(const char **at, const char *word) {
    size_t length = strlen(word);
    if (strncmp(*at, word, length) != 0) return false;
    *at += length;
    return true;
}

static bool number(const char **at, uint32_t *out) {
    char *end;
    if (**at < '0' || **at > '9') return false;
    *out = (uint32_t)strtoul(*at, &end, 10);
    *at = end;
    return true;
}

/* "worker 7" and the like; the actor is known afterwards. */
static bool named(struct diagram *d, const char **at, const char *word, enum actor_kind kind, uint32_t *out) {
    const char *from = *at;
    uint32_t n;
    char name[NAME_BYTES];
    if (!skip(&from, word) || !skip(&from, " ") || !number(&from, &n)) return false;
    snprintf(name, sizeof name, "%s %" PRIu32, word, n);
    *out = actor(d, name, kind, n);
    *at = from;
    return *out != NOBODY;
}

struct speaker {
    uint32_t caller, client; /* NOBODY: not told */
};

/* "worker 7 of client 3", "client 3", "someone". */
static bool speaker(struct diagram *d, const char **at, struct speaker *out) {
    *out = (struct speaker){NOBODY, NOBODY};
    if (named(d, at, "producer", CALLER, &out->caller) || named(d, at, "worker", CALLER, &out->caller)) {
        if (skip(at, " of ")) named(d, at, "client", CLIENT, &out->client);
        return true;
    }
    if (skip(at, "someone")) {
        out->caller = actor(d, "someone", CALLER, 0);
        return out->caller != NOBODY;
    }
    return named(d, at, "client", CLIENT, &out->client);
}

static bool receiver(struct diagram *d, const char **at, uint32_t *out) {
    if (named(d, at, "server", SERVER, out)) return true;
    if (!skip(at, "an address without a server of ours")) return false;
    *out = actor(d, "another address", ELSEWHERE, 0);
    return *out != NOBODY;
}

static void keep_action(struct line *line, const char *text) {
    size_t length = strcspn(text, " ");
    snprintf(line->action, sizeof line->action, "%.*s", (int)(length < 23 ? length : 23), text);
}

static uint32_t either(uint32_t first, uint32_t second) {
    return first != NOBODY ? first : second;
}

/* "ACTION ID -> server 3: what it did", or without the arrow a call. */
static bool read_request(struct diagram *d, struct line *line, const char *text, struct speaker who) {
    const char *arrow = strstr(text, " -> ");
    keep_action(line, text);
    if (!arrow) {
        if (who.caller == NOBODY || who.client == NOBODY) return false;
        line->kind = CALL;
        line->from = who.caller;
        line->to = who.client;
        snprintf(line->label, sizeof line->label, "%.150s", text);
        return true;
    }
    const char *at = arrow + 4;
    line->from = either(who.client, who.caller);
    if (!receiver(d, &at, &line->to) || !skip(&at, ": ")) return false;
    line->kind = ARRIVED;
    snprintf(line->label, sizeof line->label, "%.*s: %.40s", (int)(arrow - text < 100 ? arrow - text : 100),
             text, at);
    return true;
}

static bool read_sent(struct diagram *d, struct line *line, const char *text, struct speaker who) {
    const char *to = strstr(text, " to ");
    if (!to || who.client == NOBODY) return false;
    const char *at = to + 4;
    keep_action(line, text);
    line->from = who.client;
    if (!receiver(d, &at, &line->to) || *at) return false;
    line->kind = SENT;
    line->arrival = NOBODY;
    snprintf(line->label, sizeof line->label, "%.*s", (int)(to - text < 150 ? to - text : 150), text);
    return true;
}

static bool read_by_speaker(struct diagram *d, struct line *line, const char *text) {
    struct speaker who;
    if (!speaker(d, &text, &who)) return false;
    line->from = either(who.caller, who.client);
    if (skip(&text, " > ")) return read_request(d, line, text, who);
    if (skip(&text, " sends ")) return read_sent(d, line, text, who);
    if (!skip(&text, " < ") || who.caller == NOBODY || who.client == NOBODY) return false;
    line->kind = ANSWER;
    line->from = who.client;
    line->to = who.caller;
    snprintf(line->label, sizeof line->label, "%.150s", text);
    return true;
}

static void read_line(struct diagram *d, struct line *line, const char *text) {
    const char *end = text[0] == '[' ? strchr(text, ']') : NULL;
    *line = (struct line){.from = NOBODY, .to = NOBODY};
    if (end && end - text < 24) {
        snprintf(line->time, sizeof line->time, "%.*s s", (int)(end - text - 1), text + 1);
        text = end + 1 + (end[1] == ' ');
    }
    if (read_by_speaker(d, line, text)) return;
    const char *at = text;
    line->kind = REMARK;
    if (named(d, &at, "server", SERVER, &line->from))
        while (*at == ':' || *at == ' ')
            at++;
    else
        at = text;
    snprintf(line->label, sizeof line->label, "%.150s", at);
}

/* A request that left a client and one that arrived are one arrow; two where something unknown lies between.
 */
static void join(struct diagram *d) {
    for (uint32_t i = 0; i < d->line_count; i++) {
        struct line *sent = &d->lines[i];
        for (uint32_t k = i + 1; sent->kind == SENT && k < d->line_count; k++) {
            struct line *arrived = &d->lines[k];
            if (arrived->kind != ARRIVED || arrived->joined || arrived->from != sent->from ||
                strcmp(arrived->action, sent->action) != 0)
                continue;
            sent->arrival = k;
            if (d->actors[sent->to].kind == ELSEWHERE)
                arrived->from = sent->to;
            else
                arrived->joined = true;
            break;
        }
    }
}

/* Position of an actor from the left: by kind, then in the order of appearance. */
static int x_of(const struct diagram *d, uint32_t who) {
    int place = 0;
    for (uint32_t i = 0; i < d->actor_count; i++)
        if (d->actors[i].kind < d->actors[who].kind || (d->actors[i].kind == d->actors[who].kind && i < who))
            place++;
    return GUTTER + COLUMN / 2 + place * COLUMN;
}

static int y_of(uint32_t line) {
    return TOP + ROW / 2 + 10 + (int)line * ROW;
}

/* ---- drawing ---- */

static void draw_text(FILE *stream, const char *class, int x, int y, const char *text) {
    fprintf(stream, "<text class=\"%s\" x=\"%d\" y=\"%d\">", class, x, y);
    aq_html_text(stream, text);
    fputs("</text>", stream);
}

static void draw_actors(FILE *stream, const struct diagram *d, const struct aq_record_violation *v,
                        int height) {
    for (uint32_t i = 0; i < d->actor_count; i++) {
        const struct actor *a = &d->actors[i];
        bool origin = a->kind == SERVER && (int64_t)a->number == v->origin;
        bool wrong = a->kind == SERVER && !origin && v->origin >= 0 && (int64_t)a->number == v->receiver;
        int x = x_of(d, i);
        fprintf(stream, "<line class=\"life\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>", x, TOP, x,
                height - 8);
        fprintf(stream, "<rect class=\"actor%s\" x=\"%d\" y=\"8\" width=\"%d\" height=\"%d\" rx=\"4\"/>",
                origin  ? " origin"
                : wrong ? " wrong"
                        : "",
                x - COLUMN / 2 + 12, COLUMN - 24, TOP - 12);
        draw_text(stream, "name", x, origin || wrong ? 24 : 31, a->name);
        if (origin || wrong) draw_text(stream, "role", x, 40, origin ? "origin of the job" : "received it");
    }
}

/* An arrow with its head; `dashed` for answers and for what never arrived. */
static void draw_arrow(FILE *stream, const char *class, int x1, int y1, int x2, int y2) {
    int back = x2 > x1 ? -9 : 9;
    fprintf(stream, "<line class=\"%s\" x1=\"%d\" y1=\"%d\" x2=\"%d\" y2=\"%d\"/>", class, x1, y1,
            x2 + back / 3, y2);
    fprintf(stream, "<path class=\"head %s\" d=\"M%d %dl%d -5v10z\"/>", class, x2, y2, back);
}

static void draw_remark(FILE *stream, const struct diagram *d, const struct line *line, int y) {
    int x = line->from == NOBODY ? GUTTER + 4 : x_of(d, line->from);
    if (line->from == NOBODY) {
        draw_text(stream, "across", x, y + 4, line->label);
        return;
    }
    fprintf(stream, "<circle class=\"dot\" cx=\"%d\" cy=\"%d\" r=\"4\"/>", x, y);
    draw_text(stream, "remark", x, y - 8, line->label);
}

static void draw_line(FILE *stream, const struct diagram *d, uint32_t index) {
    const struct line *line = &d->lines[index];
    int y = y_of(index), end_y = y;
    draw_text(stream, "time", GUTTER - 10, y + 4, line->time);
    if (line->kind == REMARK || line->from == NOBODY || line->to == NOBODY) {
        draw_remark(stream, d, line, y);
        return;
    }
    int from = x_of(d, line->from), to = x_of(d, line->to);
    const char *class = line->kind == ANSWER ? "answer" : index + 1 == d->line_count ? "last" : "request";
    if (line->kind == SENT && line->arrival != NOBODY) {
        bool whole = d->lines[line->arrival].joined;
        if (whole) end_y = y_of(line->arrival);
        if (whole && line->arrival + 1 == d->line_count) class = "last";
    } else if (line->kind == SENT) {
        class = "lost";
    }
    if (!line->joined) draw_arrow(stream, class, from, y, to, end_y);
    if (line->joined)
        draw_text(stream, "remark", to, y + 18, line->label);
    else
        draw_text(stream, "label", end_y == y ? (from + to) / 2 : (3 * from + to) / 4, y - 7, line->label);
}

static void draw(FILE *stream, const struct diagram *d, const struct aq_record_violation *v) {
    uint32_t columns = d->actor_count ? d->actor_count : 2;
    int width = GUTTER + (int)columns * COLUMN + 8, height = y_of(d->line_count) + 4;
    fprintf(
        stream,
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"message diagram\">"
        "<svg class=\"story\" viewBox=\"0 0 %d %d\" width=\"%d\" height=\"%d\" role=\"img\" aria-label=\"",
        width, height, width, height);
    aq_html_format(stream, "%s: who sent what to whom; the same as text below", v->check);
    fputs("\">", stream);
    draw_actors(stream, d, v, height);
    for (uint32_t i = 0; i < d->line_count; i++)
        draw_line(stream, d, i);
    fputs("</svg></div>\n", stream);
}

void aq_html_story(FILE *stream, const struct aq_record_violation *violation) {
    struct diagram d = {0};
    for (uint32_t i = 0; i < violation->line_count && i < LINES_MAX; i++)
        read_line(&d, &d.lines[d.line_count++], violation->lines[i]);
    join(&d);
    if (d.line_count) draw(stream, &d, violation);
    if (violation->line_count > LINES_MAX)
        fprintf(stream,
                "<p class=\"note\">The diagram ends after %u events; the text has all %" PRIu32 ".</p>\n",
                LINES_MAX, violation->line_count);
    fputs("<details class=\"as-text\"><summary>As text</summary><ol>", stream);
    for (uint32_t i = 0; i < violation->line_count; i++)
        aq_html_element(stream, "li", NULL, violation->lines[i]);
    fputs("</ol></details>\n", stream);
}
