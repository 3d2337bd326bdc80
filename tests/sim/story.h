/* Stories: small scenarios whose whole trace is compared, line for line, with what is expected. Job ids are
   written as J1, J2... in the order in which they appear, server ids as S0, S1... */
#ifndef AQ_TESTS_SIM_STORY_H
#define AQ_TESTS_SIM_STORY_H

#define STORY_SETTINGS_MAX 16
#define STORY_LINES_MAX    96

/* The common ground: one server that takes 2 ms for each request, one client, and one worker that starts at
   150 ms, works 50 ms on a job and polls again 10 s after an empty get; one job is put at 100 ms, with leases
   of 5 s; each message takes 1 ms. */
struct story {
    const char *settings[STORY_SETTINGS_MAX]; /* "PATH=VALUE", with ' for "; ends with NULL */
    const char *lines[STORY_LINES_MAX];       /* the trace; ends with NULL */
};

/* Runs the story with both fidelities, and fails the test at the first line that differs. */
void story_holds(const struct story *story);

#endif
