#!/bin/sh
# Joins the parts of a job into FOLDER/all.db, when all N of them are there, and prints the table of the whole. It ends with the
# exit code that one process for all of it would end with. A suite has its JUnit in FOLDER/junit.xml.
# usage: merge.sh N FOLDER allqsim COMMAND...        with the same COMMAND as for shard.sh
set -eu
[ $# -ge 4 ] || { echo "usage: merge.sh N FOLDER allqsim COMMAND..." >&2; exit 64; }
n=$1 folder=$2
shift 2
all=$folder/all.db

merge_parts() {
    program=$1
    set --
    for k in $(seq "$n"); do set -- "$@" "$folder/$k-of-$n.db"; done
    "$program" report merge --complete "$all" "$@"
}

rm -f "$all" "$all-journal"
merge_parts "$1"
case $2 in
explore) exec "$1" report text "$all" --exploration 1 --exit-code ;;
plan) exec "$@" --save "$all" ;;                        # every run is there already: this is the whole plan
esac
code=0
"$1" report junit "$all" --all -o "$folder/junit.xml" --exit-code || code=$?
"$1" report sql "$all" suite_table
exit $code
