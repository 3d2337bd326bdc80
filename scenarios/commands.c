/* Reader of the list of commands: objects whose allowed keys hang on their action. */
#include <string.h>

#include "scenarios/reader.h"
#include "scenarios/scenario.h"

/* Every key that is there means something for this action, and those that it needs are there. */
static int check_keys(struct aq_reader *r, const struct aq_command_spec *command, uint64_t given) {
    const struct aq_command_keys *row = &aq_command_keys[command->kind];
    const char *action = aq_words_commands.list[command->kind];
    for (size_t i = 0; i < aq_object_command.count; i++) {
        const char *name = aq_object_command.keys[i].name;
        bool meant = aq_key_listed(AQ_COMMAND_COMMON_KEYS, name) || aq_key_listed(row->keys, name);
        bool there = given >> i & 1;
        if (there && !meant) {
            aq_reader_enter(r, name);
            return aq_reader_fail(r, AQ_EINVALID, "\"%s\" takes no \"%s\" (allowed: %s%s%s)", action, name,
                                  AQ_COMMAND_COMMON_KEYS, *row->keys ? " " : "", row->keys);
        }
        if (!there && aq_key_listed(row->required, name))
            return aq_reader_fail(r, AQ_EINVALID, "\"%s\" needs the key \"%s\"", action, name);
    }
    if (!command->times || command->every_us != AQ_TIME_NEVER) return 0;
    aq_reader_enter(r, "times");
    return aq_reader_fail(r, AQ_EINVALID, "\"times\" needs \"every\"");
}

int aq_read_commands(struct aq_reader *r, const struct aq_key *key, const cJSON *json, char *at) {
    struct aq_scenario *scenario = (struct aq_scenario *)at;
    int rc = aq_reader_list(r, key, json, "commands", sizeof *scenario->commands, &scenario->commands,
                            &scenario->command_count);
    uint32_t i = 0;
    const cJSON *item;
    if (rc) return rc;
    cJSON_ArrayForEach(item, json) {
        uint64_t given = 0;
        struct aq_command_spec *command = &scenario->commands[i];
        size_t length = aq_reader_enter_item(r, (int)i++);
        rc = aq_reader_object(r, item, key->object, command, &given);
        if (rc == 0) rc = check_keys(r, command, given);
        if (rc) return rc;
        command->action = aq_command_keys[command->kind].action;
        aq_reader_leave(r, length);
    }
    return 0;
}
