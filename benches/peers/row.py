"""One row of the table: a net at a batch, measured for every contender in turn."""
import math
import random
import statistics
import sys
import time

import numpy

from process import Failed
from ratio import Ratio
from sgemm import FLOPS as SGEMM_FLOPS

PEERS = ("eager", "compile", "onnxruntime", "openvino")
TOLERANCE = 1e-3
# Seconds of a turn: first to warm caches and clocks, then to be measured. Longer evaluations need no warming.
WARM, TURN = 0.06, 0.1


class Row:
    """pair, net, batch, what they cost, and `seconds`: {contender: [one per round]}."""

    def __init__(self, name):
        self.name = name
        self.pair, self.net, batch = name.split()
        self.batch, self.notes, self.seconds = int(batch), {}, {}

    def load(self, processes, threads, folder):
        """Every contender loads the same file; their outputs must agree with PyTorch's."""
        file = folder / "case.safetensors"
        self.flops = int(processes["ours"].ask("case", self.pair, self.net, self.batch, file)[0])
        outputs = {}
        for name, process in processes.items():
            start, out = time.monotonic(), folder / f"{name}.f32"
            self.notes[name] = " ".join(process.ask("load", file, threads, out))
            process.pin(threads)
            outputs[name] = numpy.fromfile(out, numpy.float32)
            print(f"  {name}: {self.notes[name]}, loaded in {time.monotonic() - start:.0f} s", file=sys.stderr)
        for name in ("ours", *PEERS):
            check(name, outputs[name], outputs["eager"])

    def measure(self, processes, rounds):
        """Rounds in which each has one turn, in a new order."""
        self.seconds = {name: [] for name in processes}
        turns = {name: Turn(process) for name, process in processes.items()}
        order, dice = list(processes), random.Random(self.name)
        for _ in range(rounds):
            dice.shuffle(order)
            for name in order:
                self.seconds[name].append(turns[name].take())

    def milliseconds(self, name):
        return 1000 * statistics.median(self.seconds[name])

    def best_peer(self):
        return min(PEERS, key=self.milliseconds)

    def ratio(self, peer):
        """How many of our evaluations fit into one of the peer's."""
        return Ratio(self.seconds[peer], self.seconds["ours"])

    def share(self):
        """Our rate as a share of the product's."""
        rates = [self.flops / seconds for seconds in self.seconds["ours"]]
        return Ratio(rates, [SGEMM_FLOPS / seconds for seconds in self.seconds["sgemm"]])

    def sgemm(self):
        """GFLOP/s of the product."""
        return SGEMM_FLOPS / statistics.median(self.seconds["sgemm"]) / 1e9


class Turn:
    """How a contender is timed in a round."""

    def __init__(self, process):
        self.process = process
        once = process.steps(1)[0]
        if once < TURN:
            once = min(process.steps(3))
        self.warm = math.ceil(WARM / once) if once < 4 * WARM else 0
        self.count = math.ceil(TURN / once)

    def take(self):
        """Median seconds of an evaluation."""
        return statistics.median(self.process.steps(self.warm + self.count)[self.warm:])


def check(name, output, reference):
    if output.shape != reference.shape or not (numpy.abs(output - reference) <= TOLERANCE).all():
        difference = numpy.abs(output - reference).max() if output.shape == reference.shape else "another shape"
        raise Failed(f"{name}: differs from PyTorch by {difference}, at most {TOLERANCE} -- it computes another net")
