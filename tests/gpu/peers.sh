#!/usr/bin/env bash
# peers.sh [FOLDER]: steps of CIFAR-10 against PyTorch on this machine's GPU: float32, bf16, and bf16 compiled (max-autotune) with CUDA
# graphs, in one run, with the rates of a large copy and a large product, and luminal_cuda where build.sh had it. At most eight minutes;
# the tables come last. Needs a python3 with torch for CUDA: the one on PATH, or DUODIFF_PEERS_PYTHON.
set -uo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-target/gpu}
python=${DUODIFF_PEERS_PYTHON:-python3}
bad=0
ours=$(timeout 120 "$folder/gpu" steps "$folder/cubins") || bad=1
if "$python" -c 'import torch; assert torch.cuda.is_available()' 2>/dev/null; then
    theirs=$(timeout 290 "$python" tests/gpu/peers.py) || bad=1
else
    theirs="PyTorch: skipped, $python has no torch for CUDA"
fi
upstream="luminal_cuda: skipped, build.sh had no CUDA_ROOT"
if [ -x "$folder/gpu-luminal" ]; then
    log=$(mktemp)
    # What it says before it ends is why: without the toolkit's libraries it does not even start.
    upstream=$(timeout 60 "$folder/gpu-luminal" luminal 2>"$log") || upstream="luminal_cuda: skipped, $(grep -v '^note' "$log" | tail -n 1)"
    rm "$log"
fi
date -u +%F
printf '%s\n\n%s\n\n%s\n' "$ours" "$theirs" "$upstream"
exit "$bad"
