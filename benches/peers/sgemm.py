"""A large product of float32 matrices, as fast as PyTorch's BLAS makes it."""
import torch

from torch_eager import setup

SIDE = 2048
FLOPS = 2 * SIDE**3


def load(_, threads):
    setup(threads)
    a, b = torch.rand(2, SIDE, SIDE, generator=torch.Generator().manual_seed(1))
    c = torch.empty(SIDE, SIDE)
    return lambda: torch.mm(a, b, out=c).numpy(), f"torch.mm {SIDE}^3"
