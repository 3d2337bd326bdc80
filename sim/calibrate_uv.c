#include "sim/calibrate_uv.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/resource.h>
#include <uv.h>
#include <zmq.h>

#include "base/assert.h"
#include "base/memory.h"
#include "client/transport_zmq.h"
#include "protocol/loop_zmq.h"

#define TICK_MS          20
#define CONNECT_WITHIN_S 10
#define ANSWER_WITHIN_S  10 /* alone */
#define CROWD_WITHIN_S   60 /* one of many */
#define WARM_UP          20 /* pings that are not counted */
#define JOB_TTL_S        60 /* of jobs that are left by a process that was killed */
#define BODY             "allqsim calibrate"
#define NS_PER_S         UINT64_C(1000000000)

/* What a connection asks, over and over. */
enum script { SCRIPT_PING, SCRIPT_CYCLE, SCRIPT_EMPTY_GET, SCRIPT_STATS, SCRIPT_CLEAR };

struct phase {
    const char *text;
    enum script script;
    uint32_t lanes;
    bool alone;     /* each latency is kept */
    uint32_t rate;  /* otherwise: which of the throughputs it is */
    double share;   /* of the time and of the requests */
    uint64_t count; /* of pings, gets or cycles, at most */
};

#define RATE_COUNT UINT64_C(1000000)
static const struct phase phases[] = {
    {"pings, one at a time", SCRIPT_PING, 1, true, 0, 0.18, 4000},
    {"put, get, touch, done, one at a time", SCRIPT_CYCLE, 1, true, 0, 0.34, 2000},
    {"gets of an empty tube", SCRIPT_EMPTY_GET, 1, true, 0, 0.08, 1000},
    {"cycles, 1 connection", SCRIPT_CYCLE, 1, false, 0, 0.03, RATE_COUNT},
    {"cycles, 4 connections", SCRIPT_CYCLE, 4, false, 1, 0.03, RATE_COUNT},
    {"cycles, 16 connections", SCRIPT_CYCLE, 16, false, 2, 0.06, RATE_COUNT},
    {"cycles, 64 connections", SCRIPT_CYCLE, 64, false, 3, 0.06, RATE_COUNT},
    {"pings, 1 connection", SCRIPT_PING, 1, false, 0, 0.03, RATE_COUNT},
    {"pings, 4 connections", SCRIPT_PING, 4, false, 1, 0.03, RATE_COUNT},
    {"pings, 16 connections", SCRIPT_PING, 16, false, 2, 0.08, RATE_COUNT},
    {"pings, 64 connections", SCRIPT_PING, 64, false, 3, 0.08, RATE_COUNT},
};
#define PHASES (sizeof phases / sizeof *phases)

/* A connection with one request under way at most. */
struct lane {
    bool up, waiting;
    uint32_t correlation;
    uint64_t asked_ns;
    enum aq_measured step; /* what is asked, or will be next */
    char job_id[AQ_JOB_REF_CHARS_MAX + 1];
};

struct meter {
    uint64_t at_ns;
    double loop_s, others_s; /* processor time of this thread, and of the process's others */
};

struct calibrate {
    const struct aq_calibrate_config *config;
    struct aq_calibration_server *servers;
    struct aq_calibrate_result *result;
    uv_loop_t loop;
    uv_timer_t tick;
    void *context;
    struct aq_client_transport *transport;
    struct lane lanes[AQ_CALIBRATION_LANES_MAX];
    uint32_t opened, up, waiting; /* lanes: that were begun, are connected, have a request under way */
    uint32_t server;
    char tube[sizeof AQ_CALIBRATE_TUBE + 16];
    /* the phase */
    enum script script;
    bool asking, alone;
    uint64_t left, answers; /* runs of the script that may still begin; answers while asking */
    uint64_t until_ns, ended_ns;
    uint64_t progress_ns; /* the last answer, or the beginning */
    /* what stats said */
    bool foreign_wanted; /* is asked for: load of others; otherwise jobs of our own */
    uint64_t own_jobs;
    bool has_put; /* on this server */
    int rc;
    struct aq_error *error;
};

/* ---- errors ---- */

static const char *address(const struct calibrate *c) {
    return c->config->addresses[c->server];
}

static void fail(struct calibrate *c, int code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* The first counts. */
static void fail(struct calibrate *c, int code, const char *format, ...) {
    char text[AQ_ERROR_TEXT_MAX / 2];
    if (c->rc) return;
    va_list args;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    c->rc = aq_error_set(c->error, code, "%s: %s", address(c), text);
}

static const char *remedy(enum aq_client_trouble trouble) {
    switch (trouble) {
    case AQ_CLIENT_TROUBLE_REFUSED: return "is a server running there, and is the port right?";
    case AQ_CLIENT_TROUBLE_UNRESOLVED: return "check the name of the host";
    case AQ_CLIENT_TROUBLE_NOT_ADMITTED: return "the server's allow-list lacks the key in A_CURVE_PUBLICKEY";
    case AQ_CLIENT_TROUBLE_HANDSHAKE:
        return "A_CURVE_SERVER_PUBLICKEY is the key of another server, or this is no AllQueue server";
    case AQ_CLIENT_TROUBLE_NO_SOCKET: return "raise the limit of open files (ulimit -n)";
    default: return "did the server end?";
    }
}

static void on_trouble(void *owner, uint32_t lane, uint32_t server, enum aq_client_trouble trouble,
                       const char *detail) {
    (void)lane, (void)server;
    fail(owner, AQ_EIO, "no connection (%s%s%s): %s", aq_client_trouble_word(trouble), *detail ? ": " : "",
         detail, remedy(trouble));
}

/* ---- requests ---- */

static struct aq_request request_of(const struct calibrate *c, const struct lane *lane) {
    struct aq_request r = {.given = AQ_PARAM_TUBE, .tube = aq_text_of(c->tube)};
    switch (c->script) {
    case SCRIPT_PING: return (struct aq_request){.action = AQ_ACTION_PING};
    case SCRIPT_STATS: return (struct aq_request){.action = AQ_ACTION_STATS};
    case SCRIPT_CLEAR: r.action = AQ_ACTION_CLEAR; return r;
    default: break;
    }
    if (lane->step == AQ_MEASURED_PUT) {
        r.action = AQ_ACTION_PUT;
        r.given |= AQ_PARAM_BODY | AQ_PARAM_TTL;
        r.body = AQ_TEXT(BODY);
        r.ttl_s = JOB_TTL_S;
    } else if (lane->step == AQ_MEASURED_GET || lane->step == AQ_MEASURED_EMPTY_GET) {
        r.action = AQ_ACTION_GET;
    } else {
        r.action = lane->step == AQ_MEASURED_TOUCH ? AQ_ACTION_TOUCH : AQ_ACTION_DONE;
        r.given = AQ_PARAM_JOB_ID;
        r.job_id = aq_text_of(lane->job_id);
        r.tube = (struct aq_text){0};
    }
    return r;
}

static void ask(struct calibrate *c, struct lane *lane) {
    uint32_t index = (uint32_t)(lane - c->lanes);
    struct aq_request request = request_of(c, lane);
    lane->waiting = true;
    c->waiting++;
    c->has_put |= request.action == AQ_ACTION_PUT;
    c->result->requests++;
    lane->asked_ns = uv_hrtime();
    if (aq_client_transport_send(c->transport, index, c->server, ++lane->correlation, &request))
        fail(c, AQ_ENOMEM, "out of memory");
}

static void stop_asking(struct calibrate *c) {
    if (!c->asking) return;
    c->asking = false;
    c->ended_ns = uv_hrtime();
}

/* Begins the script anew, where that is still wanted. */
static void begin(struct calibrate *c, struct lane *lane) {
    static const enum aq_measured first[] = {
        [SCRIPT_PING] = AQ_MEASURED_PING,           [SCRIPT_CYCLE] = AQ_MEASURED_PUT,
        [SCRIPT_EMPTY_GET] = AQ_MEASURED_EMPTY_GET, [SCRIPT_STATS] = AQ_MEASURED_PING,
        [SCRIPT_CLEAR] = AQ_MEASURED_PING,
    };
    if (c->left == 0 || uv_hrtime() >= c->until_ns) stop_asking(c);
    if (!c->asking || c->rc) return;
    c->left--;
    lane->step = first[c->script];
    ask(c, lane);
}

/* ---- stats ---- */

static bool is_ours(struct aq_text tube) {
    const struct aq_text prefix = AQ_TEXT(AQ_CALIBRATE_TUBE);
    return tube.len >= prefix.len && memcmp(tube.at, prefix.at, prefix.len) == 0;
}

/* The rate of an earlier measurement's tube is still in the server's means for some minutes. */
static bool in_use(const struct aq_tube_stats *tube) {
    return tube->ready || tube->reserved || (tube->tps > 0 && !is_ours(tube->tube));
}

static void look_for_load(struct calibrate *c, const struct aq_server_stats *stats) {
    for (uint32_t i = 0; i < stats->tube_count; i++) {
        const struct aq_tube_stats *tube = &stats->tubes[i];
        if (!in_use(tube)) continue;
        fail(c, AQ_EINVALID,
             "the tube \"%.*s\" is in use (ready %" PRIu64 ", reserved %" PRIu64
             ", %.4g jobs/s): what is measured would be spoilt, and the measurement is load for its users; "
             "choose a quiet time, or --despite-load",
             AQ_TEXT_ARGS(tube->tube), tube->ready, tube->reserved, tube->tps);
        return;
    }
}

static void count_own(struct calibrate *c, const struct aq_server_stats *stats) {
    c->own_jobs = 0;
    for (uint32_t i = 0; i < stats->tube_count; i++) {
        const struct aq_tube_stats *tube = &stats->tubes[i];
        if (aq_text_is(tube->tube, c->tube))
            c->own_jobs += tube->ready + tube->delayed + tube->reserved + tube->buried + tube->parents;
    }
}

/* ---- answers ---- */

static bool is_right(const struct calibrate *c, const struct lane *lane, const struct aq_reply *reply) {
    if (!reply) return false;
    switch (c->script) {
    case SCRIPT_PING: return reply->kind == AQ_REPLY_PONG;
    case SCRIPT_STATS: return reply->kind == AQ_REPLY_STATS && reply->server_count == 1;
    default: break;
    }
    if (reply->kind != AQ_REPLY_RESPONSE) return false;
    switch (lane->step) {
    case AQ_MEASURED_PUT: return reply->has_job_id;
    case AQ_MEASURED_GET: return reply->job_count == 1 && reply->jobs[0].job_id.len < sizeof lane->job_id;
    case AQ_MEASURED_EMPTY_GET: return reply->job_count == 0;
    default: return !reply->has_error;
    }
}

static void complain(struct calibrate *c, const struct lane *lane, const struct aq_reply *reply) {
    struct aq_request asked = request_of(c, lane);
    const char *word = aq_action_word((enum aq_action)asked.action);
    if (reply && reply->error.len)
        fail(c, AQ_EIO, "%s was answered with \"%.*s\": see to the server first", word,
             AQ_TEXT_ARGS(reply->error));
    else if (reply && lane->step == AQ_MEASURED_GET)
        fail(c, AQ_EIO, "get did not find the job that was put into the tube %s: who else takes from it?",
             c->tube);
    else if (reply && lane->step == AQ_MEASURED_EMPTY_GET)
        fail(c, AQ_EIO, "get found a job in the tube %s, where none was left: who else puts into it?",
             c->tube);
    else
        fail(c, AQ_EIO, "the answer to %s makes no sense: is this an AllQueue server?", word);
}

/* False where the script is at its end. */
static bool next_step(struct calibrate *c, struct lane *lane, const struct aq_reply *reply) {
    if (c->script != SCRIPT_CYCLE || lane->step == AQ_MEASURED_DONE) return false;
    if (lane->step == AQ_MEASURED_GET)
        snprintf(lane->job_id, sizeof lane->job_id, "%.*s", AQ_TEXT_ARGS(reply->jobs[0].job_id));
    lane->step++;
    return true;
}

static void take_stats(struct calibrate *c, const struct aq_server_stats *stats) {
    if (c->foreign_wanted)
        look_for_load(c, stats);
    else
        count_own(c, stats);
}

static void answered(struct calibrate *c, struct lane *lane, const struct aq_reply *reply) {
    double us = (double)(uv_hrtime() - lane->asked_ns) / 1000;
    c->progress_ns = uv_hrtime();
    lane->waiting = false;
    c->waiting--;
    if (!is_right(c, lane, reply)) {
        complain(c, lane, reply);
        return;
    }
    if (c->asking) c->answers++;
    if (c->alone && aq_series_add(&c->servers[c->server].alone[lane->step], us))
        fail(c, AQ_ENOMEM, "out of memory");
    if (c->script == SCRIPT_STATS) take_stats(c, &reply->servers[0]);
    if (next_step(c, lane, reply))
        ask(c, lane);
    else
        begin(c, lane);
}

static void on_event(void *owner, uint32_t index, const struct aq_client_event *event) {
    struct calibrate *c = owner;
    struct lane *lane = &c->lanes[index];
    if (event->kind == AQ_CLIENT_CONNECTED) {
        lane->up = true;
        c->up++;
    } else if (event->kind == AQ_CLIENT_DISCONNECTED) {
        fail(c, AQ_EIO, "the connection is gone: did the server end?");
    } else if (lane->waiting && event->correlation == lane->correlation) {
        answered(c, lane, event->reply);
    }
}

/* ---- waiting ---- */

static void on_tick(uv_timer_t *timer) {
    struct calibrate *c = timer->data;
    if (*c->config->stop || uv_hrtime() >= c->until_ns) stop_asking(c);
}

static void run_until(struct calibrate *c, const uint32_t *number, uint32_t wanted, uint64_t within_s,
                      const char *what) {
    while (!c->rc && *number != wanted) {
        if (uv_hrtime() > c->progress_ns + within_s * NS_PER_S)
            fail(c, AQ_EIO, "%s within %" PRIu64 " s: is the server stopped, or far too busy?", what,
                 within_s);
        else
            uv_run(&c->loop, UV_RUN_ONCE);
    }
}

/* One that is silent while the others go on is seen at the end of the phase. */
static void wait_for_answers(struct calibrate *c, uint32_t lanes) {
    run_until(c, &c->waiting, 0, lanes > 1 ? CROWD_WITHIN_S : ANSWER_WITHIN_S, "no answer");
}

static void open_lanes(struct calibrate *c, uint32_t lanes) {
    c->progress_ns = uv_hrtime();
    for (; !c->rc && c->opened < lanes; c->opened++)
        if (aq_client_transport_connect(c->transport, c->opened, c->server, address(c), NULL))
            fail(c, AQ_ENOMEM, "out of memory");
    run_until(c, &c->up, c->opened, CONNECT_WITHIN_S, "no connection");
}

/* ---- phases ---- */

static double seconds(const struct timeval *t) {
    return (double)t->tv_sec + (double)t->tv_usec / 1e6;
}

static struct meter read_meter(void) {
    struct rusage thread, process;
    getrusage(RUSAGE_THREAD, &thread);
    getrusage(RUSAGE_SELF, &process);
    double own_s = seconds(&thread.ru_utime) + seconds(&thread.ru_stime);
    double all_s = seconds(&process.ru_utime) + seconds(&process.ru_stime);
    return (struct meter){uv_hrtime(), own_s, all_s - own_s};
}

static void start(struct calibrate *c, enum script script, uint32_t lanes, uint64_t count, uint64_t for_ns) {
    open_lanes(c, lanes);
    c->script = script;
    c->asking = true;
    c->left = count;
    c->answers = 0;
    c->progress_ns = uv_hrtime();
    c->until_ns = c->progress_ns + for_ns;
    for (uint32_t i = 0; i < lanes && !c->rc; i++)
        begin(c, &c->lanes[i]);
}

/* The other threads are libzmq's, of which one works on the sockets. */
static void take_rate(const struct calibrate *c, const struct meter *before, struct aq_rate *out) {
    struct meter now = read_meter();
    double wall_s = (double)(now.at_ns - before->at_ns) / 1e9;
    double loop_s = now.loop_s - before->loop_s, others_s = now.others_s - before->others_s;
    *out = (struct aq_rate){.requests = c->answers,
                            .seconds = (double)(c->ended_ns - before->at_ns) / 1e9,
                            .busy = (loop_s > others_s ? loop_s : others_s) / wall_s};
}

static void run_phase(struct calibrate *c, const struct phase *phase) {
    struct aq_calibration_server *server = &c->servers[c->server];
    const struct aq_calibrate_config *config = c->config;
    uint64_t each = phase->script == SCRIPT_CYCLE ? AQ_CALIBRATION_CYCLE : 1;
    double share = phase->share / config->count;
    uint64_t count = (uint64_t)((double)config->requests_max * share) / each;
    open_lanes(c, phase->lanes);
    struct meter before = read_meter();
    c->alone = phase->alone;
    start(c, phase->script, phase->lanes, count < phase->count ? count : phase->count,
          (uint64_t)((double)config->for_us * 1000 * share));
    wait_for_answers(c, phase->lanes);
    c->alone = false;
    if (phase->alone || c->rc) return;
    take_rate(c, &before,
              phase->script == SCRIPT_PING ? &server->pings[phase->rate] : &server->cycles[phase->rate]);
}

/* So many on one connection, not measured. */
static void just(struct calibrate *c, enum script script, uint64_t count) {
    start(c, script, 1, count, CROWD_WITHIN_S * NS_PER_S);
    wait_for_answers(c, 1);
}

static void look_at_stats(struct calibrate *c, bool foreign) {
    c->foreign_wanted = foreign;
    just(c, SCRIPT_STATS, 1);
}

/* What is put is completed, so that there is nothing to clear; and clear is better not used without need, for
   a server of the public release then removes from its disk what is reserved in every tube. */
static void clean_up(struct calibrate *c) {
    look_at_stats(c, false);
    if (c->rc || !c->own_jobs) return;
    c->result->cleared += (uint32_t)c->own_jobs;
    just(c, SCRIPT_CLEAR, 1);
    look_at_stats(c, false);
    if (!c->rc && c->own_jobs)
        fail(c, AQ_EIO, "%" PRIu64 " jobs are left in the tube %s: clear it by hand", c->own_jobs, c->tube);
}

static void tell(const struct calibrate *c, uint32_t phase) {
    if (!c->config->progress) return;
    double share = 0;
    for (uint32_t i = 0; i < phase; i++)
        share += phases[i].share;
    c->config->progress(c->config->owner, c->server, phases[phase].text, share);
}

static void close_lanes(struct calibrate *c) {
    for (uint32_t i = 0; i < c->opened; i++)
        aq_client_transport_close(c->transport, i, c->server);
    memset(c->lanes, 0, sizeof c->lanes);
    c->opened = c->up = c->waiting = 0;
}

static void warn_of_jobs(struct calibrate *c) {
    size_t used = strlen(c->error->text);
    snprintf(c->error->text + used, sizeof c->error->text - used, "; jobs may be left there in the tube %s",
             c->tube);
}

static void measure_server(struct calibrate *c) {
    c->has_put = false;
    c->servers[c->server].address = address(c);
    if (!c->config->despite_load) look_at_stats(c, true);
    if (!c->rc) just(c, SCRIPT_PING, WARM_UP);
    for (uint32_t i = 0; i < PHASES && !c->rc && !*c->config->stop; i++) {
        tell(c, i);
        run_phase(c, &phases[i]);
    }
    if (!c->rc) clean_up(c);
    if (c->rc && c->has_put) warn_of_jobs(c);
    close_lanes(c);
}

/* ---- life ---- */

static int name_tube(struct calibrate *c) {
    uint64_t number;
    if (getrandom(&number, sizeof number, 0) != (ssize_t)sizeof number)
        return aq_error_set(c->error, AQ_EIO, "no random numbers: %s", strerror(errno));
    snprintf(c->tube, sizeof c->tube, AQ_CALIBRATE_TUBE "%016" PRIx64, number);
    return 0;
}

static int open_sockets(struct calibrate *c) {
    int rc = aq_zmq_context_new(3 * AQ_CALIBRATION_LANES_MAX + 16, 1, &c->context, c->error);
    if (rc) return rc;
    struct aq_client_transport_config config = {.loop = &c->loop,
                                                .context = c->context,
                                                .keys = c->config->keys,
                                                .server_public_z85 = c->config->server_public_z85,
                                                .monitors_max = AQ_CALIBRATION_LANES_MAX,
                                                .event = on_event,
                                                .trouble = on_trouble,
                                                .owner = c};
    return aq_client_transport_new(&config, &c->transport, c->error);
}

static int open_all(struct calibrate *c) {
    if (uv_loop_init(&c->loop)) return aq_error_set(c->error, AQ_EIO, "no event loop");
    uv_timer_init(&c->loop, &c->tick);
    c->tick.data = c;
    uv_timer_start(&c->tick, on_tick, TICK_MS, TICK_MS);
    int rc = name_tube(c);
    return rc ? rc : open_sockets(c);
}

static void close_all(struct calibrate *c) {
    aq_client_transport_free(c->transport);
    if (c->tick.data) {
        uv_close((uv_handle_t *)&c->tick, NULL);
        uv_run(&c->loop, UV_RUN_DEFAULT);
        uv_loop_close(&c->loop);
    }
    if (c->context) zmq_ctx_term(c->context);
}

int aq_calibrate_servers(const struct aq_calibrate_config *config, struct aq_calibration_server *servers,
                         struct aq_calibrate_result *result, struct aq_error *error) {
    struct calibrate *c = aq_alloc_zeroed(1, sizeof *c);
    if (!c) return aq_error_set(error, AQ_ENOMEM, "out of memory");
    AQ_ASSERT(config->count && config->count <= AQ_CALIBRATE_SERVERS_MAX);
    c->config = config;
    c->servers = servers;
    c->result = result;
    c->error = error;
    c->rc = open_all(c);
    for (; c->server < config->count && !c->rc && !*config->stop; c->server++)
        measure_server(c);
    int rc = c->rc;
    if (!rc && *config->stop) rc = aq_error_set(error, AQ_EINTERRUPTED, "interrupted");
    close_all(c);
    aq_free(c);
    return rc;
}
