#!/usr/bin/env bash
# peers.sh [FOLDER]: steps of CIFAR-10 against PyTorch on this machine's GPU: float32, bf16, and bf16 compiled (max-autotune) with CUDA
# graphs, in one run, with the rates of a large copy and a large product. At most eight minutes; the table comes last. Needs
# python3 with torch.
set -euo pipefail
cd "$(dirname "$0")/../.."
folder=${1:-target/gpu}
python3 -c 'import torch; assert torch.cuda.is_available()' || { echo "skipped: needs python3 with torch for CUDA"; exit 0; }
ours=$(timeout 120 "$folder/gpu" steps "$folder/cubins")
theirs=$(timeout 350 python3 tests/gpu/peers.py)
date -u +%F
printf '%s\n\n%s\n' "$ours" "$theirs"
