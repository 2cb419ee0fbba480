#!/usr/bin/env bash
# correctness.sh [FOLDER]: kernels, forwards, trajectories and batches on this machine's GPU, as build.sh left them in FOLDER
# (target/gpu). Each kernel runs at ragged shapes and at those of the pairs against plain loops in float64, its outputs poisoned;
# compute-sanitizer's four tools watch some of them where it is installed. At most eight minutes; the tables come last.
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-target/gpu}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
bad=0

DUODIFF_TEST_CUBINS=$folder/cubins timeout 240 "$folder/kernels" --test-threads 1 >"$log/kernels" 2>&1 || bad=1
grep -v '^test .* ok$' "$log/kernels"
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck synccheck; do
        if DUODIFF_TEST_CUBINS=$folder/cubins timeout 45 compute-sanitizer --tool "$tool" --error-exitcode 9 "$folder/kernels" --test-threads 1 \
            products_of_tables attention_of_each step_tables updates_are functions_of_two >"$log/$tool" 2>&1; then
            echo "compute-sanitizer $tool: good" >>"$log/tools"
        else
            bad=1
            tail -n 40 "$log/$tool"
            echo "compute-sanitizer $tool: BAD" >>"$log/tools"
        fi
    done
else
    echo "compute-sanitizer: skipped, not on PATH" >"$log/tools"
fi
timeout 200 "$folder/gpu" correctness "$folder/cubins" >"$log/table" || bad=1

date -u +%F
grep '^test ' "$log/kernels"
cat "$log/tools" "$log/table"
exit "$bad"
