#!/usr/bin/env bash
# correctness.sh [FOLDER]: forwards, trajectories, batches and kernels on this machine's GPU, as build.sh left them in FOLDER
# (target/gpu). Each kernel runs at ragged shapes and at those of the pairs against plain loops in float64, its outputs poisoned;
# compute-sanitizer's four tools watch some of them where it is installed and permitted. At most eight minutes; the tables come last.
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-target/gpu}
log=$(mktemp -d)
trap 'rm -rf "$log"' EXIT
bad=0
if [ ! -x "$folder/gpu" ]; then
    echo "$folder/gpu is not there -- run tests/gpu/build.sh where there is cargo, and carry $folder here"
    exit 1
fi

timeout 210 "$folder/gpu" correctness "$folder/cubins" >"$log/table" || { echo "gpu correctness: exit code $?" >>"$log/table"; bad=1; }
DUODIFF_TEST_CUBINS=$folder/cubins timeout 150 "$folder/kernels" --test-threads 1 >"$log/kernels" 2>&1 ||
    { echo "test kernels ... exit code $?" >>"$log/kernels"; bad=1; }
grep -v '^test .* ok$' "$log/kernels"
if command -v compute-sanitizer >/dev/null; then
    for tool in memcheck racecheck initcheck synccheck; do
        left=$((460 - SECONDS))
        if [ "$left" -lt 5 ]; then
            echo "compute-sanitizer $tool: skipped, no time left" >>"$log/tools"
            continue
        fi
        DUODIFF_TEST_CUBINS=$folder/cubins timeout "$((left < 30 ? left : 30))" compute-sanitizer --tool "$tool" --error-exitcode 9 \
            "$folder/kernels" --test-threads 1 products_of_tables attention_of_each step_tables updates_are functions_of_two >"$log/$tool" 2>&1
        case $? in
        0) echo "compute-sanitizer $tool: good" >>"$log/tools" ;;
        9)
            bad=1
            tail -n 40 "$log/$tool"
            echo "compute-sanitizer $tool: BAD" >>"$log/tools"
            ;;
        124) echo "compute-sanitizer $tool: nothing found until it was stopped" >>"$log/tools" ;;
        *) echo "compute-sanitizer $tool: did not run: $(grep -m 1 -i 'error\|panicked' "$log/$tool")" >>"$log/tools" ;;
        esac
    done
else
    echo "compute-sanitizer: skipped, not on PATH" >"$log/tools"
fi

date -u +%F
nvidia-smi --query-gpu=name,driver_version --format=csv,noheader 2>/dev/null
grep '^test ' "$log/kernels"
cat "$log/tools" "$log/table"
exit "$bad"
