/* Messages under way in the virtual network: a pool of packets that carry a request or reply with its own
   memory, as wire bytes or as structs. */
#ifndef AQ_SIM_PACKET_H
#define AQ_SIM_PACKET_H

#include "protocol/codec.h"
#include "protocol/message.h"

#define AQ_PACKET_TEXT_CHARS 200 /* texts of a usual message, kept inside the packet */

struct aq_packet {
    uint32_t connection;
    uint32_t server; /* where it goes or comes from; AQ_NOBODY until a balancer has chosen */
    uint32_t correlation;
    uint32_t next; /* in a queue of held packets, or of free ones */
    bool to_client;
    bool encoded;   /* it goes as bytes: with fidelity `wire`, and replies that are damaged */
    bool malformed; /* the bytes could not be parsed */
    bool used;
    bool arrived;   /* a server works on it or has it in its queue */
    uint8_t action; /* of the request, for parsing its reply */
    union {
        struct aq_request request;
        struct aq_reply reply;
    };
    struct aq_job job;     /* of a reply with one job */
    struct aq_bytes wire;  /* the message, where it is encoded; kept with the slot */
    struct aq_arena arena; /* texts of large or parsed messages; kept with the slot */
    char text[AQ_PACKET_TEXT_CHARS];
};

struct aq_packets {
    struct aq_packet **blocks; /* packets never move: their contents are lent out */
    uint32_t block_count, block_capacity;
    uint32_t used;
    uint32_t first_free; /* UINT32_MAX: none */
    uint32_t open;
    bool wire; /* encode and parse every message */
};

void aq_packets_init(struct aq_packets *packets, bool wire);
void aq_packets_close(struct aq_packets *packets);

/* The packet in a slot. */
struct aq_packet *aq_packets_at(const struct aq_packets *packets, uint32_t slot);

/* Makes a packet of a message: copies it, or encodes it. Errors: AQ_ENOMEM, AQ_ELIMIT
   (*out_slot untouched). */
int aq_packets_request(struct aq_packets *packets, const struct aq_request *request, uint32_t *out_slot);
int aq_packets_reply(struct aq_packets *packets, const struct aq_reply *reply, enum aq_action action,
                     uint32_t *out_slot);

/* At arrival: parses the bytes where there are any; afterwards request or reply is valid unless
   `malformed`. Errors: AQ_ENOMEM. */
int aq_packets_open(struct aq_packet *packet);

void aq_packets_free(struct aq_packets *packets, uint32_t slot);

#endif
