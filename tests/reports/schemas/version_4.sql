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
PRAGMA user_version = 4;            -- rises with every change of this file that a reader must know about

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
    wall_us INTEGER NOT NULL             -- time that it took
) STRICT;

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

-- Rows, as that version wrote them.
INSERT INTO run VALUES (1, 'finished', 'tiny', 'two servers, one loses its memory', '{
	"name":	"tiny",
	"summary":	"two servers, one loses its memory",
	"duration":	"2s",
	"window":	"2s",
	"settle":	"20s",
	"servers":	{
		"count":	2
	},
	"clients":	{
		"count":	2
	},
	"workers":	{
		"count":	1,
		"process":	{
			"exp":	"20ms"
		},
		"poll":	{
			"exp":	"300ms"
		}
	},
	"producers":	{
		"arrivals":	{
			"poisson":	"4/s"
		},
		"ttl":	"5s"
	},
	"faults":	[{
			"kind":	"drop_reply",
			"actions":	["done"],
			"nth":	2,
			"at":	"0s"
		}],
	"balancer":	"per_request",
	"commands":	[{
			"action":	"stats",
			"at":	"1s"
		}]
}', '02f88d7a5d611bc3', '0000000000000005', '5', '0.1.0', 'GNU 12.2.0 Debug', 'virtual', 'message', 'strict', 'strict', 'allqsim run tiny.json --seed 5', 1795522382, '30aa280af660d6cd', 'fail', 'broken: completion-origin', 1, 344, 18000000, 231915, 8224768, 2000000, 8, 8, 8, 0, 0, 0, 5, 15, 8, 8, 7, 0, 1, 2, 1);
INSERT INTO run_option VALUES (1, 0, 'clients.count', '2');
INSERT INTO run_option VALUES (1, 1, 'clients.profile', 'strict');
INSERT INTO run_option VALUES (1, 2, 'servers.count', '2');
INSERT INTO run_option VALUES (1, 3, 'servers.profile', 'strict');
INSERT INTO run_option VALUES (1, 4, 'servers.persistent', 'false');
INSERT INTO run_option VALUES (1, 5, 'workers.count', '1');
INSERT INTO run_option VALUES (1, 6, 'workers.batch', '1');
INSERT INTO run_option VALUES (1, 7, 'duration_us', '2000000');
INSERT INTO run_option VALUES (1, 8, 'settle_us', '20000000');
INSERT INTO run_option VALUES (1, 9, 'clients.policy.id_from_host_only', 'false');
INSERT INTO run_option VALUES (1, 10, 'clients.policy.in_flight_per_server', '1024');
INSERT INTO run_option VALUES (1, 11, 'clients.policy.connect_timeout', '1000000us');
INSERT INTO run_option VALUES (1, 12, 'clients.policy.request_timeout', '5000000us');
INSERT INTO run_option VALUES (1, 13, 'clients.policy.call_timeout', '30000000us');
INSERT INTO run_option VALUES (1, 14, 'clients.policy.backoff_rounds', '0');
INSERT INTO run_option VALUES (1, 15, 'clients.policy.retry_pings', 'false');
INSERT INTO run_option VALUES (1, 16, 'clients.policy.backoff_pause', '0us');
INSERT INTO run_option VALUES (1, 17, 'clients.policy.rebuild_wait', '0us');
INSERT INTO run_option VALUES (1, 18, 'clients.policy.reconnect_pause', '0us');
INSERT INTO run_option VALUES (1, 19, 'clients.policy.retry_put_after_send', 'false');
INSERT INTO run_option VALUES (1, 20, 'clients.policy.report_unknown', 'true');
INSERT INTO run_option VALUES (1, 21, 'clients.policy.sick_on_failure', 'true');
INSERT INTO run_option VALUES (1, 22, 'clients.policy.well_on_rebuild', 'false');
INSERT INTO run_option VALUES (1, 23, 'clients.policy.probe_first', '500000us');
INSERT INTO run_option VALUES (1, 24, 'clients.policy.probe_max', '10000000us');
INSERT INTO run_option VALUES (1, 25, 'clients.policy.probe_timeout', '1000000us');
INSERT INTO run_option VALUES (1, 26, 'clients.policy.sick_sweep', 'never');
INSERT INTO run_option VALUES (1, 27, 'clients.policy.first_when_all_sick', 'false');
INSERT INTO run_option VALUES (1, 28, 'clients.policy.put_to_draining', 'false');
INSERT INTO run_option VALUES (1, 29, 'clients.policy.drain_sweep', '20000000us');
INSERT INTO run_option VALUES (1, 30, 'clients.policy.drain_ignores_leases', 'false');
INSERT INTO run_option VALUES (1, 31, 'clients.policy.drain_wedges', 'false');
INSERT INTO run_option VALUES (1, 32, 'clients.policy.dropped_unreachable', 'false');
INSERT INTO run_option VALUES (1, 33, 'clients.policy.update_rebuilds', 'false');
INSERT INTO run_option VALUES (1, 34, 'clients.policy.redirect_random_id', 'false');
INSERT INTO run_option VALUES (1, 35, 'clients.policy.reconnect_recovers', 'true');
INSERT INTO run_option VALUES (1, 36, 'clients.policy.pause_everywhere', 'true');
INSERT INTO run_option VALUES (1, 37, 'clients.policy.clear_sick', 'true');
INSERT INTO run_option VALUES (1, 38, 'clients.policy.throttle_rounds_up', 'true');
INSERT INTO run_option VALUES (1, 39, 'clients.policy.fan_out_in_turn', 'false');
INSERT INTO run_option VALUES (1, 40, 'clients.policy.clear_elsewhere', 'false');
INSERT INTO run_option VALUES (1, 41, 'clients.policy.kick_at_random', 'false');
INSERT INTO run_option VALUES (1, 42, 'clients.policy.bare_id_at_random', 'false');
INSERT INTO run_option VALUES (1, 43, 'clients.policy.message_bytes_max', '600000');
INSERT INTO run_option VALUES (1, 44, 'clients.policy.big_message_fails', 'false');
INSERT INTO run_option VALUES (1, 45, 'clients.policy.callers_max', '0');
INSERT INTO run_option VALUES (1, 46, 'servers.policy.lease_sweep', '0us');
INSERT INTO run_option VALUES (1, 47, 'servers.policy.delay_sweep', '0us');
INSERT INTO run_option VALUES (1, 48, 'servers.policy.whole_seconds', 'false');
INSERT INTO run_option VALUES (1, 49, 'servers.policy.priority_lost_on_expiry', 'false');
INSERT INTO run_option VALUES (1, 50, 'servers.policy.bury_reports_error', 'false');
INSERT INTO run_option VALUES (1, 51, 'servers.policy.touch_unknown_ok', 'false');
INSERT INTO run_option VALUES (1, 52, 'servers.policy.delete_by_presence', 'false');
INSERT INTO run_option VALUES (1, 53, 'servers.policy.delete_ready_reports_error', 'false');
INSERT INTO run_option VALUES (1, 54, 'servers.policy.kick_ignores_job_id', 'false');
INSERT INTO run_option VALUES (1, 55, 'servers.policy.kick_keeps_counts', 'false');
INSERT INTO run_option VALUES (1, 56, 'servers.policy.pause_needs_tube', 'false');
INSERT INTO run_option VALUES (1, 57, 'servers.policy.throttle_counts_empty', 'false');
INSERT INTO run_option VALUES (1, 58, 'servers.policy.throttle_truncates', 'false');
INSERT INTO run_option VALUES (1, 59, 'servers.policy.redirect_refuses_gets', 'false');
INSERT INTO run_option VALUES (1, 60, 'servers.policy.clear_through_get', 'false');
INSERT INTO run_option VALUES (1, 61, 'servers.policy.restart_renames_ready', 'false');
INSERT INTO run_option VALUES (1, 62, 'servers.policy.restart_forgets_buried', 'false');
INSERT INTO run_option VALUES (1, 63, 'servers.policy.restart_revives_done', 'false');
INSERT INTO run_option VALUES (1, 64, 'servers.policy.blank_request_wedges', 'false');
INSERT INTO run_option VALUES (1, 65, 'servers.policy.parent_sweep', '0us');
INSERT INTO run_option VALUES (1, 66, 'servers.policy.child_counts_on_expiry', 'false');
INSERT INTO run_option VALUES (1, 67, 'servers.policy.child_counts_when_held_only', 'false');
INSERT INTO run_option VALUES (1, 68, 'servers.policy.parent_unknown_after_put', 'false');
INSERT INTO run_option VALUES (1, 69, 'servers.policy.nested_parents_uncounted', 'false');
INSERT INTO run_option VALUES (1, 70, 'servers.policy.parent_zero_never_starts', 'false');
INSERT INTO run_option VALUES (1, 71, 'servers.policy.parent_loses_priority', 'false');
INSERT INTO run_option VALUES (1, 72, 'servers.policy.noop_needs_parent', 'false');
INSERT INTO run_option VALUES (1, 73, 'servers.policy.restart_resets_parents', 'false');
INSERT INTO run_option VALUES (1, 74, 'servers.policy.parent_file_stays', 'false');
INSERT INTO run_option VALUES (1, 75, 'servers.policy.fair_controls_literal', 'false');
INSERT INTO run_option VALUES (1, 76, 'servers.policy.fair_shows_shards', 'false');
INSERT INTO run_option VALUES (1, 77, 'servers.policy.fair_skips_parents', 'false');
INSERT INTO run_option VALUES (1, 78, 'servers.policy.fair_steps_back', 'false');
INSERT INTO run_option VALUES (1, 79, 'servers.policy.fair_one_cursor', 'false');
INSERT INTO run_option VALUES (1, 80, 'servers.policy.throttle_counts_each', 'false');
INSERT INTO run_option VALUES (1, 81, 'servers.policy.looking_makes_tube', 'false');
INSERT INTO run_option VALUES (1, 82, 'servers.policy.reaper_ignores_delayed', 'false');
INSERT INTO run_option VALUES (1, 83, 'servers.policy.redirect_fails_on_tubes', 'false');
INSERT INTO run_option VALUES (1, 84, 'servers.policy.redirect_double_encodes', 'false');
INSERT INTO run_option VALUES (1, 85, 'servers.policy.redirect_breaks_ping', 'false');
INSERT INTO run_option VALUES (1, 86, 'servers.policy.counts_characters', 'false');
INSERT INTO run_option VALUES (1, 87, 'servers.policy.moves_in_steps', 'false');
INSERT INTO run_option VALUES (1, 88, 'servers.policy.touch_not_saved', 'false');
INSERT INTO run_option VALUES (1, 89, 'servers.policy.delete_ready_keeps_file', 'false');
INSERT INTO run_option VALUES (1, 90, 'servers.policy.clear_unsaves_others', 'false');
INSERT INTO run_option VALUES (1, 91, 'servers.policy.restart_forgets_throttle', 'false');
INSERT INTO run_option VALUES (1, 92, 'servers.policy.restart_forgets_pause', 'false');
INSERT INTO run_option VALUES (1, 93, 'servers.policy.tube_names_are_paths', 'false');
INSERT INTO run_option VALUES (1, 94, 'servers.policy.disk_errors_ignored', 'false');
INSERT INTO run_option VALUES (1, 95, 'servers.policy.stats_count_all_ends', 'false');
INSERT INTO run_option VALUES (1, 96, 'servers.policy.stats_hide_tubeless', 'false');
INSERT INTO server VALUES (1, 0, '3nf9ptu', '127.0.1.1:5555', 1, 3, 24, 1, 36, 0, 5, 2, 0, 0, 0, 0.0, 1.03555555555555559433e-04, 0, 1, 0, 0, 0, 0, 0);
INSERT INTO server VALUES (1, 1, 'qi64Wx2', '127.0.1.2:5555', 7, 11, 23, 7, 50, 0, 2, 4, 0, 0, 0, 0.0, 1.37388888888888879413e-04, 0, 1, 0, 0, 0, 0, 0);
INSERT INTO phase VALUES (1, 0, 'drop_reply', 0, 2000000);
INSERT INTO phase VALUES (1, 1, 'settle', 2000000, 18000000);
INSERT INTO phase_server VALUES (1, 0, 0, 0);
INSERT INTO phase_server VALUES (1, 0, 1, 0);
INSERT INTO phase_server VALUES (1, 1, 0, 0);
INSERT INTO phase_server VALUES (1, 1, 1, 0);
INSERT INTO fault VALUES (1, 0, 'drop_reply', 'drop_reply', 'all servers', 0, 2000000, 1, 1);
INSERT INTO check_result VALUES (1, 0, 'completion-origin', 'every done, delete, touch, release and bury was handled by the server that handed the job out', 'fail', 0, 0, 15, 7, '7 violations, the first: completion at another server');
INSERT INTO check_result VALUES (1, 1, 'completion-arrival', 'every completion that a worker was told succeeded was applied exactly once at its origin', 'pass', 0, 0, 13, 0, '');
INSERT INTO check_result VALUES (1, 2, 'no-false-ack', 'nobody was told something that looks like success when nothing was applied or it was undone', 'pass', 0, 0, 30, 0, '');
INSERT INTO check_result VALUES (1, 3, 'conservation', 'accepted jobs = completed + still held + lost for a declared reason; nothing unexplained', 'pass', 0, 0, 8, 0, '');
INSERT INTO check_result VALUES (1, 4, 'single-lease', 'a job has at most one valid lease at any instant', 'pass', 0, 0, 34, 0, '');
INSERT INTO check_result VALUES (1, 5, 'duplicate-put', 'one producer call made at most one job, unless the client reported that the outcome is unknown', 'pass', 0, 0, 8, 0, '');
INSERT INTO check_result VALUES (1, 6, 'duplicate-execution', 'every job that was executed more than once has an excused cause, and they stay within the budget', 'pass', 0, 0, 14, 0, '');
INSERT INTO check_result VALUES (1, 7, 'distribution', 'choices are uniform over the servers that were eligible at that instant', 'pass', 0, 0, 0, 0, 'only one server to choose from at any time: not applicable');
INSERT INTO check_result VALUES (1, 8, 'failover', 'clients leave a server within the budget after it stops, and use it again after it returns', 'pass', 0, 0, 0, 0, 'behind a load balancer clients do not see the servers: not applicable');
INSERT INTO check_result VALUES (1, 9, 'membership', 'a client talks only to servers it has been told about, and to each of them that works', 'pass', 0, 0, 0, 0, 'behind a load balancer clients know its address alone: not applicable');
INSERT INTO check_result VALUES (1, 10, 'progress', 'after the faults are healed every call is answered and ready jobs get completed within the budget', 'pass', 0, 0, 79, 0, '');
INSERT INTO check_result VALUES (1, 11, 'semantics', 'priority, delay, ttl, limits, pause, throttle, workflows, fair queues and idle tubes do what AllQueue promises', 'pass', 0, 0, 48, 0, '');
INSERT INTO check_result VALUES (1, 12, 'slo', 'latency, throughput, availability and empty gets stay within the scenario''s thresholds', 'pass', 0, 0, 0, 0, 'no thresholds given: not applicable');
INSERT INTO check_figure VALUES (1, 0, 0, 'arrived', 8.0);
INSERT INTO check_figure VALUES (1, 0, 1, 'elsewhere', 7.0);
INSERT INTO check_figure VALUES (1, 0, 2, 'origin_gone', 0.0);
INSERT INTO check_figure VALUES (1, 0, 3, 'late', 0.0);
INSERT INTO check_figure VALUES (1, 1, 0, 'told_ok', 8.0);
INSERT INTO check_figure VALUES (1, 1, 1, 'told_no', 5.0);
INSERT INTO check_figure VALUES (1, 1, 2, 'told_unknown', 1.0);
INSERT INTO check_figure VALUES (1, 2, 0, 'puts_refused_but_made', 0.0);
INSERT INTO check_figure VALUES (1, 3, 0, 'accepted', 8.0);
INSERT INTO check_figure VALUES (1, 3, 1, 'completed', 8.0);
INSERT INTO check_figure VALUES (1, 3, 2, 'held', 0.0);
INSERT INTO check_figure VALUES (1, 3, 3, 'lost_declared', 0.0);
INSERT INTO check_figure VALUES (1, 3, 4, 'appeared', 0.0);
INSERT INTO check_figure VALUES (1, 3, 5, 'vanished', 0.0);
INSERT INTO check_figure VALUES (1, 3, 6, 'never_saved', 0.0);
INSERT INTO check_figure VALUES (1, 3, 7, 'on_disk', 0.0);
INSERT INTO check_figure VALUES (1, 4, 0, 'ended_early_excused', 0.0);
INSERT INTO check_figure VALUES (1, 5, 0, 'excused', 0.0);
INSERT INTO check_figure VALUES (1, 6, 0, 'ttl_expiry', 6.0);
INSERT INTO check_figure VALUES (1, 6, 1, 'lost_reply', 0.0);
INSERT INTO check_figure VALUES (1, 6, 2, 'released', 0.0);
INSERT INTO check_figure VALUES (1, 6, 3, 'kicked', 0.0);
INSERT INTO check_figure VALUES (1, 6, 4, 'server_restart', 0.0);
INSERT INTO check_figure VALUES (1, 6, 5, 'duplicate_put', 0.0);
INSERT INTO check_figure VALUES (1, 6, 6, 'came_back', 0.0);
INSERT INTO check_figure VALUES (1, 6, 7, 'unexplained', 0.0);
INSERT INTO check_figure VALUES (1, 6, 8, 'jobs_again', 5.0);
INSERT INTO check_figure VALUES (1, 6, 9, 'share_of_completed', 0.625);
INSERT INTO check_figure VALUES (1, 7, 0, 'p_value', 1.0);
INSERT INTO check_figure VALUES (1, 7, 1, 'chi_square', 0.0);
INSERT INTO check_figure VALUES (1, 7, 2, 'df', 0.0);
INSERT INTO check_figure VALUES (1, 7, 3, 'choices', 69.0);
INSERT INTO check_figure VALUES (1, 7, 4, 'choices_untested_sets', 0.0);
INSERT INTO check_figure VALUES (1, 7, 5, 'max_over_mean', 3.0);
INSERT INTO check_figure VALUES (1, 7, 6, 'cv', 1.41421356237309514547e+00);
INSERT INTO check_figure VALUES (1, 7, 7, 'jain', 3.33333333333333314829e-01);
INSERT INTO check_figure VALUES (1, 7, 8, 'gated_tests', 0.0);
INSERT INTO check_figure VALUES (1, 7, 9, 'phase_p_min', 1.0);
INSERT INTO check_figure VALUES (1, 7, 10, 'windows', 0.0);
INSERT INTO check_figure VALUES (1, 7, 11, 'window_p_min', 1.0);
INSERT INTO check_figure VALUES (1, 7, 12, 'sets', 1.0);
INSERT INTO check_figure VALUES (1, 7, 13, 'retries', 0.0);
INSERT INTO check_figure VALUES (1, 7, 14, 'share_s0', 0.0);
INSERT INTO check_figure VALUES (1, 7, 15, 'share_s0_low', 0.0);
INSERT INTO check_figure VALUES (1, 7, 16, 'share_s0_high', 5.27372581890517277969e-02);
INSERT INTO check_figure VALUES (1, 7, 17, 'share_s1', 0.0);
INSERT INTO check_figure VALUES (1, 7, 18, 'share_s1_low', 0.0);
INSERT INTO check_figure VALUES (1, 7, 19, 'share_s1_high', 5.27372581890517277969e-02);
INSERT INTO check_figure VALUES (1, 7, 20, 'share_s2', 1.0);
INSERT INTO check_figure VALUES (1, 7, 21, 'share_s2_low', 9.47262741810948272203e-01);
INSERT INTO check_figure VALUES (1, 7, 22, 'share_s2_high', 1.0);
INSERT INTO check_figure VALUES (1, 8, 0, 'leave_p50_s', 0.0);
INSERT INTO check_figure VALUES (1, 8, 1, 'leave_p99_s', 0.0);
INSERT INTO check_figure VALUES (1, 8, 2, 'leave_max_s', 0.0);
INSERT INTO check_figure VALUES (1, 8, 3, 'return_first_max_s', 0.0);
INSERT INTO check_figure VALUES (1, 8, 4, 'return_p50_s', 0.0);
INSERT INTO check_figure VALUES (1, 8, 5, 'return_max_s', 0.0);
INSERT INTO check_figure VALUES (1, 8, 6, 'stops', 0.0);
INSERT INTO check_figure VALUES (1, 8, 7, 'returns', 0.0);
INSERT INTO check_figure VALUES (1, 8, 8, 'choices_excused', 0.0);
INSERT INTO check_figure VALUES (1, 8, 9, 'retries_while_stopped', 0.0);
INSERT INTO check_figure VALUES (1, 9, 0, 'sends', 0.0);
INSERT INTO check_figure VALUES (1, 9, 1, 'choices', 0.0);
INSERT INTO check_figure VALUES (1, 9, 2, 'told', 0.0);
INSERT INTO check_figure VALUES (1, 10, 0, 'longest_gap_s', 3.721633);
INSERT INTO check_figure VALUES (1, 10, 1, 'stuck_calls', 0.0);
INSERT INTO check_figure VALUES (1, 10, 2, 'ready_at_end', 0.0);
INSERT INTO check_figure VALUES (1, 10, 3, 'reserved_at_end', 0.0);
INSERT INTO check_figure VALUES (1, 10, 4, 'completions_after_healing', 8.0);
INSERT INTO check_figure VALUES (1, 10, 5, 'drained_after_s', 14.127806);
INSERT INTO check_figure VALUES (1, 11, 0, 'priority_judged', 14.0);
INSERT INTO check_figure VALUES (1, 11, 1, 'priority_unbooked', 0.0);
INSERT INTO check_figure VALUES (1, 11, 2, 'delay_judged', 0.0);
INSERT INTO check_figure VALUES (1, 11, 3, 'lease_judged', 28.0);
INSERT INTO check_figure VALUES (1, 11, 4, 'limit_judged', 6.0);
INSERT INTO check_figure VALUES (1, 11, 5, 'pause_judged', 0.0);
INSERT INTO check_figure VALUES (1, 11, 6, 'throttle_judged', 0.0);
INSERT INTO check_figure VALUES (1, 11, 7, 'workflow_judged', 0.0);
INSERT INTO check_figure VALUES (1, 11, 8, 'fair_judged', 0.0);
INSERT INTO check_figure VALUES (1, 11, 9, 'idle_tube_judged', 0.0);
INSERT INTO violation VALUES (1, 0, 'completion-origin', 'completion at another server', 358773, 'qi64Wx2,9Wf7jcQhIrkuWE3m2Cw-vg', 1, 1, 0);
INSERT INTO violation VALUES (1, 1, 'completion-origin', 'completion at another server', 718364, 'qi64Wx2,8co9j5P356k3-6DH06-jRQ', 2, 1, 0);
INSERT INTO violation VALUES (1, 2, 'completion-origin', 'completion at another server', 5718222, 'qi64Wx2,8co9j5P356k3-6DH06-jRQ', 2, 1, 0);
INSERT INTO violation VALUES (1, 3, 'completion-origin', 'completion at another server', 5775491, 'qi64Wx2,bq-COAuVM6eQOAIbdac6ew', 4, 1, 0);
INSERT INTO violation VALUES (1, 4, 'completion-origin', 'completion at another server', 5809690, 'qi64Wx2,5KDoHy6W0og6Uf6Jc2iRUQ', 6, 1, 0);
INSERT INTO violation VALUES (1, 5, 'completion-origin', 'completion at another server', 5881768, '3nf9ptu,ic8avoozku8eVifppsUM4A', 8, 0, 1);
INSERT INTO violation VALUES (1, 6, 'completion-origin', 'completion at another server', 11131170, '3nf9ptu,ic8avoozku8eVifppsUM4A', 8, 0, 1);
INSERT INTO story_line VALUES (1, 0, 0, '[0.244800] producer 0 of client 0 > put qi64Wx2,9Wf7jc..');
INSERT INTO story_line VALUES (1, 0, 1, '[0.245167] client 0 > put qi64Wx2,9Wf7jc.. -> server 1: put');
INSERT INTO story_line VALUES (1, 0, 2, '[0.245480] producer 0 of client 0 < put qi64Wx2,9Wf7jc..: ok');
INSERT INTO story_line VALUES (1, 0, 3, '[0.347206] client 0 > get qi64Wx2,9Wf7jc.. -> server 1: lease');
INSERT INTO story_line VALUES (1, 0, 4, '[0.347525] worker 0 of client 0 < get qi64Wx2,9Wf7jc..: ok');
INSERT INTO story_line VALUES (1, 0, 5, '[0.358053] worker 0 of client 0 > done qi64Wx2,9Wf7jc..');
INSERT INTO story_line VALUES (1, 0, 6, '[0.358053] client 0 sends done qi64Wx2,9Wf7jc.. to an address without a server of ours');
INSERT INTO story_line VALUES (1, 0, 7, '[0.358773] client 0 > done qi64Wx2,9Wf7jc.. -> server 0: missed');
INSERT INTO story_line VALUES (1, 1, 0, '[0.485746] producer 0 of client 0 > put qi64Wx2,8co9j5..');
INSERT INTO story_line VALUES (1, 1, 1, '[0.486098] client 0 > put qi64Wx2,8co9j5.. -> server 1: put');
INSERT INTO story_line VALUES (1, 1, 2, '[0.486364] producer 0 of client 0 < put qi64Wx2,8co9j5..: ok');
INSERT INTO story_line VALUES (1, 1, 3, '[0.703118] client 0 > get qi64Wx2,8co9j5.. -> server 1: lease');
INSERT INTO story_line VALUES (1, 1, 4, '[0.703467] worker 0 of client 0 < get qi64Wx2,8co9j5..: ok');
INSERT INTO story_line VALUES (1, 1, 5, '[0.718008] worker 0 of client 0 > done qi64Wx2,8co9j5..');
INSERT INTO story_line VALUES (1, 1, 6, '[0.718008] client 0 sends done qi64Wx2,8co9j5.. to an address without a server of ours');
INSERT INTO story_line VALUES (1, 1, 7, '[0.718364] client 0 > done qi64Wx2,8co9j5.. -> server 0: missed');
INSERT INTO story_line VALUES (1, 2, 0, '[0.485746] producer 0 of client 0 > put qi64Wx2,8co9j5..');
INSERT INTO story_line VALUES (1, 2, 1, '[0.703118] client 0 > get qi64Wx2,8co9j5.. -> server 1: lease');
INSERT INTO story_line VALUES (1, 2, 2, '[0.703467] worker 0 of client 0 < get qi64Wx2,8co9j5..: ok');
INSERT INTO story_line VALUES (1, 2, 3, '[0.718008] worker 0 of client 0 > done qi64Wx2,8co9j5..');
INSERT INTO story_line VALUES (1, 2, 4, '[0.718008] client 0 sends done qi64Wx2,8co9j5.. to an address without a server of ours');
INSERT INTO story_line VALUES (1, 2, 5, '[0.718364] client 0 > done qi64Wx2,8co9j5.. -> server 0: missed');
INSERT INTO story_line VALUES (1, 2, 6, '[5.703118] server 1: expired qi64Wx2,8co9j5..');
INSERT INTO story_line VALUES (1, 2, 7, '[5.718008] client 0 sends done qi64Wx2,8co9j5.. to an address without a server of ours');
INSERT INTO story_line VALUES (1, 2, 8, '[5.718222] client 0 > done qi64Wx2,8co9j5.. -> server 0: missed');
INSERT INTO story_line VALUES (1, 3, 0, '[1.091076] producer 0 of client 0 > put qi64Wx2,bq-COA..');
INSERT INTO story_line VALUES (1, 3, 1, '[1.091193] client 0 > put qi64Wx2,bq-COA.. -> server 1: put');
INSERT INTO story_line VALUES (1, 3, 2, '[1.091496] producer 0 of client 0 < put qi64Wx2,bq-COA..: ok');
INSERT INTO story_line VALUES (1, 3, 3, '[5.721910] client 0 > get qi64Wx2,bq-COA.. -> server 1: lease');
INSERT INTO story_line VALUES (1, 3, 4, '[5.722016] worker 0 of client 0 < get qi64Wx2,bq-COA..: ok');
INSERT INTO story_line VALUES (1, 3, 5, '[5.775335] worker 0 of client 0 > done qi64Wx2,bq-COA..');
INSERT INTO story_line VALUES (1, 3, 6, '[5.775335] client 0 sends done qi64Wx2,bq-COA.. to an address without a server of ours');
INSERT INTO story_line VALUES (1, 3, 7, '[5.775491] client 0 > done qi64Wx2,bq-COA.. -> server 0: missed');
INSERT INTO story_line VALUES (1, 4, 0, '[1.153861] producer 0 of client 0 > put qi64Wx2,5KDoHy..');
INSERT INTO story_line VALUES (1, 4, 1, '[1.154614] client 0 > put qi64Wx2,5KDoHy.. -> server 1: put');
INSERT INTO story_line VALUES (1, 4, 2, '[1.154766] producer 0 of client 0 < put qi64Wx2,5KDoHy..: ok');
INSERT INTO story_line VALUES (1, 4, 3, '[5.781033] client 0 > get qi64Wx2,5KDoHy.. -> server 1: lease');
INSERT INTO story_line VALUES (1, 4, 4, '[5.781245] worker 0 of client 0 < get qi64Wx2,5KDoHy..: ok');
INSERT INTO story_line VALUES (1, 4, 5, '[5.809594] worker 0 of client 0 > done qi64Wx2,5KDoHy..');
INSERT INTO story_line VALUES (1, 4, 6, '[5.809594] client 0 sends done qi64Wx2,5KDoHy.. to an address without a server of ours');
INSERT INTO story_line VALUES (1, 4, 7, '[5.809690] client 0 > done qi64Wx2,5KDoHy.. -> server 0: missed');
INSERT INTO story_line VALUES (1, 5, 0, '[1.527581] producer 0 of client 0 > put 3nf9ptu,ic8avo..');
INSERT INTO story_line VALUES (1, 5, 1, '[1.527864] client 0 > put 3nf9ptu,ic8avo.. -> server 0: put');
INSERT INTO story_line VALUES (1, 5, 2, '[1.528165] producer 0 of client 0 < put 3nf9ptu,ic8avo..: ok');
INSERT INTO story_line VALUES (1, 5, 3, '[5.873889] client 0 > get 3nf9ptu,ic8avo.. -> server 0: lease');
INSERT INTO story_line VALUES (1, 5, 4, '[5.873990] worker 0 of client 0 < get 3nf9ptu,ic8avo..: ok');
INSERT INTO story_line VALUES (1, 5, 5, '[5.881671] worker 0 of client 0 > done 3nf9ptu,ic8avo..');
INSERT INTO story_line VALUES (1, 5, 6, '[5.881671] client 0 sends done 3nf9ptu,ic8avo.. to an address without a server of ours');
INSERT INTO story_line VALUES (1, 5, 7, '[5.881768] client 0 > done 3nf9ptu,ic8avo.. -> server 1: missed');
INSERT INTO story_line VALUES (1, 6, 0, '[1.527581] producer 0 of client 0 > put 3nf9ptu,ic8avo..');
INSERT INTO story_line VALUES (1, 6, 1, '[5.881768] client 0 > done 3nf9ptu,ic8avo.. -> server 1: missed');
INSERT INTO story_line VALUES (1, 6, 2, '[5.881953] worker 0 of client 0 < done 3nf9ptu,ic8avo..: refused, with an error');
INSERT INTO story_line VALUES (1, 6, 3, '[10.873889] server 0: expired 3nf9ptu,ic8avo..');
INSERT INTO story_line VALUES (1, 6, 4, '[11.109911] client 0 > get 3nf9ptu,ic8avo.. -> server 0: lease');
INSERT INTO story_line VALUES (1, 6, 5, '[11.110110] worker 0 of client 0 < get 3nf9ptu,ic8avo..: ok');
INSERT INTO story_line VALUES (1, 6, 6, '[11.131087] worker 0 of client 0 > done 3nf9ptu,ic8avo..');
INSERT INTO story_line VALUES (1, 6, 7, '[11.131087] client 0 sends done 3nf9ptu,ic8avo.. to an address without a server of ours');
INSERT INTO story_line VALUES (1, 6, 8, '[11.131170] client 0 > done 3nf9ptu,ic8avo.. -> server 1: missed');
INSERT INTO window VALUES (1, 0, 0, 1, 0, 1, 0, 0, 0, 0, 1, 0, 1);
INSERT INTO window VALUES (1, 0, 1, 7, 2, 1, 0, 0, 0, 0, 5, 2, 1);
INSERT INTO window VALUES (1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 1, 0, 1);
INSERT INTO window VALUES (1, 1, 1, 0, 0, 0, 0, 0, 0, 0, 5, 2, 1);
INSERT INTO window VALUES (1, 2, 0, 0, 1, 2, 0, 0, 0, 0, 0, 1, 1);
INSERT INTO window VALUES (1, 2, 1, 0, 7, 0, 5, 0, 0, 0, 0, 2, 1);
INSERT INTO window VALUES (1, 3, 0, 0, 0, 5, 0, 0, 0, 0, 0, 1, 1);
INSERT INTO window VALUES (1, 3, 1, 0, 0, 3, 0, 0, 0, 0, 0, 2, 1);
INSERT INTO window VALUES (1, 4, 0, 0, 0, 2, 0, 0, 0, 0, 0, 1, 1);
INSERT INTO window VALUES (1, 4, 1, 0, 0, 5, 0, 0, 0, 0, 0, 2, 1);
INSERT INTO window VALUES (1, 5, 0, 0, 1, 3, 0, 0, 0, 0, 0, 1, 1);
INSERT INTO window VALUES (1, 5, 1, 0, 0, 2, 0, 0, 0, 0, 2, 0, 1);
INSERT INTO window VALUES (1, 6, 0, 0, 0, 3, 0, 0, 0, 0, 0, 1, 1);
INSERT INTO window VALUES (1, 6, 1, 0, 2, 5, 2, 0, 0, 0, 0, 0, 1);
INSERT INTO window VALUES (1, 7, 0, 0, 0, 4, 0, 0, 0, 0, 0, 1, 1);
INSERT INTO window VALUES (1, 7, 1, 0, 0, 3, 0, 0, 0, 0, 0, 0, 1);
INSERT INTO window VALUES (1, 8, 0, 0, 1, 4, 1, 0, 0, 0, 0, 0, 1);
INSERT INTO window VALUES (1, 8, 1, 0, 0, 4, 0, 0, 0, 0, 0, 0, 1);
INSERT INTO latency VALUES (1, 0, 'failover', 0, 0, NULL, 0, 0, 0, 0, 0);
INSERT INTO latency VALUES (1, 1, 'put', 8, 5479, 254, 1563, 587, 1563, 1563, 1563);
INSERT INTO latency VALUES (1, 2, 'get', 61, 34201, 175, 1803, 487, 887, 1803, 1803);
INSERT INTO latency VALUES (1, 3, 'done', 8, 3897, 287, 848, 405, 848, 848, 848);
INSERT INTO latency VALUES (1, 4, 'wait', 14, 85208923, 102725, 14591838, 4685823, 11075583, 14591838, 14591838);
INSERT INTO latency VALUES (1, 5, 'put_to_done', 8, 61855861, 4611791, 14600449, 5439487, 14600449, 14600449, 14600449);
INSERT INTO latency VALUES (1, 6, 'put@0', 8, 5479, 254, 1563, 587, 1563, 1563, 1563);
INSERT INTO latency VALUES (1, 7, 'get@0', 4, 3533, 447, 1803, 461, 1803, 1803, 1803);
INSERT INTO latency VALUES (1, 8, 'wait@0', 2, 320446, 102911, 217721, 102911, 217721, 217721, 217721);
INSERT INTO latency VALUES (1, 9, 'get@2', 10, 4805, 179, 1087, 405, 719, 1087, 1087);
INSERT INTO latency VALUES (1, 10, 'done@2', 5, 2684, 309, 848, 559, 848, 848, 848);
INSERT INTO latency VALUES (1, 11, 'wait@2', 8, 38622039, 4358143, 5583669, 4653055, 5583669, 5583669, 5583669);
INSERT INTO latency VALUES (1, 12, 'put_to_done@2', 5, 25101561, 4620287, 5628823, 4784127, 5628823, 5628823, 5628823);
INSERT INTO latency VALUES (1, 13, 'get@3', 8, 4463, 301, 1127, 433, 1127, 1127, 1127);
INSERT INTO latency VALUES (1, 14, 'get@4', 7, 4693, 229, 1191, 567, 1191, 1191, 1191);
INSERT INTO latency VALUES (1, 15, 'get@5', 6, 3464, 175, 1279, 305, 1279, 1279, 1279);
INSERT INTO latency VALUES (1, 16, 'wait@5', 1, 9582529, 9582529, 9582529, 9582529, 9582529, 9582529, 9582529);
INSERT INTO latency VALUES (1, 17, 'get@6', 10, 4478, 244, 675, 451, 487, 675, 675);
INSERT INTO latency VALUES (1, 18, 'done@6', 2, 811, 287, 527, 287, 527, 527, 527);
INSERT INTO latency VALUES (1, 19, 'wait@6', 2, 22092071, 11073497, 11073497, 11073497, 11073497, 11073497, 11073497);
INSERT INTO latency VALUES (1, 20, 'put_to_done@6', 2, 22153851, 11075583, 11079361, 11075583, 11079361, 11079361, 11079361);
INSERT INTO latency VALUES (1, 21, 'get@7', 7, 3937, 250, 943, 527, 943, 943, 943);
INSERT INTO latency VALUES (1, 22, 'get@8', 9, 4828, 242, 699, 515, 699, 699, 699);
INSERT INTO latency VALUES (1, 23, 'done@8', 1, 402, 403, 403, 403, 403, 403, 403);
INSERT INTO latency VALUES (1, 24, 'wait@8', 1, 14591838, 14591838, 14591838, 14591838, 14591838, 14591838, 14591838);
INSERT INTO latency VALUES (1, 25, 'put_to_done@8', 1, 14600449, 14600449, 14600449, 14600449, 14600449, 14600449, 14600449);
INSERT INTO latency_bucket VALUES (1, 1, 254, 254, 1);
INSERT INTO latency_bucket VALUES (1, 1, 338, 421, 1);
INSERT INTO latency_bucket VALUES (1, 1, 355, 455, 1);
INSERT INTO latency_bucket VALUES (1, 1, 402, 587, 1);
INSERT INTO latency_bucket VALUES (1, 1, 410, 619, 1);
INSERT INTO latency_bucket VALUES (1, 1, 426, 683, 1);
INSERT INTO latency_bucket VALUES (1, 1, 482, 907, 1);
INSERT INTO latency_bucket VALUES (1, 1, 579, 1567, 1);
INSERT INTO latency_bucket VALUES (1, 2, 175, 175, 1);
INSERT INTO latency_bucket VALUES (1, 2, 179, 179, 1);
INSERT INTO latency_bucket VALUES (1, 2, 229, 229, 1);
INSERT INTO latency_bucket VALUES (1, 2, 242, 242, 1);
INSERT INTO latency_bucket VALUES (1, 2, 244, 244, 2);
INSERT INTO latency_bucket VALUES (1, 2, 250, 250, 1);
INSERT INTO latency_bucket VALUES (1, 2, 256, 257, 1);
INSERT INTO latency_bucket VALUES (1, 2, 266, 277, 1);
INSERT INTO latency_bucket VALUES (1, 2, 278, 301, 1);
INSERT INTO latency_bucket VALUES (1, 2, 280, 305, 1);
INSERT INTO latency_bucket VALUES (1, 2, 293, 331, 1);
INSERT INTO latency_bucket VALUES (1, 2, 307, 359, 1);
INSERT INTO latency_bucket VALUES (1, 2, 310, 365, 1);
INSERT INTO latency_bucket VALUES (1, 2, 311, 367, 1);
INSERT INTO latency_bucket VALUES (1, 2, 327, 399, 1);
INSERT INTO latency_bucket VALUES (1, 2, 330, 405, 2);
INSERT INTO latency_bucket VALUES (1, 2, 339, 423, 1);
INSERT INTO latency_bucket VALUES (1, 2, 344, 433, 1);
INSERT INTO latency_bucket VALUES (1, 2, 345, 435, 1);
INSERT INTO latency_bucket VALUES (1, 2, 351, 447, 2);
INSERT INTO latency_bucket VALUES (1, 2, 353, 451, 1);
INSERT INTO latency_bucket VALUES (1, 2, 358, 461, 1);
INSERT INTO latency_bucket VALUES (1, 2, 359, 463, 1);
INSERT INTO latency_bucket VALUES (1, 2, 363, 471, 1);
INSERT INTO latency_bucket VALUES (1, 2, 364, 473, 1);
INSERT INTO latency_bucket VALUES (1, 2, 367, 479, 1);
INSERT INTO latency_bucket VALUES (1, 2, 368, 481, 1);
INSERT INTO latency_bucket VALUES (1, 2, 371, 487, 1);
INSERT INTO latency_bucket VALUES (1, 2, 376, 497, 2);
INSERT INTO latency_bucket VALUES (1, 2, 381, 507, 2);
INSERT INTO latency_bucket VALUES (1, 2, 384, 515, 1);
INSERT INTO latency_bucket VALUES (1, 2, 385, 519, 1);
INSERT INTO latency_bucket VALUES (1, 2, 387, 527, 1);
INSERT INTO latency_bucket VALUES (1, 2, 396, 563, 1);
INSERT INTO latency_bucket VALUES (1, 2, 397, 567, 1);
INSERT INTO latency_bucket VALUES (1, 2, 405, 599, 1);
INSERT INTO latency_bucket VALUES (1, 2, 411, 623, 1);
INSERT INTO latency_bucket VALUES (1, 2, 415, 639, 2);
INSERT INTO latency_bucket VALUES (1, 2, 420, 659, 1);
INSERT INTO latency_bucket VALUES (1, 2, 424, 675, 1);
INSERT INTO latency_bucket VALUES (1, 2, 429, 695, 1);
INSERT INTO latency_bucket VALUES (1, 2, 430, 699, 1);
INSERT INTO latency_bucket VALUES (1, 2, 434, 715, 1);
INSERT INTO latency_bucket VALUES (1, 2, 435, 719, 1);
INSERT INTO latency_bucket VALUES (1, 2, 456, 803, 1);
INSERT INTO latency_bucket VALUES (1, 2, 457, 807, 1);
INSERT INTO latency_bucket VALUES (1, 2, 462, 827, 1);
INSERT INTO latency_bucket VALUES (1, 2, 468, 851, 1);
INSERT INTO latency_bucket VALUES (1, 2, 477, 887, 1);
INSERT INTO latency_bucket VALUES (1, 2, 491, 943, 1);
INSERT INTO latency_bucket VALUES (1, 2, 519, 1087, 1);
INSERT INTO latency_bucket VALUES (1, 2, 524, 1127, 1);
INSERT INTO latency_bucket VALUES (1, 2, 532, 1191, 1);
INSERT INTO latency_bucket VALUES (1, 2, 543, 1279, 1);
INSERT INTO latency_bucket VALUES (1, 2, 609, 1807, 1);
INSERT INTO latency_bucket VALUES (1, 3, 271, 287, 1);
INSERT INTO latency_bucket VALUES (1, 3, 282, 309, 1);
INSERT INTO latency_bucket VALUES (1, 3, 329, 403, 1);
INSERT INTO latency_bucket VALUES (1, 3, 330, 405, 1);
INSERT INTO latency_bucket VALUES (1, 3, 387, 527, 1);
INSERT INTO latency_bucket VALUES (1, 3, 395, 559, 1);
INSERT INTO latency_bucket VALUES (1, 3, 397, 567, 1);
INSERT INTO latency_bucket VALUES (1, 3, 468, 851, 1);
INSERT INTO latency_bucket VALUES (1, 4, 1352, 102911, 1);
INSERT INTO latency_bucket VALUES (1, 4, 1492, 218111, 1);
INSERT INTO latency_bucket VALUES (1, 4, 2052, 4358143, 1);
INSERT INTO latency_bucket VALUES (1, 4, 2060, 4620287, 1);
INSERT INTO latency_bucket VALUES (1, 4, 2061, 4653055, 2);
INSERT INTO latency_bucket VALUES (1, 4, 2062, 4685823, 1);
INSERT INTO latency_bucket VALUES (1, 4, 2065, 4784127, 1);
INSERT INTO latency_bucket VALUES (1, 4, 2084, 5406719, 1);
INSERT INTO latency_bucket VALUES (1, 4, 2090, 5603327, 1);
INSERT INTO latency_bucket VALUES (1, 4, 2194, 9633791, 1);
INSERT INTO latency_bucket VALUES (1, 4, 2216, 11075583, 2);
INSERT INTO latency_bucket VALUES (1, 4, 2270, 14614527, 1);
INSERT INTO latency_bucket VALUES (1, 5, 2060, 4620287, 1);
INSERT INTO latency_bucket VALUES (1, 5, 2062, 4685823, 1);
INSERT INTO latency_bucket VALUES (1, 5, 2065, 4784127, 1);
INSERT INTO latency_bucket VALUES (1, 5, 2085, 5439487, 1);
INSERT INTO latency_bucket VALUES (1, 5, 2091, 5636095, 1);
INSERT INTO latency_bucket VALUES (1, 5, 2216, 11075583, 1);
INSERT INTO latency_bucket VALUES (1, 5, 2217, 11141119, 1);
INSERT INTO latency_bucket VALUES (1, 5, 2270, 14614527, 1);
INSERT INTO mark VALUES (1, 0, 'server_became_sick', 0);
INSERT INTO mark VALUES (1, 1, 'server_became_well', 0);
INSERT INTO mark VALUES (1, 2, 'probe_failed', 0);
INSERT INTO mark VALUES (1, 3, 'put_retried_elsewhere', 0);
INSERT INTO mark VALUES (1, 4, 'get_retried_elsewhere', 0);
INSERT INTO mark VALUES (1, 5, 'put_unknown', 0);
INSERT INTO mark VALUES (1, 6, 'completion_resent', 1);
INSERT INTO mark VALUES (1, 7, 'completion_unknown', 1);
INSERT INTO mark VALUES (1, 8, 'completion_waited_for_origin', 0);
INSERT INTO figure VALUES (1, 0, 'stats_servers', 1.0);
INSERT INTO figure VALUES (1, 1, 'stats_tubes', 1.0);
INSERT INTO figure VALUES (1, 2, 'stats_ready', 0.0);
INSERT INTO figure VALUES (1, 3, 'stats_delayed', 0.0);
INSERT INTO figure VALUES (1, 4, 'stats_reserved', 0.0);
INSERT INTO figure VALUES (1, 5, 'stats_buried', 0.0);
INSERT INTO figure VALUES (1, 6, 'stats_parents', 0.0);
INSERT INTO figure VALUES (1, 7, 'stats_tps', 0.0);
INSERT INTO event VALUES (1, 0, 0, '[0.000000] server 0 up');
INSERT INTO event VALUES (1, 1, 0, '[0.000000] server 1 up');
INSERT INTO event VALUES (1, 2, 0, '[0.000000] client 0 up');
INSERT INTO event VALUES (1, 3, 0, '[0.000000] client 1 up');
INSERT INTO event VALUES (1, 4, 0, '[0.000000] fault 0 begins');
INSERT INTO event VALUES (1, 5, 100000, '[0.100000] worker 0 at client 0 > get');
INSERT INTO event VALUES (1, 6, 100000, '[0.100000] client 0 chooses server 4294967295 for get');
INSERT INTO event VALUES (1, 7, 101438, '[0.101438] client 0 -> address 2: get');
INSERT INTO event VALUES (1, 8, 101712, '[0.101712] server 1: empty in default');
INSERT INTO event VALUES (1, 9, 101803, '[0.101803] worker 0 at client 0 < get ok no job');
INSERT INTO event VALUES (1, 10, 244800, '[0.244800] producer at client 0 > put');
INSERT INTO event VALUES (1, 11, 244800, '[0.244800] client 0 chooses server 4294967295 for put');
INSERT INTO event VALUES (1, 12, 244800, '[0.244800] client 0 -> address 2: put');
INSERT INTO exploration VALUES (1, 'finished', 'small-swarm', '{
	"name":	"small-swarm",
	"duration":	"2s",
	"settle":	"70s",
	"servers":	{
		"count":	2,
		"profile":	"upstream"
	},
	"clients":	{
		"count":	4,
		"profile":	"upstream"
	},
	"workers":	{
		"count":	8,
		"process":	{
			"exp":	"50ms"
		},
		"poll":	{
			"exp":	"100ms"
		}
	},
	"producers":	{
		"arrivals":	{
			"poisson":	"30/s"
		},
		"ttl":	"5s"
	},
	"explore":	{
		"settings":	{
			"servers.count":	{
				"range":	[2, 3]
			},
			"workers.count":	{
				"range":	[4, 8]
			}
		},
		"off_ratio":	0.2,
		"faults":	[{
				"kind":	"crash",
				"servers":	{
					"index_of":	"servers"
				},
				"for":	{
					"range":	["100ms", "900ms"]
				}
			}, {
				"kind":	"drop_reply",
				"probability":	0.1
			}]
	}
}', '99574c0efd2c9333', 'upstream', 'upstream', '0.1.0', 'GNU 12.2.0 Debug', 'allqsim explore sw.json --seeds 16..17 --profile upstream', 1795522382, 16, 17, 1, 1, 2, 2, '1 sorts of failure in 1 of 2 seeds', 1, 1, 0, 0, 0, 0, 4587, 75000000, 377461, 240249);
INSERT INTO exploration VALUES (2, 'finished', 'small-swarm', '{
	"name":	"small-swarm",
	"duration":	"2s",
	"settle":	"70s",
	"servers":	{
		"count":	2,
		"profile":	"upstream"
	},
	"clients":	{
		"count":	4,
		"profile":	"upstream"
	},
	"workers":	{
		"count":	8,
		"process":	{
			"exp":	"50ms"
		},
		"poll":	{
			"exp":	"100ms"
		}
	},
	"producers":	{
		"arrivals":	{
			"poisson":	"30/s"
		},
		"ttl":	"5s"
	},
	"explore":	{
		"settings":	{
			"servers.count":	{
				"range":	[2, 3]
			},
			"workers.count":	{
				"range":	[4, 8]
			}
		},
		"off_ratio":	0.2,
		"faults":	[{
				"kind":	"crash",
				"servers":	{
					"index_of":	"servers"
				},
				"for":	{
					"range":	["100ms", "900ms"]
				}
			}, {
				"kind":	"drop_reply",
				"probability":	0.1
			}]
	}
}', '99574c0efd2c9333', 'upstream', 'upstream', '0.1.0', 'GNU 12.2.0 Debug', 'allqsim explore sw.json --seeds 17..18 --until-found progress --profile upstream', 1795522382, 17, 18, 1, 1, 2, 2, '1 sorts of failure in 1 of 1 seeds', 0, 1, 0, 0, 0, 0, 3304, 72000000, 144172, 185912);
INSERT INTO exploration_seed VALUES (1, 16, 'pass', 0, 'all checks hold; with something to judge: 12', 'servers.count=2 workers.count=8 faults: crash', '91b6dc0d2b61cbe1', 1283, 3000000, 182335, 0);
INSERT INTO exploration_seed VALUES (1, 17, 'fail', 2, 'broken: progress', 'servers.count=2 workers.count=5 faults: crash drop_reply', '9deddd590afb0bb7', 3304, 72000000, 195126, 0);
INSERT INTO exploration_seed VALUES (2, 17, 'fail', 2, 'broken: progress', 'servers.count=2 workers.count=5 faults: crash drop_reply', '9deddd590afb0bb7', 3304, 72000000, 144172, 0);
INSERT INTO exploration_seed_failure VALUES (1, 17, '9ed5cab156630ca8');
INSERT INTO exploration_seed_failure VALUES (2, 17, '9ed5cab156630ca8');
INSERT INTO exploration_failure VALUES (1, '9ed5cab156630ca8', 'progress', 'caller stuck', 'worker of client > get', 1, 17, 17, 1);
INSERT INTO exploration_failure VALUES (2, '9ed5cab156630ca8', 'progress', 'caller stuck', 'worker of client > get', 1, 17, 17, 1);
INSERT INTO exploration_mark VALUES (1, 0, 'server_became_sick', 0, 0, 0);
INSERT INTO exploration_mark VALUES (1, 1, 'server_became_well', 0, 0, 0);
INSERT INTO exploration_mark VALUES (1, 2, 'probe_failed', 0, 0, 0);
INSERT INTO exploration_mark VALUES (1, 3, 'put_retried_elsewhere', 0, 0, 0);
INSERT INTO exploration_mark VALUES (1, 4, 'get_retried_elsewhere', 0, 0, 0);
INSERT INTO exploration_mark VALUES (1, 5, 'put_unknown', 0, 0, 0);
INSERT INTO exploration_mark VALUES (1, 6, 'completion_resent', 0, 0, 0);
INSERT INTO exploration_find VALUES (2, 0, 17, 17, 1, 1231382, 144172);
INSERT INTO checkpoint VALUES (1, 0, 64, 310204, '5f0c3a9e77b1d264');
INSERT INTO checkpoint VALUES (1, 1, 128, 655871, '0b94d1f2a86e37c5');
INSERT INTO plan VALUES (1,'finished','plain',replace('{\n	"summary":	"Two servers.",\n	"duration":	"6s",\n	"servers":	{\n		"count":	2\n	},\n	"clients":	{\n		"count":	10\n	},\n	"workers":	{\n		"count":	20,\n		"process":	{\n			"exp":	"20ms"\n		},\n		"poll":	{\n			"exp":	"50ms"\n		}\n	},\n	"producers":	{\n		"arrivals":	{\n			"poisson":	"100/s"\n		}\n	},\n	"plan":	{\n		"slo":	"p99(get_to_done) < 250ms, throughput > 100/s",\n		"warm_up":	"1s"\n	}\n}','\n',char(10)),'8bf46be470c3d3e1','p99(get_to_done) < 250ms, throughput > 100/s','strict','strict','0.1.0','GNU 12.2.0 Debug','allqsim plan plain.json --clients 20..60 --step 20 --servers 1..2 --survive 1 --seeds 3',1795537209,20,60,20,1,2,1,2.0,10.0,2,60,'Up to 30 clients for each server: with 2 servers 60 clients, so that the objective still holds while and after 1 of them is lost (60 clients for each one left); that is the end of what was asked for (--clients): there may be more room. With all servers up the limit is 60 clients; that is the end of what was asked for (--clients): there may be more room.',27,0,502749);
INSERT INTO plan_point VALUES (1,1,0,20,3,'holds');
INSERT INTO plan_point VALUES (1,1,0,40,3,'holds');
INSERT INTO plan_point VALUES (1,1,0,60,3,'holds');
INSERT INTO plan_point VALUES (1,2,0,20,3,'holds');
INSERT INTO plan_point VALUES (1,2,0,40,3,'holds');
INSERT INTO plan_point VALUES (1,2,0,60,3,'holds');
INSERT INTO plan_point VALUES (1,2,1,20,3,'holds');
INSERT INTO plan_point VALUES (1,2,1,40,3,'holds');
INSERT INTO plan_point VALUES (1,2,1,60,3,'holds');
INSERT INTO plan_value VALUES (1,1,0,20,'empty_get_ratio',0.77374302399996708334,0.0077051621388783070668,0.77956685566219352523,'');
INSERT INTO plan_value VALUES (1,1,0,20,'fairness',1.0,0.0,1.0,'');
INSERT INTO plan_value VALUES (1,1,0,20,'hidden_work_ratio',0.0,0.0,NULL,'');
INSERT INTO plan_value VALUES (1,1,0,20,'mean(done)',0.00057506871971571560386,4.2065795492494485793e-05,0.00057325810999264421689,'');
INSERT INTO plan_value VALUES (1,1,0,20,'mean(get)',0.00057688529870545128715,1.6540367896250184384e-05,0.00057325810999264421689,'');
INSERT INTO plan_value VALUES (1,1,0,20,'mean(put)',0.00056850780507087335293,1.899015376559420694e-05,0.00057325810999264421689,'');
INSERT INTO plan_value VALUES (1,1,0,20,'p99(get_to_done) < 250ms',0.092671000000000003371,0.0089031495589131735141,0.090802340111580295833,'holds');
INSERT INTO plan_value VALUES (1,1,0,20,'throughput > 100/s',204.5999999999999943,7.0437460895718615461,200.0,'holds');
INSERT INTO plan_value VALUES (1,1,0,20,'utilization',0.07894946666666666224,0.0031823142636619801588,0.0784382744076381061,'');
INSERT INTO plan_value VALUES (1,1,0,40,'empty_get_ratio',0.77345006518962933217,0.011870353258216399805,0.77953464135364236575,'');
INSERT INTO plan_value VALUES (1,1,0,40,'fairness',1.0,0.0,1.0,'');
INSERT INTO plan_value VALUES (1,1,0,40,'hidden_work_ratio',0.0,0.0,NULL,'');
INSERT INTO plan_value VALUES (1,1,0,40,'mean(done)',0.00057882899179014098926,1.6878659298418959667e-05,0.00057931385241972868996,'');
INSERT INTO plan_value VALUES (1,1,0,40,'mean(get)',0.00058135601253984762765,3.4076856750386609368e-06,0.00057931385241972868996,'');
INSERT INTO plan_value VALUES (1,1,0,40,'mean(put)',0.00058585954788859895357,4.8020548241879665294e-06,0.00057931385241972868996,'');
INSERT INTO plan_value VALUES (1,1,0,40,'p99(get_to_done) < 250ms',0.089940333333333330467,0.004815254317525727648,0.091001898547924731097,'holds');
INSERT INTO plan_value VALUES (1,1,0,40,'throughput > 100/s',407.80000000000001135,18.463009912869978279,400.0,'holds');
INSERT INTO plan_value VALUES (1,1,0,40,'utilization',0.15712633333333334006,0.0027342955287456343835,0.15686063981823891722,'');
INSERT INTO plan_value VALUES (1,1,0,60,'empty_get_ratio',0.77402542744557567555,0.0089725088377001320505,0.77949582892343449724,'');
INSERT INTO plan_value VALUES (1,1,0,60,'fairness',1.0,0.0,1.0,'');
INSERT INTO plan_value VALUES (1,1,0,60,'hidden_work_ratio',0.0,0.0,NULL,'');
INSERT INTO plan_value VALUES (1,1,0,60,'mean(done)',0.00058898835193965019905,2.2277930211447136183e-05,0.0005866095049708289124,'');
INSERT INTO plan_value VALUES (1,1,0,60,'mean(get)',0.0005881243874122605653,2.515043477593343311e-06,0.0005866095049708289124,'');
INSERT INTO plan_value VALUES (1,1,0,60,'mean(put)',0.00059007679316245892266,1.5638766093646621371e-05,0.0005866095049708289124,'');
INSERT INTO plan_value VALUES (1,1,0,60,'p99(get_to_done) < 250ms',0.094548333333333345329,0.0074525279567317975412,0.091242316470704645792,'holds');
INSERT INTO plan_value VALUES (1,1,0,60,'throughput > 100/s',616.60000000000002272,12.057667702642547169,600.0,'holds');
INSERT INTO plan_value VALUES (1,1,0,60,'utilization',0.23744713333333333782,0.0041748259731237639252,0.23526221778135775197,'');
INSERT INTO plan_value VALUES (1,2,0,20,'empty_get_ratio',0.77233291390082892124,0.0034974587679265306885,0.7795809923248684381,'');
INSERT INTO plan_value VALUES (1,2,0,20,'fairness',0.99985168665289370082,0.00019892645150039662584,1.0,'');
INSERT INTO plan_value VALUES (1,2,0,20,'hidden_work_ratio',0.17238372731061099574,0.014529553621726813,NULL,'');
INSERT INTO plan_value VALUES (1,2,0,20,'mean(done)',0.00058188867078215759844,3.1226607013662725439e-05,0.00057060055677666057533,'');
INSERT INTO plan_value VALUES (1,2,0,20,'mean(get)',0.00056833562673872818887,7.0533817393914232701e-06,0.00057060055677666057533,'');
INSERT INTO plan_value VALUES (1,2,0,20,'mean(put)',0.0005742739761819366448,1.9179726862085085063e-05,0.00057060055677666057533,'');
INSERT INTO plan_value VALUES (1,2,0,20,'p99(get_to_done) < 250ms',0.089257666666666679589,0.024934442083305110443,0.090714764199845365766,'holds');
INSERT INTO plan_value VALUES (1,2,0,20,'throughput > 100/s',204.3333333333333428,6.961497693919747931,200.0,'holds');
INSERT INTO plan_value VALUES (1,2,0,20,'utilization',0.039765266666666666817,0.0015513568359779800285,0.039220882914250319861,'');
INSERT INTO plan_value VALUES (1,2,0,40,'empty_get_ratio',0.77396203406414443293,0.011042888790828193565,0.77956685566219352523,'');
INSERT INTO plan_value VALUES (1,2,0,40,'fairness',0.99988809468551698156,0.00024072906542105254601,1.0,'');
INSERT INTO plan_value VALUES (1,2,0,40,'hidden_work_ratio',0.17699965119715510564,0.0095194349916472142253,NULL,'');
INSERT INTO plan_value VALUES (1,2,0,40,'mean(done)',0.00057742832476644046727,2.0286928748626760542e-05,0.00057325810999264421689,'');
INSERT INTO plan_value VALUES (1,2,0,40,'mean(get)',0.00057417503884507994135,3.89637553157988378e-06,0.00057325810999264421689,'');
INSERT INTO plan_value VALUES (1,2,0,40,'mean(put)',0.00057552883416265774012,2.385495838083236201e-05,0.00057325810999264421689,'');
INSERT INTO plan_value VALUES (1,2,0,40,'p99(get_to_done) < 250ms',0.095572333333333328586,0.00073431939921057246423,0.090802340111580295833,'holds');
INSERT INTO plan_value VALUES (1,2,0,40,'throughput > 100/s',407.73333333333334847,18.229802467544693911,400.0,'holds');
INSERT INTO plan_value VALUES (1,2,0,40,'utilization',0.078564866666666663408,0.00082817829373320252673,0.0784382744076381061,'');
INSERT INTO plan_value VALUES (1,2,0,60,'empty_get_ratio',0.77369842981569936224,0.0071886585104882789326,0.77955146358965410335,'');
INSERT INTO plan_value VALUES (1,2,0,60,'fairness',0.99993914413850737421,0.00023920167319327079744,1.0,'');
INSERT INTO plan_value VALUES (1,2,0,60,'hidden_work_ratio',0.17292540279963175553,0.0017544049458830511274,NULL,'');
INSERT INTO plan_value VALUES (1,2,0,60,'mean(done)',0.00058120333065888002237,1.0662521397482366194e-05,0.00057615159787706177619,'');
INSERT INTO plan_value VALUES (1,2,0,60,'mean(get)',0.00057924692949838836337,8.844745171212223104e-06,0.00057615159787706177619,'');
INSERT INTO plan_value VALUES (1,2,0,60,'mean(put)',0.00057822583405240789589,7.0236154537937952515e-06,0.00057615159787706177619,'');
INSERT INTO plan_value VALUES (1,2,0,60,'p99(get_to_done) < 250ms',0.09471899999999999764,0.0089031495589131735141,0.090897690916993262311,'holds');
INSERT INTO plan_value VALUES (1,2,0,60,'throughput > 100/s',615.73333333333323479,13.389786472023446961,600.0,'holds');
INSERT INTO plan_value VALUES (1,2,0,60,'utilization',0.11865033333333334375,0.0010447546197273334216,0.11765171015921176145,'');
INSERT INTO plan_value VALUES (1,2,1,20,'empty_get_ratio',0.76638055477221611599,0.017066445797731113337,0.77956685566219352523,'');
INSERT INTO plan_value VALUES (1,2,1,20,'fairness',1.0,0.0,1.0,'');
INSERT INTO plan_value VALUES (1,2,1,20,'hidden_work_ratio',0.0,0.0,NULL,'');
INSERT INTO plan_value VALUES (1,2,1,20,'mean(done)',0.0005763450827492358746,3.613850623293998575e-05,0.00057325810999264421689,'');
INSERT INTO plan_value VALUES (1,2,1,20,'mean(get)',0.00057159854223504666988,3.4501032795215020323e-06,0.00057325810999264421689,'');
INSERT INTO plan_value VALUES (1,2,1,20,'mean(put)',0.00058191366580896469393,3.2835502201047034845e-06,0.00057325810999264421689,'');
INSERT INTO plan_value VALUES (1,2,1,20,'p99(get_to_done) < 250ms',0.095060333333333343897,0.020402982247798674003,0.090802340111580295833,'holds');
INSERT INTO plan_value VALUES (1,2,1,20,'throughput > 100/s',204.13333333333332575,6.4841863301937978647,200.0,'holds');
INSERT INTO plan_value VALUES (1,2,1,20,'utilization',0.077376866666666654914,0.0012645033338245985441,0.0784382744076381061,'');
INSERT INTO plan_value VALUES (1,2,1,40,'empty_get_ratio',0.75780140381860550125,0.018403334326070393267,0.77953464135364236575,'');
INSERT INTO plan_value VALUES (1,2,1,40,'fairness',1.0,0.0,1.0,'');
INSERT INTO plan_value VALUES (1,2,1,40,'hidden_work_ratio',0.0,0.0,NULL,'');
INSERT INTO plan_value VALUES (1,2,1,40,'mean(done)',0.00058541782980137504251,1.2835992609151157461e-05,0.00057931385241972868996,'');
INSERT INTO plan_value VALUES (1,2,1,40,'mean(get)',0.0005805788635119610427,9.2343948435083392841e-06,0.00057931385241972868996,'');
INSERT INTO plan_value VALUES (1,2,1,40,'mean(put)',0.00057758736395818689648,2.4880578470393099833e-06,0.00057931385241972868996,'');
INSERT INTO plan_value VALUES (1,2,1,40,'p99(get_to_done) < 250ms',0.094548333333333345329,0.0065267735845899619781,0.091001898547924731097,'holds');
INSERT INTO plan_value VALUES (1,2,1,40,'throughput > 100/s',406.80000000000001137,16.914041099772237686,400.0,'holds');
INSERT INTO plan_value VALUES (1,2,1,40,'utilization',0.15012433333333333185,0.002996665736440147932,0.15686063981823891722,'');
INSERT INTO plan_value VALUES (1,2,1,60,'empty_get_ratio',0.76368180208774349981,0.011755435910533285764,0.77949582892343449724,'');
INSERT INTO plan_value VALUES (1,2,1,60,'fairness',1.0,0.0,1.0,'');
INSERT INTO plan_value VALUES (1,2,1,60,'hidden_work_ratio',0.0,0.0,NULL,'');
INSERT INTO plan_value VALUES (1,2,1,60,'mean(done)',0.00058562699345621107432,5.4062739379424914667e-07,0.0005866095049708289124,'');
INSERT INTO plan_value VALUES (1,2,1,60,'mean(get)',0.00058979627229487302606,3.2364205665703304779e-06,0.0005866095049708289124,'');
INSERT INTO plan_value VALUES (1,2,1,60,'mean(put)',0.00058938300328473431938,5.2267606231763087121e-06,0.0005866095049708289124,'');
INSERT INTO plan_value VALUES (1,2,1,60,'p99(get_to_done) < 250ms',0.093183000000000001938,0.0055439898866473285091,0.091242316470704645792,'holds');
INSERT INTO plan_value VALUES (1,2,1,60,'throughput > 100/s',614.80000000000006822,13.172958574551051569,600.0,'holds');
INSERT INTO plan_value VALUES (1,2,1,60,'utilization',0.22986913333333333642,0.0020608204235220751489,0.23526221778135775197,'');
INSERT INTO plan_knee VALUES (1,1,0,60,NULL,60.0,'');
INSERT INTO plan_knee VALUES (1,2,0,60,NULL,60.0,'');
INSERT INTO plan_knee VALUES (1,2,1,60,NULL,60.0,'');
INSERT INTO kept_run VALUES (1,'d6c3466b1bc715d3',1,1000000,0,'0.1.0','GNU 12.2.0 Debug');
INSERT INTO kept_figure VALUES (1,'run.steady_throughput_per_s',206.80000000000001137);
INSERT INTO kept_figure VALUES (1,'run.steady_empty_get_ratio',0.77068086050121975549);
INSERT INTO kept_figure VALUES (1,'run.steady_hidden_work_ratio',0.0);
INSERT INTO kept_figure VALUES (1,'run.steady_failed_call_ratio',0.0);
INSERT INTO kept_figure VALUES (1,'run.steady_ready_growth_per_s',0.0);
INSERT INTO kept_figure VALUES (1,'run.steady_utilization',0.07842459999999999709);
