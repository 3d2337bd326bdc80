/* Worker processes: every task is told once, whatever becomes of its process. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "sim/pool.h"

#define TASKS 40

enum { DOES_WELL, DIES, ANSWERS_LONG, WAITS }; /* what a task does, by its number */

struct rig {
    uint64_t next, end;
    uint32_t results[TASKS], deaths[TASKS];
    size_t longest;
    char why[700];
    int (*what)(uint64_t task);
    int answer; /* of `result` */
    volatile sig_atomic_t stop;
};

static volatile sig_atomic_t told; /* in the worker: to stop */

static void on_signal(int number) {
    (void)number;
    told = 1;
}

static int mixed(uint64_t task) {
    return task % 7 == 3 ? DIES : task % 7 == 5 ? ANSWERS_LONG : DOES_WELL;
}

static int waits(uint64_t task) {
    (void)task;
    return WAITS;
}

static bool work(void *arg, uint64_t task, int to) {
    const struct rig *rig = arg;
    static char filler[300000];
    int what = rig->what(task);
    if (what == DIES) {
        fputs("a word before\ninternal error: task is not liked\n", stderr);
        abort();
    }
    while (what == WAITS && !told)
        usleep(1000);
    if (what == WAITS) usleep(600000); /* longer than the pool looks at things */
    memset(filler, (int)('a' + task % 26), sizeof filler);
    const struct aq_pool_part parts[] = {{&task, sizeof task},
                                         {filler, what == ANSWERS_LONG ? sizeof filler : task}};
    return aq_pool_send(to, parts, 2);
}

static bool next(void *arg, uint64_t *task) {
    struct rig *rig = arg;
    if (rig->next == rig->end) return false;
    *task = rig->next++;
    return true;
}

static int result(void *arg, uint64_t task, const void *message, size_t bytes) {
    struct rig *rig = arg;
    uint64_t number;
    memcpy(&number, message, sizeof number);
    assert_int_equal((uintptr_t)message % 8, 0);
    assert_int_equal(number, task);
    for (size_t i = sizeof number; i < bytes; i++)
        assert_int_equal(((const char *)message)[i], 'a' + (int)(task % 26));
    if (bytes > rig->longest) rig->longest = bytes;
    rig->results[task]++;
    return rig->answer;
}

static int died(void *arg, uint64_t task, const char *why, bool no_memory) {
    struct rig *rig = arg;
    assert_false(no_memory);
    snprintf(rig->why, sizeof rig->why, "%s", why);
    rig->deaths[task]++;
    return 0;
}

static void stop_soon(void *arg) {
    struct rig *rig = arg;
    rig->stop = 1;
}

static struct aq_pool_options options_of(struct rig *rig, uint32_t jobs) {
    return (struct aq_pool_options){
        .jobs = jobs, .work = work, .next = next, .result = result, .died = died, .arg = rig};
}

static void every_task_is_told_once(void **state) {
    (void)state;
    for (uint32_t jobs = 1; jobs <= 5; jobs += 2) {
        struct rig rig = {.end = TASKS, .what = mixed};
        struct aq_pool_options options = options_of(&rig, jobs);
        struct aq_error error = {0};
        assert_int_equal(aq_pool_run(&options, &error), 0);
        for (uint64_t task = 0; task < TASKS; task++) {
            assert_int_equal(rig.results[task], mixed(task) != DIES);
            assert_int_equal(rig.deaths[task], mixed(task) == DIES);
        }
        assert_true(rig.longest > 300000);
        assert_non_null(strstr(rig.why, "Aborted: internal error: task is not liked"));
    }
}

static void a_function_ends_the_whole_well_or_not(void **state) {
    (void)state;
    for (int answer = -3; answer <= 1; answer += 4) {
        struct rig rig = {.end = TASKS, .what = mixed, .answer = answer};
        struct aq_pool_options options = options_of(&rig, 2);
        struct aq_error error = {0};
        assert_int_equal(aq_pool_run(&options, &error), answer < 0 ? answer : 0);
        assert_true(rig.next < TASKS);
    }
}

/* Without `finish` tasks that wait for ever come to nothing; with it they are told, and answer. */
static void stopping_ends_or_tells_the_workers(void **state) {
    (void)state;
    struct sigaction action = {.sa_handler = on_signal,
                               .sa_flags = SA_RESETHAND}; /* a second one would end them */
    sigaction(SIGTERM, &action, NULL);
    for (int finish = 0; finish <= 1; finish++) {
        struct rig rig = {.end = TASKS, .what = waits};
        struct aq_pool_options options = options_of(&rig, 3);
        struct aq_error error = {0};
        uint32_t results = 0;
        options.tick = stop_soon;
        options.stop = &rig.stop;
        options.finish = finish;
        assert_int_equal(aq_pool_run(&options, &error), 0);
        for (uint64_t task = 0; task < TASKS; task++)
            results += rig.results[task];
        assert_int_equal(rig.next, 3);
        assert_int_equal(results, finish ? 3 : 0);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_task_is_told_once),
        cmocka_unit_test(a_function_ends_the_whole_well_or_not),
        cmocka_unit_test(stopping_ends_or_tells_the_workers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
