"""Coarser numbers for masked models, which are faster: bf16, or whole numbers of 8 bits.

bf16 halves the weights and is faster on a GPU, with AMX, and on some processors with AVX-512 BF16. int8 stores the
matrices of the blocks as whole numbers with a scale a row, and multiplies them with activations that are rounded to 8
bits frame by frame; all else is bf16 where that is faster, else float32. It needs a processor with VNNI. Notebook: 03.
"""

from __future__ import annotations

import torch
from jaxtyping import Float
from torch import Tensor, nn

from vampkit.arithmetic import Linear, bf16_is_fast
from vampkit.model import MaskedTransformer

PRECISIONS = ("float32", "bf16", "int8", "auto")
"""Names of the precisions. "auto" is bf16 where it is fast, else float32."""


class Int8Linear(nn.Module):
    """A linear layer without bias whose weights are whole numbers of 8 bits with a scale a row.

    Parameters
    ----------
    weight : Float[Tensor, "outputs inputs"]
        The weights.
    """

    def __init__(self, weight: Float[Tensor, "outputs inputs"]):
        super().__init__()
        weight = weight.detach().float()
        self.scale = (weight.abs().amax(1) / 127).clamp(min=1e-12)
        numbers = (weight / self.scale[:, None]).round().to(torch.int8)
        self.packed = torch.ops.onednn.qlinear_prepack(numbers, None)
        self.zeros = torch.zeros(len(weight), dtype=torch.long)

    def forward(self, x: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        """Round each row to 8 bits with a scale of its own, and multiply."""
        rows = x.flatten(0, -2).float()
        scale = (rows.abs().amax(-1, keepdim=True) / 127).clamp(min=1e-12)
        numbers = (rows / scale).round_().add_(128).to(torch.uint8)  # unsigned with 128 as zero is what VNNI takes
        made = torch.ops.onednn.qlinear_pointwise(
            *(numbers, 1.0, 128, self.packed, self.scale, self.zeros, None), *(1.0, 0, torch.float32, "none", [], "")
        )
        return made.mul_(scale).to(x.dtype).unflatten(0, x.shape[:-1])


class Folded(nn.Module):
    """A weight-normed layer whose weights were computed once.

    Parameters
    ----------
    layer : nn.Module
        The layer of a classifier.
    dtype : torch.dtype
        Type of the weights.
    """

    def __init__(self, layer: nn.Module, dtype: torch.dtype):
        super().__init__()
        self.whole = nn.Parameter(layer.weight().detach().to(dtype), requires_grad=False)
        self.bias = nn.Parameter(layer.bias.detach().to(dtype), requires_grad=False)

    def weight(self) -> Float[Tensor, "channels width"]:
        """The weights."""
        return self.whole


def resolved(precision: str, device: str) -> str:
    """Replace "auto", and refuse a precision that the device does not have.

    Parameters
    ----------
    precision : str
        One of `PRECISIONS`.
    device : str
        "cpu", "cuda" or "mps".

    Returns
    -------
    str
        "float32", "bf16" or "int8".

    Raises
    ------
    ValueError
        For another word, or for int8 where it cannot be computed.
    """
    if precision not in PRECISIONS:
        raise ValueError(f"the precision {precision!r} was asked for, one of {', '.join(PRECISIONS)} was expected")
    if precision == "auto":
        if device == "cuda":
            fast = torch.cuda.is_bf16_supported(including_emulation=False)
        else:
            fast = device == "cpu" and bf16_is_fast()
        return "bf16" if fast else "float32"
    if precision == "int8" and not (device == "cpu" and torch.cpu._is_vnni_supported()):
        raise ValueError(
            f"int8 was asked for on the device {device}; it needs the device cpu and a processor with VNNI: choose bf16"
        )
    return precision


def lowered(model: MaskedTransformer, precision: str) -> MaskedTransformer:
    """Turn a model into one of lower precision, in place. It can be sampled from but not saved or trained.

    Parameters
    ----------
    model : MaskedTransformer
        The model.
    precision : str
        "float32" changes nothing; "bf16" or "int8".

    Returns
    -------
    MaskedTransformer
        The same model.
    """
    if precision == "float32":
        return model
    rest = torch.bfloat16 if precision == "bf16" or bf16_is_fast() else torch.float32
    model.classifier.layers[0] = Folded(model.classifier.layers[0], rest)
    if precision == "int8":
        for block in model.transformer.layers:
            for room in (block.self_attn, block.feed_forward):
                for name, layer in list(room.named_children()):
                    if isinstance(layer, Linear):
                        setattr(room, name, Int8Linear(layer.weight))
    return model.to(rest).eval().requires_grad_(False)
