"""Evaluations of CIFAR-10's deep net in PyTorch, and what the GPU can do at best: a table for peers.sh.

The solver's update is not counted here; it is in our steps."""
import pathlib
import statistics
import sys
import time

import torch

sys.path.append(str(pathlib.Path(__file__).parents[2] / "models" / "train"))
import uvit  # noqa: E402  the reference that the parity tests are made with

BATCHES = (1, 8, 32, 128)
# Compilations that start after so many seconds are left out.
DEADLINE = 240


def seconds(run, count=20, rounds=7):
    """Of one call: the median over rounds of `count` calls, by events."""
    for _ in range(3):
        run()
    times = []
    for _ in range(rounds):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        for _ in range(count):
            run()
        end.record()
        end.synchronize()
        times.append(start.elapsed_time(end) / 1000 / count)
    return statistics.median(times)


def ceilings():
    """TB/s of a copy (read and written), TFLOP/s of a product in bf16."""
    x = torch.randn(1 << 28, device="cuda")
    y = torch.empty_like(x)
    copy = 2 * x.numel() * 4 / seconds(lambda: y.copy_(x)) / 1e12
    a, b = (torch.randn(8192, 8192, device="cuda", dtype=torch.bfloat16) for _ in range(2))
    return copy, 2 * 8192**3 / seconds(lambda: a @ b) / 1e12


class Rounded(torch.nn.Module):
    """The sinusoid is float32 whatever the net is: without this the net's values would be, too."""

    def forward(self, x):
        return x.bfloat16()


def deep(dtype):
    net = uvit.UViT(img=32, patch=2, chans=3, dim=512, depth=13, heads=8)
    if dtype == torch.bfloat16:
        net.time_embed = Rounded()
    return net.eval().to(dtype).requires_grad_(False)


def main():
    begun = time.monotonic()
    torch.manual_seed(1)
    # The sinusoid's frequencies, too: a tensor of the host would keep CUDA graphs away.
    torch.set_default_device("cuda")
    net, rounded = deep(torch.float32), deep(torch.bfloat16)
    compiled = torch.compile(rounded, mode="max-autotune")
    rows = []
    with torch.inference_mode():
        for batch in BATCHES:
            x, t = torch.randn(batch, 3, 32, 32, device="cuda"), torch.full((batch,), 500.0, device="cuda")
            cells = [seconds(lambda: net(x, t)), seconds(lambda: rounded(x.bfloat16(), t))]
            if time.monotonic() - begun < DEADLINE:
                cells.append(seconds(lambda: compiled(x.bfloat16(), t)))
            rows.append((batch, cells))
            print(batch, cells, file=sys.stderr)
        copy, product = ceilings()
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}: copy {copy:.2f} TB/s, product in bf16 {product:.0f} TFLOP/s")
    print("batch  float32 µs  bf16 µs  bf16 compiled µs")
    for batch, cells in rows:
        print(f"{batch:5}  " + "  ".join(f"{1e6 * cell:10.1f}" for cell in cells))


if __name__ == "__main__":
    main()
