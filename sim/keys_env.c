#include "sim/keys_env.h"

#include <stdlib.h>

int aq_keys_env_read(struct aq_curve_pair *client, char server_public_z85[AQ_CURVE_Z85_CHARS + 1],
                     struct aq_error *error) {
    const struct {
        const char *name;
        char *to;
    } keys[] = {{"A_CURVE_SERVER_PUBLICKEY", server_public_z85},
                {"A_CURVE_PUBLICKEY", client->public_z85},
                {"A_CURVE_SECRETKEY", client->secret_z85}};
    for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
        const char *text = getenv(keys[i].name);
        if (!text || !*text)
            return aq_error_set(
                error, AQ_EUNSUPPORTED,
                "it needs the keys of the servers in the environment, and %s is missing (allq-client takes "
                "the same)",
                keys[i].name);
        int rc = aq_curve_key_parse(aq_text_of(text), keys[i].to, error);
        if (rc) {
            aq_error_prefix(error, "%s", keys[i].name);
            return rc;
        }
    }
    return 0;
}
