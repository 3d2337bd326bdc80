#!/bin/sh
# One part of a job, for any engine.
# usage: shard.sh K N FOLDER allqsim COMMAND...
# COMMAND is run, suite, explore or plan with all it needs but --shard and --save; the part is stored in FOLDER/K-of-N.db.
# A part that is run again replaces what an earlier attempt left; that of a plan goes on where it was. What the runs come to
# (exit codes 1 to 5) is in the database and fails no part; it fails where it was interrupted or could not be carried out.
set -u
[ $# -ge 5 ] || { echo "usage: shard.sh K N FOLDER allqsim COMMAND..." >&2; exit 64; }
k=$1 n=$2 folder=$3
shift 3
database=$folder/$k-of-$n.db
mkdir -p "$folder" || exit 74
[ "$2" = plan ] || rm -f "$database" "$database-journal"
code=0
"$@" --shard "$k/$n" --save "$database" || code=$?
[ $code -le 5 ] || exit $code
