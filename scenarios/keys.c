#include "scenarios/keys.h"

#include "base/limits.h"
#include "base/time.h"
#include "scenarios/scenario.h"

#define ROW(name, TYPE, field, standard, text, ...)                                                          \
    { name, AQ_KEY_##TYPE, offsetof(STRUCT, field), standard, text, __VA_ARGS__ }
/* A row whose type fills more than one field of the struct. */
#define WHOLE(name, TYPE, standard, text, ...)                                                               \
    { name, AQ_KEY_##TYPE, 0, standard, text, __VA_ARGS__ }
#define OBJECT(symbol, title, rows)                                                                          \
    const struct aq_object symbol = {title, rows, sizeof rows / sizeof *rows};                               \
    _Static_assert(sizeof rows / sizeof *rows <= 64, "sets of keys are bits of 64")

#define SEED_MAX      999999999999999.0 /* 15 digits go through JSON as a double, and back to text, unchanged */
#define RATE_MAX      1e9
#define FACTOR_MAX    1e6
#define LOSS_MAX      0.99   /* with nothing ever getting through a retransmission would never end */
#define JOBS_MAX      1e7    /* put at one instant; ten times the jobs of the largest runs */
#define ADDRESSES_MAX 100000 /* characters of a list of servers */
#define WORDS_MAX     100    /* of a command line */
#define SECONDS_MAX   (3650.0 * 86400)
#define BODY_MAX      (AQ_MESSAGE_BYTES_MAX - 1000) /* leaves room for the rest of the message */
#define PRIORITY_FROM (-1000)
#define PRIORITY_TO   1000

#define STRUCT struct aq_fair_section
static const struct aq_key fair_keys[] = {
    ROW("prefix", TEXT, prefix, "\"fq-\"", "Tubes whose names begin so are fair queues.", .min = 1,
        .max = 50),
    ROW("suffix", TEXT, suffix, "\"\"", "Instead, tubes whose names end so are; empty: the prefix counts.",
        .max = 50),
    ROW("by_key", BOOL, by_key, "false",
        "Each shard key has a shard of its own, instead of keys being hashed to shards."),
    ROW("separator", TEXT, separator, "\":s:\"",
        "What stands between queue and key in the names of such shards.", .min = 1, .max = 20),
    ROW("shards", COUNT, shards, "10", "How many shards keys are hashed to.", .min = 1, .max = 10000),
    ROW("reservation_max", COUNT, reservation_max, "0",
        "A get passes over hashed shards with so many reserved jobs; 0: no bound."),
};
static OBJECT(fair_object, "fair", fair_keys);
#undef STRUCT

#define STRUCT struct aq_server_section
static const struct aq_key server_keys[] = {
    ROW("count", COUNT, count, "4", "How many servers run, numbered from 0.", .min = 1,
        .max = AQ_SERVERS_MAX),
    ROW("profile", WORD, profile, "\"strict\"",
        "Whether servers keep the promises of the documentation (strict) or behave as the public release (upstream).",
        .words = &aq_words_profiles),
    WHOLE("policy", SERVER_POLICY, "{}", "Single choices of behaviour that differ from the profile."),
    ROW("same_host", BOOL, same_host, "false", "All servers are on one host, at different ports."),
    ROW("shared_identity", COUNT, shared_identity, "0",
        "The first so many servers share the address, and so the identity, of server 0.",
        .max = AQ_SERVERS_MAX),
    ROW("persistent", BOOL, persistent, "false", "Jobs are written to disk before a request is answered."),
    ROW("persist", DISTRIBUTION, persist, "{\"lognormal\": {\"median\": \"50us\", \"p99\": \"500us\"}}",
        "Time that one write to disk takes; used with persistent."),
    ROW("service", SERVICE, service, "{\"default\": {\"exp\": \"60us\"}}",
        "Time that a server works on one request: for each action, and for all others under default."),
    ROW("default_ttl", SECONDS, default_ttl_s, "\"1h\"", "Lease time of jobs that were put without a ttl.",
        .min = 1, .max = SECONDS_MAX),
    ROW("fair", SECTION, fair, NULL, "Fair queues.", .object = &fair_object),
    ROW("tube_expire", SPAN, tube_expire_us, "\"1h\"",
        "Idle time after which a tube is dropped, with the policy reaper_ignores_delayed.", .above = true),
    ROW("queue_max", COUNT, queue_max, "100000",
        "Requests that may wait at one server; further ones are dropped.", .min = 1),
    ROW("start", SPAN, start_us, "\"100ms\"",
        "Time from the start of a server's process to its first accepted connection."),
    WHOLE(
        "connect", CONNECT, NULL,
        "Servers that run elsewhere, which nothing is known of but their answers; count is then their number. Needs --world live.",
        .max = ADDRESSES_MAX),
    ROW("own_tube", BOOL, own_tube, "true",
        "With connect: the tubes get a name that no other run uses; false: as they are named."),
};
static OBJECT(server_object, "servers", server_keys);
#undef STRUCT

#define STRUCT struct aq_client_group
static const struct aq_key group_keys[] = {
    ROW("share", NUMBER, share, NULL, "Share of all clients that are in this group.", .max = 1, .above = true,
        .required = true),
    WHOLE(
        "servers", GROUP_SERVERS, NULL,
        "The servers that these clients know, by index; an index at or above servers.count is an address with nothing behind it.",
        .required = true, .min = 1, .max = AQ_SERVERS_MAX),
};
static OBJECT(group_object, "groups", group_keys);
#undef STRUCT

#define STRUCT struct aq_client_section
static const struct aq_key client_keys[] = {
    ROW("count", COUNT, count, "100", "How many clients run, numbered from 0; one for each worker machine.",
        .min = 1, .max = AQ_CLIENTS_MAX),
    ROW("profile", WORD, profile, "\"strict\"",
        "Whether clients keep the promises of the documentation (strict) or behave as the public release (upstream).",
        .words = &aq_words_profiles),
    WHOLE("policy", CLIENT_POLICY, "{}", "Single choices of behaviour that differ from the profile."),
    WHOLE(
        "groups", GROUPS, NULL,
        "Clients with a list of servers of their own, taken from the highest index down; all others know every server.",
        .object = &group_object, .max = 1000),
    WHOLE(
        "exec", EXEC, NULL,
        "The command line of another client, word by word: each client is a process of it. Needs --world live.",
        .min = 1, .max = WORDS_MAX),
    ROW("speak", WORD, speak, "\"json_lines\"", "With exec: how workers talk to these clients.",
        .words = &aq_words_dialects),
    ROW("ready_within", SPAN, ready_within_us, "\"10s\"",
        "With exec: longest time from the start of a process until its port accepts connections.",
        .above = true),
};
static OBJECT(client_object, "clients", client_keys);
#undef STRUCT

#define STRUCT struct aq_worker_section
static const struct aq_key worker_keys[] = {
    ROW("count", COUNT, count, "500",
        "How many workers run; worker w belongs to client w modulo clients.count.", .max = AQ_WORKERS_MAX),
    ROW("tube", TUBE, tube, "\"default\"", "The tube that they take jobs from.", .max = AQ_TUBE_CHARS_MAX),
    WHOLE("further_tubes", TUBES, NULL,
          "Further tubes; each worker asks for jobs of tube and of these in turn.", .max = 100),
    ROW("start", SPAN, start_us, "\"100ms\"", "When the first worker starts."),
    ROW("ramp", SPAN, ramp_us, "\"1s\"", "Span over which the others start evenly; \"0\": all at once."),
    ROW("poll", DISTRIBUTION, poll, "{\"exp\": \"500ms\"}",
        "Wait after a get that brought no job, before the next one.", .above = true),
    ROW("process", DISTRIBUTION, process, "{\"lognormal\": {\"median\": \"200ms\", \"p99\": \"1s\"}}",
        "Time that one job takes a worker.", .above = true),
    ROW("release_ratio", NUMBER, release_ratio, "0", "Share of jobs that are released after processing.",
        .max = 1),
    ROW("bury_ratio", NUMBER, bury_ratio, "0", "Share of jobs that are buried after processing.", .max = 1),
    ROW("delete_ratio", NUMBER, delete_ratio, "0",
        "Share of jobs that are finished by delete instead of done.", .max = 1),
    ROW("abandon_ratio", NUMBER, abandon_ratio, "0", "Share of jobs whose worker dies in the middle of them.",
        .max = 1),
    ROW("release_delay", SECONDS, release_delay_s, "\"0\"", "Delay that a release asks for.",
        .max = SECONDS_MAX),
    ROW("touch_every", SPAN, touch_every_us, "\"never\"",
        "How often a worker renews its lease while it processes a job.", .above = true, .never = true),
    ROW("call_timeout", SPAN, call_timeout_us, "\"never\"",
        "A worker gives up on a call to its client after this.", .above = true, .never = true),
    ROW("restart", SPAN, restart_us, "\"1s\"", "A dead worker is replaced after this."),
    ROW("batch", COUNT, batch, "1", "Jobs wanted by one get; more than 1 uses get_multiple_jobs.", .min = 1,
        .max = AQ_JOBS_PER_GET_MAX),
    ROW("get_delete", WORD, get_delete, "\"unsaid\"",
        "What a get says about delete: nothing, false, or true: the job is over as soon as it is handed out.",
        .words = &aq_words_get_deletes),
};
static OBJECT(worker_object, "workers", worker_keys);
#undef STRUCT

#define STRUCT struct aq_parent_section
static const struct aq_key parent_keys[] = {
    ROW("share", NUMBER, share, "0", "Share of arrivals that are a workflow instead of a plain job.",
        .max = 1),
    ROW("children", RANGE, children, "3", "Children of each parent; two numbers: drawn evenly between them.",
        .max = 1000),
    ROW("levels", COUNT, levels, "1",
        "Levels of parents: with more than 1 the children of the upper ones are parents themselves.",
        .min = 1, .max = 10),
    ROW("children_known", BOOL, children_known, "true",
        "Parents are given the number of their children as limit; otherwise set_children_started tells when all are put."),
    ROW("timeout", SECONDS, timeout_s, "\"1h\"", "How long a parent waits for its children.", .min = 1,
        .max = SECONDS_MAX),
    ROW("run_on_timeout", BOOL, run_on_timeout, "false",
        "A parent that has waited for too long is run; otherwise it is buried."),
    ROW("noop", WORD, noop, "\"none\"",
        "Which parents only count and are never run: none, all but the topmost (inner), or all.",
        .words = &aq_words_noops),
    ROW("tube", TUBE, tube, NULL, "The tube that children are put into; that of the producers unless given.",
        .max = AQ_TUBE_CHARS_MAX),
};
static OBJECT(parent_object, "parents", parent_keys);
#undef STRUCT

#define STRUCT struct aq_shard_key_section
static const struct aq_key shard_key_keys[] = {
    ROW("count", COUNT, count, "0", "How many different keys jobs carry; 0: they carry none.", .max = 100000),
    ROW("skew", NUMBER, skew, "0",
        "How much oftener the first keys are drawn: key k with a weight of 1 / k^skew; 0: evenly.",
        .max = 10),
};
static OBJECT(shard_key_object, "shard_keys", shard_key_keys);
#undef STRUCT

#define STRUCT struct aq_producer_section
static const struct aq_key producer_keys[] = {
    WHOLE(
        "arrivals", ARRIVALS, "{\"poisson\": \"500/s\"}",
        "How new jobs arrive, all clients together: none, at random (poisson), evenly (constant) or in bursts."),
    ROW("jobs", COUNT64, jobs_max, "0", "Stop after this many jobs; 0: no bound.", .max = 1e12),
    ROW("start", SPAN, start_us, "\"100ms\"", "When the first job may be put."),
    ROW("stop", SPAN, stop_us, "\"never\"", "When the last job may be put; never: at the end of duration.",
        .never = true),
    ROW("tube", TUBE, tube, "\"default\"", "The tube that jobs are put into.", .max = AQ_TUBE_CHARS_MAX),
    WHOLE("ttl", TTL, "\"30s\"",
          "Lease time that jobs ask for; \"default\" leaves it to servers.default_ttl.", .min = 1,
          .max = SECONDS_MAX),
    ROW("delay", SECONDS, delay_s, "\"0\"", "Time after the put before a job is ready.", .max = SECONDS_MAX),
    WHOLE("priority", PRIORITY, "5", "Priority of jobs, lower first; two numbers: drawn evenly between them.",
          .min = PRIORITY_FROM, .max = PRIORITY_TO),
    ROW("expired_limit", INTEGER, expired_limit, "0",
        "Expiries after which a job is buried; 0: the server's default, which is 3.", .max = 1e6),
    ROW("body_bytes", BYTES, body_bytes, "0",
        "Bodies are padded to this size; 0: they hold just their token.", .max = BODY_MAX),
    ROW("parents", SECTION, parents, NULL, "Jobs that wait for others.", .object = &parent_object),
    ROW("shard_keys", SECTION, shard_keys, NULL, "Keys of jobs, by which fair queues share the workers.",
        .object = &shard_key_object),
};
static OBJECT(producer_object, "producers", producer_keys);
#undef STRUCT

#define STRUCT struct aq_network_section
static const struct aq_key network_keys[] = {
    ROW("latency", DISTRIBUTION, latency, "{\"lognormal\": {\"median\": \"200us\", \"p99\": \"1ms\"}}",
        "Time of a message from a client to a server, or back."),
    ROW("loss", NUMBER, loss, "0", "Probability that a message is lost and has to be sent again.",
        .max = LOSS_MAX),
    ROW("connect_round_trips", COUNT, connect_round_trips, "3",
        "Round trips until a connection is up: TCP and the CURVE handshake together.", .max = 100),
    ROW("retransmit_first", SPAN, retransmit_first_us, "\"200ms\"",
        "Wait before a lost message is first sent again.", .above = true),
    ROW("retransmit_max", SPAN, retransmit_max_us, "\"120s\"",
        "Longest wait between two attempts; the wait doubles up to here.", .above = true),
};
static OBJECT(network_object, "network", network_keys);
#undef STRUCT

#define STRUCT struct aq_fault_spec
static const struct aq_key fault_keys[] = {
    ROW("kind", WORD, kind, NULL, "What breaks.", .words = &aq_words_faults, .required = true),
    ROW("name", TEXT, name, NULL, "What reports call this fault; the kind unless given.", .min = 1,
        .max = 100),
    ROW("at", SPAN, at_us, "\"0\"", "When it strikes; with on, the earliest time for it."),
    WHOLE("on", ON, NULL, "Strike when a server first does this, at or after at.", .words = &aq_words_taps),
    ROW("for", SPAN, for_us, "\"never\"", "How long it lasts; never: until the end of duration.",
        .above = true, .never = true),
    ROW("every", SPAN, every_us, "\"never\"", "Strike again this long after the last strike.", .above = true,
        .never = true),
    ROW("times", COUNT, times, "0", "How often it strikes at most, with every; 0: no bound."),
    ROW("may_miss", BOOL, may_miss, "false", "That it touches nothing does not make the verdict unknown."),
    ROW("servers", SELECTION, servers, NULL, "Which servers; all unless given."),
    ROW("clients", SELECTION, clients, NULL, "Which clients; all unless given."),
    ROW("workers", SELECTION, workers, NULL, "Which workers; all unless given."),
    ROW("actions", ACTIONS, actions, NULL, "Only requests with these actions; all unless given.",
        .words = &aq_words_server_actions),
    ROW("tube", TUBE, tube, NULL, "Only requests about this tube.", .max = AQ_TUBE_CHARS_MAX),
    ROW("probability", NUMBER, probability, "1", "Chance to act on each matching message.", .max = 1,
        .above = true),
    ROW("nth", COUNT64, nth, NULL,
        "Act on the n-th matching message only, counted from 1 on each server; for corrupt, on the n-th byte that passes.",
        .min = 1, .max = 1e12),
    ROW("factor", NUMBER, factor, "1", "What times, or arrivals, are multiplied by.", .max = FACTOR_MAX,
        .above = true),
    ROW("count", COUNT64, count, NULL, "Jobs put at once.", .min = 1, .max = JOBS_MAX),
    ROW("jump", JUMP, jump_us, NULL, "How far the clock jumps, such as \"30s\" or \"-10s\"; not 0."),
    ROW("delay", DISTRIBUTION, delay, NULL,
        "Delay added to each message, or for slow_close to the end of a connection; for latency a plain span.",
        .above = true),
    ROW("bytes_per_s", BYTES, bytes_per_s, NULL,
        "Bytes that pass in a second at most, on each connection and in each direction.", .min = 1),
    ROW("piece_bytes", BYTES, piece_bytes, NULL, "Bytes that pass at one time at most.", .min = 1),
    ROW("pause", SPAN, pause_us, "\"1ms\"", "Wait after each piece of bytes."),
    ROW("direction", WORD, direction, "\"both\"", "Which way messages are hit.",
        .words = &aq_words_directions),
    ROW("disk", FLAG_WORD, disk_lost, "\"kept\"",
        "Whether what is on disk outlives the crash; needs servers.persistent.", .words = &aq_words_disks),
    ROW("error", TEXT, error, NULL, "Text of the error reply; \"injected error\" unless given.", .min = 1,
        .max = 500),
    WHOLE(
        "server", SERVER, NULL,
        "The server that is meant, by index; at or above servers.count it is an address with nothing behind it."),
    WHOLE("server_list", SERVER_LIST, NULL, "The new list of servers, by index, as for groups.", .min = 1,
          .max = AQ_SERVERS_MAX),
};
OBJECT(aq_object_fault, "faults", fault_keys);
#undef STRUCT

#define STRUCT struct aq_command_spec
static const struct aq_key command_keys[] = {
    ROW("action", WORD, kind, NULL, "What is asked for.", .words = &aq_words_commands, .required = true),
    ROW("at", SPAN, at_us, NULL, "When.", .required = true),
    ROW("every", SPAN, every_us, "\"never\"", "Again this long after the last time.", .above = true,
        .never = true),
    ROW("times", COUNT, times, "0", "How often at most, with every; 0: no bound."),
    ROW("client", COUNT, client, "0", "The client that is asked, by index."),
    ROW("tube", TUBE, tube, NULL, "The tube that is meant.", .max = AQ_TUBE_CHARS_MAX),
    ROW("tps", NUMBER, tps, "0", "Gets per second of all servers together; 0: no limit.", .max = RATE_MAX),
    ROW("buried", BOOL, buried, "false", "Peek at buried jobs instead of ready ones."),
    ROW("job", TEXT, job, NULL, "The id of a job that is named; a server's id and a comma come first in it.",
        .min = 1, .max = AQ_JOB_REF_CHARS_MAX),
    ROW("server", COUNT, server, "0",
        "The server that is meant, by index; at or above servers.count it is an address with nothing behind it."),
};
OBJECT(aq_object_command, "commands", command_keys);
#undef STRUCT

#define STRUCT struct aq_budget_section
static const struct aq_key budget_keys[] = {
    ROW("failover_leave", SPAN, failover_leave_us, "\"6s\"",
        "A stopped server is not chosen any more after this.", .never = true),
    ROW("failover_return", SPAN, failover_return_us, "\"35s\"",
        "A server that is back is chosen again within this.", .never = true),
    ROW("progress", SPAN, progress_us, "\"60s\"",
        "Longest time without progress after the faults are healed; starts anew on progress.", .above = true,
        .never = true),
    ROW("duplicate_executions_max", NUMBER, duplicate_executions_max, "1",
        "Share of completed jobs that may be executed more than once for the causes that the checks excuse; 1: no bound.",
        .max = 1),
    ROW("distribution_p_min", NUMBER, distribution_p_min, "1e-06",
        "p-value of the chi-square test below which choices count as not uniform.", .max = 1),
};
static OBJECT(budget_object, "budgets", budget_keys);
#undef STRUCT

#define STRUCT struct aq_slo_words
static const struct aq_key slo_keys[] = {
    ROW("latency", WORD, latency, NULL, "The call whose latency is judged; with p and below.",
        .words = &aq_words_slo_actions),
    ROW("p", NUMBER, percentile, NULL, "Percentile of the latency, such as 99 or 99.9.", .max = 100,
        .above = true),
    ROW("below", SPAN, below_us, NULL, "What that percentile has to stay below.", .above = true),
    ROW("throughput", RATE, throughput_per_s, NULL, "Completed jobs per second, at least.", .max = RATE_MAX),
    ROW("availability", WORD, availability, NULL, "The call whose availability is judged; with above.",
        .words = &aq_words_slo_actions),
    ROW("above", NUMBER, above, NULL, "Share of these calls that must be answered properly, at least.",
        .max = 1),
    ROW("empty_gets", NUMBER, empty_gets, NULL, "Share of gets that may bring nothing, at most.", .max = 1),
};
OBJECT(aq_object_slo, "slo", slo_keys);
#undef STRUCT

#define STRUCT struct aq_explore_section
static const struct aq_key explore_keys[] = {
    WHOLE("settings", DRAWN_SETTINGS, NULL,
          "What is drawn for each seed: the path of a setting, as for --set, and the draw."),
    ROW("off_ratio", NUMBER, off_ratio, "0.5",
        "Chance of each family of faults to be left out of a run altogether.", .max = 1),
    WHOLE("faults", DRAWN_FAULTS, NULL,
          "The faults that may be drawn: as in faults of the file, with draws in place of values.",
          .object = &aq_object_fault, .max = AQ_FAULTS_MAX),
    ROW("require_marks", MARKS, required_marks, NULL,
        "Coverage marks that an exploration has to reach, in whichever run; otherwise its verdict is unknown.",
        .max = 1000),
};
static OBJECT(explore_object, "explore", explore_keys);
#undef STRUCT

#define STRUCT struct aq_plan_section
static const struct aq_key plan_keys[] = {
    ROW("slo", TEXT, slo, NULL, "The objective, unless the command line has one.", .min = 1, .max = 1000),
    ROW("warm_up", SPAN, warm_up_us, "\"never\"",
        "Beginning of each run that is not measured; never: a quarter of duration.", .above = true,
        .never = true),
};
static OBJECT(plan_object, "plan", plan_keys);
#undef STRUCT

#define STRUCT struct aq_scenario
static const struct aq_key expect_keys[] = {
    ROW("strict", EXPECTATION, expect_strict, NULL, "What is expected of clients with the profile strict."),
    ROW("upstream", EXPECTATION, expect_upstream, NULL,
        "What is expected of clients with the profile upstream."),
    ROW("unknown", ACTIONS, expect_unknown, NULL,
        "Checks that need not be able to judge: they do not make the verdict of the run unknown.",
        .words = &aq_words_checks),
};
static OBJECT(expect_object, "expect", expect_keys);

static const struct aq_key scenario_keys[] = {
    WHOLE("$schema", IGNORED, NULL, "Where editors find the JSON Schema; ignored."),
    ROW("name", NAME, name, NULL, "What reports call the scenario; the file's name unless given.",
        .max = 100),
    ROW("summary", TEXT, summary, "\"\"", "One sentence: what the scenario shows.", .max = 500),
    WHOLE("notes", IGNORED, NULL, "Free text, or a list of texts, for people; ignored."),
    ROW("seed", COUNT64, seed, "1", "The seed unless the command line gives one.", .max = SEED_MAX),
    ROW("duration", SPAN, duration_us, "\"60s\"",
        "How long load and faults last; then everything is healed and the backlog drains.", .above = true),
    ROW("settle", SPAN, settle_us, "\"60s\"",
        "Longest time after duration for the backlog to drain and late events to show."),
    ROW("window", SPAN, window_us, "\"1s\"", "Width of the counters over time in reports.", .above = true),
    ROW("fidelity", FLAG_WORD, wire, "\"message\"",
        "Whether messages cross the network as structs (message) or as encoded bytes (wire).",
        .words = &aq_words_fidelities),
    ROW("servers", SECTION, servers, NULL, "The servers.", .object = &server_object),
    ROW("clients", SECTION, clients, NULL, "The federation clients.", .object = &client_object),
    ROW("workers", SECTION, workers, NULL, "The workers.", .object = &worker_object),
    ROW("producers", SECTION, producers, NULL, "Where jobs come from.", .object = &producer_object),
    ROW("network", SECTION, network, NULL, "The network between clients and servers.",
        .object = &network_object),
    ROW("balancer", WORD, balancer, "\"none\"",
        "A load balancer in front of the servers that picks one for each request or for each connection.",
        .words = &aq_words_balancers),
    WHOLE("faults", FAULTS, NULL, "What breaks, and when.", .object = &aq_object_fault, .max = AQ_FAULTS_MAX),
    WHOLE("commands", COMMANDS, NULL, "What operators ask of clients, and when.",
          .object = &aq_object_command, .max = AQ_COMMANDS_MAX),
    ROW("budgets", SECTION, budgets, NULL, "What is still good enough.", .object = &budget_object),
    WHOLE("slo", SLOS, NULL, "Service levels that have to hold.", .object = &aq_object_slo, .max = 100),
    WHOLE("expect", SECTION, NULL, "What the run is expected to show, by the profile of the clients.",
          .object = &expect_object),
    ROW("require_marks", MARKS, required_marks, NULL,
        "Coverage marks that the run has to reach; otherwise its verdict is unknown.", .max = 1000),
    ROW("explore", SECTION, explore, NULL, "What allqsim explore draws for each seed.",
        .object = &explore_object),
    ROW("plan", SECTION, plan, NULL, "What allqsim plan asks for.", .object = &plan_object),
};
OBJECT(aq_object_scenario, "scenario", scenario_keys);
#undef STRUCT

const struct aq_object *const aq_objects[] = {
    &aq_object_scenario, &server_object,     &fair_object,   &client_object,    &group_object,
    &worker_object,      &producer_object,   &parent_object, &shard_key_object, &network_object,
    &aq_object_fault,    &aq_object_command, &budget_object, &aq_object_slo,    &expect_object,
    &explore_object,     &plan_object,       NULL,
};

const char *const aq_slo_forms[] = {"latency p below", "throughput", "availability above", "empty_gets"};

#define MESSAGE_KEYS "for servers actions tube probability nth"
#define LINK_KEYS    "for servers clients direction"

const struct aq_fault_keys aq_fault_keys[] = {
    [AQ_FAULT_CRASH] = {false, "for servers disk", NULL},
    [AQ_FAULT_RESTART] = {true, "servers", NULL},
    [AQ_FAULT_PAUSE] = {false, "for servers", NULL},
    [AQ_FAULT_SLOW] = {false, MESSAGE_KEYS " factor", "factor"},
    [AQ_FAULT_ERROR_REPLY] = {false, MESSAGE_KEYS " error", NULL},
    [AQ_FAULT_DROP_REQUEST] = {false, MESSAGE_KEYS, NULL},
    [AQ_FAULT_DROP_REPLY] = {false, MESSAGE_KEYS, NULL},
    [AQ_FAULT_DUPLICATE_REPLY] = {false, MESSAGE_KEYS, NULL},
    [AQ_FAULT_CLOCK_JUMP] = {false, "for servers jump", "jump"},
    [AQ_FAULT_MALFORMED_REPLY] = {false, MESSAGE_KEYS, NULL},
    [AQ_FAULT_TRUNCATED_REPLY] = {false, MESSAGE_KEYS, NULL},
    [AQ_FAULT_OVERSIZED_REPLY] = {false, MESSAGE_KEYS, NULL},
    [AQ_FAULT_EMPTY_REPLY] = {false, MESSAGE_KEYS, NULL},
    [AQ_FAULT_WRONG_ID_REPLY] = {false, MESSAGE_KEYS, NULL},
    [AQ_FAULT_STALLED_SWEEPS] = {false, "for servers", NULL},
    [AQ_FAULT_DISK_FULL] = {false, "for servers", NULL},
    [AQ_FAULT_LATENCY] = {false, LINK_KEYS " delay", "delay"},
    [AQ_FAULT_JITTER] = {false, LINK_KEYS " delay", "delay"},
    [AQ_FAULT_LOSS] = {false, LINK_KEYS " probability", "probability"},
    [AQ_FAULT_BANDWIDTH] = {false, LINK_KEYS " bytes_per_s", "bytes_per_s"},
    [AQ_FAULT_CHOP] = {false, LINK_KEYS " piece_bytes pause", "piece_bytes"},
    [AQ_FAULT_CORRUPT] = {false, LINK_KEYS " probability nth", NULL},
    [AQ_FAULT_SLOW_CLOSE] = {false, LINK_KEYS " delay", "delay"},
    [AQ_FAULT_PARTITION] = {false, LINK_KEYS, NULL},
    [AQ_FAULT_RESET] = {true, "servers clients", NULL},
    [AQ_FAULT_REFUSED] = {false, "for servers clients", NULL},
    [AQ_FAULT_HALF_OPEN] = {true, "servers clients", NULL},
    [AQ_FAULT_CLIENT_CRASH] = {false, "for clients", NULL},
    [AQ_FAULT_CLIENT_CLOCK_JUMP] = {false, "for clients jump", "jump"},
    [AQ_FAULT_WORKER_CRASH] = {true, "workers", NULL},
    [AQ_FAULT_WORKER_OVERRUN] = {false, "for workers factor", "factor"},
    [AQ_FAULT_BURST] = {false, "for count factor",
                        NULL}, /* exactly one of count and factor; with count, momentary */
    [AQ_FAULT_WORKER_REPEAT] = {false, "for workers", NULL},
    [AQ_FAULT_HERD] = {true, "workers", NULL},
    [AQ_FAULT_POISON_JOB] = {false, "for probability", NULL},
    [AQ_FAULT_ADD_SERVER] = {true, "clients server", "server"},
    [AQ_FAULT_UPDATE_SERVERS] = {true, "clients server_list", "server_list"},
    [AQ_FAULT_DRAIN] = {true, "clients server", "server"},
    [AQ_FAULT_REDIRECT] = {true, "servers server", "server"},
    [AQ_FAULT_BLANK_REQUEST] = {true, "servers", NULL},
};
_Static_assert(sizeof aq_fault_keys / sizeof *aq_fault_keys == AQ_FAULT_KIND_COUNT, "one row a kind");

const struct aq_command_keys aq_command_keys[] = {
#define X(name, word, action, keys, required) [AQ_COMMAND_##name] = {action, keys, required},
    AQ_COMMANDS(X)
#undef X
};

bool aq_key_listed(const char *list, const char *name) {
    size_t length = strlen(name);
    for (const char *at = list; at && *at;) {
        size_t word = strcspn(at, " ");
        if (word == length && memcmp(at, name, length) == 0) return true;
        at += word + (at[word] == ' ');
    }
    return false;
}

const struct aq_key *aq_key_find(const struct aq_object *object, const char *name, size_t *index) {
    for (size_t i = 0; i < object->count; i++)
        if (strcmp(object->keys[i].name, name) == 0) {
            if (index) *index = i;
            return &object->keys[i];
        }
    return NULL;
}
