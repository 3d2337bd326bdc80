/* The settings of the command line go into the JSON before it is checked, and errors name them. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "scenarios/load.h"

static const char text[] =
    "{\"servers\": {\"count\": 5}, \"faults\": [{\"kind\": \"crash\", \"at\": \"1s\"}, "
    "{\"kind\": \"slow\", \"at\": \"2s\", \"factor\": 3}]}";

static int parse(const struct aq_scenario_options *options, struct aq_scenario **out,
                 struct aq_error *error) {
    *out = NULL;
    memset(error, 0, sizeof *error);
    return aq_scenario_parse(text, "x.json", options, out, error);
}

static void settings_are_applied_in_order_and_shown_in_the_text(void **state) {
    (void)state;
    static const char *const settings[] = {"clients.count=2000",
                                           "clients.count=3000",
                                           "faults.1.at=30s",
                                           "faults.0.name=a=b",
                                           "name=7up",
                                           "workers.poll={\"exp\": \"3s\"}",
                                           "servers.policy.whole_seconds=true"};
    struct aq_scenario_options options = {.settings = settings, .setting_count = 7};
    struct aq_scenario *s, *plain;
    struct aq_error error;
    assert_int_equal(parse(&options, &s, &error), 0);
    assert_int_equal(s->clients.count, 3000);
    assert_int_equal(s->servers.count, 5);
    assert_int_equal(s->faults[1].at_us, 30 * AQ_US_PER_S);
    assert_int_equal(s->faults[0].at_us, AQ_US_PER_S);
    assert_string_equal(s->faults[0].name, "a=b");
    assert_string_equal(s->name, "7up");
    assert_float_equal(s->workers.poll.a_us, 3e6, 0);
    assert_true(s->servers.policy.whole_seconds);
    assert_non_null(strstr(s->text, "3000"));
    assert_int_equal(parse(NULL, &plain, &error), 0);
    assert_int_not_equal(plain->hash, s->hash);
    aq_scenario_free(s);
    aq_scenario_free(plain);
}

static void the_profile_is_set_on_one_side_or_on_both(void **state) {
    (void)state;
    static const struct {
        const char *profile;
        enum aq_profile clients, servers;
    } rows[] = {{NULL, AQ_PROFILE_STRICT, AQ_PROFILE_STRICT},
                {"upstream", AQ_PROFILE_UPSTREAM, AQ_PROFILE_UPSTREAM},
                {"client=upstream", AQ_PROFILE_UPSTREAM, AQ_PROFILE_STRICT},
                {"server=upstream", AQ_PROFILE_STRICT, AQ_PROFILE_UPSTREAM},
                {"strict", AQ_PROFILE_STRICT, AQ_PROFILE_STRICT}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct aq_scenario_options options = {.profile = rows[i].profile};
        struct aq_scenario *s;
        struct aq_error error;
        assert_int_equal(parse(&options, &s, &error), 0);
        assert_int_equal(s->clients.profile, rows[i].clients);
        assert_int_equal(s->servers.profile, rows[i].servers);
        assert_memory_equal(&s->clients.policy,
                            rows[i].clients ? &aq_client_policy_upstream : &aq_client_policy_strict,
                            sizeof s->clients.policy);
        aq_scenario_free(s);
    }
}

static void fidelity_is_set_over_the_file(void **state) {
    (void)state;
    struct aq_scenario_options options = {.fidelity = "wire"};
    struct aq_scenario *s;
    struct aq_error error;
    assert_int_equal(parse(&options, &s, &error), 0);
    assert_true(s->wire);
    aq_scenario_free(s);
}

static void a_wrong_setting_is_named(void **state) {
    (void)state;
    static const struct {
        const char *setting, *expected;
    } rows[] = {
        {"clients.cout=5",
         "--set \"clients.cout=5\": clients.cout: unknown key \"cout\"; did you mean \"count\"? (allowed: count, "
         "profile, policy, groups, exec, speak, ready_within)"},
        {"clients.count=many",
         "--set \"clients.count=many\": clients.count: found \"many\", allowed is a whole number from 1 to 100000"},
        {"faults.0.at=61s", "--set \"faults.0.at=61s\": faults[0].at: it is not before the end of duration"},
        {"faults.0={\"kind\": \"slow\", \"at\": \"1s\", \"factor\": 0}",
         "--set \"faults.0={\"kind\": \"slow\", \"at\": \"1s\", \"factor\": 0}\": faults[0].factor: found 0, allowed is a number above 0 "
         "to 1000000"},
        {"faults.2.at=1s",
         "--set \"faults.2.at=1s\": faults: this is a list of 2; a number below that is needed next"},
        {"faults.2=1",
         "--set \"faults.2=1\": faults: this is a list of 2; a number below that is needed next"},
        {"faults.first.at=1s",
         "--set \"faults.first.at=1s\": faults: this is a list of 2; a number below that is needed next"},
        {"servers.count.x=1",
         "--set \"servers.count.x=1\": servers.count: this is neither an object nor a list"},
        {"seed", "--set \"seed\": the form is PATH=VALUE, such as clients.count=2000 or faults.0.at=30s"},
        {"=1", "--set \"=1\": the form is PATH=VALUE, such as clients.count=2000 or faults.0.at=30s"},
        {"servers..count=1",
         "--set \"servers..count=1\": servers: the form is PATH=VALUE, such as clients.count=2000 or faults.0.at=30s"},
        {"servers.=1",
         "--set \"servers.=1\": servers: the form is PATH=VALUE, such as clients.count=2000 or faults.0.at=30s"},
        {"duration={\"x\"",
         "--set \"duration={\"x\"\": duration: found \"{\"x\"\", allowed is a duration such as \"250ms\" (units us, ms, "
         "s, m, h, d), more than 0"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct aq_scenario_options options = {.settings = &rows[i].setting, .setting_count = 1};
        struct aq_scenario *s;
        struct aq_error error;
        assert_int_equal(parse(&options, &s, &error), AQ_EINVALID);
        assert_null(s);
        assert_string_equal(error.text, rows[i].expected);
    }
}

static void an_error_elsewhere_names_the_file(void **state) {
    (void)state;
    static const char *const settings[] = {"faults.1.at=30s", "servers.count=2", "faults.0.servers=3"};
    struct aq_scenario_options options = {.settings = settings, .setting_count = 3};
    struct aq_scenario *s;
    struct aq_error error;
    assert_int_equal(parse(&options, &s, &error), AQ_EINVALID);
    assert_string_equal(
        error.text,
        "--set \"faults.0.servers=3\": faults[0].servers: found 3, allowed is an index of servers from 0 to 1");
    static const char *const shorter[] = {"duration=1500ms", "settle=0s"};
    options = (struct aq_scenario_options){.settings = shorter, .setting_count = 2};
    assert_int_equal(parse(&options, &s, &error), AQ_EINVALID);
    assert_string_equal(error.text, "x.json: faults[1].at: it is not before the end of duration");
}

static void a_wrong_profile_or_fidelity_is_an_error(void **state) {
    (void)state;
    static const char *const profiles[] = {
        "lenient", "", "client", "client=", "clien=strict", "=strict", "client=strict=upstream"};
    struct aq_scenario *s;
    struct aq_error error;
    for (size_t i = 0; i < sizeof profiles / sizeof *profiles; i++) {
        struct aq_scenario_options options = {.profile = profiles[i]};
        assert_int_equal(parse(&options, &s, &error), AQ_EINVALID);
        assert_non_null(strstr(error.text, "--profile: found \""));
    }
    struct aq_scenario_options options = {.fidelity = "bytes"};
    assert_int_equal(parse(&options, &s, &error), AQ_EINVALID);
    assert_string_equal(error.text, "--fidelity: found \"bytes\", allowed is message or wire");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(settings_are_applied_in_order_and_shown_in_the_text),
        cmocka_unit_test(the_profile_is_set_on_one_side_or_on_both),
        cmocka_unit_test(fidelity_is_set_over_the_file),
        cmocka_unit_test(a_wrong_setting_is_named),
        cmocka_unit_test(an_error_elsewhere_names_the_file),
        cmocka_unit_test(a_wrong_profile_or_fidelity_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
