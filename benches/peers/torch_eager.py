"""PyTorch, eager."""
import torch

from case import Case


def load(path, threads):
    setup(threads)
    case = Case(path)
    return runner(case.net, case.inputs), f"torch {torch.__version__}"


def setup(threads):
    torch.set_num_threads(threads)
    torch.set_float32_matmul_precision("highest")


def runner(net, inputs):
    @torch.inference_mode()
    def run():
        return net(*inputs).numpy()

    return run
