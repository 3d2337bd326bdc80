/* The heat map of a plan: a table with the numbers of clients from top to bottom and the servers from left to
   right. As it stands it says whether the objective holds; charts.js puts other measures into its cells. */
#include <inttypes.h>
#include <stdlib.h>

#include "base/memory.h"
#include "base/units.h"
#include "reports/html_write.h"
#include "reports/print_html.h"

struct column {
    uint32_t servers, down;
};

/* Which places the map has; the cells are points of the plan, or nothing. */
struct map {
    const struct aq_plan *plan;
    uint32_t row_count; /* points of the plan that are in it */
    struct column *columns;
    uint32_t *clients; /* of the rows, from the most */
    uint32_t column_count, client_count;
};

static int by_down(const void *a, const void *b) {
    const struct column *one = a, *other = b;
    if (one->down != other->down) return one->down < other->down ? -1 : 1;
    return (one->servers > other->servers) - (one->servers < other->servers);
}

static int from_the_most(const void *a, const void *b) {
    const uint32_t *one = a, *other = b;
    return (*one < *other) - (*one > *other);
}

static void close_map(struct map *map) {
    aq_free(map->columns);
    aq_free(map->clients);
}

static int init_map(struct map *map) {
    const struct aq_plan_row *rows = map->plan->rows;
    map->columns = aq_alloc(((size_t)map->row_count + 1) * sizeof *map->columns);
    map->clients = aq_alloc(((size_t)map->row_count + 1) * sizeof *map->clients);
    if (!map->columns || !map->clients) {
        close_map(map);
        return AQ_ENOMEM;
    }
    for (uint32_t i = 0; i < map->row_count; i++) {
        if (!i || rows[i].servers != rows[i - 1].servers || rows[i].down != rows[i - 1].down)
            map->columns[map->column_count++] = (struct column){rows[i].servers, rows[i].down};
        map->clients[i] = rows[i].clients;
    }
    qsort(map->columns, map->column_count, sizeof *map->columns, by_down);
    qsort(map->clients, map->row_count, sizeof *map->clients, from_the_most);
    for (uint32_t i = 0; i < map->row_count; i++)
        if (!i || map->clients[i] != map->clients[map->client_count - 1])
            map->clients[map->client_count++] = map->clients[i];
    return 0;
}

static uint32_t at_most(uint32_t count, uint32_t max) {
    return count < max ? count : max;
}

/* ---- the table ---- */

static void put_columns(FILE *stream, const struct map *map, uint32_t columns) {
    fputs("<thead><tr><th scope=\"col\" rowspan=\"2\" class=\"n\">clients</th>", stream);
    for (uint32_t i = 0, end; i < columns; i = end) {
        for (end = i + 1; end < columns && map->columns[end].down == map->columns[i].down;)
            end++;
        fprintf(stream, "<th scope=\"colgroup\" colspan=\"%" PRIu32 "\" class=\"group\">", end - i);
        if (map->columns[i].down)
            fprintf(stream, "%" PRIu32 " lost, servers at the start:</th>", map->columns[i].down);
        else
            fputs("servers, none lost:</th>", stream);
    }
    fputs("</tr><tr>", stream);
    for (uint32_t i = 0; i < columns; i++)
        fprintf(stream, "<th scope=\"col\">%" PRIu32 "</th>", map->columns[i].servers);
    fputs("</tr></thead><tbody>\n", stream);
}

static void put_cell(FILE *stream, const struct map *map, const struct column *column, uint32_t clients) {
    const struct aq_plan *plan = map->plan;
    const struct aq_plan_knee *knee = aq_plan_find_knee(plan, column->servers, column->down);
    const struct aq_plan_row *row = aq_plan_find_row(plan, column->servers, clients, column->down);
    if (!row || row - plan->rows >= (ptrdiff_t)map->row_count) {
        fputs("<td></td>", stream);
        return;
    }
    const char *class = row->held[0] == 'h' ? "holds" : row->held[0] == 'f' ? "fails" : "open";
    const char *sign = row->held[0] == 'h' ? "&#10003;" : row->held[0] == 'f' ? "&#10007;" : "?";
    fprintf(stream,
            "<td data-point=\"%td\" class=\"%s%s\"><span class=\"sign\">%s</span> <span class=\"value\">",
            row - plan->rows, class, knee && knee->holds == clients ? " knee" : "", sign);
    aq_html_text(stream, row->held);
    fputs("</span></td>", stream);
}

static void put_table(FILE *stream, const struct map *map) {
    uint32_t columns = at_most(map->column_count, AQ_HTML_HEAT_COLUMNS_MAX);
    uint32_t rows = at_most(map->client_count, AQ_HTML_HEAT_ROWS_MAX);
    char count[32];
    fputs(
        "<div class=\"scroll\" tabindex=\"0\" role=\"region\" aria-label=\"heat map\"><table class=\"heat\">",
        stream);
    put_columns(stream, map, columns);
    for (uint32_t r = 0; r < rows; r++) {
        fprintf(stream, "<tr><th scope=\"row\" class=\"n\">%s</th>",
                aq_units_format_count(count, sizeof count, map->clients[r]));
        for (uint32_t c = 0; c < columns; c++)
            put_cell(stream, map, &map->columns[c], map->clients[r]);
        fputs("</tr>\n", stream);
    }
    fputs("</tbody></table></div>\n", stream);
    aq_html_left_out(stream, map->column_count, columns, "numbers of servers");
    aq_html_left_out(stream, map->client_count, rows, "numbers of clients, all of them smaller,");
}

int aq_html_heat_map(FILE *stream, const struct aq_plan *plan, uint32_t row_count) {
    struct map map = {.plan = plan, .row_count = row_count};
    if (!row_count) return 0;
    int rc = init_map(&map);
    if (rc) return rc;
    fputs(
        "<section class=\"card\" data-part=\"map\"><h2>Heat map</h2>\n<figure class=\"map\"><figcaption><strong>Servers "
        "by clients</strong> <span class=\"note\">&#10003; holds, &#10007; fails, ? open: the intervals do not tell. Framed: "
        "the most clients that meet the objective. Empty: the search did not have to look there. "
        "<span class=\"scale\"></span></span></figcaption>\n",
        stream);
    put_table(stream, &map);
    fputs("</figure></section>\n", stream);
    close_map(&map);
    return 0;
}
