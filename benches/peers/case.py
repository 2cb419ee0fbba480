"""A net with its weights and inputs, as our side wrote them."""
import pathlib
import sys

import torch
from safetensors.torch import load_file

sys.path.append(str(pathlib.Path(__file__).parents[2] / "models" / "train"))
import uvit  # noqa: E402  the reference that the parity tests are made with


class Case:
    """net: UViT, ready for inference; inputs: (x [B, C, H, W], t [B]) and y [B] for conditional pairs."""

    def __init__(self, path):
        tensors = load_file(path)
        self.folder = pathlib.Path(path).parent
        self.inputs = (tensors.pop("x"), tensors.pop("t"))
        if "y" in tensors:
            self.inputs += (tensors.pop("y").long(),)
        state = {key.removeprefix("net."): tensor for key, tensor in tensors.items()}
        self.net = uvit.UViT(**shape(state, self.inputs[0].shape)).eval()
        self.net.load_state_dict(state)
        self.net.requires_grad_(False)


def shape(state, image):
    """The arguments of a U-ViT that has these tensors. All of these pairs have heads 64 wide."""
    dim, chans, patch, _ = state["patch_embed.proj.weight"].shape
    labels = state.get("label_emb.weight")
    blocks = len({key.split(".")[1] for key in state if key.startswith("in_blocks.")})
    return {
        "img": image[-1], "patch": patch, "chans": chans, "dim": dim, "depth": 2 * blocks + 1, "heads": dim // 64,
        "ratio": state["mid_block.mlp.fc1.weight"].shape[0] // dim,
        "classes": None if labels is None else len(labels), "normalize": labels is None,
    }
