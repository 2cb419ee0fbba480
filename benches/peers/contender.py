"""One contender in a process of its own, told by lines on stdin: `python contender.py KIND`.

load FILE THREADS OUT   loads the case, writes its output to OUT (raw float32): `ready NOTE`
step N                  N evaluations: `time SECONDS ...`
quit                    ends
"""
import importlib
import os
import sys
import time

KINDS = {
    "eager": "torch_eager", "compile": "torch_compile", "onnxruntime": "onnx_runtime", "openvino": "open_vino", "sgemm": "sgemm",
}
# A thread to a core: two on one core, for as long as the scheduler lets them, would be measured instead.
PINNED_BY_OPENMP = ("eager", "compile", "sgemm")


def seconds(run):
    start = time.perf_counter()
    run()
    return time.perf_counter() - start


def answer(kind, ready, words):
    match words:
        case ["load", path, threads, out]:
            ready.clear()
            ready["run"], note = importlib.import_module(KINDS[kind]).load(path, int(threads))
            ready["run"]().tofile(out)
            return f"ready {note}"
        case ["step", count]:
            return "time " + " ".join(f"{seconds(ready['run']):e}" for _ in range(int(count)))
    return "error wanted: load, step or quit"


def main(kind):
    # Libraries write to stdout too: the answers get a descriptor of their own.
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    if kind in PINNED_BY_OPENMP:
        os.environ["OMP_PROC_BIND"] = "true"
    ready = {}
    for line in sys.stdin:
        if line.strip() == "quit":
            break
        try:
            text = answer(kind, ready, line.split())
        except Exception as why:
            text = f"error {type(why).__name__}: " + " ".join(str(why).split())[:500]
        print(text, file=answers, flush=True)


if __name__ == "__main__":
    main(sys.argv[1])
