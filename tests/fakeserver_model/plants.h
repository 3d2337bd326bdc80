/* Planted differences: rules that the model gets wrong on purpose, to see them found. */
#ifndef AQ_TESTS_FAKESERVER_MODEL_PLANTS_H
#define AQ_TESTS_FAKESERVER_MODEL_PLANTS_H

#include "protocol/message.h"

/* X(NAME, action that it is about, what is wrong). COUNT: about no action. */
#define PLANTS(X)                                                                                            \
    X(PUT_PRIORITY, PUT, "a priority above 9 is not cut to 9")                                               \
    X(PUT_DELAY, PUT, "a delay of one second is none")                                                       \
    X(GET_ORDER, GET, "last in, first out within a priority")                                                \
    X(GET_TTL, GET, "a lease lasts one microsecond longer")                                                  \
    X(GET_DELETE, GET, "get with delete only leases the job")                                                \
    X(GET_MANY_SHORT, GET_MULTIPLE, "one job less than asked for when there is more than one")               \
    X(EXPIRY_COUNT, GET, "an expiry is not counted")                                                         \
    X(EXPIRY_LIMIT, GET, "a job is buried one expiry late")                                                  \
    X(EXPIRY_ORDER, GET, "an expired job comes before the others of its priority")                           \
    X(DONE_OF_READY, DONE, "done finishes a ready job as well")                                              \
    X(DELETE_OF_BURIED, DELETE, "a buried job is not found")                                                 \
    X(TOUCH_ADDS, TOUCH, "touch adds to the lease what is left of it")                                       \
    X(RELEASE_LIMIT, RELEASE, "the release that reaches the limit buries")                                   \
    X(RELEASE_PRIORITY, RELEASE, "a released job has priority 5")                                            \
    X(BURY_COUNTS, BURY, "bury counts as an expiry")                                                         \
    X(KICK_NEWEST, KICK, "kick takes the newest job")                                                        \
    X(PEEK_LAST, PEEK, "peek shows the last job of the tube")                                                \
    X(CLEAR_DELAYED, CLEAR, "clear leaves delayed jobs")                                                     \
    X(STATS_DELAYED, STATS, "stats count delayed jobs as ready")                                             \
    X(STATS_AVERAGE, STATS, "the mean counts a completion less")                                             \
    X(PAUSE_PEEK, PAUSE, "a pause stops peek as well")                                                       \
    X(UNPAUSE_LOST, UNPAUSE, "unpause does nothing")                                                         \
    X(THROTTLE_WINDOW, THROTTLE, "a get counts for one microsecond more")                                    \
    X(ADMIN_AT_ONCE, ADMIN, "a redirect is told while jobs are held")                                        \
    X(PING_COUNTS, PING, "a ping counts as no action")                                                       \
    X(VERSION_EMPTY, VERSION, "version is not known")                                                        \
    X(PARENT_EARLY, SET_PARENT_JOB, "a parent starts one child early")                                       \
    X(PARENT_TIMEOUT, SET_PARENT_JOB, "a parent that times out is made ready in any case")                   \
    X(PARENT_TWICE, DONE, "a child that is done counts twice")                                               \
    X(CHILDREN_LATE, SET_CHILDREN_STARTED, "set_children_started waits for one more child")                  \
    X(FAIR_STAYS, GET, "a fair queue begins with the same shard again")                                      \
    X(RESTART_LEASE, COUNT, "a restart begins leases anew")

enum plant {
    PLANT_NONE,
#define X(name, action, text) PLANT_##name,
    PLANTS(X)
#undef X
        PLANT_COUNT
};

const char *plant_name(enum plant plant);
const char *plant_text(enum plant plant);
enum aq_action plant_action(enum plant plant);

#endif
