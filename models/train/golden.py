"""Writes tests/data/mnist.cases.safetensors: forwards and trajectories of the embedded pair in PyTorch float32.

    pip install torch safetensors
    python models/train/golden.py models/weights tests/data

The noise of the trajectories is stored with them, so that any sampler can be given the same.
"""
import json
import pathlib
import sys

import torch
from safetensors import safe_open
from safetensors.torch import load_file, save_file

import uvit


def epsilon(net, predicts):
    """The net as a noise predictor, whatever it predicts."""
    bar = uvit.linear_betas()[2]

    def run(x, t, y):
        f = net(x, t, y)
        if predicts == "epsilon":
            return f
        a = bar[t.long()][:, None, None, None]
        return a.sqrt() * f + (1 - a).sqrt() * x

    return run


def main(weights, out):
    nets, samplers = {}, {}
    for phase in ("shallow", "deep"):
        path = weights / f"mnist.{phase}.safetensors"
        config = json.loads(safe_open(path, "pt").metadata()["config"])
        arguments = {k: config[k] for k in ("img", "patch", "chans", "dim", "heads", "normalize", "depth")}
        nets[phase] = uvit.UViT(**arguments).eval()
        nets[phase].load_state_dict({k: v.float() for k, v in load_file(path).items()})
        samplers[phase] = epsilon(nets[phase], config["predicts"])
    g = torch.Generator().manual_seed(7)
    x4, x1 = torch.randn((4, 1, 28, 28), generator=g), torch.randn((1, 1, 28, 28), generator=g)
    noise = torch.randn((1000, 1, 28, 28), generator=g)
    t = torch.tensor([999.0, 700.0, 300.0, 0.0])
    case = {"x": x4, "t": t, "xT": x1, "ddpm.noise": noise}
    shallow, deep = samplers["shallow"], samplers["deep"]
    with torch.no_grad():
        for phase, net in nets.items():
            case[f"f.{phase}"] = net(x4, t)
    case["ddpm.x0.switch300"] = uvit.ddpm(shallow, deep, 300, x1, lambda s: noise[s:s + 1])
    case["ddim50.x0.switch300"] = uvit.ddim(shallow, deep, 300, x4, 50)
    save_file({k: v.contiguous() for k, v in case.items()}, out / "mnist.cases.safetensors",
              metadata={"config": json.dumps(arguments | {"shallow": 3, "deep": 9, "predicts": config["predicts"]})})


if __name__ == "__main__":
    main(pathlib.Path(sys.argv[1]), pathlib.Path(sys.argv[2]))
