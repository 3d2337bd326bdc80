/* The key files of allq-fakeserver: its pairs and its clients' keys. */
#ifndef AQ_SIM_FAKESERVER_KEYS_H
#define AQ_SIM_FAKESERVER_KEYS_H

#include "protocol/curve_keys.h"

/* Both pairs: fresh where path is NULL, from the file, or, where there is none, fresh and kept in a new file
   with mode 0600. A file without a client's pair gets a fresh one for this time. The caller wipes them.
   Errors: AQ_EIO, AQ_EPARSE, AQ_EINVALID (no server_secret, keys that do not belong together),
   AQ_EUNSUPPORTED, AQ_ENOMEM; *out untouched. *others_can_read: the file's mode lets more than its owner read
   it. */
int aq_fakeserver_keys(const char *path, struct aq_curve_keys *out, bool *others_can_read,
                       struct aq_error *error);

/* Reads an allow-list. Errors: AQ_EIO, AQ_EPARSE, AQ_ENOMEM; *out untouched. */
int aq_fakeserver_allow_list(const char *path, struct aq_curve_allow_list *out, struct aq_error *error);

#endif
