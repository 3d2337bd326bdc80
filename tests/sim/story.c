#include "tests/sim/story.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "protocol/ids.h"
#include "tests/sim/run_rig.h"

#define IDS_MAX      16
#define SERVERS_MAX  4
#define SETTING_SIZE 512

static const char ground[] =
    "{\"name\":\"story\",\"duration\":\"1s\",\"servers\":{\"count\":1,\"service\":{\"default\":\"2ms\"}},"
    "\"clients\":{\"count\":1},"
    "\"workers\":{\"count\":1,\"start\":\"150ms\",\"ramp\":\"0\",\"poll\":\"10s\",\"process\":\"50ms\"},"
    "\"producers\":{\"arrivals\":{\"constant\":\"10/s\"},\"jobs\":1,\"start\":\"0\",\"ttl\":\"5s\"},"
    "\"network\":{\"latency\":\"1ms\"}}";

/* Where a telling stands. */
struct telling {
    const struct story *story;
    const char *fidelity;
    uint32_t next; /* line */
    char ids[IDS_MAX][AQ_JOB_ID_CHARS + 1];
    uint32_t id_count;
};

static bool is_id_char(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '-' || c == '_';
}

/* The number of a job id, from 1, in the order of appearance. */
static uint32_t number_of(struct telling *t, const char *id) {
    for (uint32_t i = 0; i < t->id_count; i++)
        if (memcmp(t->ids[i], id, AQ_JOB_ID_CHARS) == 0) return i + 1;
    assert_true(t->id_count < IDS_MAX);
    memcpy(t->ids[t->id_count++], id, AQ_JOB_ID_CHARS);
    return t->id_count;
}

/* The server whose id, with a comma behind it, is at this place; -1: none. */
static int server_at(const char *at) {
    for (int i = 0; i < SERVERS_MAX; i++) {
        char host[32];
        snprintf(host, sizeof host, "127.0.1.%d", i + 1);
        struct aq_server_id strict = aq_server_id_from_address(aq_text_of(host), 5555);
        struct aq_server_id upstream = aq_server_id_from_host(aq_text_of(host));
        bool found = strncmp(at, strict.text, AQ_SERVER_ID_CHARS) == 0 ||
                     strncmp(at, upstream.text, AQ_SERVER_ID_CHARS) == 0;
        if (found && at[AQ_SERVER_ID_CHARS] == ',') return i;
    }
    return -1;
}

/* Copies the line with short names for ids. */
static void shorten(struct telling *t, const char *line, char *out, size_t size) {
    size_t used = 0;
    while (*line && used + 16 < size) {
        size_t run = 0;
        int server = server_at(line);
        while (is_id_char(line[run]))
            run++;
        if (server >= 0) {
            used += (size_t)snprintf(out + used, size - used, "S%d", server);
            line += AQ_SERVER_ID_CHARS;
        } else if (run == AQ_JOB_ID_CHARS) {
            used += (size_t)snprintf(out + used, size - used, "J%u", number_of(t, line));
            line += run;
        } else {
            do
                out[used++] = *line++;
            while (used + 16 < size && *line && is_id_char(line[-1]) && is_id_char(*line));
        }
    }
    out[used] = 0;
}

static int hear(void *arg, aq_time_us at_us, const char *text) {
    (void)at_us;
    struct telling *t = arg;
    char line[512];
    const char *wanted = t->story->lines[t->next];
    shorten(t, text, line, sizeof line);
    if (!wanted) fail_msg("%s: after the last line: \"%s\"", t->fidelity, line);
    if (strcmp(line, wanted) != 0)
        fail_msg("%s, line %u:\n  seen   \"%s\"\n  wanted \"%s\"", t->fidelity, t->next + 1, line, wanted);
    t->next++;
    return 0;
}

static void tell(const struct story *story, const char *fidelity) {
    static char texts[STORY_SETTINGS_MAX][SETTING_SIZE];
    const char *settings[STORY_SETTINGS_MAX];
    uint32_t count = 0;
    for (; story->settings[count]; count++) {
        assert_true(strlen(story->settings[count]) < SETTING_SIZE);
        strcpy(texts[count], story->settings[count]);
        for (char *c = texts[count]; *c; c++)
            if (*c == '\'') *c = '"';
        settings[count] = texts[count];
    }
    struct telling telling = {.story = story, .fidelity = fidelity};
    struct aq_record record;
    run_text(ground,
             &(struct run_variation){.seed = 1,
                                     .fidelity = fidelity,
                                     .settings = settings,
                                     .setting_count = count,
                                     .line = hear,
                                     .line_arg = &telling},
             &record);
    aq_record_close(&record);
    if (story->lines[telling.next])
        fail_msg("%s: the trace ends before line %u: \"%s\"", fidelity, telling.next + 1,
                 story->lines[telling.next]);
}

void story_holds(const struct story *story) {
    tell(story, "message");
    tell(story, "wire");
}
