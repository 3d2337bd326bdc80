/* Commands: what an operator asks of a client at the times of the scenario, and what it is told. */
#include "sim/workload_internal.h"

#include "base/error.h"
#include "protocol/ids.h"

static int set_timer(struct aq_workload *w, uint32_t index, aq_time_us at_us) {
    uint64_t ticket;
    if (at_us == AQ_TIME_NEVER) return 0;
    return w->world.ops->set_timer(w->world.self, AQ_TIMER_COMMAND, index, at_us, &ticket);
}

int commands_start(struct aq_workload *w, aq_time_us now_us) {
    int rc = 0;
    for (uint32_t i = 0; i < w->scenario->command_count && !rc; i++)
        rc = set_timer(w, i, aq_time_after(now_us, w->scenario->commands[i].at_us));
    return rc;
}

static struct aq_request request_of(const struct aq_workload *w, const struct aq_command_spec *command) {
    struct aq_request r = {.action = (uint8_t)command->action};
    if (command->tube) {
        r.given |= AQ_PARAM_TUBE;
        r.tube = w->command_tubes[command - w->scenario->commands];
    }
    if (command->kind == AQ_COMMAND_THROTTLE) {
        r.given |= AQ_PARAM_TPS;
        r.tps = command->tps;
    }
    if (command->buried) {
        r.given |= AQ_PARAM_BURIED;
        r.buried = true;
    }
    if (command->job) {
        r.given |= AQ_PARAM_JOB_ID;
        r.job_id = aq_text_of(command->job);
    }
    if (command->kind == AQ_COMMAND_DRAIN || command->kind == AQ_COMMAND_ADD_SERVER) {
        r.given |= AQ_PARAM_ADDRESS;
        r.address = aq_text_of(w->book->items[command->server].text);
    }
    return r;
}

/* What the client may use from now on. */
static int tell_membership(struct aq_workload *w, const struct aq_command_spec *command, aq_time_us now_us) {
    bool adds = command->kind == AQ_COMMAND_ADD_SERVER;
    if (!adds && command->kind != AQ_COMMAND_DRAIN) return 0;
    struct aq_observation seen = {.at_us = now_us,
                                  .kind = AQ_SEEN_TOLD,
                                  .client = command->client,
                                  .caller = AQ_NOBODY,
                                  .server = command->server < w->scenario->servers.count ? command->server
                                                                                         : AQ_NOBODY,
                                  .address = command->server,
                                  .action = command->action,
                                  .member = adds};
    return workload_observe(w, &seen);
}

static int carry_out(struct aq_workload *w, uint32_t index, aq_time_us now_us) {
    const struct aq_command_spec *command = &w->scenario->commands[index];
    if (!w->world.ops->client_is_up(w->world.self, command->client)) return 0;
    struct aq_app_call *call = aq_app_calls_new(&w->calls);
    if (!call) return AQ_ENOMEM;
    call->caller_kind = AQ_CALLER_COMMAND;
    call->caller = index;
    call->client = command->client;
    call->request = request_of(w, command);
    int rc = tell_membership(w, command, now_us);
    return rc ? rc : workload_submit(w, call, now_us);
}

int aq_workload_command(struct aq_workload *w, aq_time_us now_us, uint32_t index) {
    const struct aq_command_spec *command = &w->scenario->commands[index];
    if (w->load_stopped) return 0;
    int rc = carry_out(w, index, now_us);
    w->command_times[index]++;
    bool again = command->times == 0 || w->command_times[index] < command->times;
    return rc || !again ? rc : set_timer(w, index, aq_time_after(now_us, command->every_us));
}

/* The figures of the last answer to stats, all servers and tubes together. */
static void sum_up_stats(struct aq_workload *w, const struct aq_reply *reply) {
    struct aq_stats_sum sum = {.answers = w->stats.answers + 1, .servers = reply->server_count};
    for (uint32_t i = 0; i < reply->server_count; i++)
        for (uint32_t k = 0; k < reply->servers[i].tube_count; k++) {
            const struct aq_tube_stats *tube = &reply->servers[i].tubes[k];
            sum.tubes++;
            sum.ready += tube->ready;
            sum.delayed += tube->delayed;
            sum.reserved += tube->reserved;
            sum.buried += tube->buried;
            sum.parents += tube->parents;
            sum.tps += tube->tps;
        }
    w->stats = sum;
}

const struct aq_stats_sum *aq_workload_stats(const struct aq_workload *w) {
    return &w->stats;
}

int commands_answered(struct aq_workload *w, const struct aq_app_call *call, aq_time_us now_us,
                      enum aq_outcome outcome, const struct aq_reply *reply) {
    struct aq_observation seen = workload_about(call, AQ_SEEN_ANSWER, now_us);
    seen.outcome = outcome;
    seen.last = true;
    if (outcome == AQ_OUTCOME_OK && reply && reply->kind == AQ_REPLY_STATS) sum_up_stats(w, reply);
    seen.error = reply && (reply->has_error || reply->kind == AQ_REPLY_ERROR);
    if (reply && reply->has_job_id) seen.job = reply->job_id;
    if (reply && reply->job_count) seen.job = reply->jobs[0].job_id;
    struct aq_job_ref ref;
    if (seen.job.len && aq_job_ref_parse(seen.job, &ref) == 0) seen.job_hash = aq_text_hash(ref.job);
    return workload_observe(w, &seen);
}
