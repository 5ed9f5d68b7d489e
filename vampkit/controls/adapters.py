"""Adapters that tell a masked model what to follow, frame by frame. The model's own weights stay as they are.

    curves [B, C, T] -> two convolutions -> h [B, T, D]
    before each block:  x + B(gelu(A [rmsnorm(x); h]))

B begins at zero, so an untrained adapter changes nothing. Where no control is given, the model runs without adapters,
to the bit. Source: zero-begun adapters (Houlsby et al. 2019); controls of this kind: TRIA, Sketch2Sound. Notebook: 14.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from vampkit.model import MaskedTransformer


@dataclass(frozen=True)
class AdapterConfig:
    """Shape of the adapters.

    Parameters
    ----------
    layers, width : int
        Blocks and width D of the model they are for.
    channels : int
        Rows of the curves, C: values of all controls, and one row for each control that says whether it is given.
    hidden : int
        Size of the bottleneck of an adapter.
    reading : int
        Channels between the two convolutions that read the curves.
    kernels : tuple of (int, int)
        Lengths of the two convolutions in frames; odd.
    """

    layers: int = 6
    width: int = 192
    channels: int = 19
    hidden: int = 96
    reading: int = 64
    kernels: tuple[int, int] = (9, 5)


class Adapters(nn.Module):
    """The convolutions that read the curves, and one adapter for each block.

    Parameters
    ----------
    config : AdapterConfig
        The shape.
    """

    def __init__(self, config: AdapterConfig):
        super().__init__()
        self.config = config
        sizes = (config.channels, config.reading, config.width)
        self.convolutions = nn.ModuleList(
            [nn.Conv1d(a, b, k) for a, b, k in zip(sizes, sizes[1:], config.kernels, strict=False)]
        )
        self.down = nn.ModuleList(
            [nn.Linear(2 * config.width, config.hidden, bias=False) for _ in range(config.layers)]
        )
        self.up = nn.ModuleList([nn.Linear(config.hidden, config.width, bias=False) for _ in range(config.layers)])
        for layer in self.up:
            nn.init.zeros_(layer.weight)

    def read(
        self, curves: Float[Tensor, "batch channels frames"], circular: bool = False
    ) -> Float[Tensor, "batch frames width"]:
        """Turn the curves into one vector a frame. circular: the frame after the last is the first."""
        x = curves
        for i, convolution in enumerate(self.convolutions):
            x = F.gelu(x) if i else x
            side = convolution.kernel_size[0] // 2
            x = convolution(_padded(x, side, circular))
        x = x.transpose(1, 2)
        return F.rms_norm(x, x.shape[-1:], eps=1e-6)

    def change(
        self, layer: int, x: Float[Tensor, "batch frames width"], h: Float[Tensor, "batch frames width"]
    ) -> Float[Tensor, "batch frames width"]:
        """What the adapter of a block adds to the block's input."""
        joined = torch.cat([F.rms_norm(x, x.shape[-1:], eps=1e-6), h.expand(len(x), -1, -1)], -1)
        return self.up[layer](F.gelu(self.down[layer](joined)))


def _padded(x: Tensor, side: int, circular: bool) -> Tensor:
    if not circular:
        return F.pad(x, (side, side))
    frames = x.shape[-1]
    return x[..., torch.arange(-side, frames + side, device=x.device) % frames]


class Following(nn.Module):
    """A masked model that follows curves. It is called like the model itself.

    Parameters
    ----------
    model : MaskedTransformer
        The model; its weights are shared, not copied.
    adapters : Adapters
        Adapters for it.
    curves : Tensor, optional
        float [1 or batch, channels, frames]. Set `curves` before each call if they change.
    strength : float
        Factor of what the adapters add: 0 follows nothing, 1 as trained.
    guidance : float
        Weight w of what the curves change: logits without them + w (logits with them - logits without). 1 is with them;
        any other value costs a second call of the model. Source: classifier-free guidance (Ho and Salimans 2022).
    """

    def __init__(
        self,
        model: MaskedTransformer,
        adapters: Adapters,
        curves: Tensor | None = None,
        strength: float = 1.0,
        guidance: float = 1.0,
    ):
        super().__init__()
        self.model, self.adapters, self.curves = model, adapters, curves
        self.strength, self.guidance = strength, guidance
        self.config = model.config

    def forward(
        self,
        codes: Int[Tensor, "batch codebooks frames"],
        mask: Bool[Tensor, "batch codebooks frames"],
        hidden_only: bool = False,
        circular: bool = False,
    ) -> Float[Tensor, "batch predicted frames entries"] | Float[Tensor, "hidden entries"]:
        """Compute the logits as `MaskedTransformer` does, with an adapter before each block."""
        told = self._told(codes, mask, hidden_only, circular)
        if self.guidance == 1:
            return told
        untold = self.model(codes, mask, hidden_only, circular)
        return untold + self.guidance * (told - untold)

    def _told(self, codes: Tensor, mask: Tensor, hidden_only: bool, circular: bool) -> Tensor:
        model = self.model
        x = model.embedding(codes, mask, model.tables)
        h = self.adapters.read(self.curves.to(x), circular)
        bias = model.transformer.layers[0].self_attn.position_bias(x.shape[1], circular).to(x.dtype)
        for number, block in enumerate(model.transformer.layers):
            x = block(x + self.strength * self.adapters.change(number, x, h), bias)
        x = model.transformer.norm(x)
        if hidden_only:
            return model.classifier.at(x, mask[:, self.config.conditioning :])
        return model.classifier(x)
