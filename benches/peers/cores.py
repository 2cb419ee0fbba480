"""The cores that this process was given, before anything in it was pinned."""
import os

CORES = sorted(os.sched_getaffinity(0))


def pin_caller(cores):
    """Threads that the caller starts later inherit this."""
    os.sched_setaffinity(0, cores)
