/* Reads scenarios: JSON text with the settings of the command line on top, checked key by
   key; nothing is guessed. */
#ifndef AQ_SCENARIOS_LOAD_H
#define AQ_SCENARIOS_LOAD_H

#include "base/error.h"
#include "scenarios/scenario.h"

struct aq_scenario_options {
    /* borrowed: "clients.count=2000", "faults.0.at=30s"; applied in order to the JSON before it is checked */
    const char *const *settings;
    uint32_t setting_count;
    const char *profile;  /* "strict", "upstream", "client=...", "server=..."; NULL: as in the file */
    const char *fidelity; /* "wire", "message"; NULL: as in the file */
};

/* Finds a scenario: an existing file, or a name of the library ("server-crash", "outages/d1"), which is
   looked for in the folder $ALLQSIM_SCENARIOS if set, then beside the program, then where it was built.
   Writes the file's path. Errors: AQ_ENOENT (*error lists the nearest names). */
int aq_scenario_find(const char *name, char *path, size_t size, struct aq_error *error);

/* Called for one scenario: what the user may call it, and its file. Other than 0 ends the listing. */
typedef int (*aq_scenario_visit)(void *arg, const char *name, const char *path);

/* Visits what a word stands for: a file, the files of a folder (those of folders in it are left out) sorted
   by name, or a name or folder of the library. A relative path is taken from the folder `base` where that is
   not NULL. Errors: AQ_ENOENT, AQ_ELIMIT, AQ_EIO, AQ_ENOMEM, what visit returned. */
int aq_scenario_expand(const char *word, const char *base, aq_scenario_visit visit, void *arg,
                       struct aq_error *error);

/* Reads a file. Errors: AQ_EIO, AQ_EPARSE, AQ_EINVALID, AQ_ELIMIT, AQ_ENOMEM; *error is one line with
   the file, the line or JSON path, what was found, what is allowed, and the nearest known key for a
   misspelt one; *out untouched. */
int aq_scenario_load(const char *path, const struct aq_scenario_options *options, struct aq_scenario **out,
                     struct aq_error *error);

/* The same from text; `name` stands for the file in errors. */
int aq_scenario_parse(const char *text, const char *name, const struct aq_scenario_options *options,
                      struct aq_scenario **out, struct aq_error *error);

/* Can the virtual world (live false) or the live one do all that the scenario asks for? Errors:
   AQ_EUNSUPPORTED; *error names the place, the thing and the world that it needs. */
int aq_scenario_check_world(const struct aq_scenario *scenario, bool live, struct aq_error *error);

/* NULL is fine. */
void aq_scenario_free(struct aq_scenario *scenario);

/* The folder that holds the library, as aq_scenario_find would use it. Errors: AQ_ENOENT. */
int aq_scenario_library(char *path, size_t size, struct aq_error *error);

/* One scenario of the library. All texts are borrowed for the call. */
struct aq_scenario_entry {
    const char *name;    /* as aq_scenario_find takes it */
    const char *summary; /* what it shows; empty where the file is not a valid scenario */
    const char *path;
    const char *problem; /* why the file is not a valid scenario; NULL where it is one */
};

/* Calls visit for each scenario of the library, sorted by name; one that returns other than 0 ends the
   listing, and its code is returned. Errors: AQ_ENOENT (no library), AQ_EIO, AQ_ELIMIT, AQ_ENOMEM. */
int aq_scenario_list(int (*visit)(void *arg, const struct aq_scenario_entry *entry), void *arg,
                     struct aq_error *error);

/* The JSON Schema of scenario files, made from the loader's own tables; a new string for
   aq_free. Errors: AQ_ENOMEM. */
int aq_scenario_schema(char **out);

#endif
