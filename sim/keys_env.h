/* The keys with which our clients reach servers that run elsewhere: AllQueue's environment variables. */
#ifndef AQ_SIM_KEYS_ENV_H
#define AQ_SIM_KEYS_ENV_H

#include "protocol/curve_keys.h"

/* Reads A_CURVE_SERVER_PUBLICKEY, A_CURVE_PUBLICKEY and A_CURVE_SECRETKEY. The caller wipes *client. Errors:
   AQ_EUNSUPPORTED (one is missing; *error names it), AQ_EPARSE (it is no key). */
int aq_keys_env_read(struct aq_curve_pair *client, char server_public_z85[AQ_CURVE_Z85_CHARS + 1],
                     struct aq_error *error);

#endif
