#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdbool.h>
#include <string.h>
#include <sys/file.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <unistd.h>

#include "client/unix_socket.h"

static char folder[64], path[80], lock_path[90];
static struct aq_error error;

static int make_folder(void **state) {
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/gateway_socket_XXXXXX");
    if (!mkdtemp(folder)) return -1;
    snprintf(path, sizeof path, "%s/s", folder);
    snprintf(lock_path, sizeof lock_path, "%s.lock", path);
    return 0;
}

static int remove_folder(void **state) {
    (void)state;
    unlink(path);
    unlink(lock_path);
    return rmdir(folder); /* fails where something was left behind */
}

static bool takes_connections(void) {
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    bool taken = connect(fd, (struct sockaddr *)&address, sizeof address) == 0;
    close(fd);
    return taken;
}

static bool is_there(const char *name) {
    struct stat there;
    return lstat(name, &there) == 0;
}

static void a_socket_is_served_and_leaves_nothing_behind(void **state) {
    struct aq_unix_socket s;
    (void)state;
    assert_int_equal(aq_unix_socket_open(path, &s, &error), 0);
    assert_true(takes_connections());
    aq_unix_socket_close(&s);
    close(s.fd);
    assert_false(is_there(path));
    assert_false(is_there(lock_path));
    aq_unix_socket_close(&s); /* again: nothing */
}

static void a_live_one_is_not_stolen(void **state) {
    struct aq_unix_socket s, other = {.fd = -7};
    (void)state;
    assert_int_equal(aq_unix_socket_open(path, &s, &error), 0);
    assert_int_equal(aq_unix_socket_open(path, &other, &error), AQ_EEXISTS);
    assert_non_null(strstr(error.text, "another process serves there"));
    assert_int_equal(other.fd, -7);
    assert_true(takes_connections());
    aq_unix_socket_close(&s);
    close(s.fd);
}

/* Somebody who knows nothing of the lock file. */
static void a_strangers_live_one_is_not_stolen_either(void **state) {
    struct aq_unix_socket s;
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM, 0);
    (void)state;
    snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address), 0);
    assert_int_equal(listen(fd, 4), 0);
    assert_int_equal(aq_unix_socket_open(path, &s, &error), AQ_EEXISTS);
    assert_true(is_there(path));
    assert_false(is_there(lock_path));
    close(fd); /* now it is stale */
    assert_int_equal(aq_unix_socket_open(path, &s, &error), 0);
    assert_true(takes_connections());
    aq_unix_socket_close(&s);
    close(s.fd);
}

static void one_of_a_killed_process_is_replaced(void **state) {
    int ready[2], status;
    char byte;
    struct aq_unix_socket s;
    (void)state;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (aq_unix_socket_open(path, &s, NULL)) _exit(1);
        if (write(ready[1], "x", 1) != 1) _exit(1);
        for (;;)
            pause();
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    assert_int_equal(aq_unix_socket_open(path, &s, &error), AQ_EEXISTS);
    kill(child, SIGKILL);
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(is_there(path));
    assert_false(takes_connections());
    assert_int_equal(aq_unix_socket_open(path, &s, &error), 0);
    assert_true(takes_connections());
    aq_unix_socket_close(&s);
    close(s.fd);
}

/* Between its look at the path and its own socket another process must not do the same. */
static void a_process_that_is_just_starting_is_not_raced(void **state) {
    struct aq_unix_socket s;
    (void)state;
    int lock = open(lock_path, O_CREAT | O_RDWR, 0600);
    assert_true(lock >= 0);
    assert_int_equal(flock(lock, LOCK_EX), 0);
    assert_int_equal(aq_unix_socket_open(path, &s, &error), AQ_EEXISTS);
    assert_false(is_there(path));
    close(lock);
    assert_int_equal(aq_unix_socket_open(path, &s, &error), 0);
    aq_unix_socket_close(&s);
    close(s.fd);
}

static void what_is_no_socket_is_left_alone(void **state) {
    struct aq_unix_socket s;
    (void)state;
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(aq_unix_socket_open(path, &s, &error), AQ_EINVALID);
    assert_non_null(strstr(error.text, "is no socket"));
    assert_true(is_there(path));
}

/* A successor that started while this one was ending. */
static void a_successors_socket_is_not_removed(void **state) {
    struct aq_unix_socket s;
    (void)state;
    assert_int_equal(aq_unix_socket_open(path, &s, &error), 0);
    unlink(path);
    int fd = open(path, O_CREAT | O_WRONLY, 0600);
    close(fd);
    aq_unix_socket_close(&s);
    close(s.fd);
    assert_true(is_there(path));
}

static void impossible_paths_are_refused(void **state) {
    struct aq_unix_socket s;
    char too_long[200];
    (void)state;
    memset(too_long, 'x', sizeof too_long);
    too_long[97] = 0;
    assert_int_equal(aq_unix_socket_open(too_long, &s, &error), AQ_EINVALID);
    assert_int_equal(aq_unix_socket_open("", &s, &error), AQ_EINVALID);
    assert_int_equal(aq_unix_socket_open("/nowhere/at/all", &s, &error), AQ_EIO);
}

int main(void) {
#define TEST(name) cmocka_unit_test_setup_teardown(name, make_folder, remove_folder)
    static const struct CMUnitTest tests[] = {
        TEST(a_socket_is_served_and_leaves_nothing_behind), TEST(a_live_one_is_not_stolen),
        TEST(a_strangers_live_one_is_not_stolen_either),    TEST(one_of_a_killed_process_is_replaced),
        TEST(a_process_that_is_just_starting_is_not_raced), TEST(what_is_no_socket_is_left_alone),
        TEST(a_successors_socket_is_not_removed),           TEST(impossible_paths_are_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
