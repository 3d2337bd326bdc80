/* The exit codes of allqsim, relied on by scripts. */
#ifndef AQ_REPORTS_EXIT_CODE_H
#define AQ_REPORTS_EXIT_CODE_H

enum aq_exit {
    AQ_EXIT_PASS = 0,
    AQ_EXIT_SAFETY = 1,
    AQ_EXIT_PROGRESS = 2,
    AQ_EXIT_MEASURE = 3, /* slo, distribution, or a figure that the scenario expects otherwise; a tolerance */
    AQ_EXIT_NOT_REPRODUCIBLE = 4,
    AQ_EXIT_UNKNOWN = 5,
    AQ_EXIT_USAGE = 64,
    AQ_EXIT_NO_DATABASE = 66, /* a database that cannot be used: damaged, locked, of another program, newer */
    AQ_EXIT_INTERNAL = 70,
    AQ_EXIT_OUTPUT = 74,
    AQ_EXIT_INTERRUPTED = 130,
};

/* The graver of two codes of runs, from the gravest on: 1, 2, 3, 4, 70, 5, 0. A crash is a defect of the
   program, and graver than not knowing. Any other code counts as 0. */
int aq_exit_graver(int a, int b);

#endif
