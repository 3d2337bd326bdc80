/* Messages under way: what goes in comes out, as structs and as bytes, whatever becomes of the sender's
 * memory. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/limits.h"
#include "base/memory.h"
#include "sim/packet.h"

static const bool fidelities[] = {false, true}; /* message, wire */

static struct aq_packet *at(struct aq_packets *packets, uint32_t slot) {
    return aq_packets_at(packets, slot);
}

/* Texts of a copy that nobody may look at any more. */
static void spoil(const struct aq_request *copy) {
    const struct aq_text texts[] = {copy->tube, copy->job_id, copy->body, copy->parent_id, copy->address};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        if (texts[i].len) memset((char *)texts[i].at, '#', texts[i].len);
}

/* Sends a copy of a request through a packet, spoils the copy and compares what arrives. */
static void request_arrives(struct aq_packets *packets, const struct aq_request *request) {
    struct aq_arena arena = {0};
    struct aq_request sent;
    uint32_t slot;
    assert_int_equal(aq_request_copy(request, &arena, &sent), 0);
    assert_int_equal(aq_packets_request(packets, &sent, &slot), 0);
    spoil(&sent);
    struct aq_packet *packet = at(packets, slot);
    assert_int_equal(aq_packets_open(packet), 0);
    assert_true(!packet->malformed && !packet->to_client && packet->action == request->action);
    assert_true(aq_request_equal(&packet->request, request));
    aq_packets_free(packets, slot);
    aq_arena_close(&arena);
}

static void reply_arrives(struct aq_packets *packets, const struct aq_reply *reply, enum aq_action action) {
    uint32_t slot;
    assert_int_equal(aq_packets_reply(packets, reply, action, &slot), 0);
    struct aq_packet *packet = at(packets, slot);
    assert_int_equal(aq_packets_open(packet), 0);
    assert_true(!packet->malformed && packet->to_client);
    assert_true(aq_reply_equal(&packet->reply, reply));
    assert_true(reply->job_count == 0 || packet->reply.jobs != reply->jobs);
    aq_packets_free(packets, slot);
}

static void requests_of_every_size_arrive_whole(void **state) {
    (void)state;
    static char body[AQ_MESSAGE_BYTES_MAX - 1000];
    memset(body, 'b', sizeof body);
    static const uint32_t sizes[] = {0,    1,          33, AQ_PACKET_TEXT_CHARS - 5, AQ_PACKET_TEXT_CHARS,
                                     5000, sizeof body};
    for (size_t f = 0; f < 2; f++) {
        struct aq_packets packets;
        aq_packets_init(&packets, fidelities[f]);
        for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
            struct aq_request put = {.action = AQ_ACTION_PUT,
                                     .given =
                                         AQ_PARAM_TUBE | AQ_PARAM_BODY | AQ_PARAM_PRIORITY | AQ_PARAM_TTL,
                                     .priority = 7,
                                     .ttl_s = 30,
                                     .tube = AQ_TEXT("mails"),
                                     .body = {body, sizes[i]}};
            request_arrives(&packets, &put);
        }
        struct aq_request done = {
            .action = AQ_ACTION_DONE, .given = AQ_PARAM_JOB_ID, .job_id = AQ_TEXT("0123456789abcdefghijkl")};
        request_arrives(&packets, &done);
        struct aq_request admin = {.action = AQ_ACTION_ADMIN,
                                   .given = AQ_PARAM_ADDRESS | AQ_PARAM_PORT,
                                   .address = AQ_TEXT("127.0.1.2"),
                                   .port = 5555};
        request_arrives(&packets, &admin);
        assert_int_equal(packets.open, 0);
        assert_int_equal(packets.used, 1); /* one slot was enough */
        aq_packets_close(&packets);
    }
}

static void replies_with_none_one_and_many_jobs_arrive_whole(void **state) {
    (void)state;
    enum { JOBS = AQ_JOBS_PER_GET_MAX };
    static char body[300000], ids[JOBS][8];
    static struct aq_job jobs[JOBS];
    memset(body, 'b', sizeof body);
    for (uint32_t i = 0; i < JOBS; i++) {
        snprintf(ids[i], sizeof ids[i], "id%u", i);
        jobs[i] = (struct aq_job){.job_id = aq_text_of(ids[i]),
                                  .body = {body, i % 500},
                                  .tube = AQ_TEXT("t"),
                                  .expireds = i % 3,
                                  .releases = i % 2};
    }
    for (size_t f = 0; f < 2; f++) {
        struct aq_packets packets;
        aq_packets_init(&packets, fidelities[f]);
        struct aq_reply reply = {.kind = AQ_REPLY_RESPONSE, .action = AQ_ACTION_GET, .jobs = jobs};
        for (reply.job_count = 0; reply.job_count <= 1; reply.job_count++)
            reply_arrives(&packets, &reply, AQ_ACTION_GET);
        reply.many = true;
        static const uint32_t counts[] = {0, 1, 2, 57, JOBS};
        for (size_t i = 0; i < sizeof counts / sizeof *counts; i++) {
            reply.job_count = counts[i];
            reply_arrives(&packets, &reply, AQ_ACTION_GET_MULTIPLE);
        }
        struct aq_job large[4];
        for (int i = 0; i < 4; i++) {
            large[i] = jobs[i];
            large[i].body = (struct aq_text){body, sizeof body};
        }
        reply.jobs = large;
        reply.job_count = 4; /* more than any request could hold */
        reply_arrives(&packets, &reply, AQ_ACTION_GET_MULTIPLE);
        reply.many = false;
        reply.job_count = 1;
        reply_arrives(&packets, &reply, AQ_ACTION_GET);
        aq_packets_close(&packets);
    }
}

static void other_replies_arrive_whole(void **state) {
    (void)state;
    struct aq_tube_stats tubes[] = {{.tube = AQ_TEXT("t"), .ready = 1, .reserved = 2, .avg_s = 0.5},
                                    {.tube = AQ_TEXT("u"), .buried = 9}};
    struct aq_server_stats stats = {.tubes = tubes, .tube_count = 2, .action_count = 5, .job_put = 3};
    const struct {
        enum aq_action action;
        struct aq_reply reply;
    } cases[] = {
        {AQ_ACTION_PUT,
         {.kind = AQ_REPLY_RESPONSE,
          .action = AQ_ACTION_PUT,
          .has_job_id = true,
          .job_id = AQ_TEXT("0123456789abcdefghijkl")}},
        {AQ_ACTION_DONE,
         {.kind = AQ_REPLY_RESPONSE,
          .action = AQ_ACTION_DONE,
          .has_job_id = true,
          .job_id = AQ_TEXT("x"),
          .has_error = true,
          .error = AQ_TEXT("Couldn't find job")}},
        {AQ_ACTION_DONE,
         {.kind = AQ_REPLY_ERROR,
          .action = AQ_ACTION_DONE,
          .has_error = true,
          .error = AQ_TEXT("no such luck")}},
        {AQ_ACTION_PING, {.kind = AQ_REPLY_PONG, .action = AQ_ACTION_PING}},
        {AQ_ACTION_STATS,
         {.kind = AQ_REPLY_STATS, .action = AQ_ACTION_STATS, .servers = &stats, .server_count = 1}},
        {AQ_ACTION_GET,
         {.kind = AQ_REPLY_REDIRECT,
          .action = AQ_ACTION_GET,
          .has_value = true,
          .value = AQ_TEXT("127.0.1.2"),
          .port = 5555}},
    };
    for (size_t f = 0; f < 2; f++) {
        struct aq_packets packets;
        aq_packets_init(&packets, fidelities[f]);
        for (size_t i = 0; i < sizeof cases / sizeof *cases; i++)
            reply_arrives(&packets, &cases[i].reply, cases[i].action);
        aq_packets_close(&packets);
    }
}

static void packets_never_move_and_their_slots_are_used_again(void **state) {
    (void)state;
    enum { MANY = 1000 };
    static struct aq_packet *places[MANY];
    for (size_t f = 0; f < 2; f++) {
        struct aq_packets packets;
        aq_packets_init(&packets, fidelities[f]);
        struct aq_request get = {.action = AQ_ACTION_GET, .given = AQ_PARAM_TUBE, .tube = AQ_TEXT("t")};
        uint32_t slot;
        for (uint32_t i = 0; i < MANY; i++) {
            assert_int_equal(aq_packets_request(&packets, &get, &slot), 0);
            places[i] = at(&packets, slot);
            places[i]->correlation = i;
        }
        assert_int_equal(packets.open, MANY);
        for (uint32_t i = 0; i < MANY; i++)
            assert_true(places[i] == at(&packets, i) && places[i]->correlation == i && places[i]->used);
        aq_packets_free(&packets, 500);
        assert_false(places[500]->used);
        places[500]->arrived = places[500]->malformed = true;
        assert_int_equal(aq_packets_request(&packets, &get, &slot), 0);
        assert_int_equal(slot, 500);
        assert_true(places[500]->used && !places[500]->arrived && !places[500]->malformed);
        assert_int_equal(packets.used, MANY);
        aq_packets_close(&packets);
    }
}

static void bytes_that_make_no_sense_are_marked(void **state) {
    (void)state;
    struct aq_packets packets;
    uint32_t slot;
    aq_packets_init(&packets, true);
    struct aq_request get = {.action = AQ_ACTION_GET, .given = AQ_PARAM_TUBE, .tube = AQ_TEXT("t")};
    assert_int_equal(aq_packets_request(&packets, &get, &slot), 0);
    at(&packets, slot)->wire.at[0] = 'x';
    assert_int_equal(aq_packets_open(at(&packets, slot)), 0);
    assert_true(at(&packets, slot)->malformed);
    aq_packets_free(&packets, slot);
    struct aq_reply pong = {.kind = AQ_REPLY_PONG};
    assert_int_equal(aq_packets_reply(&packets, &pong, AQ_ACTION_GET, &slot), 0); /* to a get */
    assert_int_equal(aq_packets_open(at(&packets, slot)), 0);
    assert_true(at(&packets, slot)->malformed);
    aq_packets_close(&packets);
}

static void without_memory_no_packet_is_made(void **state) {
    (void)state;
    static char body[5000];
    memset(body, 'b', sizeof body);
    struct aq_request put = {.action = AQ_ACTION_PUT,
                             .given = AQ_PARAM_TUBE | AQ_PARAM_BODY,
                             .tube = AQ_TEXT("t"),
                             .body = {body, sizeof body}};
    for (size_t f = 0; f < 2; f++) {
        uint64_t failures = 0;
        for (uint64_t skip = 0;; skip++, failures++) {
            struct aq_packets packets;
            uint32_t slot = 12345;
            aq_packets_init(&packets, fidelities[f]);
            aq_alloc_fail_after(skip);
            int rc = aq_packets_request(&packets, &put, &slot);
            aq_alloc_fail_after(UINT64_MAX);
            assert_int_equal(packets.open, rc == 0);
            assert_true((slot == 12345) == (rc != 0));
            aq_packets_close(&packets);
            if (rc == 0) break;
            assert_int_equal(rc, AQ_ENOMEM);
        }
        assert_true(failures >= 3);
    }
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_of_every_size_arrive_whole),
        cmocka_unit_test(replies_with_none_one_and_many_jobs_arrive_whole),
        cmocka_unit_test(other_replies_arrive_whole),
        cmocka_unit_test(packets_never_move_and_their_slots_are_used_again),
        cmocka_unit_test(bytes_that_make_no_sense_are_marked),
        cmocka_unit_test(without_memory_no_packet_is_made),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
