"""The paper's masked transformer: bidirectional, with one relative position bias shared by all layers.

    codes and mask [B, K, T] -> codebook vectors [B, 8 K, T] -> frames [B, T, D] -> blocks -> logits [B, P, T, V]

B items in the batch, K codebooks read and P of them predicted, T frames, width D, V entries in each codebook.

Paper: sections 3.1 and 4.2. Notebook: 03.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

from vampkit.arithmetic import Kept, Linear, attend, multiplied

__all__ = ["MaskedTransformer", "ModelConfig", "check_codes", "relative_buckets"]


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a masked transformer.

    The paper's (section 4.2): 20 layers (16 for coarse-to-fine), width 1280, 20 heads.

    Notebook: 03

    Parameters
    ----------
    codebooks : int
        Codebooks that the model reads, K.
    conditioning : int
        How many of these, counted from the first, are only given to the model and not predicted.
    layers : int
        Blocks of attention and feed-forward.
    width : int
        Size of the vector of one frame, D.
    heads : int
        Heads of the attention.
    entries : int
        Entries in each codebook, V.
    latent : int
        Size of a codebook vector.
    dropout : float
        Dropout probability in training.
    buckets : int
        Buckets of distances, each with its own relative bias; see `relative_buckets`.
    max_distance : int
        Distance in frames at which the ranges of the buckets would end. With 32 buckets and 128, all distances from 91
        on share the last one.

    Raises
    ------
    ValueError
        For numbers that no model can have, such as a width that the heads do not divide.
    """

    codebooks: int = 4
    conditioning: int = 0
    layers: int = 6
    width: int = 192
    heads: int = 4
    entries: int = 1024
    latent: int = 8
    dropout: float = 0.1
    buckets: int = 32
    max_distance: int = 128

    def __post_init__(self):
        least = dict(layers=1, width=1, heads=1, entries=1, latent=1, buckets=4, max_distance=self.buckets // 4 + 1)
        wrong = [f"{n} is {getattr(self, n)}, at least {low}" for n, low in least.items() if getattr(self, n) < low]
        if not 0 <= self.conditioning < self.codebooks:
            wrong += [
                f"{self.conditioning} conditioning codebooks of {self.codebooks} were given, fewer than all of them"
            ]
        if not wrong and self.width % self.heads:
            wrong = [f"width {self.width} and {self.heads} heads were given, a width that the heads divide"]
        if not 0 <= self.dropout < 1:
            wrong += [f"dropout is {self.dropout}, from 0 to below 1"]
        if wrong:
            raise ValueError(f"{wrong[0]} was expected")

    @property
    def predicted(self) -> int:
        """Codebooks that the model predicts."""
        return self.codebooks - self.conditioning


class MaskedTransformer(nn.Module):
    """Predicts the hidden tokens from the others (paper, section 3.1).

    Its parameters are named as in the reference code.

    Notebook: 03

    Parameters
    ----------
    config : ModelConfig
        The shape of the model.
    tables : Tensor
        The codebooks of the codec, float32 [codebooks, entries, latent]. They are not trained and not saved.

    Attributes
    ----------
    licence : str
        Licence of the weights, if they have one of their own, such as "CC BY-NC-SA 4.0".

    Raises
    ------
    ValueError
        For tables of another shape than the config's.
    """

    licence: str = ""

    def __init__(self, config: ModelConfig, tables: Tensor):
        super().__init__()
        if tuple(tables.shape) != (config.codebooks, config.entries, config.latent):
            expected = (config.codebooks, config.entries, config.latent)
            raise ValueError(f"tables of shape {tuple(tables.shape)} were given, {expected} was expected")
        self.config = config
        self.register_buffer("tables", tables.detach().clone().float(), persistent=False)
        self.embedding = Embedding(config)
        self.transformer = Transformer(config)
        self.classifier = Classifier(config)

    def forward(
        self,
        codes: Int[Tensor, "batch codebooks frames"],
        mask: Bool[Tensor, "batch codebooks frames"],
        hidden_only: bool = False,
        circular: bool = False,
    ) -> Float[Tensor, "batch predicted frames entries"] | Float[Tensor, "hidden entries"]:
        """Compute the logits of the predicted codebooks.

        Parameters
        ----------
        codes : Int[Tensor, "batch codebooks frames"]
            Values at hidden places are ignored. The others are not checked here (see `check_codes`): beyond the last
            entry they count as the last.
        mask : Bool[Tensor, "batch codebooks frames"]
            True = hidden.
        hidden_only : bool
            Compute only the logits of the hidden tokens, in the order of codes[mask]. This saves training most of the
            work of the last layer.
        circular : bool
            For loops: measure distances around a circle, so that the last frame is next to the first. The model knows
            positions only by their distances, so if codes and mask are rolled, the logits roll with them.

        Returns
        -------
        Tensor
            [batch, predicted, frames, entries], or [hidden tokens, entries].
        """
        x = self.transformer(self.embedding(codes, mask, self.tables), circular)
        first = self.config.conditioning
        if hidden_only:
            return self.classifier.at(x, mask[:, first:])
        return self.classifier(x)


class Embedding(nn.Module):
    """Codes to frames: the codebook vectors, or a learned vector where a token is hidden, then a 1x1 convolution."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.special = nn.ParameterDict({"MASK": nn.Parameter(torch.randn(config.codebooks, config.latent))})
        self.out_proj = nn.Conv1d(config.codebooks * config.latent, config.width, 1)

    def forward(
        self,
        codes: Int[Tensor, "batch codebooks frames"],
        mask: Bool[Tensor, "batch codebooks frames"],
        tables: Float[Tensor, "codebooks entries latent"],
    ) -> Float[Tensor, "batch frames width"]:
        """Make one vector per frame from the codes."""
        rows = [table[codes[:, k].clamp(max=len(table) - 1)] for k, table in enumerate(tables)]
        vectors = torch.stack(rows, 1)  # [batch, codebooks, frames, latent]
        vectors = torch.where(mask[..., None], self.special["MASK"][:, None], vectors)
        return self.out_proj(vectors.transpose(2, 3).flatten(1, 2)).transpose(1, 2)


class Transformer(nn.Module):
    """A stack of blocks, all with the relative bias of the first block, and a final norm."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.layers = nn.ModuleList([Block(config, first=i == 0) for i in range(config.layers)])
        self.norm = RMSNorm(config.width)

    def forward(
        self, x: Float[Tensor, "batch frames width"], circular: bool = False
    ) -> Float[Tensor, "batch frames width"]:
        """Run the blocks one after another; in each, every frame sees every other frame."""
        bias = self.layers[0].self_attn.position_bias(x.shape[1], circular).to(x.dtype)
        for layer in self.layers:
            x = layer(x, bias)
        return self.norm(x)


class Block(nn.Module):
    """x + attention(norm(x)), then x + feed-forward(norm(x))."""

    def __init__(self, config: ModelConfig, first: bool):
        super().__init__()
        self.norm_1, self.norm_3 = RMSNorm(config.width), RMSNorm(config.width)
        self.self_attn = Attention(config, first)
        self.feed_forward = FeedForward(config)
        self.dropout = nn.Dropout(config.dropout)

    def forward(
        self, x: Float[Tensor, "batch frames width"], bias: Float[Tensor, "1 heads frames frames"]
    ) -> Float[Tensor, "batch frames width"]:
        """Add the outputs of attention and feed-forward."""
        x = x + self.dropout(self.self_attn(self.norm_1(x), bias))
        return x + self.dropout(self.feed_forward(self.norm_3(x)))


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + 1e-6) * weight."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows width"]:
        """Scale each row to a mean square of 1, then multiply by the weight."""
        return F.rms_norm(x, x.shape[-1:], self.weight.to(x.dtype), 1e-6)


class Attention(nn.Module):
    """softmax(q k / sqrt(head size) + bias) v; every frame sees every frame."""

    def __init__(self, config: ModelConfig, first: bool):
        super().__init__()
        self.config = config
        self.w_qs, self.w_ks, self.w_vs, self.fc = (Linear(config.width, config.width, bias=False) for _ in range(4))
        self.bias = Kept()
        if first:
            self.relative_attention_bias = nn.Embedding(config.buckets, config.heads)

    def position_bias(self, frames: int, circular: bool = False) -> Float[Tensor, "1 heads queries keys"]:
        """Look up the bias of each distance. Only the first layer has the table."""
        table = self.relative_attention_bias.weight
        return self.bias.of((table,), (frames, circular), lambda: self._position_bias(frames, circular))

    def _position_bias(self, frames: int, circular: bool) -> Float[Tensor, "1 heads queries keys"]:
        place = torch.arange(frames, device=self.relative_attention_bias.weight.device)
        distance = place[None] - place[:, None]
        if circular:  # the shorter way round, from -(frames - 1) // 2 to frames // 2
            half = (frames - 1) // 2
            distance = (distance + half) % frames - half
        buckets = relative_buckets(distance, self.config.buckets, self.config.max_distance)
        bias = self.relative_attention_bias(buckets).permute(2, 0, 1)[None]
        return bias.contiguous()  # makes training and inference about 10 % faster on a CPU

    def forward(
        self, x: Float[Tensor, "batch frames width"], bias: Float[Tensor, "1 heads frames frames"]
    ) -> Float[Tensor, "batch frames width"]:
        """Average the values of all frames, weighted by how well queries and keys agree."""
        q, k, v = (
            w(x).unflatten(-1, (self.config.heads, -1)).transpose(1, 2) for w in (self.w_qs, self.w_ks, self.w_vs)
        )
        drop = self.config.dropout if self.training else 0.0
        mixed = attend(q, k, v, bias.to(q.dtype), drop)
        return self.fc(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """w_2(p * gelu(gate)), where p is the first half of the output of w_1 and gate the second."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.w_1 = Linear(config.width, 4 * config.width, bias=False)
        self.w_2 = Linear(2 * config.width, config.width, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows width"]:
        """Transform each frame on its own."""
        p, gate = self.w_1(x).chunk(2, -1)
        return self.w_2(self.dropout(p * F.gelu(gate, approximate="tanh")))


class Classifier(nn.Module):
    """Frames to logits: a weight-normed 1x1 convolution.

    The logit of an entry of a codebook is output channel entry * predicted + codebook, as in the reference code.
    """

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.predicted = config.predicted
        self.layers = nn.ModuleList([WeightNormed(config.width, config.entries * config.predicted)])
        self.rows = Kept()

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch predicted frames entries"]:
        """Logits of all tokens."""
        layer = self.layers[0]
        logits = F.linear(x, layer.weight(), layer.bias)
        return logits.unflatten(-1, (-1, self.predicted)).permute(0, 3, 1, 2)

    def at(
        self, x: Float[Tensor, "batch frames width"], mask: Bool[Tensor, "batch predicted frames"]
    ) -> Float[Tensor, "hidden entries"]:
        """Logits of only the hidden tokens, in the order of codes[mask]."""
        layer = self.layers[0]
        heads = self.rows.of(tuple(layer.parameters()), (), self._by_codebook)
        parts = [multiplied(x[mask[:, p]], *head) for p, head in enumerate(heads)]
        if len(x) == 1:  # they are in order: a codebook after the other
            return torch.cat(parts)
        place = [torch.nonzero(mask[:, p]) for p in range(self.predicted)]
        order = torch.cat(
            [(where[:, 0] * self.predicted + p) * mask.shape[-1] + where[:, 1] for p, where in enumerate(place)]
        ).argsort()
        return torch.cat(parts)[order]

    def _by_codebook(self) -> list[tuple[Float[Tensor, "entries width"], Float[Tensor, " entries"]]]:
        """Weights and biases of each predicted codebook."""
        layer = self.layers[0]
        weight, bias = (t.unflatten(0, (-1, self.predicted)) for t in (layer.weight(), layer.bias))
        return [(weight[:, p].contiguous(), bias[:, p].contiguous()) for p in range(self.predicted)]


class WeightNormed(nn.Module):
    """A linear layer with weights W = g v / |v|, where each output channel has a row of v and a number g."""

    def __init__(self, width: int, channels: int):
        super().__init__()
        bound = 1 / math.sqrt(width)
        self.weight_v = nn.Parameter(torch.empty(channels, width, 1).uniform_(-bound, bound))
        self.weight_g = nn.Parameter(self.weight_v.detach().norm(dim=1, keepdim=True))
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-bound, bound))

    def weight(self) -> Float[Tensor, "channels width"]:
        """The rows of v, each scaled to the length g."""
        return (self.weight_g * self.weight_v / self.weight_v.norm(dim=1, keepdim=True))[..., 0]


def relative_buckets(distance: Int[Tensor, "*shape"], buckets: int = 32, most: int = 128) -> Int[Tensor, "*shape"]:
    """Put each distance between two frames into one of a few buckets.

    One half of the buckets is for distances to the left, the other for those to the right. In each half, the first
    buckets hold one distance each, the others ranges that grow logarithmically. Computed in float32 as in the
    reference code, because rounding decides where the ranges end.

    Notebook: 03

    Parameters
    ----------
    distance : Int[Tensor, "*shape"]
        Key minus query, in frames.
    buckets : int
        Number of buckets, both sides together.
    most : int
        Distance in frames at which the ranges would end. With 32 buckets and 128, all distances from 91 on share the
        last bucket of their side.

    Returns
    -------
    Tensor
        Number of the bucket, int64, in the same shape [..].
    """
    side = buckets // 2
    exact = side // 2
    away = distance.abs()
    far = exact + (torch.log(away.clamp(min=1).float() / exact) / math.log(most / exact) * (side - exact)).long()
    return side * (distance > 0).long() + torch.where(away < exact, away, far.clamp(max=side - 1))


def check_codes(codes: Tensor, entries: int) -> None:
    """Raise an error if a tensor does not hold valid codes.

    Parameters
    ----------
    codes : Tensor
        Should be int64 [codebooks, frames] or [batch, codebooks, frames].
    entries : int
        Entries in each codebook; codes must lie from 0 to entries - 1.

    Raises
    ------
    TypeError, ValueError
        For another type, shape or range.
    """
    if not isinstance(codes, Tensor) or codes.dtype != torch.int64:
        kind = codes.dtype if isinstance(codes, Tensor) else type(codes).__name__
        raise TypeError(
            f"codes of type {kind} were given, a torch.int64 tensor was expected; "
            "convert with torch.as_tensor(codes).long()"
        )
    if codes.ndim not in (2, 3) or 0 in codes.shape:
        raise ValueError(
            f"codes of shape {tuple(codes.shape)} were given, [codebooks, frames] or [batch, codebooks, frames] "
            "without empty axes was expected"
        )
    low, high = int(codes.min()), int(codes.max())
    if low < 0 or high >= entries:
        hint = "; these codes still hold masked places, sample them first" if high == entries else ""
        raise ValueError(f"codes run from {low} to {high}, 0 to {entries - 1} was expected{hint}")


def check_mask(mask: Tensor, meaning: str = "(True hides); convert with mask.bool()") -> None:
    """Raise TypeError if a mask is not a boolean tensor. meaning: what True does, and what to do."""
    if not isinstance(mask, Tensor) or mask.dtype != torch.bool:
        kind = getattr(mask, "dtype", type(mask).__name__)
        raise TypeError(f"a mask of type {kind} was given, torch.bool was expected {meaning}")
