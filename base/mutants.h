/* Mutants: named bugs that a core can be built with, of which at most one is alive at a time. They show that
   the checks see what they are there for. A build without the option ALLQSIM_MUTANTS knows their names and
   holds none of their code. */
#ifndef AQ_BASE_MUTANTS_H
#define AQ_BASE_MUTANTS_H

#include <stdint.h>

struct aq_mutant {
    const char *name;
    const char *family; /* what part of the core it is in */
    const char *breaks; /* what it does wrong, in one sentence */
};

struct aq_mutant_table {
    const struct aq_mutant *rows;
    uint32_t count;
    uint32_t *alive; /* number of the row that is alive, from 1; 0: none. NULL: built without mutants */
};

#endif
