-- The database of runs: one file, many runs. Every table but `run` and those of explorations says with run_id which run its rows
-- belong to; those of explorations say with exploration_id which exploration.
--
-- Units are the last word of a column's name: _us microseconds since the start of the run (or a span of them), _unix_s seconds
-- since 1970, _s seconds, _bytes, _per_s, _ratio 0 to 1. Columns without one are counts, numbers of things or texts.
-- 64-bit hashes and seeds are texts of 16 hexadecimal digits, since SQLite's integers are signed. Counters above 2^63 - 1 would
-- show as negative numbers. A time that never comes is NULL, and so is a figure that is not a number.
-- `position` is the place of a row in the report, from 0.
--
-- To delete a run with all that belongs to it: PRAGMA foreign_keys = ON; DELETE FROM run WHERE run_id = N;

PRAGMA application_id = 1634496883; -- "alqs"
PRAGMA user_version = 5;            -- rises with every change of this file that a reader must know about

CREATE TABLE run ( -- One row for each run; written as soon as the run begins, and completed in one step when it has ended.
    run_id INTEGER PRIMARY KEY,              -- number of the run in this file, from 1
    state TEXT NOT NULL DEFAULT 'unfinished' -- a run whose program was killed stays 'unfinished' and has no verdict
        CHECK (state IN ('unfinished', 'finished', 'interrupted')),
    scenario TEXT NOT NULL,                  -- name of the scenario
    summary TEXT NOT NULL,                   -- what the scenario shows, one sentence
    scenario_text TEXT NOT NULL,             -- the scenario as it was run, JSON
    scenario_hash TEXT NOT NULL,             -- of scenario_text
    seed TEXT NOT NULL,                      -- what all random streams were derived from
    seed_text TEXT NOT NULL,                 -- the seed as it was given: decimal or 40 hexadecimal digits
    version TEXT NOT NULL,                   -- of the program
    build TEXT NOT NULL,                     -- compiler and build type
    world TEXT NOT NULL,                     -- 'virtual' or 'live'
    fidelity TEXT NOT NULL,                  -- 'wire': messages crossed the network as bytes; 'message': as structs
    client_profile TEXT NOT NULL,            -- behaviour of the clients: 'strict' or 'upstream'
    server_profile TEXT NOT NULL,            -- behaviour of the servers: 'strict' or 'upstream'
    reproduce TEXT NOT NULL,                 -- a command line that runs it again
    started_unix_s INTEGER NOT NULL,         -- when it was started, wall clock
    trace_hash TEXT NOT NULL DEFAULT '0000000000000000', -- of all events in order: equal for equal runs
    verdict TEXT NOT NULL DEFAULT 'unknown'  -- against what the scenario expects
        CHECK (verdict IN ('pass', 'fail', 'unknown')),
    reason TEXT NOT NULL DEFAULT '',         -- of the verdict, one line
    exit_code INTEGER NOT NULL DEFAULT 0,    -- what the program exits with for this verdict
    events INTEGER NOT NULL DEFAULT 0,       -- steps of the simulation
    virtual_us INTEGER NOT NULL DEFAULT 0,   -- time that passed in the run's world
    wall_us INTEGER NOT NULL DEFAULT 0,      -- time that the run took on this machine
    peak_rss_bytes INTEGER NOT NULL DEFAULT 0,       -- most memory that the program held
    window_us INTEGER NOT NULL DEFAULT 0,            -- width of one window of the table `window`
    jobs_produced INTEGER NOT NULL DEFAULT 0,        -- jobs that producers tried to put
    jobs_accepted INTEGER NOT NULL DEFAULT 0,        -- jobs that servers took in
    jobs_completed INTEGER NOT NULL DEFAULT 0,       -- jobs that ended at their server: done, deleted, taken, cleared
    jobs_held INTEGER NOT NULL DEFAULT 0,            -- jobs that servers still held at the end
    jobs_lost_declared INTEGER NOT NULL DEFAULT 0,   -- jobs lost for a reason that the scenario declares, such as a crash
    jobs_unexplained INTEGER NOT NULL DEFAULT 0,     -- accepted jobs of which nothing explains what became of them
    jobs_executed_again INTEGER NOT NULL DEFAULT 0,  -- jobs that were executed more than once
    completions_sent INTEGER NOT NULL DEFAULT 0,     -- completions that workers asked for
    completions_applied INTEGER NOT NULL DEFAULT 0,  -- completions carried out at the origin of their job
    completions_acked INTEGER NOT NULL DEFAULT 0,    -- completions of which the worker was told that they succeeded
    completions_misrouted INTEGER NOT NULL DEFAULT 0,   -- completions that arrived at another server than the origin
    completions_origin_gone INTEGER NOT NULL DEFAULT 0, -- completions whose origin had lost the job or was down
    completions_unknown INTEGER NOT NULL DEFAULT 0,  -- completions that ended without a known outcome
    clients INTEGER NOT NULL DEFAULT 0,              -- client processes
    workers INTEGER NOT NULL DEFAULT 0               -- workers of all clients together
) STRICT;

CREATE TABLE run_option ( -- The settings in effect, defaults included.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    position INTEGER NOT NULL, -- place in the report
    name TEXT NOT NULL,        -- path of the setting, such as 'clients.count'
    value TEXT NOT NULL,       -- as text, with its unit
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE server ( -- One row for each server: its totals over the run.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    server INTEGER NOT NULL,       -- index of the server, from 0
    id TEXT NOT NULL,              -- as clients name it in job ids
    address TEXT NOT NULL,         -- host:port
    puts INTEGER NOT NULL,         -- puts applied
    gets INTEGER NOT NULL,         -- gets that handed out a job
    empty_gets INTEGER NOT NULL,   -- gets that found none
    completions INTEGER NOT NULL,  -- completions applied
    requests INTEGER NOT NULL,     -- requests that arrived
    errors INTEGER NOT NULL,       -- requests answered by an error
    missed INTEGER NOT NULL,       -- completions of jobs that it did not hold
    expired INTEGER NOT NULL,      -- leases that ran out
    buried INTEGER NOT NULL,       -- jobs buried
    lost INTEGER NOT NULL,         -- jobs lost in crashes
    choices INTEGER NOT NULL,      -- times that a client chose it freely
    share_ratio REAL,              -- of all free choices
    busy_ratio REAL,               -- of its time up that it was serving a request
    queue_max INTEGER NOT NULL,    -- most requests waiting at the end of a window
    incarnations INTEGER NOT NULL, -- times that its process was started
    held_ready INTEGER NOT NULL,    -- jobs ready at the end
    held_delayed INTEGER NOT NULL,  -- jobs delayed at the end
    held_reserved INTEGER NOT NULL, -- jobs leased at the end
    held_buried INTEGER NOT NULL,   -- jobs buried at the end
    held_parent INTEGER NOT NULL,   -- jobs waiting for their children at the end
    PRIMARY KEY (run_id, server)
) STRICT, WITHOUT ROWID;

CREATE TABLE phase ( -- Stretches of the run between two changes of the set of faults in force.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    phase INTEGER NOT NULL,    -- number of the phase, from 0
    name TEXT NOT NULL,        -- 'before', the faults in force, 'after', 'settle'
    from_us INTEGER,           -- when it begins
    to_us INTEGER,             -- when it ends
    PRIMARY KEY (run_id, phase)
) STRICT, WITHOUT ROWID;

CREATE TABLE phase_server ( -- How often clients chose each server in each phase.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    phase INTEGER NOT NULL,    -- number of the phase
    server INTEGER NOT NULL,   -- index of the server
    choices INTEGER NOT NULL,  -- free choices by clients
    PRIMARY KEY (run_id, phase, server)
) STRICT, WITHOUT ROWID;

CREATE TABLE fault ( -- The faults that were injected, with their receipts.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    position INTEGER NOT NULL, -- place in the report
    kind TEXT NOT NULL,        -- 'crash', 'drop_reply', ...
    name TEXT NOT NULL,        -- the scenario's name for it, or its kind
    target TEXT NOT NULL,      -- what it was aimed at
    at_us INTEGER,             -- when it began
    until_us INTEGER,          -- when it ended; NULL: with the run
    touched INTEGER NOT NULL,  -- messages, processes or connections that it acted on
    struck INTEGER NOT NULL,   -- 1: it was carried out
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE check_result ( -- What each check found.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    position INTEGER NOT NULL,    -- place in the report
    name TEXT NOT NULL,           -- 'completion-origin', ...
    holds_when TEXT NOT NULL,     -- what it demands, one sentence
    verdict TEXT NOT NULL         -- of the check itself, whatever the scenario expects
        CHECK (verdict IN ('pass', 'fail', 'unknown')),
    caught INTEGER NOT NULL,      -- 1: it failed and the scenario expects it to
    expected_to_fail INTEGER NOT NULL, -- 1: the scenario expects it to fail
    judged INTEGER NOT NULL,      -- how many things it judged
    violations INTEGER NOT NULL,  -- how many of them were wrong
    remark TEXT NOT NULL,         -- why it failed or could not judge; otherwise empty
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE check_figure ( -- Numbers that a check reports.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    check_position INTEGER NOT NULL, -- position of the check in check_result
    position INTEGER NOT NULL,       -- place among the figures of the check
    name TEXT NOT NULL,              -- with its unit as suffix
    value REAL,                      -- NULL: not a number
    PRIMARY KEY (run_id, check_position, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE violation ( -- The first violations of each check; check_result.violations counts them all.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    position INTEGER NOT NULL,   -- place in the report
    check_name TEXT NOT NULL,    -- name of the check
    cause TEXT NOT NULL,         -- short and the same for all violations of a sort
    at_us INTEGER,               -- first bad event
    job TEXT NOT NULL,           -- 'SERVER,JOB', or empty
    token INTEGER NOT NULL,      -- number of the producer's call; 0: none
    origin_server INTEGER NOT NULL,   -- server that handed the job out; -1: none
    receiver_server INTEGER NOT NULL, -- server that got the message; -1: none
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE story_line ( -- The few events that prove a violation.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    violation_position INTEGER NOT NULL, -- position of the violation
    position INTEGER NOT NULL,           -- number of the line in the story
    text TEXT NOT NULL,                  -- '[seconds] who > what'
    PRIMARY KEY (run_id, violation_position, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE window ( -- Counters of each server in each window of time.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    window_number INTEGER NOT NULL, -- times run.window_us gives its start
    server INTEGER NOT NULL,        -- index of the server
    puts INTEGER NOT NULL,          -- puts applied
    gets INTEGER NOT NULL,          -- gets that handed out a job
    empty_gets INTEGER NOT NULL,    -- gets that found none
    completions INTEGER NOT NULL,   -- completions applied
    choices INTEGER NOT NULL,       -- free choices by clients
    errors INTEGER NOT NULL,        -- requests answered by an error
    queue INTEGER NOT NULL,         -- requests waiting at its end
    ready INTEGER NOT NULL,         -- jobs ready at its end
    reserved INTEGER NOT NULL,      -- jobs leased at its end
    up INTEGER NOT NULL,            -- 1: the server was up at its end
    PRIMARY KEY (run_id, window_number, server)
) STRICT, WITHOUT ROWID;

CREATE TABLE latency ( -- One row for each kind of span that was measured: its summary. Values are at most 0.8 % above the true ones.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    position INTEGER NOT NULL,  -- place in the report; 0 is always 'failover'
    operation TEXT NOT NULL,    -- 'put', 'get', 'done', ...; 'failover': from a server's stop to the last request aimed at it; 'put@12': the puts that ended in window 12
    spans INTEGER NOT NULL,     -- how many were measured
    sum_us INTEGER NOT NULL,    -- all of them together
    min_us INTEGER,             -- shortest, exact; NULL: none measured
    max_us INTEGER,             -- longest, exact
    p50_us INTEGER,             -- half were at most this
    p90_us INTEGER,             -- 90 % were at most this
    p99_us INTEGER,             -- 99 % were at most this
    p999_us INTEGER,            -- 99.9 % were at most this
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE latency_bucket ( -- The whole histogram of each row of latency, empty buckets left out.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    latency_position INTEGER NOT NULL, -- position of the row in latency
    bucket INTEGER NOT NULL,           -- number of the bucket
    up_to_us INTEGER NOT NULL,         -- longest span that it stands for
    spans INTEGER NOT NULL,            -- how many fell into it
    PRIMARY KEY (run_id, latency_position, bucket)
) STRICT, WITHOUT ROWID;

CREATE TABLE mark ( -- Coverage marks: situations that the run was to reach.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    position INTEGER NOT NULL, -- place in the report
    name TEXT NOT NULL,        -- the situation
    hits INTEGER NOT NULL,     -- how often it was reached
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE figure ( -- Numbers about the run as a whole.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    position INTEGER NOT NULL, -- place in the report
    name TEXT NOT NULL,        -- with its unit as suffix
    value REAL,                -- NULL: not a number
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE checkpoint ( -- The rolling hash at moments spread over the run: where a replay begins to differ.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    position INTEGER NOT NULL, -- place in the order, from 0
    steps INTEGER NOT NULL,    -- steps of the trace up to here: events and observations
    at_us INTEGER,             -- when the last of them happened
    hash TEXT NOT NULL,        -- of all of them
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE event ( -- The full trace, where it was asked for.
    run_id INTEGER NOT NULL REFERENCES run ON DELETE CASCADE, -- the run
    number INTEGER NOT NULL, -- order of the event in the run
    at_us INTEGER,           -- when it happened
    text TEXT NOT NULL,      -- what happened
    PRIMARY KEY (run_id, number)
) STRICT, WITHOUT ROWID;

CREATE TABLE exploration ( -- One row for each exploration: many seeds of one scenario. Written as it begins, completed as it ends.
    exploration_id INTEGER PRIMARY KEY,      -- number of the exploration in this file, from 1
    state TEXT NOT NULL DEFAULT 'unfinished' -- one whose program was killed stays 'unfinished'; its seeds so far are there
        CHECK (state IN ('unfinished', 'finished', 'interrupted')),
    scenario TEXT NOT NULL,         -- name of the scenario
    scenario_text TEXT NOT NULL,    -- the scenario with its section explore, JSON
    scenario_hash TEXT NOT NULL,    -- of scenario_text
    client_profile TEXT NOT NULL,   -- behaviour of the clients: 'strict' or 'upstream'
    server_profile TEXT NOT NULL,   -- behaviour of the servers: 'strict' or 'upstream'
    version TEXT NOT NULL,          -- of the program
    build TEXT NOT NULL,            -- compiler and build type
    reproduce TEXT NOT NULL,        -- a command line that does it again
    started_unix_s INTEGER NOT NULL, -- when it was started, wall clock
    seed_from INTEGER NOT NULL,     -- first seed of the range
    seed_to INTEGER,                -- last seed of the range; NULL: no bound but the time given
    shard INTEGER NOT NULL,         -- which part of the seeds of the range, from 1
    shards INTEGER NOT NULL,        -- of how many parts
    jobs INTEGER NOT NULL,          -- worker processes
    exit_code INTEGER NOT NULL DEFAULT 0,    -- what the program exits with
    reason TEXT NOT NULL DEFAULT '',         -- of the exit code, one line
    passes INTEGER NOT NULL DEFAULT 0,       -- seeds that came out as expected
    fails INTEGER NOT NULL DEFAULT 0,        -- seeds that broke a check, or ran differently the second time
    unknowns INTEGER NOT NULL DEFAULT 0,     -- seeds without a verdict
    crashes INTEGER NOT NULL DEFAULT 0,      -- seeds whose process died
    no_runs INTEGER NOT NULL DEFAULT 0,      -- seeds that there was no memory for
    replay_checked INTEGER NOT NULL DEFAULT 0, -- seeds that were run twice
    events INTEGER NOT NULL DEFAULT 0,       -- steps of the simulation, all seeds
    virtual_us INTEGER NOT NULL DEFAULT 0,   -- time that passed in the runs' worlds, all seeds
    busy_us INTEGER NOT NULL DEFAULT 0,      -- time that the runs took, one after the other
    wall_us INTEGER NOT NULL DEFAULT 0       -- time that the exploration took
) STRICT;

CREATE TABLE exploration_seed ( -- One row for each seed that was run.
    exploration_id INTEGER NOT NULL REFERENCES exploration ON DELETE CASCADE, -- the exploration
    seed INTEGER NOT NULL,       -- the seed; below 10^15
    verdict TEXT NOT NULL        -- 'crash': its process died; 'no-run': there was no memory for it
        CHECK (verdict IN ('pass', 'fail', 'unknown', 'crash', 'no-run')),
    exit_code INTEGER NOT NULL,  -- what allqsim run exits with for it
    reason TEXT NOT NULL,        -- of the verdict, one line
    drawn TEXT NOT NULL,         -- what was drawn for it; allqsim explore --print-seed gives the whole scenario
    trace_hash TEXT NOT NULL,    -- of all events in order
    events INTEGER NOT NULL,     -- steps of the simulation
    virtual_us INTEGER NOT NULL, -- time that passed in the run's world
    wall_us INTEGER NOT NULL,    -- time that the run took
    replayed INTEGER NOT NULL,   -- 1: it was run twice and the hashes compared
    PRIMARY KEY (exploration_id, seed)
) STRICT, WITHOUT ROWID;

CREATE TABLE exploration_seed_failure ( -- Which failures a seed showed.
    exploration_id INTEGER NOT NULL REFERENCES exploration ON DELETE CASCADE, -- the exploration
    seed INTEGER NOT NULL,     -- the seed
    fingerprint TEXT NOT NULL, -- of the failure
    PRIMARY KEY (exploration_id, seed, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE exploration_failure ( -- One row for each sort of failure; the run of its quickest seed is kept in full.
    exploration_id INTEGER NOT NULL REFERENCES exploration ON DELETE CASCADE, -- the exploration
    fingerprint TEXT NOT NULL,      -- 16 digits: hash of check, cause and shape
    check_name TEXT NOT NULL,       -- the check that broke; 'crash', 'replay' and 'not-caught' are no checks
    cause TEXT NOT NULL,            -- what was wrong, without numbers and ids
    shape TEXT NOT NULL,            -- kinds of the lines of its story and who acts in them
    seeds INTEGER NOT NULL,         -- seeds that showed it
    first_seed INTEGER NOT NULL,    -- the lowest of them
    quickest_seed INTEGER NOT NULL, -- the one with the fewest events
    run_id INTEGER REFERENCES run ON DELETE SET NULL, -- the run of the quickest seed; NULL: not kept
    PRIMARY KEY (exploration_id, fingerprint)
) STRICT, WITHOUT ROWID;

CREATE TABLE exploration_mark ( -- Coverage marks over all seeds.
    exploration_id INTEGER NOT NULL REFERENCES exploration ON DELETE CASCADE, -- the exploration
    position INTEGER NOT NULL, -- place in the report
    name TEXT NOT NULL,        -- the situation
    hits INTEGER NOT NULL,     -- how often it was reached
    seeds INTEGER NOT NULL,    -- how many seeds reached it
    required INTEGER NOT NULL, -- 1: the scenario asks for it
    PRIMARY KEY (exploration_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE exploration_find ( -- With --until-found: one row for each search, each over seeds of its own.
    exploration_id INTEGER NOT NULL REFERENCES exploration ON DELETE CASCADE, -- the exploration
    position INTEGER NOT NULL,   -- number of the search, from 0
    from_seed INTEGER NOT NULL,  -- first seed
    found_seed INTEGER,          -- the seed that showed it; NULL: the seeds ended before
    seeds INTEGER NOT NULL,      -- how many it took
    virtual_us INTEGER NOT NULL, -- time that passed in the runs' worlds up to it
    wall_us INTEGER NOT NULL,    -- time that the runs took, one after the other
    PRIMARY KEY (exploration_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan ( -- One row for each capacity plan, written as it ends.
    plan_id INTEGER PRIMARY KEY,         -- number of the plan in this file, from 1
    state TEXT NOT NULL                  -- an interrupted one is not complete; its runs are kept and used again
        CHECK (state IN ('finished', 'interrupted')),
    scenario TEXT NOT NULL,              -- name of the scenario
    scenario_text TEXT NOT NULL,         -- the scenario that is scaled, JSON
    scenario_hash TEXT NOT NULL,         -- of scenario_text
    objective TEXT NOT NULL,             -- what has to hold
    client_profile TEXT NOT NULL,        -- behaviour of the clients: 'strict' or 'upstream'
    server_profile TEXT NOT NULL,        -- behaviour of the servers: 'strict' or 'upstream'
    version TEXT NOT NULL,               -- of the program
    build TEXT NOT NULL,                 -- compiler and build type
    reproduce TEXT NOT NULL,             -- a command line that does it again
    started_unix_s INTEGER NOT NULL,     -- when it was started, wall clock
    clients_from INTEGER NOT NULL,       -- fewest clients that were asked for
    clients_to INTEGER NOT NULL,         -- most clients
    clients_step INTEGER NOT NULL,       -- step of the grid
    servers_from INTEGER NOT NULL,       -- fewest servers
    servers_to INTEGER NOT NULL,         -- most servers
    survive INTEGER NOT NULL,            -- servers whose loss has to be borne
    workers_per_client REAL NOT NULL,    -- how many workers each client has
    jobs_per_client_s REAL NOT NULL,     -- jobs a second that are put for each client
    recommended_servers INTEGER NOT NULL, -- the number of servers that the recommendation is for
    recommended_clients INTEGER NOT NULL, -- most clients for them; 0: none can be recommended
    advice TEXT NOT NULL,                -- what is recommended, and why
    runs INTEGER NOT NULL,               -- runs that it is made of
    reused_runs INTEGER NOT NULL,        -- of them, those that had been done before
    wall_us INTEGER NOT NULL,            -- time that it took
    duration_us INTEGER NOT NULL DEFAULT 0, -- virtual time of each run; 0: not known
    warm_up_us INTEGER NOT NULL DEFAULT 0,  -- of it at the beginning, not measured
    seeds_min INTEGER NOT NULL DEFAULT 0,   -- fewest runs of each point; 0: not known
    seeds_max INTEGER NOT NULL DEFAULT 0,   -- most runs of each point
    events INTEGER NOT NULL DEFAULT 0,      -- steps of the simulation, all runs
    not_modelled TEXT NOT NULL DEFAULT ''   -- what keeps theory from having something to say; empty: nothing does
) STRICT;

CREATE TABLE plan_measure ( -- What was measured in a plan: the terms of the objective first.
    plan_id INTEGER NOT NULL REFERENCES plan ON DELETE CASCADE, -- the plan that it is of
    position INTEGER NOT NULL, -- place in the report
    text TEXT NOT NULL,        -- a term as written, otherwise the measure: as plan_value.measure
    measure TEXT NOT NULL,     -- the measure alone
    unit TEXT NOT NULL,        -- 's', '/s', or empty
    bound REAL,                -- of a term; NULL: it is no term
    PRIMARY KEY (plan_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan_warning ( -- Where theory and simulation part for no reason that is known.
    plan_id INTEGER NOT NULL REFERENCES plan ON DELETE CASCADE, -- the plan that it is of
    position INTEGER NOT NULL, -- place in the report
    text TEXT NOT NULL,        -- one sentence
    PRIMARY KEY (plan_id, position)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan_point ( -- One row for each point of a plan that was looked at.
    plan_id INTEGER NOT NULL REFERENCES plan ON DELETE CASCADE, -- the plan that it is of
    servers INTEGER NOT NULL, -- servers at the start
    lost INTEGER NOT NULL,    -- servers of them that end as measuring begins
    clients INTEGER NOT NULL, -- clients at this point
    seeds INTEGER NOT NULL,   -- runs, each with a seed of its own
    held TEXT NOT NULL        -- of the objective; 'open': the intervals do not tell
        CHECK (held IN ('holds', 'fails', 'open')),
    PRIMARY KEY (plan_id, servers, lost, clients)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan_value ( -- What was measured at each point of a plan.
    plan_id INTEGER NOT NULL REFERENCES plan ON DELETE CASCADE, -- the plan that it is of
    servers INTEGER NOT NULL, -- servers at the start
    lost INTEGER NOT NULL,    -- servers of them that end as measuring begins
    clients INTEGER NOT NULL, -- clients at this point
    measure TEXT NOT NULL,    -- a term of the objective as written, or a measure
    mean REAL,                -- over the seeds; seconds, per second, or a ratio; NULL: there was nothing to measure
    half REAL,                -- half of its interval of 95 %
    theory REAL,              -- what theory says; NULL: nothing
    held TEXT NOT NULL,       -- whether the term holds: 'holds', 'fails', 'open'; empty for what is no term
    PRIMARY KEY (plan_id, servers, lost, clients, measure)
) STRICT, WITHOUT ROWID;

CREATE TABLE plan_knee ( -- What came out for each number of servers.
    plan_id INTEGER NOT NULL REFERENCES plan ON DELETE CASCADE, -- the plan that it is of
    servers INTEGER NOT NULL,   -- servers at the start
    lost INTEGER NOT NULL,      -- servers of them that end as measuring begins
    clients INTEGER NOT NULL,   -- most clients with which the objective holds; 0: none
    fails_at REAL,              -- next number of clients, with which it does not; NULL: it held up to the end
    theory_clients REAL,        -- most clients by theory; NULL: it has nothing to say
    breaks_first TEXT NOT NULL, -- what breaks first above it
    PRIMARY KEY (plan_id, servers, lost)
) STRICT, WITHOUT ROWID;

CREATE TABLE kept_run ( -- Runs of plans and comparisons of which the figures are kept, to be used again.
    kept_run_id INTEGER PRIMARY KEY,   -- number of the run among these
    scenario_hash TEXT NOT NULL,       -- of the scenario as it was run
    seed INTEGER NOT NULL,             -- its seed, from 1
    steady_from_us INTEGER NOT NULL,   -- when measuring began
    paired INTEGER NOT NULL,           -- 1: draws for jobs hung on the jobs alone, so that runs can be compared
    version TEXT NOT NULL,             -- of the program
    build TEXT NOT NULL                -- compiler and build type
) STRICT;

CREATE INDEX kept_run_of_scenario ON kept_run (scenario_hash, seed);

CREATE TABLE kept_figure ( -- Their figures.
    kept_run_id INTEGER NOT NULL REFERENCES kept_run ON DELETE CASCADE, -- the run that it is of
    name TEXT NOT NULL, -- of the figure
    value REAL,         -- in the unit of its name; NULL: there was nothing to measure
    PRIMARY KEY (kept_run_id, name)
) STRICT;

CREATE VIEW newest_plan AS -- What came out for each number of servers, newest plan first.
SELECT plan_id, state, scenario, objective, servers, lost, clients, fails_at, theory_clients, breaks_first
FROM plan JOIN plan_knee USING (plan_id) ORDER BY plan_id DESC, servers, lost;

CREATE VIEW newest_exploration AS -- The explorations, newest first.
SELECT exploration_id, state, scenario, client_profile, seed_from, seed_to, shard, shards, reason,
       passes, fails, unknowns, crashes, no_runs, virtual_us / 3.6e9 AS virtual_hours, wall_us / 1e6 AS wall_s,
       (SELECT count(*) FROM exploration_failure AS f WHERE f.exploration_id = e.exploration_id) AS failures, reproduce
FROM exploration AS e ORDER BY exploration_id DESC;

CREATE VIEW newest_run AS -- The runs, newest first.
SELECT run_id, state, scenario, client_profile, server_profile, seed_text, verdict, reason, exit_code, trace_hash,
       virtual_us / 1e6 AS virtual_s, wall_us / 1e6 AS wall_s, jobs_completed,
       datetime(started_unix_s, 'unixepoch') AS started_utc, reproduce
FROM run ORDER BY run_id DESC;

CREATE VIEW suite_table AS -- How many runs of each scenario and profile passed: the table of a suite, made of parts as well.
SELECT scenario, client_profile, server_profile, count(*) AS runs, sum(state <> 'unfinished' AND verdict = 'pass') AS passes,
       sum(state <> 'unfinished' AND verdict = 'fail') AS fails, sum(state = 'unfinished' OR verdict = 'unknown') AS unknowns,
       sum(events) AS events, sum(virtual_us) / 1e6 AS virtual_s
FROM run GROUP BY scenario, client_profile, server_profile ORDER BY scenario, client_profile, server_profile;

CREATE VIEW server_load AS -- What each server did, and its share of the clients' free choices.
SELECT run_id, server, id, address, puts, gets, empty_gets, completions, choices, share_ratio, busy_ratio,
       completions / (NULLIF(virtual_us, 0) / 1e6) AS completions_per_s
FROM server JOIN run USING (run_id) ORDER BY run_id, server;

CREATE VIEW phase_share AS -- The share of each server in the free choices of each phase.
SELECT run_id, phase, name AS phase_name, server, choices,
       choices / NULLIF(sum(choices) OVER (PARTITION BY run_id, phase) * 1.0, 0) AS share_ratio
FROM phase_server JOIN phase USING (run_id, phase) ORDER BY run_id, phase, server;

CREATE VIEW completion_outcome AS -- What became of the completions that workers sent: one row for each outcome.
SELECT run_id, outcome, completions FROM (
    SELECT run_id, 1 AS place, 'sent' AS outcome, completions_sent AS completions FROM run
    UNION ALL SELECT run_id, 2, 'applied', completions_applied FROM run
    UNION ALL SELECT run_id, 3, 'acked', completions_acked FROM run
    UNION ALL SELECT run_id, 4, 'misrouted', completions_misrouted FROM run
    UNION ALL SELECT run_id, 5, 'origin gone', completions_origin_gone FROM run
    UNION ALL SELECT run_id, 6, 'unknown', completions_unknown FROM run
) ORDER BY run_id, place;

CREATE VIEW executed_again AS -- Jobs executed more than once: how many, the figures about them (by cause), the jobs that break the budget.
SELECT run_id, what, detail, value FROM (
    SELECT run_id, 1 AS place, 0 AS position, 'total' AS what, '' AS detail, CAST(jobs_executed_again AS REAL) AS value FROM run
    UNION ALL
    SELECT f.run_id, 2, f.position, 'figure', f.name, f.value
    FROM check_figure AS f JOIN check_result AS c ON c.run_id = f.run_id AND c.position = f.check_position
    WHERE c.name = 'duplicate-execution'
    UNION ALL
    SELECT run_id, 3, position, 'violation', job || ': ' || cause, at_us / 1e6 FROM violation
    WHERE check_name = 'duplicate-execution'
) ORDER BY run_id, place, position;

CREATE VIEW slowest_server AS -- In each run the server with the longest queue on average; among equals the busiest.
SELECT run_id, server, id, address, queue_mean, queue_max, busy_ratio, completions FROM (
    SELECT s.*, q.queue_mean,
           row_number() OVER (PARTITION BY s.run_id ORDER BY q.queue_mean DESC, s.busy_ratio DESC, s.server) AS place
    FROM server AS s LEFT JOIN (SELECT run_id, server, avg(queue) AS queue_mean FROM window GROUP BY run_id, server) AS q
         ON q.run_id = s.run_id AND q.server = s.server
) WHERE place = 1 ORDER BY run_id;

CREATE VIEW failed_check AS -- Checks that did not pass, newest run first; a caught one was expected to fail.
SELECT c.run_id, r.scenario, c.name, c.verdict, c.caught, c.judged, c.violations, c.remark,
       (SELECT v.cause FROM violation AS v WHERE v.run_id = c.run_id AND v.check_name = c.name
        ORDER BY v.position LIMIT 1) AS first_cause
FROM check_result AS c JOIN run AS r USING (run_id)
WHERE c.verdict <> 'pass' ORDER BY c.run_id DESC, c.position;
