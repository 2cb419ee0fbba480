"""The answer, as Markdown."""
import math
import os
import pathlib
import re

from row import PEERS

# What a step is held to.
MEAN, ROW, SHARE, SHARE_FROM_BATCH = 1.1, 1.0, 0.85, 4
INSTRUCTION_SETS = ("avx2", "fma", "avx512f", "avx512_bf16", "amx_tile")


def text(rows, threads, rounds):
    best = [row.ratio(row.best_peer()).median for row in rows]
    mean = math.exp(sum(map(math.log, best)) / len(best))
    notes = {name: sorted({row.notes[name] for row in rows}) for name in ("ours", *PEERS, "sgemm")}
    return "\n".join([
        f"{machine()}; {threads} threads each, float32, {rounds} rounds in turn.", "",
        *times(rows), "",
        "Time of each peer / ours, median and 95 % interval:", "",
        *ratios(rows), "",
        *(f"- {name}: {'; '.join(said)}" for name, said in notes.items()), "",
        f"Aims: geometric mean at least {MEAN}, no row below {ROW}; {100 * SHARE:.0f} % of SGEMM from batch {SHARE_FROM_BATCH} on.", "",
        f"geometric mean {mean:.2f}, worst {min(best):.2f}",
    ])


def times(rows):
    head = ["net", "batch", "ours, ms", *(f"{peer}, ms" for peer in PEERS), "best peer / ours", "verdict", "% of SGEMM", "GFLOP/s of SGEMM"]
    body = []
    for row in rows:
        ratio, share = row.ratio(row.best_peer()), row.share()
        of_sgemm = share.text(0, 100)
        if row.batch >= SHARE_FROM_BATCH:
            of_sgemm += " " + share.verdict(SHARE, "reached", "short")
        body.append([
            f"{row.pair} {row.net}", row.batch, *(f"{row.milliseconds(name):.1f}" for name in ("ours", *PEERS)),
            f"{ratio.text()} ({row.best_peer()})", ratio.verdict(ROW, "ahead", "behind"), of_sgemm, f"{row.sgemm():.0f}",
        ])
    return lines(head, body)


def ratios(rows):
    return lines(["net", "batch", *PEERS], [[f"{row.pair} {row.net}", row.batch, *(row.ratio(peer).text() for peer in PEERS)] for row in rows])


def lines(head, body):
    return [f"| {' | '.join(map(str, cells))} |" for cells in (head, ["---"] * len(head), *body)]


def machine():
    """Model, cores, and the instruction sets that matter here."""
    try:
        info = pathlib.Path("/proc/cpuinfo").read_text()
    except OSError:
        info = ""
    model = re.search(r"model name\s*: (.*)", info)
    flags = re.search(r"flags\s*: (.*)", info)
    known = [name for name in INSTRUCTION_SETS if flags and name in flags[1].split()]
    return f"{model[1] if model else 'CPU of unknown model'}, {os.cpu_count()} cores ({', '.join(known)})"
