/* Every wrong file gets one line that names the place, what was found and what is allowed. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/memory.h"
#include "scenarios/load.h"

struct bad {
    const char *text; /* of the file */
    int code;
    const char *expected; /* the whole message, or with a leading "~" a part of it */
};

#define FAULT(keys) "{\"faults\": [{" keys "}]}"

static const struct bad bad_texts[] = {
    /* syntax: the line counts */
    {"", AQ_EPARSE, "x.json:1: the text ends too early"},
    {"{", AQ_EPARSE, "x.json:1: the text ends too early"},
    {"{\n\"seed\": 1,\n}", AQ_EPARSE, "x.json:3: malformed JSON at \"}\""},
    {"{\n\"seed\": 1\n\"name\": \"a\"}", AQ_EPARSE, "x.json:3: malformed JSON at \"\"name\": \"a\"}\""},
    {"{\"seed\" 1}", AQ_EPARSE, "x.json:1: malformed JSON at \"1}\""},
    {"{\"a\": [1, ]}", AQ_EPARSE, "x.json:1: malformed JSON at \"]}\""},
    {"{\"a\": nul}", AQ_EPARSE, "x.json:1: malformed JSON at \"nul}\""},
    {"{\"a\": truee}", AQ_EPARSE, "x.json:1: malformed JSON at \"e}\""},
    {"{\"name\": \"a\\qb\"}", AQ_EPARSE, "~a backslash stands only before one of"},
    {"{\"name\": \"a\\u12x4\"}", AQ_EPARSE, "~\\u needs four hexadecimal digits"},
    {"{\"name\": \"a\\", AQ_EPARSE, "~a backslash stands only"},
    {"{\"seed\": 1} {}", AQ_EPARSE, "x.json:1: malformed JSON at \"{}\""},
    {"{\n// load\n\"seed\": 1}", AQ_EPARSE,
     "x.json:2: JSON has no comments; the key \"notes\" takes free text"},
    {"{ /* load */ }", AQ_EPARSE, "~no comments"},
    {"# load\n{}", AQ_EPARSE, "~x.json:1: JSON has no comments"},
    {"{'seed': 1}", AQ_EPARSE, "x.json:1: texts stand in double quotes"},
    {"{\"seed\": 01}", AQ_EPARSE, "~not a JSON number"},
    {"{\"seed\": 1.}", AQ_EPARSE, "~not a JSON number"},
    {"{\"seed\": -}", AQ_EPARSE, "~not a JSON number"},
    {"{\"seed\": 1e}", AQ_EPARSE, "~not a JSON number"},
    {"{\n\n\"duration\": 30s}", AQ_EPARSE,
     "x.json:3: this is not a JSON number (a quantity with a unit stands in double quotes, such as \"250ms\")"},
    {"{\"name\": \"a\nb\"}", AQ_EPARSE, "x.json:1: a string is not closed on its line"},
    {"{\"name\": \"a", AQ_EPARSE, "x.json:1: a string is not closed"},
    {"{\"name\": \"a\\u0000b\"}", AQ_EPARSE, "~\\u0000 is not allowed"},
    {"{\"notes\": \"\xff\"}", AQ_EPARSE, "x.json:1: the text is not UTF-8"},
    {"{\"notes\": \"\xc0\xaf\"}", AQ_EPARSE, "~not UTF-8"},
    {"{\"notes\": \"\xed\xa0\x80\"}", AQ_EPARSE, "~not UTF-8"},
    {"{\"notes\": \"\\ud83d\"}", AQ_EPARSE, "x.json:1: half of a pair of \\u escapes stands alone"},
    {"{\"notes\": \"\\ude00\"}", AQ_EPARSE, "~half of a pair"},
    {"{\"notes\": \"\\ud83d\\u0041\"}", AQ_EPARSE, "~half of a pair"},
    {"{\"seed\": 1000000000000000000000000000000000000000000000000000000000000000}", AQ_EPARSE,
     "~this number is too long"},
    {"{\f}", AQ_EPARSE, "~stray byte"},

    /* the top level */
    {"[]", AQ_EINVALID, "x.json: found an empty list, allowed is an object: a scenario stands in { }"},
    {"3", AQ_EINVALID, "~x.json: found 3, allowed is an object"},
    {"{\"sed\": 1}", AQ_EINVALID,
     "~x.json: sed: unknown key \"sed\"; did you mean \"seed\"? (allowed: $schema, name,"},
    {"{\"workres\": {}}", AQ_EINVALID, "~did you mean \"workers\"?"},
    {"{\"zzzzzzzz\": 1}", AQ_EINVALID, "~unknown key \"zzzzzzzz\" (allowed: "},
    {"{\"a\\nb\": 1}", AQ_EINVALID, "~x.json: [\"a\\x0ab\"]: unknown key \"a\\x0ab\""},
    {"{\"seed\": 1, \"seed\": 1}", AQ_EINVALID, "x.json: seed: the key \"seed\" is there twice"},
    {"{\"seed\": -1}", AQ_EINVALID,
     "x.json: seed: found -1, allowed is a whole number from 0 to 999999999999999"},
    {"{\"seed\": 1.5}", AQ_EINVALID, "~seed: found 1.5, allowed is a whole number"},
    {"{\"seed\": \"1\"}", AQ_EINVALID, "~seed: found \"1\", allowed is a whole number"},
    {"{\"seed\": 1e999}", AQ_EINVALID, "~seed: found inf"},
    {"{\"name\": \"a b\"}", AQ_EINVALID, "~name: found \"a b\", allowed is a name of 1 to 100 letters"},
    {"{\"name\": \"\"}", AQ_EINVALID, "~name: found \"\", allowed is a name"},
    {"{\"summary\": 3}", AQ_EINVALID, "~summary: found 3, allowed is a text"},
    {"{\"notes\": 3}", AQ_EINVALID, "~notes: found 3, allowed is a text or a list of texts"},
    {"{\"notes\": [\"a\", 3]}", AQ_EINVALID, "~notes: found 3"},
    {"{\"duration\": \"0\"}", AQ_EINVALID,
     "x.json: duration: found \"0\", allowed is a duration such as \"250ms\" (units us, ms, s, m, h, d), more than 0"},
    {"{\"duration\": 60}", AQ_EINVALID, "~duration: found 60, allowed is a duration"},
    {"{\"duration\": \"60\"}", AQ_EINVALID, "~duration: found \"60\", allowed is a duration"},
    {"{\"duration\": \"60 s\"}", AQ_EINVALID, "~duration: found \"60 s\""},
    {"{\"duration\": \"never\"}", AQ_EINVALID, "~duration: found \"never\""},
    {"{\"duration\": \"20d\", \"window\": \"1s\"}", AQ_EINVALID,
     "~window: duration and settle hold 1728060 windows"},
    {"{\"fidelity\": \"wires\"}", AQ_EINVALID,
     "x.json: fidelity: unknown word \"wires\"; did you mean \"wire\"? (allowed: message, wire)"},
    {"{\"fidelity\": true}", AQ_EINVALID, "~fidelity: found true, allowed is one word in double quotes"},
    {"{\"balancer\": \"per-request\"}", AQ_EINVALID, "~did you mean \"per_request\"?"},
    {"{\"require_marks\": \"a\"}", AQ_EINVALID, "~require_marks: found \"a\", allowed is a list of marks"},
    {"{\"require_marks\": [\"a\", 3]}", AQ_EINVALID, "~require_marks[1]: found 3, allowed is a name"},

    /* servers */
    {"{\"servers\": []}", AQ_EINVALID,
     "~servers: found an empty list, allowed is an object with keys of \"servers\""},
    {"{\"servers\": {\"count\": 0}}", AQ_EINVALID,
     "x.json: servers.count: found 0, allowed is a whole number from 1 to 4096"},
    {"{\"servers\": {\"count\": 4097}}", AQ_EINVALID, "~servers.count: found 4097"},
    {"{\"servers\": {\"coutn\": 4}}", AQ_EINVALID,
     "~servers.coutn: unknown key \"coutn\"; did you mean \"count\"?"},
    {"{\"servers\": {\"same_host\": 1}}", AQ_EINVALID,
     "~servers.same_host: found 1, allowed is true or false"},
    {"{\"servers\": {\"profile\": \"strickt\"}}", AQ_EINVALID,
     "~did you mean \"strict\"? (allowed: strict, upstream)"},
    {"{\"servers\": {\"policy\": {\"lease_swep\": \"3s\"}}}", AQ_EINVALID,
     "~servers.policy.lease_swep: unknown policy \"lease_swep\"; did you mean \"lease_sweep\"?"},
    {"{\"servers\": {\"policy\": {\"lease_sweep\": 3}}}", AQ_EINVALID,
     "~servers.policy.lease_sweep: found 3, allowed is a duration such as \"250ms\", or \"never\""},
    {"{\"servers\": {\"policy\": {\"whole_seconds\": \"true\"}}}", AQ_EINVALID,
     "~found \"true\", allowed is true or false"},
    {"{\"servers\": {\"policy\": {\"whole_seconds\": true, \"whole_seconds\": true}}}", AQ_EINVALID,
     "~there twice"},
    {"{\"servers\": {\"policy\": 3}}", AQ_EINVALID,
     "~servers.policy: found 3, allowed is an object of policies"},
    {"{\"servers\": {\"service\": \"1ms\"}}", AQ_EINVALID,
     "~servers.service: found \"1ms\", allowed is an object of actions"},
    {"{\"servers\": {\"service\": {\"empirical\": 5}}}", AQ_EINVALID,
     "~servers.service.empirical: found 5, allowed is the path of a file that allqsim calibrate has written"},
    {"{\"servers\": {\"service\": {\"empirical\": \"a\", \"put\": \"1ms\"}}}", AQ_EINVALID,
     "~servers.service.empirical: the measured times stand alone"},
    {"{\"servers\": {\"service\": {\"empirical\": \"/no/such/file.json\"}}}", AQ_EIO,
     "~servers.service.empirical: /no/such/file.json: cannot be opened: No such file"},
    {"{\"servers\": {\"service\": {\"empirical\": \"README.md\"}}}", AQ_EPARSE,
     "~servers.service.empirical: README.md:1: "},
    {"{\"servers\": {\"service\": {\"empirical\": \"tests/scenarios/good/plain.json\"}}}", AQ_EINVALID,
     "~tests/scenarios/good/plain.json: there is no \"service\" with times in it"},
    {"{\"workers\": {\"process\": {\"quantiles\": [\"1ms\"]}}}", AQ_EINVALID,
     "~workers.process.quantiles: found a list of 1, allowed is a list of 2 to 1001 durations"},
    {"{\"workers\": {\"process\": {\"quantiles\": [\"1ms\", \"2ms\", \"1999us\"]}}}", AQ_EINVALID,
     "~workers.process.quantiles[2]: found \"1999us\", allowed is a duration that is not below the one before"},
    {"{\"servers\": {\"service\": {\"putt\": \"1ms\"}}}", AQ_EINVALID,
     "~servers.service.putt: unknown key \"putt\"; did you mean \"put\"?"},
    {"{\"servers\": {\"service\": {\"drain\": \"1ms\"}}}", AQ_EINVALID,
     "~servers.service.drain: unknown key"},
    {"{\"servers\": {\"service\": {\"put\": \"1ms\", \"put\": \"1ms\"}}}", AQ_EINVALID,
     "~\"put\" is there twice"},
    {"{\"servers\": {\"default_ttl\": \"1500ms\"}}", AQ_EINVALID,
     "~servers.default_ttl: found \"1500ms\", allowed is a duration of whole seconds, at least 1"},
    {"{\"servers\": {\"queue_max\": 0}}", AQ_EINVALID,
     "~servers.queue_max: found 0, allowed is a whole number from 1 to 4294967295"},
    {"{\"servers\": {\"start\": \"-1s\"}}", AQ_EINVALID, "~servers.start: found \"-1s\""},

    /* distributions */
    {"{\"servers\": {\"persist\": 5}}", AQ_EINVALID,
     "~servers.persist: found 5, allowed is a duration such as \"20ms\", or one of"},
    {"{\"servers\": {\"persist\": {}}}", AQ_EINVALID,
     "~servers.persist: found 0 keys, allowed is exactly one"},
    {"{\"servers\": {\"persist\": {\"exp\": \"1ms\", \"uniform\": [\"0\", \"1s\"]}}}", AQ_EINVALID,
     "~found 2 keys"},
    {"{\"servers\": {\"persist\": {\"expp\": \"1ms\"}}}", AQ_EINVALID,
     "~unknown distribution \"expp\"; did you mean \"exp\"? (allowed: exp, uniform, lognormal, pareto, quantiles)"},
    {"{\"servers\": {\"persist\": {\"exp\": 20}}}", AQ_EINVALID,
     "~servers.persist.exp: found 20, allowed is a duration"},
    {"{\"servers\": {\"persist\": {\"uniform\": [\"1s\"]}}}", AQ_EINVALID,
     "~persist.uniform: found a list of 1, allowed is a list of two"},
    {"{\"servers\": {\"persist\": {\"uniform\": [\"1s\", 2]}}}", AQ_EINVALID,
     "~servers.persist.uniform[1]: found 2"},
    {"{\"servers\": {\"persist\": {\"uniform\": [\"2s\", \"1s\"]}}}", AQ_EINVALID,
     "~servers.persist.uniform: found 2 s and 1 s, allowed is the shorter duration first"},
    {"{\"servers\": {\"persist\": {\"lognormal\": {\"median\": \"1s\"}}}}", AQ_EINVALID,
     "~persist.lognormal: the key \"p99\" is missing"},
    {"{\"servers\": {\"persist\": {\"lognormal\": {\"median\": \"2s\", \"p99\": \"1s\"}}}}", AQ_EINVALID,
     "~a median above 0 and a p99"},
    {"{\"servers\": {\"persist\": {\"pareto\": {\"min\": \"0\", \"p99\": \"1s\"}}}}", AQ_EINVALID,
     "~a min above 0 and a p99 above it"},
    {"{\"servers\": {\"persist\": {\"pareto\": {\"minn\": \"0\", \"p99\": \"1s\"}}}}", AQ_EINVALID,
     "~did you mean \"min\"?"},

    /* clients */
    {"{\"clients\": {\"count\": 100001}}", AQ_EINVALID, "~clients.count: found 100001"},
    {"{\"clients\": {\"policy\": {\"in_flight_per_server\": 0}}}", AQ_EINVALID,
     "~clients.policy.in_flight_per_server: found 0, allowed is 1 or more"},
    {"{\"clients\": {\"policy\": {\"request_timeout\": \"0\"}}}", AQ_EINVALID,
     "~found \"0\", allowed is a duration such as"},
    {"{\"clients\": {\"policy\": {\"in_flight_per_server\": 1.5}}}", AQ_EINVALID,
     "~found 1.5, allowed is a whole number"},
    {"{\"clients\": {\"policy\": {\"probe_first\": \"1m\"}}}", AQ_EINVALID,
     "~clients.policy.probe_first: it is longer than probe_max"},
    {"{\"clients\": {\"exec\": []}}", AQ_EINVALID, "~clients.exec: found an empty list"},
    {"{\"clients\": {\"exec\": \"allq_client\"}}", AQ_EINVALID, "~allowed is a list of words"},
    {"{\"clients\": {\"exec\": [\"a\", \"\"]}}", AQ_EINVALID, "~clients.exec[1]: found"},
    {"{\"clients\": {\"speak\": \"http\"}}", AQ_EINVALID, "~(allowed: json_lines, rest)"},
    {"{\"clients\": {\"ready_within\": \"0\"}}", AQ_EINVALID, "~clients.ready_within: found"},
    {"{\"servers\": {\"connect\": \"a:1,\"}}", AQ_EINVALID,
     "~servers.connect: found \"a:1,\", allowed is a list"},
    {"{\"servers\": {\"connect\": \"a:x\"}}", AQ_EINVALID, "~servers.connect: found"},
    {"{\"servers\": {\"connect\": \"\"}}", AQ_EINVALID, "~servers.connect: found"},
    {"{\"servers\": {\"connect\": \"a,b\", \"count\": 9}, \"faults\": [{\"kind\": \"reset\", \"at\": \"0\", \"servers\": 2}]}",
     AQ_EINVALID, "~faults[0].servers: found 2, allowed is an index of servers from 0 to 1"},
    {"{\"expect\": {\"unknown\": [\"luck\"]}}", AQ_EINVALID, "~expect.unknown[0]"},
    {"{\"clients\": {\"groups\": {}}}", AQ_EINVALID,
     "~clients.groups: found an empty object, allowed is a list of groups"},
    {"{\"clients\": {\"groups\": [{\"servers\": [0]}]}}", AQ_EINVALID,
     "~clients.groups[0]: the key \"share\" is missing"},
    {"{\"clients\": {\"groups\": [{\"share\": 0, \"servers\": [0]}]}}", AQ_EINVALID,
     "~groups[0].share: found 0, allowed is a number above 0 to 1"},
    {"{\"clients\": {\"groups\": [{\"share\": 0.5, \"servers\": []}]}}", AQ_EINVALID,
     "~allowed is a list of one server or more"},
    {"{\"clients\": {\"groups\": [{\"share\": 0.5, \"servers\": [68]}]}}", AQ_EINVALID,
     "~clients.groups[0].servers: found 68"},
    {"{\"clients\": {\"groups\": [{\"share\": 0.5, \"servers\": [2, 1, 2]}]}}", AQ_EINVALID,
     "~clients.groups[0].servers: 2 is there twice"},
    {"{\"clients\": {\"groups\": [{\"share\": 0.6, \"servers\": [0]}, {\"share\": 0.5, \"servers\": [1]}]}}",
     AQ_EINVALID, "x.json: clients.groups: the shares add up to 1.1, allowed is at most 1"},

    /* workers */
    {"{\"workers\": {\"count\": 5000001}}", AQ_EINVALID, "~workers.count: found 5000001"},
    {"{\"workers\": {\"tube\": \"a b\"}}", AQ_EINVALID, "~workers.tube: found \"a b\", allowed is a name"},
    {"{\"workers\": {\"poll\": \"0\"}}", AQ_EINVALID,
     "~workers.poll: found \"0\", allowed is a time with a mean above 0"},
    {"{\"workers\": {\"process\": {\"exp\": \"0\"}}}", AQ_EINVALID,
     "~workers.process: found an object, allowed is a time with a mean above 0"},
    {"{\"workers\": {\"release_ratio\": 1.1}}", AQ_EINVALID,
     "~workers.release_ratio: found 1.1, allowed is a number from 0 to 1"},
    {"{\"workers\": {\"release_ratio\": 0.6, \"bury_ratio\": 0.5}}", AQ_EINVALID,
     "x.json: workers: release_ratio, bury_ratio, delete_ratio and abandon_ratio add up to 1.1, allowed is at most 1"},
    {"{\"workers\": {\"touch_every\": \"0\"}}", AQ_EINVALID,
     "~workers.touch_every: found \"0\", allowed is a duration"},
    {"{\"workers\": {\"batch\": 1001}}", AQ_EINVALID,
     "~workers.batch: found 1001, allowed is a whole number from 1 to 1000"},
    {"{\"workers\": {\"ramp\": \"2m\"}}", AQ_EINVALID,
     "~workers.ramp: the last worker would start after the end of duration"},

    /* producers */
    {"{\"producers\": {\"arrivals\": \"poisson\"}}", AQ_EINVALID,
     "~producers.arrivals: found \"poisson\", allowed is \"none\", {\"poisson\""},
    {"{\"producers\": {\"arrivals\": {\"poison\": \"5/s\"}}}", AQ_EINVALID,
     "~unknown kind of arrivals \"poison\"; did you mean \"poisson\"? (allowed: poisson, constant, bursts)"},
    {"{\"producers\": {\"arrivals\": {\"poisson\": \"5\"}}}", AQ_EINVALID,
     "~producers.arrivals.poisson: found \"5\", allowed is a rate such as \"2000/s\""},
    {"{\"producers\": {\"arrivals\": {\"constant\": \"0/s\"}}}", AQ_EINVALID,
     "~producers.arrivals.constant: found \"0/s\""},
    {"{\"producers\": {\"arrivals\": {\"bursts\": {\"rate\": \"1/m\"}}}}", AQ_EINVALID,
     "~arrivals.bursts: the key \"jobs\" is missing"},
    {"{\"producers\": {\"stop\": \"61s\"}}", AQ_EINVALID,
     "x.json: producers.stop: it is after the end of duration"},
    {"{\"producers\": {\"start\": \"10s\", \"stop\": \"10s\"}}", AQ_EINVALID,
     "~producers.start: it is not before stop"},
    {"{\"producers\": {\"ttl\": \"0\"}}", AQ_EINVALID,
     "~producers.ttl: found \"0\", allowed is a duration of whole seconds"},
    {"{\"producers\": {\"ttl\": \"1ms\"}}", AQ_EINVALID, "~or \"default\""},
    {"{\"producers\": {\"delay\": \"0.5s\"}}", AQ_EINVALID, "~producers.delay: found \"0.5s\""},
    {"{\"producers\": {\"priority\": [5, 1]}}", AQ_EINVALID,
     "~producers.priority: found 5 before 1, allowed is the lesser number first"},
    {"{\"producers\": {\"priority\": [5]}}", AQ_EINVALID, "~producers.priority: found a list of 1"},
    {"{\"producers\": {\"priority\": 0.5}}", AQ_EINVALID,
     "~producers.priority: found 0.5, allowed is a whole number from -1000 to 1000"},
    {"{\"producers\": {\"body_bytes\": \"1MB\"}}", AQ_EINVALID, "~producers.body_bytes: found \"1MB\""},
    {"{\"producers\": {\"body_bytes\": 600000}}", AQ_EINVALID, "~producers.body_bytes: found 600000"},

    /* network, budgets, slo, expect */
    {"{\"network\": {\"loss\": 1}}", AQ_EINVALID,
     "~network.loss: found 1, allowed is a number from 0 to 0.99"},
    {"{\"network\": {\"retransmit_first\": \"0\"}}", AQ_EINVALID, "~network.retransmit_first: found \"0\""},
    {"{\"network\": {\"retransmit_first\": \"3s\", \"retransmit_max\": \"2s\"}}", AQ_EINVALID,
     "~retransmit_first: it is longer than retransmit_max"},
    {"{\"budgets\": {\"distribution_p_min\": 2}}", AQ_EINVALID, "~budgets.distribution_p_min: found 2"},
    {"{\"budgets\": {\"failover\": \"2s\"}}", AQ_EINVALID,
     "~unknown key \"failover\"; did you mean \"failover_"},
    {"{\"slo\": {}}", AQ_EINVALID, "~slo: found an empty object, allowed is a list of service levels"},
    {"{\"slo\": [{}]}", AQ_EINVALID,
     "~slo[0]: one of \"latency\", \"throughput\", \"availability\" and \"empty_gets\" is needed"},
    {"{\"slo\": [{\"latency\": \"get\", \"p\": 99}]}", AQ_EINVALID,
     "~slo[0]: the key \"below\" is missing; this one takes exactly: latency, p, below"},
    {"{\"slo\": [{\"throughput\": \"1/s\", \"p\": 99}]}", AQ_EINVALID,
     "~slo[0]: the key \"p\" does not belong here"},
    {"{\"slo\": [{\"latency\": \"kick\", \"p\": 99, \"below\": \"1s\"}]}", AQ_EINVALID,
     "~slo[0].latency: unknown word \"kick\""},
    {"{\"slo\": [{\"latency\": \"get\", \"p\": 0, \"below\": \"1s\"}]}", AQ_EINVALID,
     "~slo[0].p: found 0, allowed is a number above 0 to 100"},
    {"{\"expect\": {\"strict\": \"fail\"}}", AQ_EINVALID,
     "~expect.strict: found \"fail\", allowed is \"pass\", or an object with caught"},
    {"{\"expect\": {\"strict\": {\"caught\": []}}}", AQ_EINVALID,
     "~expect.strict.caught: found an empty list"},
    {"{\"expect\": {\"strict\": {\"caught\": [\"completion_origin\"]}}}", AQ_EINVALID,
     "~expect.strict.caught[0]: unknown word \"completion_origin\"; did you mean \"completion-origin\"?"},
    {"{\"expect\": {\"strict\": {\"caught\": [\"slo\", \"slo\"]}}}", AQ_EINVALID,
     "~expect.strict.caught[1]: \"slo\" is there twice"},
    {"{\"expect\": {\"strict\": {\"caugth\": [\"slo\"]}}}", AQ_EINVALID,
     "~expect.strict.caugth: unknown key \"caugth\"; did you mean \"caught\"?"},
    {"{\"expect\": {\"strict\": {}}}", AQ_EINVALID,
     "~expect.strict: found an empty object, allowed is \"pass\""},
    {"{\"expect\": {\"strict\": {\"figures\": {\"jobs.held\": [2, 1]}}}}", AQ_EINVALID,
     "~expect.strict.figures[\"jobs.held\"]: found 2 before 1"},
    {"{\"expect\": {\"strict\": {\"exact\": {\"jobs.held\": [1, 2]}}}}", AQ_EINVALID,
     "~expect.strict.exact[\"jobs.held\"]: found a list of 2, allowed is a number"},
    {"{\"expect\": {\"strict\": {\"figures\": {\"job.held\": 0}}}}", AQ_EINVALID,
     "~unknown group of figures \"job\"; did you mean \"jobs\"?"},
    {"{\"expect\": {\"strict\": {\"figures\": {\"jobs\": 0}}}}", AQ_EINVALID,
     "~the name of a figure is GROUP.NAME"},
    {"{\"expect\": {\"strict\": {\"figures\": {}}}}", AQ_EINVALID,
     "~expect.strict.figures: found an empty object"},

    /* faults */
    {"{\"faults\": {}}", AQ_EINVALID, "~faults: found an empty object, allowed is a list of faults"},
    {"{\"faults\": [3]}", AQ_EINVALID, "~faults[0]: found 3, allowed is an object with keys of \"faults\""},
    {FAULT("\"at\": \"1s\""), AQ_EINVALID, "x.json: faults[0]: the key \"kind\" is missing"},
    {FAULT("\"kind\": \"crush\", \"at\": \"1s\""), AQ_EINVALID,
     "~x.json: faults[0].kind: unknown word \"crush\"; did you mean \"crash\"? (allowed: crash, restart, pause,"},
    {FAULT("\"kind\": \"crash\", \"att\": \"1s\""), AQ_EINVALID,
     "x.json: faults[0].att: unknown key \"att\"; did you mean \"at\"? (allowed: kind, name, at, on, for, every, times, may_miss, servers, "
     "clients, workers, actions, tube, probability, nth, factor, count, jump, delay, bytes_per_s, piece_bytes, pause, direction, disk, error, server, server_list)"},
    {FAULT("\"kind\": \"crash\""), AQ_EINVALID,
     "x.json: faults[0]: a fault needs \"at\" or \"on\", to say when it strikes"},
    {FAULT("\"kind\": \"crash\", \"at\": \"60s\""), AQ_EINVALID,
     "x.json: faults[0].at: it is not before the end of duration"},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"for\": \"0\""), AQ_EINVALID,
     "~faults[0].for: found \"0\""},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"servers\": 4"), AQ_EINVALID,
     "x.json: faults[0].servers: found 4, allowed is an index of servers from 0 to 3"},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"servers\": [1, 1]"), AQ_EINVALID,
     "~faults[0].servers: 1 is there twice"},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"servers\": [1, -1]"), AQ_EINVALID,
     "~faults[0].servers[1]: found -1"},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"servers\": []"), AQ_EINVALID,
     "~faults[0].servers: found an empty list"},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"servers\": \"some\""), AQ_EINVALID,
     "~allowed is an index, a list of indexes"},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"servers\": {\"random\": 5}"), AQ_EINVALID,
     "~faults[0].servers.random: found 5, allowed are at most 4 servers"},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"servers\": {\"share\": 0}"), AQ_EINVALID,
     "~faults[0].servers.share: found 0"},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"servers\": {\"rand\": 1}"), AQ_EINVALID,
     "~unknown selection \"rand\"; did you mean \"random\"?"},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"clients\": 1"), AQ_EINVALID,
     "x.json: faults[0].clients: \"crash\" takes no \"clients\" (allowed: kind, name, at, on, every, times, may_miss, for, servers, disk)"},
    {FAULT("\"kind\": \"crash\", \"at\": \"1s\", \"disk\": \"lost\""), AQ_EINVALID,
     "~faults[0].disk: there is no disk to lose"},
    {FAULT("\"kind\": \"restart\", \"at\": \"1s\", \"for\": \"1s\""), AQ_EINVALID,
     "x.json: faults[0].for: \"restart\" strikes at one moment and takes no \"for\""},
    {FAULT("\"kind\": \"reset\", \"at\": \"1s\", \"for\": \"1s\""), AQ_EINVALID,
     "~\"reset\" strikes at one moment"},
    {FAULT("\"kind\": \"half_open\", \"at\": \"1s\", \"for\": \"1s\""), AQ_EINVALID,
     "~\"half_open\" strikes at one moment"},
    {FAULT("\"kind\": \"worker_crash\", \"at\": \"1s\", \"for\": \"1s\""), AQ_EINVALID,
     "~\"worker_crash\" strikes at one moment"},
    {FAULT("\"kind\": \"drain\", \"at\": \"1s\", \"server\": 1, \"for\": \"1s\""), AQ_EINVALID,
     "~\"drain\" strikes at one moment"},
    {FAULT("\"kind\": \"redirect\", \"at\": \"1s\", \"server\": 1, \"for\": \"1s\""), AQ_EINVALID,
     "~\"redirect\" strikes at one moment"},
    {FAULT("\"kind\": \"slow\", \"at\": \"1s\""), AQ_EINVALID,
     "x.json: faults[0]: \"slow\" needs the key \"factor\""},
    {FAULT("\"kind\": \"slow\", \"at\": \"1s\", \"factor\": 0"), AQ_EINVALID,
     "~faults[0].factor: found 0, allowed is a number above 0"},
    {FAULT("\"kind\": \"pause\", \"at\": \"1s\", \"factor\": 2"), AQ_EINVALID,
     "~\"pause\" takes no \"factor\""},
    {FAULT("\"kind\": \"latency\", \"at\": \"1s\""), AQ_EINVALID, "~\"latency\" needs the key \"delay\""},
    {FAULT("\"kind\": \"latency\", \"at\": \"1s\", \"delay\": {\"exp\": \"1ms\"}"), AQ_EINVALID,
     "~faults[0].delay: \"latency\" takes a plain duration; \"jitter\" takes a distribution"},
    {FAULT("\"kind\": \"jitter\", \"at\": \"1s\", \"delay\": \"0\""), AQ_EINVALID,
     "~faults[0].delay: found \"0\", allowed is a time with a mean above 0"},
    {FAULT("\"kind\": \"loss\", \"at\": \"1s\""), AQ_EINVALID, "~\"loss\" needs the key \"probability\""},
    {FAULT("\"kind\": \"loss\", \"at\": \"1s\", \"probability\": 1"), AQ_EINVALID,
     "~faults[0].probability: found 1, allowed is at most 0.99"},
    {FAULT("\"kind\": \"bandwidth\", \"at\": \"1s\""), AQ_EINVALID,
     "~\"bandwidth\" needs the key \"bytes_per_s\""},
    {FAULT("\"kind\": \"bandwidth\", \"at\": \"1s\", \"bytes_per_s\": \"1Mb\""), AQ_EINVALID,
     "~faults[0].bytes_per_s: found \"1Mb\", allowed is a number of bytes or a size"},
    {FAULT("\"kind\": \"chop\", \"at\": \"1s\", \"piece_bytes\": 0"), AQ_EINVALID,
     "~faults[0].piece_bytes: found 0"},
    {FAULT("\"kind\": \"corrupt\", \"at\": \"1s\", \"nth\": 3, \"probability\": 0.5"), AQ_EINVALID,
     "~faults[0].nth: \"nth\" and \"probability\" exclude each other"},
    {FAULT("\"kind\": \"slow_close\", \"at\": \"1s\""), AQ_EINVALID,
     "~\"slow_close\" needs the key \"delay\""},
    {FAULT("\"kind\": \"clock_jump\", \"at\": \"1s\""), AQ_EINVALID,
     "~\"clock_jump\" needs the key \"jump\""},
    {FAULT("\"kind\": \"clock_jump\", \"at\": \"1s\", \"jump\": \"0\""), AQ_EINVALID,
     "~faults[0].jump: found \"0\", allowed is a duration other than 0"},
    {FAULT("\"kind\": \"clock_jump\", \"at\": \"1s\", \"jump\": \"--1s\""), AQ_EINVALID,
     "~faults[0].jump: found \"--1s\""},
    {FAULT("\"kind\": \"burst\", \"at\": \"1s\""), AQ_EINVALID,
     "x.json: faults[0]: \"burst\" needs either \"count\" or \"factor\""},
    {FAULT("\"kind\": \"burst\", \"at\": \"1s\", \"count\": 5, \"factor\": 2"), AQ_EINVALID, "~not both"},
    {FAULT("\"kind\": \"burst\", \"at\": \"1s\", \"count\": 5, \"for\": \"1s\""), AQ_EINVALID,
     "~faults[0].for: \"burst\" with \"count\" strikes at one moment"},
    {"{\"producers\": {\"arrivals\": \"none\"}, \"faults\": [{\"kind\": \"burst\", \"at\": \"1s\", \"factor\": 2}]}",
     AQ_EINVALID, "~faults[0].factor: there are no arrivals to multiply"},
    {FAULT("\"kind\": \"drop_reply\", \"at\": \"1s\", \"nth\": 3, \"probability\": 0.5"), AQ_EINVALID,
     "x.json: faults[0].nth: \"nth\" and \"probability\" exclude each other"},
    {FAULT("\"kind\": \"drop_reply\", \"at\": \"1s\", \"nth\": 0"), AQ_EINVALID, "~faults[0].nth: found 0"},
    {FAULT("\"kind\": \"drop_reply\", \"at\": \"1s\", \"actions\": []"), AQ_EINVALID,
     "~faults[0].actions: found an empty list"},
    {FAULT("\"kind\": \"drop_reply\", \"at\": \"1s\", \"actions\": [\"doen\"]"), AQ_EINVALID,
     "~faults[0].actions[0]: unknown word \"doen\"; did you mean \"done\"?"},
    {FAULT("\"kind\": \"drop_reply\", \"at\": \"1s\", \"actions\": [\"add_server\"]"), AQ_EINVALID,
     "~unknown word \"add_server\""},
    {FAULT("\"kind\": \"drop_reply\", \"at\": \"1s\", \"probability\": 0"), AQ_EINVALID,
     "~faults[0].probability: found 0, allowed is a number above 0 to 1"},
    {FAULT("\"kind\": \"drop_reply\", \"on\": \"don\""), AQ_EINVALID,
     "~faults[0].on: unknown word \"don\"; did you mean \"done\"?"},
    {FAULT("\"kind\": \"partition\", \"at\": \"1s\", \"direction\": \"to_servers\""), AQ_EINVALID,
     "~did you mean \"to_server\"?"},
    {FAULT("\"kind\": \"partition\", \"at\": \"1s\", \"clients\": 100"), AQ_EINVALID,
     "~faults[0].clients: found 100, allowed is an index of clients from 0 to 99"},
    {FAULT("\"kind\": \"pause\", \"at\": \"1s\", \"times\": 3"), AQ_EINVALID,
     "~faults[0].times: \"times\" needs \"every\""},
    {FAULT("\"kind\": \"pause\", \"at\": \"1s\", \"every\": \"5s\""), AQ_EINVALID,
     "~faults[0].every: \"every\" has to be longer than \"for\", which is never over unless it is given"},
    {FAULT("\"kind\": \"pause\", \"at\": \"1s\", \"for\": \"5s\", \"every\": \"5s\""), AQ_EINVALID,
     "~\"every\" has to be longer than \"for\""},
    {"{\"workers\": {\"count\": 0}, \"faults\": [{\"kind\": \"worker_crash\", \"at\": \"1s\"}]}", AQ_EINVALID,
     "x.json: faults[0]: there are no workers to hit: workers.count is 0"},
    {FAULT("\"kind\": \"add_server\", \"at\": \"1s\""), AQ_EINVALID,
     "~\"add_server\" needs the key \"server\""},
    {FAULT("\"kind\": \"add_server\", \"at\": \"1s\", \"server\": 68"), AQ_EINVALID,
     "x.json: faults[0].server: found 68, allowed is an index of servers (from servers.count on: addresses with nothing behind them) from 0 to 67"},
    {FAULT("\"kind\": \"add_server\", \"at\": \"1s\", \"server\": 1, \"server_list\": [1]"), AQ_EINVALID,
     "~\"add_server\" takes no \"server_list\""},
    {FAULT("\"kind\": \"update_servers\", \"at\": \"1s\", \"server\": 1"), AQ_EINVALID,
     "~\"update_servers\" takes no \"server\""},
    {"{\"servers\": {\"shared_identity\": 5}}", AQ_EINVALID,
     "x.json: servers.shared_identity: found 5, there are 4 servers"},
    {"{\"servers\": {\"shared_identity\": 2}, \"balancer\": \"per_request\"}", AQ_EINVALID,
     "~servers.shared_identity: it excludes a balancer"},
    /* what explore draws */
    {"{\"explore\": {\"settings\": {\"server.count\": 1}}}", AQ_EINVALID,
     "~explore.settings[\"server.count\"]: unknown key \"server\"; did you mean \"servers\"?"},
    {"{\"explore\": {\"settings\": {\"seed\": {\"range\": [1, 2]}}}}", AQ_EINVALID,
     "x.json: explore.settings.seed: \"seed\" is not drawn as a setting"},
    {"{\"explore\": {\"settings\": {\"duration\": {\"range\": [\"1s\", 2]}}}}", AQ_EINVALID,
     "x.json: explore.settings.duration.range: found a list of 2, allowed is two values of one sort"},
    {"{\"explore\": {\"settings\": {\"duration\": {\"range\": [\"2s\", \"1s\"]}}}}", AQ_EINVALID,
     "x.json: explore.settings.duration.range: the greater value stands first"},
    {"{\"explore\": {\"settings\": {\"duration\": {\"log_range\": [0, 1]}}}}", AQ_EINVALID,
     "~\"log_range\" begins above 0"},
    {"{\"explore\": {\"settings\": {\"duration\": {\"range\": [1]}}}}", AQ_EINVALID,
     "~allowed is a list of two numbers, two durations or two rates"},
    {"{\"explore\": {\"settings\": {\"duration\": {\"range\": [1, 2], \"chance\": 1}}}}", AQ_EINVALID,
     "x.json: explore.settings.duration.range: a draw stands alone in its object"},
    {"{\"explore\": {\"settings\": {\"duration\": {\"any_of\": []}}}}", AQ_EINVALID,
     "~allowed is a list of one value or more"},
    {"{\"explore\": {\"settings\": {\"duration\": null}}}", AQ_EINVALID,
     "~found null, allowed is a value, or null as one of"},
    {"{\"explore\": {\"settings\": {\"duration\": {\"chance\": 2}}}}", AQ_EINVALID,
     "~explore.settings.duration.chance: found 2, allowed is a number from 0 to 1"},
    {"{\"explore\": {\"settings\": {\"balancer\": {\"index_of\": \"jobs\"}}}}", AQ_EINVALID,
     "~explore.settings.balancer.index_of: unknown word \"jobs\""},
    {"{\"explore\": {\"faults\": [{\"at\": \"1s\"}]}}", AQ_EINVALID,
     "x.json: explore.faults[0]: the key \"kind\" is missing"},
    {"{\"explore\": {\"faults\": [{\"kind\": \"crush\"}]}}", AQ_EINVALID,
     "~explore.faults[0].kind: unknown word \"crush\"; did you mean \"crash\"?"},
    {"{\"explore\": {\"faults\": [{\"kind\": \"crash\", \"factor\": 2}]}}", AQ_EINVALID,
     "~explore.faults[0].factor: \"crash\" takes no \"factor\""},
    {"{\"explore\": {\"faults\": [{\"kind\": \"crash\", \"at\": {\"share_of_duration\": [0, 2]}}]}}",
     AQ_EINVALID, "~allowed are two numbers from 0 to 1"},
    {"{\"explore\": {\"faults\": [{\"kind\": \"crash\", \"when\": \"nothing\"}]}}", AQ_EINVALID,
     "~explore.faults[0].when: unknown key \"nothing\""},
    {"{\"explore\": {\"off_ratio\": 2}}", AQ_EINVALID, "~explore.off_ratio: found 2"},
    /* commands */
    {"{\"commands\": [{\"at\": \"1s\"}]}", AQ_EINVALID, "x.json: commands[0]: the key \"action\" is missing"},
    {"{\"commands\": [{\"action\": \"stats\"}]}", AQ_EINVALID,
     "x.json: commands[0]: the key \"at\" is missing"},
    {"{\"commands\": [{\"at\": \"1s\", \"action\": \"pauze\"}]}", AQ_EINVALID,
     "~commands[0].action: unknown word \"pauze\"; did you mean \"pause\"?"},
    {"{\"commands\": [{\"at\": \"1s\", \"action\": \"pause\"}]}", AQ_EINVALID,
     "x.json: commands[0]: \"pause\" needs the key \"tube\""},
    {"{\"commands\": [{\"at\": \"1s\", \"action\": \"stats\", \"tube\": \"a\"}]}", AQ_EINVALID,
     "x.json: commands[0].tube: \"stats\" takes no \"tube\" (allowed: action at every times client)"},
    {"{\"commands\": [{\"at\": \"1s\", \"action\": \"stats\", \"times\": 2}]}", AQ_EINVALID,
     "x.json: commands[0].times: \"times\" needs \"every\""},
    {"{\"commands\": [{\"at\": \"60s\", \"action\": \"stats\"}]}", AQ_EINVALID,
     "x.json: commands[0].at: it is not before the end of duration"},
    {"{\"commands\": [{\"at\": \"1s\", \"action\": \"stats\", \"client\": 100}]}", AQ_EINVALID,
     "x.json: commands[0].client: found 100, allowed is an index of clients from 0 to 99"},
    {"{\"commands\": [{\"at\": \"1s\", \"action\": \"drain\", \"server\": 68}]}", AQ_EINVALID,
     "~commands[0].server: found 68, allowed is an index of servers"},
    /* workflows */
    {"{\"producers\": {\"parents\": {\"children\": [3, 2]}}}", AQ_EINVALID,
     "x.json: producers.parents.children: found 3 before 2, allowed is the lesser number first"},
    {"{\"producers\": {\"parents\": {\"children\": [3]}}}", AQ_EINVALID,
     "~a list of the least and the greatest"},
    {"{\"producers\": {\"parents\": {\"children\": 100, \"levels\": 3}}}", AQ_EINVALID,
     "x.json: producers.parents.levels: a workflow may have 1010101 jobs, allowed are 100000: take fewer levels or children"},
    {"{\"workers\": {\"further_tubes\": [\"a\", \"b c\"]}}", AQ_EINVALID,
     "~workers.further_tubes[1]: found \"b c\""},
    {FAULT("\"kind\": \"herd\", \"at\": \"1s\", \"for\": \"1s\""), AQ_EINVALID,
     "x.json: faults[0].for: \"herd\" strikes at one moment and takes no \"for\""},
    {FAULT("\"kind\": \"client_clock_jump\", \"at\": \"1s\""), AQ_EINVALID,
     "x.json: faults[0]: \"client_clock_jump\" needs the key \"jump\""},
    {FAULT("\"kind\": \"update_servers\", \"at\": \"1s\", \"server_list\": [3, 0, 3]"), AQ_EINVALID,
     "~faults[0].server_list: 3 is there twice"},
};

/* Is the message as expected? Otherwise says what it is. */
static bool check_bad(const struct bad *bad) {
    struct aq_scenario *scenario = NULL;
    struct aq_error error = {0};
    int rc = aq_scenario_parse(bad->text, "x.json", NULL, &scenario, &error);
    bool part = bad->expected[0] == '~';
    bool said = part ? strstr(error.text, bad->expected + 1) != NULL : strcmp(error.text, bad->expected) == 0;
    bool placed = strncmp(error.text, "x.json:", 7) == 0 && !strchr(error.text, '\n');
    if (rc == bad->code && error.code == rc && !scenario && said && placed) return true;
    print_error("%s\n  gave %d, wanted %d\n  said   %s\n  wanted %s\n", bad->text, rc, bad->code, error.text,
                bad->expected);
    aq_scenario_free(scenario);
    return false;
}

static void a_wrong_file_gets_one_line_that_says_where_and_what(void **state) {
    (void)state;
    size_t count = sizeof bad_texts / sizeof *bad_texts, wrong = 0;
    assert_true(count >= 60);
    for (size_t i = 0; i < count; i++)
        wrong += !check_bad(&bad_texts[i]);
    assert_int_equal(wrong, 0);
}

static void every_truncation_of_a_file_is_an_error(void **state) {
    (void)state;
    static const char text[] =
        "{\"name\": \"a\", \"seed\": 12, \"servers\": {\"persist\": {\"uniform\": [\"1ms\", \"2ms\"]}}, "
        "\"notes\": [\"\xc3\xa9\"], \"faults\": [{\"kind\": \"crash\", \"at\": \"1s\"}]}";
    for (size_t length = 0; length < sizeof text - 1; length++) {
        char cut[sizeof text];
        struct aq_scenario *scenario = NULL;
        struct aq_error error = {0};
        memcpy(cut, text, length);
        cut[length] = 0;
        assert_int_equal(aq_scenario_parse(cut, "x.json", NULL, &scenario, &error), AQ_EPARSE);
        assert_null(scenario);
    }
}

static void a_list_beyond_its_limit_is_refused(void **state) {
    (void)state;
    char *text = malloc(100000);
    size_t used = (size_t)sprintf(text, "{\"faults\": [");
    for (int i = 0; i < AQ_FAULTS_MAX + 1; i++)
        used += (size_t)sprintf(text + used, "%s{\"kind\": \"crash\", \"at\": \"1s\"}", i ? ", " : "");
    sprintf(text + used, "]}");
    struct aq_scenario *scenario = NULL;
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_parse(text, "x.json", NULL, &scenario, &error), AQ_ELIMIT);
    assert_string_equal(error.text, "x.json: faults: found 1001 faults, allowed are at most 1000");
    free(text);
}

static void an_error_needs_nobody_to_read_it(void **state) {
    (void)state;
    struct aq_scenario *scenario = NULL;
    assert_int_equal(aq_scenario_parse("{\"sed\": 1}", "x.json", NULL, &scenario, NULL), AQ_EINVALID);
    assert_int_equal(aq_scenario_load("no/such/file.json", NULL, &scenario, NULL), AQ_EIO);
}

static void a_file_that_cannot_be_read_is_named(void **state) {
    (void)state;
    struct aq_scenario *scenario = NULL;
    struct aq_error error = {0};
    assert_int_equal(aq_scenario_load("no/such/file.json", NULL, &scenario, &error), AQ_EIO);
    assert_string_equal(error.text, "no/such/file.json: cannot be opened: No such file or directory");
    assert_int_equal(aq_scenario_load("/", NULL, &scenario, &error), AQ_EIO);
    assert_string_equal(error.text, "/: cannot be read: Is a directory");
}

int main(void) {
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_wrong_file_gets_one_line_that_says_where_and_what),
        cmocka_unit_test(every_truncation_of_a_file_is_an_error),
        cmocka_unit_test(a_list_beyond_its_limit_is_refused),
        cmocka_unit_test(an_error_needs_nobody_to_read_it),
        cmocka_unit_test(a_file_that_cannot_be_read_is_named),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
