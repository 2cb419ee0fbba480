"""Times our CPU executor and its peers in turn, and prints a table: see run.sh."""
import argparse
import json
import os
import pathlib
import re
import signal
import sys

import table
from process import Failed, Process
from row import PEERS, Row

HERE = pathlib.Path(__file__).parent
ROWS = [f"Cifar10 {net} {batch}" for net in ("shallow", "deep") for batch in (1, 4, 16)] + ["Imagenet64 deep 1", "Imagenet64 deep 4"]
QUICK = ["Cifar10 shallow 1", "Cifar10 shallow 4"]


def arguments():
    parser = argparse.ArgumentParser(prog="run.sh", description="Times our CPU executor and its peers in turn.")
    parser.add_argument("--quick", action="store_true", help=f"two minutes: {', '.join(QUICK)}")
    parser.add_argument("--threads", type=int, default=len(os.sched_getaffinity(0)), help="for everybody; default: all cores")
    parser.add_argument("--rows", help="only rows that match this regular expression, such as 'Cifar10 .* 1$'")
    parser.add_argument("--rounds", type=int, default=15, help="at least 6, for an interval; default: 15")
    parser.add_argument("--json", type=pathlib.Path, help="write every measurement to this file")
    # What run.sh fills in.
    parser.add_argument("--ours", help=argparse.SUPPRESS, required=True)
    parser.add_argument("--folder", help=argparse.SUPPRESS, required=True, type=pathlib.Path)
    given = parser.parse_args()
    if given.threads < 1 or given.rounds < 6:
        parser.error("--threads is at least 1, --rounds at least 6")
    given.rows = [name for name in (QUICK if given.quick else ROWS) if re.search(given.rows or "", name)]
    if not given.rows:
        parser.error(f"no row matches -- the rows are {', '.join(ROWS)}")
    return given


def main():
    given = arguments()
    given.folder.mkdir(parents=True, exist_ok=True)
    # Ended by a signal, we still end what we have started.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    processes, rows = {}, []
    try:
        for name in ("ours", *PEERS, "sgemm"):
            command = [given.ours, "--contender"] if name == "ours" else [sys.executable, str(HERE / "contender.py"), name]
            processes[name] = Process(name, command, given.threads, given.folder)
        for name in given.rows:
            print(name, file=sys.stderr)
            row = Row(name)
            row.load(processes, given.threads, given.folder)
            row.measure(processes, given.rounds)
            rows.append(row)
            print(f"  {row.best_peer()} / ours: {row.ratio(row.best_peer()).text()}", file=sys.stderr)
    except Failed as why:
        sys.exit(f"error: {why}")
    finally:
        for process in processes.values():
            process.kill()
    if given.json:
        given.json.write_text(json.dumps([vars(row) for row in rows], indent=1) + "\n")
    print(table.text(rows, given.threads, given.rounds))


if __name__ == "__main__":
    main()
