#include <inttypes.h>

#include "client/gateway_internal.h"

static const struct {
    aq_time_us up_to_us;
    const char *text; /* in seconds */
} bounds[GATEWAY_BUCKETS] = {
    {1000, "0.001"},  {2500, "0.0025"}, {5000, "0.005"},  {10000, "0.01"},  {25000, "0.025"},
    {50000, "0.05"},  {100000, "0.1"},  {250000, "0.25"}, {500000, "0.5"},  {1000000, "1"},
    {2500000, "2.5"}, {5000000, "5"},   {10000000, "10"}, {30000000, "30"},
};

void gateway_count(struct aq_gateway *gateway, enum aq_action action, enum aq_outcome outcome,
                   aq_time_us took_us) {
    struct gateway_latency *latency = &gateway->latency[action];
    gateway->ended[action][outcome]++;
    latency->count++;
    latency->sum_us += took_us;
    for (int i = 0; i < GATEWAY_BUCKETS; i++)
        if (took_us <= bounds[i].up_to_us) {
            latency->buckets[i]++;
            return;
        }
}

/* ---- /health ---- */

void aq_gateway_write_health(const struct aq_gateway *gateway, struct aq_text_out *out) {
    aq_text_out_format(out, "{\"status\":\"%s\",\"servers\":[",
                       aq_gateway_well_servers(gateway) ? "ok" : "unavailable");
    bool first = true;
    for (uint32_t i = 0; aq_gateway_next_member(gateway, &i); i++) {
        struct aq_gateway_server server = aq_gateway_server(gateway, i);
        if (!first) AQ_TEXT_OUT(out, ",");
        first = false;
        AQ_TEXT_OUT(out, "{\"id\":");
        aq_text_out_json(out, server.id);
        AQ_TEXT_OUT(out, ",\"server\":");
        aq_text_out_json(out, aq_text_of(server.address));
        aq_text_out_format(out, ",\"health\":\"%s\",\"connected\":%s}", aq_server_health_word(server.health),
                           server.connected ? "true" : "false");
    }
    aq_text_out_format(out, "],\"calls_open\":%" PRIu32 "}", gateway->open - gateway->own_open);
}

/* ---- /metrics ---- */

static void head(struct aq_text_out *out, const char *name, const char *type, const char *help) {
    aq_text_out_format(out, "# HELP allq_client_%s %s\n# TYPE allq_client_%s %s\n", name, help, name, type);
}

/* The value of a label: backslash, quote and line feed are escaped. */
static void label(struct aq_text_out *out, const char *name, struct aq_text value) {
    aq_text_out_format(out, "%s=\"", name);
    for (uint32_t i = 0; i < value.len; i++) {
        char c = value.at[i];
        if (c == '\n')
            AQ_TEXT_OUT(out, "\\n");
        else if (c == '"' || c == '\\')
            aq_text_out_add(out, (char[]){'\\', c}, 2);
        else
            aq_text_out_add(out, &c, 1);
    }
    AQ_TEXT_OUT(out, "\"");
}

static const char *action_word(int action) {
    return action == AQ_ACTION_COUNT ? "unreadable" : aq_action_word((enum aq_action)action);
}

static void write_calls(const struct aq_gateway *gateway, struct aq_text_out *out) {
    head(out, "calls_total", "counter", "Calls of applications that have ended, by action and outcome.");
    for (int action = 0; action < GATEWAY_ACTIONS; action++)
        for (int outcome = 0; gateway->latency[action].count && outcome < GATEWAY_OUTCOMES; outcome++)
            aq_text_out_format(out, "allq_client_calls_total{action=\"%s\",outcome=\"%s\"} %" PRIu64 "\n",
                               action_word(action), aq_outcome_word((enum aq_outcome)outcome),
                               gateway->ended[action][outcome]);
    head(out, "calls_open", "gauge", "Calls that have not been answered yet.");
    aq_text_out_format(out, "allq_client_calls_open %" PRIu32 "\n", gateway->open - gateway->own_open);
    head(out, "calls_abandoned_total", "counter",
         "Calls that ended when the application that made them was gone.");
    aq_text_out_format(out, "allq_client_calls_abandoned_total %" PRIu64 "\n", gateway->forgotten);
}

static void write_latency(const struct aq_gateway *gateway, struct aq_text_out *out) {
    const char *name = "allq_client_call_duration_seconds";
    head(out, "call_duration_seconds", "histogram", "From the request of an application to its answer.");
    for (int action = 0; action < GATEWAY_ACTIONS; action++) {
        const struct gateway_latency *latency = &gateway->latency[action];
        uint64_t below = 0;
        if (latency->count == 0) continue;
        for (int i = 0; i < GATEWAY_BUCKETS; i++) {
            below += latency->buckets[i];
            aq_text_out_format(out, "%s_bucket{action=\"%s\",le=\"%s\"} %" PRIu64 "\n", name,
                               action_word(action), bounds[i].text, below);
        }
        aq_text_out_format(out, "%s_bucket{action=\"%s\",le=\"+Inf\"} %" PRIu64 "\n", name,
                           action_word(action), latency->count);
        aq_text_out_format(out, "%s_sum{action=\"%s\"} %" PRIu64 ".%06" PRIu64 "\n", name,
                           action_word(action), latency->sum_us / AQ_US_PER_S, latency->sum_us % AQ_US_PER_S);
        aq_text_out_format(out, "%s_count{action=\"%s\"} %" PRIu64 "\n", name, action_word(action),
                           latency->count);
    }
}

static void write_server_line(struct aq_text_out *out, const char *name,
                              const struct aq_gateway_server *server, const char *state, uint64_t value) {
    aq_text_out_format(out, "allq_client_%s{", name);
    label(out, "server", aq_text_of(server->address));
    AQ_TEXT_OUT(out, ",");
    label(out, "id", server->id);
    if (state) aq_text_out_format(out, ",state=\"%s\"", state);
    aq_text_out_format(out, "} %" PRIu64 "\n", value);
}

static void write_servers(const struct aq_gateway *gateway, struct aq_text_out *out) {
    head(out, "server_health", "gauge", "1 for the state that the server is in, 0 for the others.");
    for (uint32_t i = 0; aq_gateway_next_member(gateway, &i); i++) {
        struct aq_gateway_server server = aq_gateway_server(gateway, i);
        for (int health = AQ_SERVER_WELL; health <= AQ_SERVER_DRAINING; health++)
            write_server_line(out, "server_health", &server,
                              aq_server_health_word((enum aq_server_health)health),
                              server.health == (enum aq_server_health)health);
    }
    head(out, "server_connected", "gauge", "1 where a connection to the server is up.");
    for (uint32_t i = 0; aq_gateway_next_member(gateway, &i); i++) {
        struct aq_gateway_server server = aq_gateway_server(gateway, i);
        write_server_line(out, "server_connected", &server, NULL, server.connected);
    }
    head(out, "server_requests_total", "counter", "Requests sent to the server, probes included.");
    for (uint32_t i = 0; aq_gateway_next_member(gateway, &i); i++) {
        struct aq_gateway_server server = aq_gateway_server(gateway, i);
        write_server_line(out, "server_requests_total", &server, NULL, gateway->servers[i].sent);
    }
}

static void write_traffic(const struct aq_gateway *gateway, struct aq_text_out *out) {
    static const struct {
        const char *name, *type, *help;
    } kinds[] = {
        {"connections", "gauge", "Connections of applications that are open, by listener."},
        {"connections_accepted_total", "counter", "Connections of applications that were accepted."},
        {"connections_refused_total", "counter", "Connections beyond the limit, closed at once."},
        {"connections_timed_out_total", "counter", "Connections closed because the peer was idle or slow."},
    };
    for (int kind = 0; kind < 4; kind++) {
        head(out, kinds[kind].name, kinds[kind].type, kinds[kind].help);
        for (int i = 0; i < AQ_GATEWAY_LISTENERS; i++) {
            const struct aq_gateway_traffic *traffic = &gateway->traffic[i];
            const uint64_t values[] = {traffic->connections, traffic->accepted, traffic->refused,
                                       traffic->timed_out};
            aq_text_out_format(out, "allq_client_%s{listener=\"%s\"} %" PRIu64 "\n", kinds[kind].name,
                               aq_gateway_listener_word((enum aq_gateway_listener)i), values[kind]);
        }
    }
}

void aq_gateway_write_metrics(const struct aq_gateway *gateway, struct aq_text_out *out) {
    head(out, "info", "gauge", "Always 1; what is running.");
    AQ_TEXT_OUT(out, "allq_client_info{");
    label(out, "version", aq_text_of(gateway->config.version));
    AQ_TEXT_OUT(out, ",");
    label(out, "profile", aq_text_of(gateway->config.profile));
    AQ_TEXT_OUT(out, "} 1\n");
    head(out, "uptime_seconds", "gauge", "Since this process began to serve.");
    aq_text_out_format(out, "allq_client_uptime_seconds %" PRIu64 "\n",
                       (aq_gateway_now_us(gateway) - gateway->begun_us) / AQ_US_PER_S);
    write_calls(gateway, out);
    write_latency(gateway, out);
    write_servers(gateway, out);
    head(out, "events_total", "counter", "How often the client reached a named point, such as a timeout.");
    for (int mark = 0; mark < AQ_CLIENT_MARK_COUNT; mark++)
        aq_text_out_format(out, "allq_client_events_total{event=\"%s\"} %" PRIu64 "\n",
                           aq_client_mark_word((enum aq_client_mark)mark), gateway->marks[mark]);
    write_traffic(gateway, out);
}
