/* The calls that applications have made and that are not answered yet: a pool with the
   memory of their requests. */
#ifndef AQ_SIM_APP_CALLS_H
#define AQ_SIM_APP_CALLS_H

#include "base/time.h"
#include "protocol/message.h"

enum aq_caller_kind { AQ_CALLER_WORKER, AQ_CALLER_PRODUCER, AQ_CALLER_OPERATOR, AQ_CALLER_COMMAND };

#define AQ_CALL_TEXT_CHARS 80 /* texts of a usual call, kept inside it */

struct aq_app_call {
    uint64_t id;               /* serial << 32 | slot; 0: the slot is free */
    struct aq_request request; /* what was asked; texts lie in text, in long_text or live for the whole run */
    aq_time_us called_us;
    aq_time_us put_us; /* when the job it is about was first put */
    aq_time_us get_us; /* completions: when the get was called that brought the job */
    uint64_t token;    /* of that job; 0: none */
    uint64_t job_hash; /* completions */
    uint32_t caller;
    uint32_t client;
    uint32_t next_free;
    uint32_t workflow;   /* of a put: that its job is a child in, plus one; 0: none */
    uint16_t children;   /* of a parent: how many it will have */
    uint8_t levels;      /* of a parent: levels of parents from here down */
    uint8_t caller_kind; /* enum aq_caller_kind */
    bool abandoned;      /* the caller has given up or died; the answer goes nowhere */
    /* from here on the slot's own memory */
    char text[AQ_CALL_TEXT_CHARS];
    char *long_text; /* owned, kept with the slot; at least long_capacity bytes */
    uint32_t long_capacity;
};

struct aq_app_calls {
    struct aq_app_call **blocks; /* calls never move: their requests are lent out */
    uint32_t block_count, block_capacity;
    uint32_t used;       /* slots handed out at least once */
    uint32_t first_free; /* UINT32_MAX: none */
    uint32_t open;
    uint32_t serial;
};

void aq_app_calls_init(struct aq_app_calls *calls);
void aq_app_calls_close(struct aq_app_calls *calls);

/* A fresh call with an id, everything else zero but the slot's own memory. NULL when out of memory. */
struct aq_app_call *aq_app_calls_new(struct aq_app_calls *calls);

/* NULL where the call has ended. */
struct aq_app_call *aq_app_calls_find(const struct aq_app_calls *calls, uint64_t id);
void aq_app_calls_end(struct aq_app_calls *calls, struct aq_app_call *call);

/* Room for `bytes` bytes of text that live as long as the call. NULL when out of memory. */
char *aq_app_call_room(struct aq_app_call *call, size_t bytes);

/* The call in this slot if it is open, else NULL. For walks over all open calls: slots are 0..used-1. */
struct aq_app_call *aq_app_calls_at(const struct aq_app_calls *calls, uint32_t slot);

#endif
