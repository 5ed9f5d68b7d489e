"""Adapters (LoRA): thin matrices that change a model without touching its weights."""

from __future__ import annotations

import copy
import os
from pathlib import Path

import torch
from torch import Tensor

from vampkit.errors import VampkitError
from vampkit.files import read_safetensors, write_safetensors
from vampkit.model import MaskedTransformer
from vampkit.weights.models import model_hash

FORMAT = "vampkit.adapters/1"


def save_adapters(adapters: dict[str, tuple[Tensor, Tensor]], path: str | os.PathLike, base: str, scale: float) -> Path:
    """Write LoRA adapters as safetensors in half precision. Beside first, then renamed.

    adapters: A [rank, inputs] and B [outputs, rank] by the name of the linear layer. base: hash of the model they
    change. scale: of B A.
    """
    flat = {f"{name}.{letter}": w for name, pair in adapters.items() for letter, w in zip("AB", pair, strict=True)}
    return write_safetensors(flat, path, FORMAT, {"base": base, "scale": scale}, dtype=torch.float16)


def load_adapters(path: str | os.PathLike, model: MaskedTransformer) -> MaskedTransformer:
    """A copy of the model with adapters added to its weights once: W + scale B A; the model given stays as it is.

    Raises FileNotFoundError where the file is missing, VampkitError where the adapters belong to another model or are
    in this one already. Notebook: 12.
    """
    header, tensors = read_safetensors(path, FORMAT)
    if model_hash(model) != header["base"]:
        raise VampkitError(
            f"the adapters in {Path(path).name} belong to the model {header['base']}, this one is {model_hash(model)}: it is another, or has adapters "
            "already; load the model they were trained on, and add them once"
        )
    adapters = {
        name[:-2]: (tensors[name].float(), tensors[name[:-2] + ".B"].float()) for name in tensors if name.endswith(".A")
    }
    return merged(model, adapters, header["scale"])


def merged(model: MaskedTransformer, adapters: dict[str, tuple[Tensor, Tensor]], scale: float) -> MaskedTransformer:
    """A copy of the model in which the weight of each named linear layer is W + scale B A."""
    model = copy.deepcopy(model)
    with torch.no_grad():
        for name, (a, b) in adapters.items():
            weight = model.get_submodule(name).weight
            weight += scale * (b @ a).to(weight)
    return model
