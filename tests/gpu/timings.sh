#!/usr/bin/env bash
# timings.sh [FOLDER]: what this machine's GPU does at best, steps and trajectories of the pairs, the start of a process, and products by
# kernel and tile, by the GPU's own clock. At most eight minutes; the tables come last. Nothing else may use the GPU.
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-target/gpu}
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -x "$folder/gpu" ]; then
    echo "$folder/gpu is not there -- run tests/gpu/build.sh where there is cargo, and carry $folder here"
    exit 1
fi
nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,temperature.gpu --format=csv || true
timeout 470 "$folder/gpu" timings "$folder/cubins" >"$log"
bad=$?
date -u +%F
cat "$log"
[ "$bad" = 124 ] && echo "stopped after 470 s: what was measured stands above"
exit "$bad"
