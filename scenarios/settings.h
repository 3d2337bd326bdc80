/* The settings of the command line, put into the JSON tree before it is checked. */
#ifndef AQ_SCENARIOS_SETTINGS_H
#define AQ_SCENARIOS_SETTINGS_H

#include "scenarios/load.h"
#include "scenarios/reader.h"

/* Applies the settings in order, then profile and fidelity. settings[i] gets the text and the path of the
   i-th setting, and reader knows them from then on. Errors: AQ_EINVALID, AQ_ENOMEM. */
int aq_settings_apply(struct aq_reader *reader, cJSON *tree, const struct aq_scenario_options *options,
                      struct aq_reader_setting *settings);

/* Sets what the first `length` characters of text name, as "clients.count"; objects on the way are made. The
   value is taken in any case; NULL is out of memory. Where `path` is not NULL it gets the JSON path. Errors:
   AQ_EINVALID, AQ_ENOMEM. */
int aq_settings_set(struct aq_reader *reader, cJSON *tree, const char *text, size_t length, cJSON *value,
                    char *path);

#endif
