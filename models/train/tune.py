"""Tunes one trained net: the final convolution becomes the identity, the decoder is fitted again, all is trained a little more.

    python train.py t10k-images-idx3-ubyte.gz out/ && python tune.py t10k-images-idx3-ubyte.gz out/ deep --steps 1000

For nets trained from a random convolution: one that leans on its neighbours mispredicts the last column, which has none
on one side. Starts from out/NAME.checkpoint and writes out/mnist.NAME.safetensors.
"""
import argparse
import json
import pathlib

import torch
import torch.nn.functional as F
from safetensors.torch import save_file

import train
import uvit

BAR = uvit.linear_betas()[2]


def draw(data, count):
    """Noisy images, their timesteps, and v."""
    x = data[torch.randint(len(data), (count,))].float() / 127.5 - 1
    t = ((torch.arange(count) + torch.rand(count)) * (1000 / count)).long().clamp(0, 999)
    noise, a = torch.randn_like(x), BAR[t][:, None, None, None]
    return a.sqrt() * x + (1 - a).sqrt() * noise, t, a.sqrt() * noise - (1 - a).sqrt() * x


@torch.no_grad()
def refit(net, data):
    """The identity as final convolution, and the decoder that predicts v best by least squares."""
    torch.nn.init.dirac_(net.final_layer.weight)
    torch.nn.init.zeros_(net.final_layer.bias)
    rows = {}
    hook = net.norm.register_forward_hook(lambda _, __, out: rows.update(x=out[:, 1:]))
    gram, moment = torch.zeros(129, 129, dtype=torch.float64), torch.zeros(129, 16, dtype=torch.float64)
    for _ in range(20):
        x, t, v = draw(data, 128)
        net(x, t)
        f = F.pad(rows["x"].reshape(-1, 128).double(), (0, 1), value=1.0)
        gram += f.T @ f
        moment += f.T @ v.view(-1, 7, 4, 7, 4).permute(0, 1, 3, 2, 4).reshape(-1, 16).double()
    hook.remove()
    fitted = torch.linalg.solve(gram + 1e-3 * torch.eye(129, dtype=torch.float64), moment).float()
    net.decoder_pred.weight.copy_(fitted[:128].T)
    net.decoder_pred.bias.copy_(fitted[128])


def tune(net, data, steps):
    """A linear decay over `steps`; returns EMA weights as bfloat16 and the smoothed loss."""
    params = dict(net.named_parameters())
    hidden = {n: p for n, p in params.items() if p.ndim == 2 and "block" in n}
    muon = train.Muon(hidden.values())
    adam = torch.optim.AdamW([p for n, p in params.items() if n not in hidden], lr=1e-3, betas=(0.9, 0.98), weight_decay=0.0)
    ema, running = {k: v.detach().clone() for k, v in params.items()}, None
    for step in range(steps):
        rate = min(1, (step + 1) / 50) * (1 - step / steps)
        x, t, v = draw(data, 64)
        with torch.autocast("cpu", torch.bfloat16):
            f = net(x, t)
        loss = F.mse_loss(f.float(), v)
        for p in params.values():
            p.grad = None
        loss.backward()
        for group in adam.param_groups:
            group["lr"] = 1e-3 * rate
        adam.step()
        muon.step(0.01 * rate)
        torch._foreach_lerp_(list(ema.values()), [p.detach() for p in params.values()], 1 - min(0.995, (1 + step) / (10 + step)))
        running = loss.item() if running is None else 0.99 * running + 0.01 * loss.item()
    return {k: v.bfloat16().contiguous() for k, v in ema.items()}, running


def main():
    p = argparse.ArgumentParser()
    p.add_argument("images", type=pathlib.Path)
    p.add_argument("out", type=pathlib.Path)
    p.add_argument("name", choices=train.DEPTHS)
    p.add_argument("--steps", type=int, default=1000)
    args = p.parse_args()
    depth = train.DEPTHS[args.name]
    torch.manual_seed(depth)
    data = train.load(args.images)
    net = uvit.UViT(depth=depth, **train.CONFIG)
    net.load_state_dict(torch.load(args.out / f"{args.name}.checkpoint", weights_only=True)["ema"])
    refit(net, data)
    ema, loss = tune(net, data, args.steps)
    meta = train.CONFIG | {"depth": depth, "predicts": "v", "steps": args.steps, "loss": loss}
    save_file(ema, args.out / f"mnist.{args.name}.safetensors", metadata={"config": json.dumps(meta)})


if __name__ == "__main__":
    main()
