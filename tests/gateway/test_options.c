#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "client/options.h"

#define Z85    "0123456789abcdefghijklmnopqrstuvwxyzABCD"
#define BASE64 "MDEyMzQ1Njc4OWFiY2RlZmdoaWprbG1ub3BxcnN0dXZ3eHl6QUJDRA==" /* of the above */

#define KEYS "A_CURVE_PUBLICKEY=" BASE64, "A_CURVE_SECRETKEY=" BASE64, "A_CURVE_SERVER_PUBLICKEY=" BASE64

static struct aq_error error;

/* context: NAME=VALUE texts up to a NULL. */
static const char *look_up(void *context, const char *name) {
    for (const char **at = context; *at; at++)
        if (strncmp(*at, name, strlen(name)) == 0 && (*at)[strlen(name)] == '=')
            return *at + strlen(name) + 1;
    return NULL;
}

#define READ(environment, out, ...)                                                                          \
    read_options(environment, out, (char *[]){"allq-client", __VA_ARGS__, NULL})

static int read_options(const char **environment, struct aq_options *out, char **argv) {
    int argc = 0;
    while (argv[argc])
        argc++;
    error = (struct aq_error){0};
    return aq_options_read(argc, argv, look_up, environment, out, &error);
}

static void the_defaults_are_local(void **state) {
    const char *environment[] = {KEYS, NULL};
    struct aq_options o;
    (void)state;
    assert_int_equal(READ(environment, &o, NULL), 0);
    assert_string_equal(o.servers, "127.0.0.1:5555");
    assert_string_equal(o.listen, "127.0.0.1");
    assert_string_equal(o.http_listen, "127.0.0.1");
    assert_string_equal(o.socket, "/tmp/allq_client.sock");
    assert_true(o.has_tcp && o.has_http && !o.upstream);
    assert_int_equal(o.tcp_port, 7766);
    assert_int_equal(o.http_port, 8090);
    assert_int_equal(o.size_limit, 600000);
    assert_int_equal(o.message_limit, 600000);
    assert_int_equal(o.idle_ms, 60000);
    assert_string_equal(o.keys.secret_z85, Z85);
}

static void variables_are_those_of_allqueue_and_flags_go_before_them(void **state) {
    const char *environment[] = {KEYS,
                                 "SERVER_STRING=a:1,b:2",
                                 "TCP_CLIENT_PORT=1",
                                 "CL_PORT=2",
                                 "CL_LISTEN=0.0.0.0",
                                 "HTTP_SERVER_PORT=3",
                                 "SIZE_LIMIT=1000",
                                 "MSG_SIZE_LIMIT=2000",
                                 "SWEEP_DURATION=7",
                                 "ALLQ_DEBUG=true",
                                 "A_ZAP_DOMAIN=roger",
                                 NULL};
    struct aq_options o;
    (void)state;
    assert_int_equal(READ(environment, &o, NULL), 0);
    assert_string_equal(o.servers, "a:1,b:2");
    assert_int_equal(o.tcp_port, 2); /* as AllQueue has it: CL_PORT first */
    assert_string_equal(o.listen, "0.0.0.0");
    assert_string_equal(o.http_listen, "127.0.0.1");
    assert_int_equal(o.http_port, 3);
    assert_int_equal(o.size_limit, 1000);
    assert_int_equal(o.message_limit, 2000);
    assert_true(o.policy.drain_sweep_us == 7 * AQ_US_PER_S);
    assert_true(o.verbose);
    assert_int_equal(READ(environment, &o, "--servers", "c:3", "--tcp-port=0", "--http-port", "off",
                          "--socket", "/x", "--listen", "::1", "--set", "drain_sweep=9s"),
                     0);
    assert_string_equal(o.servers, "c:3");
    assert_int_equal(o.tcp_port, 0);
    assert_false(o.has_http);
    assert_string_equal(o.socket, "/x");
    assert_string_equal(o.listen, "::1");
    assert_true(o.policy.drain_sweep_us == 9 * AQ_US_PER_S);
}

static void a_policy_is_set_on_top_of_the_profile_in_whatever_order(void **state) {
    const char *environment[] = {KEYS, NULL};
    struct aq_options o;
    (void)state;
    assert_int_equal(READ(environment, &o, "--set", "in_flight_per_server=5", "--profile", "upstream"), 0);
    assert_int_equal(o.policy.in_flight_per_server, 5);
    assert_true(o.policy.id_from_host_only);
    assert_int_equal(o.idle_ms, 3000);
    assert_int_equal(o.http_idle_ms, 60000);
    assert_int_equal(READ(environment, &o, "--profile=upstream", "--idle", "250ms"), 0);
    assert_int_equal(o.idle_ms, 250);
    assert_int_equal(o.http_idle_ms, 250);
}

static void wrong_values_are_named(void **state) {
    static const struct {
        const char *variable;
        char *flag, *value;
        const char *text;
    } cases[] = {
        {"CL_PORT=x", NULL, NULL, "CL_PORT: found \"x\", allowed is a whole number from 0 to 65535"},
        {"TCP_CLIENT_PORT=70000", NULL, NULL,
         "TCP_CLIENT_PORT: found \"70000\", allowed is a whole number from 0 to 65535"},
        {"SIZE_LIMIT=600001", NULL, NULL,
         "SIZE_LIMIT: found \"600001\", allowed is a whole number from 16 to 600000"},
        {"SWEEP_DURATION=0", NULL, NULL,
         "SWEEP_DURATION: found \"0\", allowed is a whole number from 1 to 86400"},
        {"A_CURVE_SECRETKEY=" BASE64 "x", NULL, NULL, NULL},
        {NULL, "--http-port", "-1", "--http-port: found \"-1\", allowed is a whole number from 0 to 65535"},
        {NULL, "--profile", "loose", "--profile: found \"loose\", allowed is strict or upstream"},
        {NULL, "--set", "in_flight_per_server",
         "--set: found \"in_flight_per_server\", allowed is POLICY=VALUE"},
        {NULL, "--set", "nothing=1", "--set: found \"nothing=1\", allowed is a policy that --help lists"},
        {NULL, "--idle", "5", "--idle: found \"5\", allowed is a span such as 500ms or 60s, from 1ms to 1d"},
        {NULL, "--max-connections", "0",
         "--max-connections: found \"0\", allowed is a whole number from 1 to 100000"},
        {NULL, "--servers", "", "--servers: found \"\", allowed is host:port,host:port,..."},
        {NULL, "--tcp-port", NULL, "--tcp-port needs a value"},
        {NULL, "--fly", "1", "unknown flag --fly"},
        {NULL, "serve", NULL, "unknown argument \"serve\""},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const char *first = cases[i].variable ? cases[i].variable : "X=";
        const char *environment[] = {first, KEYS, NULL};
        struct aq_options o = {.tcp_port = 9};
        char *argv[] = {"allq-client", cases[i].flag, cases[i].value, NULL};
        int rc = read_options(environment, &o, argv);
        assert_int_equal(rc, AQ_EUSAGE);
        assert_int_equal(error.code, AQ_EUSAGE);
        if (cases[i].text) assert_string_equal(error.text, cases[i].text);
        assert_int_equal(o.tcp_port, 9); /* untouched */
    }
}

static void without_keys_it_says_which_are_missing_and_shows_none(void **state) {
    const char *none[] = {NULL}, *some[] = {"A_CURVE_SECRETKEY=" BASE64, NULL},
               *wrong[] = {"A_CURVE_SECRETKEY=geheim", NULL};
    struct aq_options o;
    (void)state;
    assert_int_equal(READ(none, &o, NULL), AQ_EUSAGE);
    assert_non_null(
        strstr(error.text, "missing A_CURVE_PUBLICKEY A_CURVE_SECRETKEY A_CURVE_SERVER_PUBLICKEY in"));
    assert_non_null(strstr(error.text, "allq-fakeserver"));
    assert_int_equal(READ(some, &o, NULL), AQ_EUSAGE);
    assert_non_null(strstr(error.text, "missing A_CURVE_PUBLICKEY A_CURVE_SERVER_PUBLICKEY in"));
    assert_null(strstr(error.text, BASE64));
    assert_int_equal(READ(wrong, &o, NULL), AQ_EUSAGE);
    assert_int_equal(strncmp(error.text, "A_CURVE_SECRETKEY: ", 19), 0);
    assert_null(strstr(error.text, "geheim"));
    assert_int_equal(READ(none, &o, "--keys", "file"), 0); /* they are read later */
}

static void help_and_version_need_nothing_else(void **state) {
    const char *none[] = {NULL};
    struct aq_options o;
    (void)state;
    assert_int_equal(READ(none, &o, "--help"), 0);
    assert_int_equal(o.task, AQ_OPTIONS_HELP);
    assert_int_equal(READ(none, &o, "--tcp-port", "5", "--version"), 0);
    assert_int_equal(o.task, AQ_OPTIONS_VERSION);
}

static void something_must_listen(void **state) {
    const char *environment[] = {KEYS, NULL};
    struct aq_options o;
    (void)state;
    assert_int_equal(READ(environment, &o, "--tcp-port", "off", "--http-port", "off", "--socket", "off"),
                     AQ_EUSAGE);
    assert_int_equal(READ(environment, &o, "--tcp-port", "off", "--socket", "off"), 0);
}

int main(void) {
    static const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_defaults_are_local),
        cmocka_unit_test(variables_are_those_of_allqueue_and_flags_go_before_them),
        cmocka_unit_test(a_policy_is_set_on_top_of_the_profile_in_whatever_order),
        cmocka_unit_test(wrong_values_are_named),
        cmocka_unit_test(without_keys_it_says_which_are_missing_and_shows_none),
        cmocka_unit_test(help_and_version_need_nothing_else),
        cmocka_unit_test(something_must_listen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
