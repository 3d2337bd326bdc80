/* Names of servers and jobs: how a job id carries the server it must go back to. */
#ifndef AQ_PROTOCOL_IDS_H
#define AQ_PROTOCOL_IDS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/limits.h"
#include "base/text.h"

/* AllQueue's name of a server: the first 7 characters of a base64 SHA-1 digest; '+' and '/' occur. */
struct aq_server_id {
    char text[AQ_SERVER_ID_CHARS + 1]; /* NUL-terminated */
};

/* The id as AllQueue's client makes it: from the host alone, so two servers on one host share it. */
struct aq_server_id aq_server_id_from_host(struct aq_text host);

/* The id that keeps two servers on one host apart: from "host:port". */
struct aq_server_id aq_server_id_from_address(struct aq_text host, uint16_t port);

static inline struct aq_text aq_server_id_text(const struct aq_server_id *id) {
    return (struct aq_text){id->text, AQ_SERVER_ID_CHARS};
}

/* A job id as an application sees it, "server,job", taken apart. The texts point into the parsed one. */
struct aq_job_ref {
    struct aq_text server; /* empty where the id carries no server */
    struct aq_text job;
};

/* Errors: AQ_EPARSE (out untouched) for an empty id, an empty part, or more than one comma. */
int aq_job_ref_parse(struct aq_text text, struct aq_job_ref *out);

/* A stable 64-bit hash of an id or a name (XXH3). */
uint64_t aq_text_hash(struct aq_text text);

/* Writes 16 random bytes (given as two words) as the 22 characters of URL-safe base64 that
   AllQueue uses for job ids. */
void aq_job_id_write(const uint64_t words[2], char out[AQ_JOB_ID_CHARS]);

#endif
