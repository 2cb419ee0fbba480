"""PyTorch, compiled with frozen weights: plainly and with the templates of max-autotune, whichever is faster."""
import copy

import torch
import torch._inductor.config

from case import Case
from fastest import fastest
from torch_eager import runner, setup


def load(path, threads):
    setup(threads)
    case = Case(path)
    torch._inductor.config.freezing = True
    run, name = fastest({mode: compiled(case, mode) for mode in ("default", "max-autotune")})
    return run, f"torch {torch.__version__}, {name}"


def compiled(case, mode):
    # A copy each: freezing discards the parameters of the net that it has compiled.
    torch._dynamo.reset()
    net = torch.compile(copy.deepcopy(case.net), mode=mode, dynamic=False)
    return runner(net, case.inputs)
