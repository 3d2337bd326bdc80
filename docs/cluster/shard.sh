#!/bin/sh
# One part of a job, for any engine.
# usage: shard.sh K N FOLDER allqsim COMMAND...
# COMMAND is run, suite, explore or plan with all it needs but --shard and --save; the part is stored in FOLDER/K-of-N.db.
# The file is there when the part is done, so that half a part is not taken for one; it is made beside it. A part that is run again
# replaces what an earlier attempt left; that of a plan goes on where it was. What the runs come to (exit codes 1 to 5, and 70 where
# one of them crashed) is in the database and fails no part; it fails where it was interrupted or could not be carried out.
set -u
[ $# -ge 5 ] || { echo "usage: shard.sh K N FOLDER allqsim COMMAND..." >&2; exit 64; }
k=$1 n=$2 folder=$3
shift 3
database=$folder/$k-of-$n.db
mkdir -p "$folder" || exit 74
code=0
if [ "$2" = plan ]; then
    "$@" --shard "$k/$n" --save "$database" || code=$?
    [ $code -le 5 ] || exit $code
    exit 0
fi
new=$database.new
rm -f "$database" "$database-journal" "$new" "$new-journal"
"$@" --shard "$k/$n" --save "$new" || code=$?
case $code in
[0-5] | 70) mv "$new" "$database" ;;
*) exit $code ;;
esac
