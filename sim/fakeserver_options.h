/* The command line of allq-fakeserver. */
#ifndef AQ_SIM_FAKESERVER_OPTIONS_H
#define AQ_SIM_FAKESERVER_OPTIONS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "base/time.h"

enum aq_fakeserver_task { AQ_FAKESERVER_RUN, AQ_FAKESERVER_HELP, AQ_FAKESERVER_VERSION };

#define AQ_FAKESERVER_SETTINGS_MAX 64
#define AQ_FAKESERVER_SETTING_MAX  32

struct aq_fakeserver_options {
    enum aq_fakeserver_task task;
    const char *scenario; /* NULL: none; texts are those of the arguments */
    uint16_t port;        /* 0: any free ones */
    const char *profile, *keys, *allow_clients, *control, *database; /* NULL: not given */
    aq_time_us for_us;                                               /* AQ_TIME_NEVER: until a signal */
    uint64_t seed;
    bool seed_given, proxies, json;
    /* as scenarios take them: --set, and what --servers and --same-host stand for */
    const char *settings[AQ_FAKESERVER_SETTINGS_MAX];
    uint32_t setting_count;
    char servers[AQ_FAKESERVER_SETTING_MAX]; /* "servers.count=3" */
};

/* Errors: AQ_EUSAGE (*error says what was found and what is allowed). out is filled in place: it points into
   itself. */
int aq_fakeserver_options_read(int argc, char **argv, struct aq_fakeserver_options *out,
                               struct aq_error *error);

extern const char aq_fakeserver_help[];

#endif
