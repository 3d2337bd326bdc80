#include "sim/check_replay.h"

#include <inttypes.h>

#include "sim/verdict.h"

int aq_run_check_replay(const struct aq_run_options *options, struct aq_record *record,
                        struct aq_error *error) {
    struct aq_run_options quiet = {
        .scenario = options->scenario, .seed = options->seed, .stop = options->stop};
    struct aq_record again;
    aq_record_init(&again);
    int rc = aq_run_scenario(&quiet, &again, error);
    uint64_t hash = again.trace_hash;
    bool whole = !again.interrupted;
    aq_record_close(&again);
    if (rc || !whole || hash == record->trace_hash) return rc;
    record->verdict = AQ_VERDICT_FAIL;
    record->exit_code = AQ_EXIT_NOT_REPRODUCIBLE;
    record->reason =
        aq_record_text(record, "two runs of one seed differ: their hashes are %016" PRIx64 " and %016" PRIx64,
                       record->trace_hash, hash);
    return record->reason ? 0 : AQ_ENOMEM;
}
