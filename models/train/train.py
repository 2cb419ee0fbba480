"""Trains the embedded MNIST pair: v prediction, Muon for matrices and AdamW for the rest, EMA weights.

    pip install torch numpy safetensors
    python train.py t10k-images-idx3-ubyte.gz out/ --steps 3600 6600

Writes out/mnist.{shallow,deep}.safetensors (EMA weights as bfloat16) and out/train.log. Both nets see every timestep
and the same objective (arXiv 2410.09633, section 4). A checkpoint is kept every two minutes; the same command continues
an interrupted run, and one with more steps a finished one.
"""
import argparse
import gzip
import json
import math
import pathlib
import time

import numpy as np
import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import uvit

CONFIG = dict(img=28, patch=4, chans=1, dim=128, heads=4, normalize=False)
DEPTHS = {"shallow": 3, "deep": 9}


class Muon:
    """Momentum whose matrix updates are orthogonalised by five Newton-Schulz steps (K. Jordan, 2024)."""

    def __init__(self, params, momentum=0.95):
        self.params, self.momentum = list(params), momentum
        self.buffers = [torch.zeros_like(p) for p in self.params]

    @torch.no_grad()
    def step(self, lr):
        for p, buffer in zip(self.params, self.buffers):
            buffer.lerp_(p.grad, 1 - self.momentum)
            g = p.grad.lerp(buffer, self.momentum)
            x = g.T if g.shape[0] > g.shape[1] else g
            x = (x / (x.norm() + 1e-7)).bfloat16()
            for _ in range(5):
                a = x @ x.T
                x = 3.4445 * x + (-4.7750 * a + 2.0315 * a @ a) @ x
            x = (x.T if g.shape[0] > g.shape[1] else x).float()
            p.mul_(1 - lr * 0.01)
            p.add_(x, alpha=-lr * max(1, p.shape[0] / p.shape[1]) ** 0.5)


def initialise(net):
    for m in net.modules():
        if isinstance(m, torch.nn.Linear):
            torch.nn.init.trunc_normal_(m.weight, std=0.02)
            if m.bias is not None:
                torch.nn.init.zeros_(m.bias)
    torch.nn.init.trunc_normal_(net.pos_embed, std=0.02)
    # The identity: a convolution that leans on its neighbours mispredicts the last column, which has none on one side.
    torch.nn.init.dirac_(net.final_layer.weight)
    torch.nn.init.zeros_(net.final_layer.bias)


def load(path):
    """uint8 [N, 1, 28, 28] of an IDX file."""
    raw = gzip.open(path).read()
    return torch.from_numpy(np.frombuffer(raw, np.uint8, offset=16).reshape(-1, 1, 28, 28).copy())


def train(net, data, total, batch, log, checkpoint):
    params = dict(net.named_parameters())
    hidden = [p for n, p in params.items() if p.ndim == 2 and "block" in n]
    ids = {id(p) for p in hidden}
    muon = Muon(hidden)
    adam = torch.optim.AdamW([p for p in params.values() if id(p) not in ids], lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0)
    ema = {k: v.detach().clone() for k, v in params.items()}
    bar = uvit.linear_betas()[2]
    step, spent, running = 0, 0.0, None
    if checkpoint.exists():
        saved = torch.load(checkpoint, weights_only=True)
        net.load_state_dict(saved["net"])
        adam.load_state_dict(saved["adam"])
        muon.buffers = saved["muon"]
        ema, step, spent = saved["ema"], saved["step"], saved["spent"]

    def save():
        torch.save({"net": net.state_dict(), "adam": adam.state_dict(), "muon": muon.buffers, "ema": ema,
                    "step": step, "spent": time.time() - start}, checkpoint.with_suffix(".tmp"))
        checkpoint.with_suffix(".tmp").replace(checkpoint)

    last = time.time()
    start = last - spent
    while step < total:
        rate = min(1, (step + 1) / 100) * min(1, 2 * (1 - step / total))
        index = torch.randint(len(data), (batch,))
        x = data[index].float() / 127.5 - 1
        # stratified timesteps: the same distribution as independent draws, less variance
        t = ((torch.arange(batch) + torch.rand(batch)) * (1000 / batch)).long().clamp(0, 999)
        noise = torch.randn_like(x)
        a = bar[t][:, None, None, None]
        with torch.autocast("cpu", torch.bfloat16):
            v = net(a.sqrt() * x + (1 - a).sqrt() * noise, t)
        loss = F.mse_loss(v.float(), a.sqrt() * noise - (1 - a).sqrt() * x)
        for p in params.values():
            p.grad = None
        loss.backward()
        for group in adam.param_groups:
            group["lr"] = 2e-3 * rate
        adam.step()
        muon.step(0.02 * rate)
        step += 1
        beta = min(0.999, (1 + step) / (10 + step))
        torch._foreach_lerp_(list(ema.values()), [p.detach() for p in params.values()], 1 - beta)
        running = loss.item() if running is None else 0.99 * running + 0.01 * loss.item()
        if step % 50 == 0:
            print(f"step {step} loss {running:.4f} {(time.time() - start) / step * 1000:.0f} ms/step", file=log, flush=True)
        if time.time() - last > 120:
            last = time.time()
            save()
    save()
    return {k: v.bfloat16().contiguous() for k, v in ema.items()}, step, running


def main():
    p = argparse.ArgumentParser()
    p.add_argument("images", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("--steps", type=int, nargs=2, default=(3600, 6600), metavar=("SHALLOW", "DEEP"))
    p.add_argument("--batch", type=int, default=64)
    args = p.parse_args()
    args.out.mkdir(parents=True, exist_ok=True)
    data = load(args.images)
    with open(args.out / "train.log", "a") as log:
        for (name, depth), total in zip(DEPTHS.items(), args.steps):
            torch.manual_seed(depth)
            net = uvit.UViT(depth=depth, **CONFIG)
            initialise(net)
            ema, steps, loss = train(net, data, total, args.batch, log, args.out / f"{name}.checkpoint")
            meta = CONFIG | {"depth": depth, "predicts": "v", "steps": steps, "loss": loss}
            save_file(ema, args.out / f"mnist.{name}.safetensors", metadata={"config": json.dumps(meta)})


if __name__ == "__main__":
    main()
