/* The disk of a virtual server: what is staged takes effect when it is committed, and not before. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "base/random.h"
#include "protocol/ids.h"
#include "sim/disk.h"

static struct aq_disk disk;

static int begin(void **state) {
    (void)state;
    disk = (struct aq_disk){0};
    return 0;
}

static int end(void **state) {
    (void)state;
    aq_disk_close(&disk);
    return 0;
}

static struct aq_job_record record_of(const char *id, const char *body) {
    return (struct aq_job_record){
        .state = AQ_JOB_READY, .job_id = aq_text_of(id), .tube = AQ_TEXT("t"), .body = aq_text_of(body)};
}

static void stage(const char *id, const char *body, bool removal) {
    struct aq_job_record record = record_of(id, body);
    assert_int_equal(aq_disk_stage(&disk, &record, removal), 0);
}

static bool has(const char *id) {
    struct aq_job_record record = record_of(id, "");
    return aq_disk_has(&disk, &record);
}

/* The body on disk under an id; NULL: none. */
static const struct aq_text *body_of(const char *id) {
    for (uint32_t i = 0; i < disk.records.count; i++) {
        const struct aq_disk_slot *slot = &disk.records.slots[i];
        if (slot->used && aq_text_is(slot->record.job_id, id)) return &slot->record.body;
    }
    return NULL;
}

static void a_write_counts_from_its_commit_on(void **state) {
    (void)state;
    stage("a", "one", false);
    assert_false(has("a"));
    assert_int_equal(aq_disk_commit(&disk), 0);
    assert_true(has("a") && aq_text_is(*body_of("a"), "one"));
    stage("a", "two", false);
    assert_true(aq_text_is(*body_of("a"), "one"));
    assert_int_equal(aq_disk_commit(&disk), 0);
    assert_true(aq_text_is(*body_of("a"), "two"));
    assert_int_equal(disk.records.count, 1);
}

static void a_crash_loses_what_was_only_staged(void **state) {
    (void)state;
    stage("a", "one", false);
    aq_disk_commit(&disk);
    stage("a", "two", false);
    stage("b", "one", false);
    stage("a", "", true);
    aq_disk_rollback(&disk, 0);
    assert_int_equal(aq_disk_commit(&disk), 0);
    assert_true(aq_text_is(*body_of("a"), "one"));
    assert_false(has("b"));
}

static void changes_take_effect_in_their_order(void **state) {
    (void)state;
    stage("a", "one", false);
    stage("a", "", true);
    stage("b", "", true); /* nothing there: no harm */
    stage("b", "one", false);
    stage("b", "two", false);
    aq_disk_commit(&disk);
    assert_false(has("a"));
    assert_true(aq_text_is(*body_of("b"), "two"));
}

/* The caller's texts are borrowed for the call only, and a place that is free again is used again. */
static void texts_are_copied_and_places_used_again(void **state) {
    (void)state;
    char id[] = "job", body[] = "long body of a job";
    struct aq_job_record record = record_of(id, body);
    record.priority = 3;
    record.due_us = 77;
    assert_int_equal(aq_disk_stage(&disk, &record, false), 0);
    memset(id, 'x', 3);
    memset(body, 'x', 4);
    aq_disk_commit(&disk);
    assert_true(aq_text_is(*body_of("job"), "long body of a job"));
    assert_true(disk.records.slots[0].record.priority == 3 && disk.records.slots[0].record.due_us == 77);
    stage("job", "", true);
    aq_disk_commit(&disk);
    stage("other", "x", false);
    aq_disk_commit(&disk);
    assert_int_equal(disk.records.count, 1);
    assert_true(has("other") && !has("job"));
}

/* A job may have a file for each state; a move takes the old one away in the same instant. */
static void folders_are_apart_and_a_move_leaves_nothing_behind(void **state) {
    (void)state;
    struct aq_job_record reserved = record_of("a", "held"), buried = record_of("a", "buried");
    reserved.folder = 1 + AQ_JOB_RESERVED;
    buried.folder = 1 + AQ_JOB_BURIED;
    assert_int_equal(aq_disk_stage(&disk, &reserved, false), 0);
    assert_int_equal(aq_disk_stage(&disk, &buried, false), 0);
    aq_disk_commit(&disk);
    assert_true(aq_disk_has(&disk, &reserved) && aq_disk_has(&disk, &buried) && !has("a"));
    assert_int_equal(aq_disk_stage(&disk, &buried, true), 0);
    aq_disk_commit(&disk);
    assert_true(aq_disk_has(&disk, &reserved) && !aq_disk_has(&disk, &buried));
    buried.moved_from = reserved.folder;
    assert_int_equal(aq_disk_stage(&disk, &buried, false), 0);
    aq_disk_commit(&disk);
    assert_true(!aq_disk_has(&disk, &reserved) && aq_disk_has(&disk, &buried));
}

/* What is kept of a tube does not collide with a job of that name. */
static void a_tube_has_a_record_beside_jobs(void **state) {
    (void)state;
    struct aq_job_record tube = {.is_tube = true, .tube = AQ_TEXT("a"), .tps = 3};
    stage("a", "one", false);
    assert_int_equal(aq_disk_stage(&disk, &tube, false), 0);
    aq_disk_commit(&disk);
    assert_true(has("a") && aq_disk_has(&disk, &tube));
    stage("a", "", true);
    aq_disk_commit(&disk);
    assert_true(!has("a") && aq_disk_has(&disk, &tube));
}

static void a_crash_in_the_middle_keeps_the_first_of_several_changes(void **state) {
    (void)state;
    for (int done = 0; done <= 4; done++) {
        struct aq_disk fresh = {0};
        disk = fresh;
        stage("a", "one", false);
        stage("b", "one", false);
        stage("a", "", true);
        stage("c", "one", false);
        assert_int_equal(aq_disk_rollback(&disk, done / 4.0 + 0.1), 0);
        assert_true(has("a") == (done == 1 || done == 2));
        assert_true(has("b") == (done >= 2));
        assert_true(has("c") == (done >= 4));
        assert_int_equal(disk.staged_count, 0);
        aq_disk_close(&disk);
    }
}

static void a_wiped_disk_is_empty_and_works_on(void **state) {
    (void)state;
    stage("a", "one", false);
    aq_disk_commit(&disk);
    stage("b", "one", false);
    aq_disk_wipe(&disk);
    assert_int_equal(aq_disk_commit(&disk), 0);
    assert_true(!has("a") && !has("b") && disk.records.count == 0);
    stage("c", "one", false);
    aq_disk_commit(&disk);
    assert_true(has("c"));
}

/* Against a plain table of what must be there. */
static void random_changes_leave_what_they_say(void **state) {
    (void)state;
    enum { IDS = 40 };
    char bodies[IDS][24] = {{0}}, staged[IDS][24];
    struct aq_random random;
    aq_random_init(&random, 1, "disk", 0);
    for (int round = 0; round < 500; round++) {
        memcpy(staged, bodies, sizeof staged);
        for (uint32_t changes = aq_random_below(&random, 8); changes > 0; changes--) {
            uint32_t at = aq_random_below(&random, IDS);
            char id[16];
            bool removal = aq_random_chance(&random, 0.4);
            snprintf(id, sizeof id, "id-%u", at);
            staged[at][0] = 0;
            if (!removal)
                snprintf(staged[at], sizeof *staged, "%d-%u", round, aq_random_below(&random, 99999));
            stage(id, staged[at], removal);
        }
        if (aq_random_chance(&random, 0.2)) {
            aq_disk_rollback(&disk, 0);
        } else {
            assert_int_equal(aq_disk_commit(&disk), 0);
            memcpy(bodies, staged, sizeof bodies);
        }
        for (uint32_t i = 0; i < IDS; i++) {
            char id[16];
            snprintf(id, sizeof id, "id-%u", i);
            const struct aq_text *body = body_of(id);
            assert_int_equal(has(id), bodies[i][0] != 0);
            assert_true(bodies[i][0] ? body && aq_text_is(*body, bodies[i]) : !body);
        }
    }
    assert_true(disk.records.count <= IDS);
}

static void without_memory_a_change_is_refused(void **state) {
    (void)state;
    struct aq_job_record record = record_of("a", "one");
    uint64_t failures = 0;
    for (uint64_t skip = 0;; skip++, failures++) {
        aq_alloc_fail_after(skip);
        int rc = aq_disk_stage(&disk, &record, false);
        if (!rc) rc = aq_disk_commit(&disk);
        aq_alloc_fail_after(UINT64_MAX);
        if (rc == 0) break;
        assert_int_equal(rc, AQ_ENOMEM);
        aq_disk_close(&disk);
    }
    assert_true(failures >= 4 && has("a"));
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_write_counts_from_its_commit_on, begin, end),
        cmocka_unit_test_setup_teardown(a_crash_loses_what_was_only_staged, begin, end),
        cmocka_unit_test_setup_teardown(changes_take_effect_in_their_order, begin, end),
        cmocka_unit_test_setup_teardown(texts_are_copied_and_places_used_again, begin, end),
        cmocka_unit_test_setup_teardown(folders_are_apart_and_a_move_leaves_nothing_behind, begin, end),
        cmocka_unit_test_setup_teardown(a_tube_has_a_record_beside_jobs, begin, end),
        cmocka_unit_test_setup_teardown(a_crash_in_the_middle_keeps_the_first_of_several_changes, begin, end),
        cmocka_unit_test_setup_teardown(a_wiped_disk_is_empty_and_works_on, begin, end),
        cmocka_unit_test_setup_teardown(random_changes_leave_what_they_say, begin, end),
        cmocka_unit_test_setup_teardown(without_memory_a_change_is_refused, begin, end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
