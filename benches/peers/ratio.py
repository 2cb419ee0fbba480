"""A median of paired ratios, with an interval that assumes nothing of their distribution."""
import math
import statistics


class Ratio:
    """`low` to `high` holds the true median with at least 95 % confidence (order statistics of the sign test)."""

    def __init__(self, over, under):
        values = sorted(a / b for a, b in zip(over, under, strict=True))
        self.median = statistics.median(values)
        rank = outer_rank(len(values))
        self.low, self.high = values[rank], values[-1 - rank]

    def verdict(self, bound, above, below):
        if self.low > bound:
            return above
        return below if self.high < bound else "undecided"

    def text(self, digits=2, scale=1):
        median, low, high = (f"{scale * value:.{digits}f}" for value in (self.median, self.low, self.high))
        return f"{median} [{low}, {high}]"


def outer_rank(count):
    """The largest number of values that may be cut off at each end."""
    rank, tail = 0, 0.5**count
    while tail + math.comb(count, rank + 1) * 0.5**count <= 0.025:
        rank += 1
        tail += math.comb(count, rank) * 0.5**count
    return rank
