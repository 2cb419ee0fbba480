#!/usr/bin/env bash
# Times our CPU executor against PyTorch, ONNX Runtime and OpenVINO. `run.sh --help` lists the options.
# Needs Linux, cargo, g++ and python3 (3.10 or newer). The first run downloads some 3 GB to target/peers/environment;
# DUODIFF_PEERS_PYTHON names the python of an environment that has requirements.txt already.
set -euo pipefail
here=$(cd "$(dirname "$0")" && pwd)
root=$here/../..
folder=${CARGO_TARGET_DIR:-$root/target}/peers
mkdir -p "$folder"
folder=$(cd "$folder" && pwd)

command -v g++ >/dev/null || { echo "error: torch.compile needs g++ -- install it" >&2; exit 1; }
python=${DUODIFF_PEERS_PYTHON:-}
if [ -z "$python" ]; then
    environment=$folder/environment
    # The copy is the last thing written: an environment that was cut short is made again.
    if ! cmp -s "$here/requirements.txt" "$environment/requirements.txt"; then
        rm -rf "$environment"
        python3 -m venv "$environment"
        "$environment/bin/pip" install --quiet --disable-pip-version-check -r "$here/requirements.txt" >&2
        cp "$here/requirements.txt" "$environment/requirements.txt"
    fi
    python=$environment/bin/python
fi

built='import json, sys; print(*filter(None, (json.loads(line).get("executable") for line in sys.stdin)))'
ours=$(cd "$root" && cargo bench --locked --no-run --bench peers --message-format=json-render-diagnostics | "$python" -c "$built")
exec "$python" "$here/compare.py" --ours "$ours" --folder "$folder" "$@"
