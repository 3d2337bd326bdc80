/* A scenario made of an incident. */
#ifndef AQ_SIM_INCIDENT_SCENARIO_H
#define AQ_SIM_INCIDENT_SCENARIO_H

#include "sim/incident.h"

struct aq_incident_scenario {
    const char *name; /* what the snapshots came from, for people */
    const struct aq_snapshots *snapshots;
    const struct aq_incident *incident;
    const char *service; /* path of a calibration, as seen from the scenario; NULL: the default times */
    uint32_t clients;
    const char *const *events; /* JSON objects: faults of a scenario, with `at` */
    uint32_t event_count;
};

/* A fault of the events, without its time, which goes from the incident's clock to the scenario's. line: a
   JSON object
   {"at": .., "fault": {..}}. *out: for aq_free. Errors: AQ_EPARSE, AQ_EINVALID, AQ_ENOMEM. */
int aq_incident_event(const char *line, size_t length, double first_s, char **out, struct aq_error *error);

/* The text of the scenario, for aq_free. Outages that the snapshots show are left out where an event is about
   the same server at the same time. Errors: AQ_ELIMIT (more faults than a scenario takes), AQ_ENOMEM. */
int aq_incident_scenario_text(const struct aq_incident_scenario *config, char **out, struct aq_error *error);

#endif
