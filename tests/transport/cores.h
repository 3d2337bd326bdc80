/* Both cores over both transports: a few fake servers, and clients that know them all. */
#ifndef AQ_TESTS_TRANSPORT_CORES_H
#define AQ_TESTS_TRANSPORT_CORES_H

#include "tests/transport/rig.h"

#define CORES_SERVERS_MAX 4
#define CORES_CLIENTS_MAX 32
#define CORES_CALLS_MAX   2048

struct cores;

struct core_server {
    struct cores *cores;
    struct aq_server_transport *transport; /* NULL: down */
    struct aq_server *core;
    uv_timer_t wake;
    uint16_t port;
    uint32_t starts;
    uint32_t taps[AQ_TAP_COUNT]; /* over all its starts */
};

struct core_client {
    struct cores *cores;
    struct aq_client *core;
    uv_timer_t wake;
};

struct core_call {
    struct aq_request request;
    bool answered, has_reply;
    enum aq_outcome outcome;
    uint32_t server;     /* that answered */
    char job_id[64];     /* of the reply, or of its first job */
    char body[64];       /* of its first job */
    char request_id[64]; /* memory of request.job_id */
};

struct cores {
    struct rig rig;
    struct aq_client_policy client_policy; /* strict, shortened; may be changed before start */
    struct aq_server_policy server_policy;
    struct aq_service_model service;
    struct core_server servers[CORES_SERVERS_MAX];
    uint32_t server_count, addresses[CORES_SERVERS_MAX];
    struct core_client clients[CORES_CLIENTS_MAX];
    uint32_t client_count;
    struct aq_address_book book;
    struct aq_client_transport *transport;
    struct aq_client_effects client_effects;
    struct aq_server_effects server_effects;
    struct core_call calls[CORES_CALLS_MAX];
    uint32_t call_count, answered;
    uint32_t marks[AQ_CLIENT_MARK_COUNT];
    uint32_t troubles;
};

void cores_open(struct cores *cores);
void cores_start(struct cores *cores, uint32_t servers, uint32_t clients);
void cores_close(struct cores *cores);

void cores_server_start(struct cores *cores, uint32_t server);
void cores_server_kill(struct cores *cores, uint32_t server);
void cores_server_fault(struct cores *cores, uint32_t server, const struct aq_fault_rule *rule);
void cores_server_heal(struct cores *cores, uint32_t server, uint32_t rule_id);

/* Each makes one call and returns its number, without waiting for the answer. body must outlive it. */
uint32_t cores_put(struct cores *cores, uint32_t client, const char *body);
uint32_t cores_get(struct cores *cores, uint32_t client);
uint32_t cores_done(struct cores *cores, uint32_t client, const char *job_id);

#endif
