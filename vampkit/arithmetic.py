"""How the model multiplies: products and attention as in torch, in the way that is fastest for the processor.

Nothing here is of the paper. `Linear` is torch's layer, `attend` its attention; read them as these. Notebook: 03.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Callable
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F
from jaxtyping import Float
from torch import Tensor, nn


class Linear(nn.Linear):
    """A linear layer that uses `multiplied`."""

    def forward(self, x: Float[Tensor, "*rows inputs"]) -> Float[Tensor, "*rows outputs"]:
        """Multiply each row by the weights."""
        return multiplied(x, self.weight, self.bias)


class Kept:
    """What was last computed from some parameters. Without gradients it is used again until one of them changes."""

    def __init__(self) -> None:
        self.key: Any = None
        self.value: Any = None

    def of(self, parameters: tuple[Tensor, ...], rest: tuple, make: Callable[[], Any]) -> Any:
        """Compute a value from the parameters and the rest of the key, or look it up."""
        if torch.is_grad_enabled() or any(p.is_inference() for p in parameters):
            return make()
        key = (*((p.data_ptr(), p._version, p.dtype, p.device) for p in parameters), rest)
        if key != self.key:
            self.key, self.value = key, make()
        return self.value


def multiplied(
    x: Float[Tensor, "*rows inputs"], weight: Float[Tensor, "outputs inputs"], bias: Float[Tensor, " outputs"] | None
) -> Float[Tensor, "*rows outputs"]:
    """Multiply each row by weights: without gradients on a CPU by oneDNN, which on some is twice as fast as F.linear.

    On Intel's processors F.linear is faster, as it calls Intel's own library. Up to 192 inputs both gave the same
    numbers where this was measured. From 512 on they differ by rounding, and the gain is largest. In between F.linear
    is kept, so that takes of the bundled models stay what they were.

    Parameters
    ----------
    x : Float[Tensor, "*rows inputs"]
        Any number of rows.
    weight : Float[Tensor, "outputs inputs"]
        The weights.
    bias : Float[Tensor, " outputs"], optional
        Added to each row.

    Returns
    -------
    Tensor
        [.., outputs].
    """
    inputs = weight.shape[1]
    usual = torch.is_grad_enabled() or x.device.type != "cpu" or x.dtype != torch.float32 or weight.dtype != x.dtype
    if usual or 192 < inputs < 512 or x.numel() < 8 * inputs or torch.is_autocast_enabled("cpu") or not ONEDNN:
        return F.linear(x, weight, bias)
    return torch.ops.mkldnn._linear_pointwise(x, weight, bias, "none", [], "")


def _intel() -> bool:
    """Whether the processor is Intel's."""
    about = Path("/proc/cpuinfo")
    return "GenuineIntel" in (about.read_text() if about.is_file() else platform.processor())


# Intel's library is slow where MKL_CBWR asks it for the same rounding on all processors.
ONEDNN = (
    torch.backends.mkldnn.is_available()
    and hasattr(torch.ops.mkldnn, "_linear_pointwise")
    and not (torch.backends.mkl.is_available() and _intel() and "MKL_CBWR" not in os.environ)
)
"""Whether this build of torch can multiply with oneDNN, and is faster with it on this processor."""


def bf16_is_fast() -> bool:
    """Whether this processor multiplies faster in bf16 than in float32: by AMX, or by AVX-512 BF16 if not Intel's.

    On Intel's processors without AMX, a product in bf16 was measured to be slower than one in float32.
    """
    return torch.cpu._is_amx_tile_supported() or (torch.cpu._is_avx512_bf16_supported() and not _intel())


def attend(
    q: Float[Tensor, "batch heads frames size"],
    k: Float[Tensor, "batch heads frames size"],
    v: Float[Tensor, "batch heads frames size"],
    bias: Float[Tensor, "1 heads frames frames"],
    dropout: float = 0.0,
) -> Float[Tensor, "batch heads frames size"]:
    """Compute softmax(q k / sqrt(size) + bias) v, in the way that is fastest for the device and the type.

    Parameters
    ----------
    q, k, v : Float[Tensor, "batch heads frames size"]
        Queries, keys and values.
    bias : Float[Tensor, "1 heads frames frames"]
        Added to the scores.
    dropout : float
        Dropout probability of the weights.

    Returns
    -------
    Tensor
        [batch, heads, frames, size].
    """
    if q.dtype == torch.bfloat16 and q.device.type == "cpu" and not torch.is_grad_enabled():
        scores = torch.matmul(q * q.shape[-1] ** -0.5, k.transpose(-1, -2))  # here torch's fused kernel is slower
        return torch.matmul(scores.add_(bias).softmax(-1), v)
    return F.scaled_dot_product_attention(q, k, v, attn_mask=bias, dropout_p=dropout)
