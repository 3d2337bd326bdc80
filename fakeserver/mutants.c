#include "fakeserver/mutants.h"

#include <stddef.h>

static const struct aq_mutant rows[] = {
#define X(name, word, family, breaks) {word, family, breaks},
    AQ_SERVER_MUTANTS(X)
#undef X
};

#ifdef AQ_MUTANTS
uint32_t aq_server_mutant_alive;
#define ALIVE &aq_server_mutant_alive
#else
#define ALIVE NULL
#endif

const struct aq_mutant_table aq_server_mutants = {rows, sizeof rows / sizeof *rows, ALIVE};
