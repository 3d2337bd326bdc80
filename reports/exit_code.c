#include "reports/exit_code.h"

static int gravity(int exit_code) {
    static const int order[] = {AQ_EXIT_PASS,    AQ_EXIT_UNKNOWN,  AQ_EXIT_INTERNAL, AQ_EXIT_NOT_REPRODUCIBLE,
                                AQ_EXIT_MEASURE, AQ_EXIT_PROGRESS, AQ_EXIT_SAFETY};
    for (int i = 0; i < (int)(sizeof order / sizeof *order); i++)
        if (order[i] == exit_code) return i;
    return 0;
}

int aq_exit_graver(int a, int b) {
    return gravity(b) > gravity(a) ? b : a;
}
