#!/usr/bin/env bash
# build.sh [TARGET] [FOLDER]: what the other scripts run, for a kind of GPU (sm_90a), into a folder (target/gpu): two executables and a
# cubin of every module. Needs cargo and CUDA's compiler (CUDA_HOME); the machine with the GPU needs this checkout, the folder and the
# driver. With CUDA_ROOT, a toolkit to link with (.ci/luminal-cuda makes one), a third executable has luminal_cuda; it needs a toolkit there, too.
set -euo pipefail
cd "$(dirname "$0")/../.."
target=${1:-sm_90a}
folder=${2:-target/gpu}
mkdir -p "$folder"

# The executable of a test.
built() {
    cargo test --release --locked --no-run --message-format=json "$@" |
        sed -n 's/.*"kind":\["test"\].*"executable":"\([^"]*\)".*/\1/p'
}
cp "$(built -p duodiff --test gpu)" "$folder/gpu"
cp "$(built -p duodiff-graph --test kernels)" "$folder/kernels"
rm -f "$folder/gpu-luminal"
if [ -n "${CUDA_ROOT:-}" ]; then
    cp "$(built -p duodiff --features luminal-cuda --test gpu)" "$folder/gpu-luminal"
fi
strip "$folder"/gpu* "$folder/kernels"
"$folder/gpu" cubins "$folder/cubins" "$target"
du -sh "$folder"
