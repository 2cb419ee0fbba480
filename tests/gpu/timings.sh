#!/usr/bin/env bash
# timings.sh [FOLDER]: products by kernel and tile, and steps of the pairs, on this machine's GPU. At most eight minutes; the tables
# come last. Nothing else may use the GPU.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-target/gpu}
nvidia-smi --query-gpu=name,driver_version,clocks.sm,clocks.max.sm,temperature.gpu --format=csv || true
tables=$(timeout 470 "$folder/gpu" timings "$folder/cubins")
date -u +%F
echo "$tables"
