/* What allq-client is told: AllQueue's environment variables, and flags, which go before them. */
#ifndef AQ_CLIENT_OPTIONS_H
#define AQ_CLIENT_OPTIONS_H

#include "client/policy.h"
#include "protocol/curve_keys.h"

enum aq_options_task { AQ_OPTIONS_RUN, AQ_OPTIONS_HELP, AQ_OPTIONS_VERSION };

#define AQ_OPTIONS_SETS_MAX 64

struct aq_options {
    enum aq_options_task task;
    bool upstream; /* the profile */
    struct aq_client_policy policy;
    const char *servers; /* "host:port,host:port", borrowed from arguments or environment as all texts here */
    const char *listen;  /* address of the JSON-lines port */
    const char *http_listen; /* address of the REST port */
    bool has_tcp, has_http;
    uint16_t tcp_port, http_port; /* 0: any free one */
    const char *socket;           /* path, or NULL for none */
    uint32_t size_limit;          /* bytes of a line, or of a body */
    uint32_t message_limit;       /* bytes of a request as a server gets it */
    uint32_t idle_ms;             /* JSON lines */
    uint32_t http_idle_ms;
    uint32_t connections_max; /* of each listener */
    uint32_t drain_ms;        /* how long the end may take */
    bool verbose;
    const char *keys_file; /* or NULL: the keys are in the environment */
    struct aq_curve_pair keys;
    char server_public_z85[AQ_CURVE_Z85_CHARS + 1];
};

/* As getenv of the C library; context is passed through. */
typedef const char *aq_options_environment(void *context, const char *name);

/* Reads everything but a keys file. Errors: AQ_EUSAGE (*error says which variable or flag, what was found and
   what is allowed; never any part of a key). */
int aq_options_read(int argc, char **argv, aq_options_environment *environment, void *context,
                    struct aq_options *out, struct aq_error *error);

/* The help text, up to the list of policies, which the caller writes. */
extern const char aq_options_help[];

#endif
