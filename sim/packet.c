#include "sim/packet.h"

#include "base/assert.h"
#include "base/error.h"
#include "base/memory.h"

#define BLOCK_PACKETS 128

void aq_packets_init(struct aq_packets *packets, bool wire) {
    *packets = (struct aq_packets){.first_free = UINT32_MAX, .wire = wire};
}

struct aq_packet *aq_packets_at(const struct aq_packets *packets, uint32_t slot) {
    return &packets->blocks[slot / BLOCK_PACKETS][slot % BLOCK_PACKETS];
}

void aq_packets_close(struct aq_packets *packets) {
    for (uint32_t i = 0; i < packets->used; i++) {
        aq_bytes_close(&aq_packets_at(packets, i)->wire);
        aq_arena_close(&aq_packets_at(packets, i)->arena);
    }
    for (uint32_t i = 0; i < packets->block_count; i++)
        aq_free(packets->blocks[i]);
    aq_free(packets->blocks);
    aq_packets_init(packets, packets->wire);
}

static int add_block(struct aq_packets *packets) {
    int rc = aq_array_reserve(&packets->blocks, &packets->block_capacity, (size_t)packets->block_count + 1,
                              sizeof *packets->blocks);
    if (rc) return rc;
    struct aq_packet *block = aq_alloc_zeroed(BLOCK_PACKETS, sizeof *block);
    if (!block) return AQ_ENOMEM;
    packets->blocks[packets->block_count++] = block;
    return 0;
}

static int take_slot(struct aq_packets *packets, uint32_t *out_slot) {
    uint32_t slot = packets->first_free;
    if (slot != UINT32_MAX) {
        packets->first_free = aq_packets_at(packets, slot)->next;
    } else {
        if (packets->used == packets->block_count * BLOCK_PACKETS) {
            int rc = add_block(packets);
            if (rc) return rc;
        }
        slot = packets->used++;
    }
    struct aq_packet *packet = aq_packets_at(packets, slot);
    packet->malformed = packet->arrived = false;
    packet->used = true;
    packet->next = UINT32_MAX;
    packets->open++;
    *out_slot = slot;
    return 0;
}

void aq_packets_free(struct aq_packets *packets, uint32_t slot) {
    struct aq_packet *packet = aq_packets_at(packets, slot);
    AQ_ASSERT(packet->used);
    packet->used = false;
    packet->next = packets->first_free;
    packets->first_free = slot;
    packets->open--;
}

/* Appends a copy of the text behind *at, which moves on. */
static struct aq_text pack(char **at, struct aq_text text) {
    if (text.len == 0) return (struct aq_text){"", 0};
    char *copy = *at;
    memcpy(copy, text.at, text.len);
    *at += text.len;
    return (struct aq_text){copy, text.len};
}

static int copy_request(struct aq_packet *packet, const struct aq_request *r) {
    uint64_t bytes = (uint64_t)r->tube.len + r->job_id.len + r->body.len + r->parent_id.len +
                     r->shard_key.len + r->address.len;
    char *at = packet->text;
    if (bytes > sizeof packet->text) {
        aq_arena_reset(&packet->arena);
        at = aq_arena_alloc(&packet->arena, bytes);
        if (!at) return AQ_ENOMEM;
    }
    packet->request = *r;
    packet->request.tube = pack(&at, r->tube);
    packet->request.job_id = pack(&at, r->job_id);
    packet->request.body = pack(&at, r->body);
    packet->request.parent_id = pack(&at, r->parent_id);
    packet->request.shard_key = pack(&at, r->shard_key);
    packet->request.address = pack(&at, r->address);
    return 0;
}

/* Replies with at most one job and short texts stay within the packet; others are copied to its arena. */
static int copy_reply(struct aq_packet *packet, const struct aq_reply *r) {
    uint64_t bytes = (uint64_t)r->job_id.len + r->error.len + r->value.len;
    if (r->job_count == 1)
        bytes += (uint64_t)r->jobs[0].job_id.len + r->jobs[0].body.len + r->jobs[0].tube.len;
    if (r->job_count > 1 || r->server_count > 0 || bytes > sizeof packet->text) {
        aq_arena_reset(&packet->arena);
        return aq_reply_copy(r, &packet->arena, &packet->reply);
    }
    char *at = packet->text;
    packet->reply = *r;
    packet->reply.job_id = pack(&at, r->job_id);
    packet->reply.error = pack(&at, r->error);
    packet->reply.value = pack(&at, r->value);
    packet->reply.jobs = NULL;
    if (r->job_count == 1) {
        packet->job = r->jobs[0];
        packet->job.job_id = pack(&at, r->jobs[0].job_id);
        packet->job.body = pack(&at, r->jobs[0].body);
        packet->job.tube = pack(&at, r->jobs[0].tube);
        packet->reply.jobs = &packet->job;
    }
    return 0;
}

int aq_packets_request(struct aq_packets *packets, const struct aq_request *request, uint32_t *out_slot) {
    uint32_t slot;
    int rc = take_slot(packets, &slot);
    if (rc) return rc;
    struct aq_packet *packet = aq_packets_at(packets, slot);
    packet->to_client = false;
    packet->action = request->action;
    packet->encoded = packets->wire;
    rc = packet->encoded ? aq_request_encode(request, &packet->wire) : copy_request(packet, request);
    if (rc) {
        aq_packets_free(packets, slot);
        return rc;
    }
    *out_slot = slot;
    return 0;
}

int aq_packets_reply(struct aq_packets *packets, const struct aq_reply *reply, enum aq_action action,
                     uint32_t *out_slot) {
    uint32_t slot;
    int rc = take_slot(packets, &slot);
    if (rc) return rc;
    struct aq_packet *packet = aq_packets_at(packets, slot);
    packet->to_client = true;
    packet->action = (uint8_t)action;
    /* What damage does to a reply shows in its bytes alone. */
    packet->encoded = packets->wire || reply->damage;
    rc = packet->encoded ? aq_reply_encode(reply, &packet->wire) : copy_reply(packet, reply);
    if (rc) {
        aq_packets_free(packets, slot);
        return rc;
    }
    *out_slot = slot;
    return 0;
}

int aq_packets_open(struct aq_packet *packet) {
    if (!packet->encoded) return 0;
    int rc;
    aq_arena_reset(&packet->arena);
    if (packet->to_client)
        rc = aq_reply_decode(packet->wire.at, packet->wire.len, (enum aq_action)packet->action,
                             &packet->arena, &packet->reply, NULL);
    else
        rc = aq_request_decode(packet->wire.at, packet->wire.len, &packet->arena, &packet->request, NULL);
    if (rc == AQ_ENOMEM) return rc;
    packet->malformed = rc != 0;
    return 0;
}
