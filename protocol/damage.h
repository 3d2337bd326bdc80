/* What spoils the bytes of a reply on their way out. Private to protocol/. */
#ifndef AQ_PROTOCOL_DAMAGE_H
#define AQ_PROTOCOL_DAMAGE_H

#include "protocol/codec.h"

/* Does to the encoded reply what these AQ_DAMAGE_* bits say. Errors: AQ_ENOMEM (out may be cut then). */
int aq_damage_bytes(struct aq_bytes *out, unsigned damage);

#endif
