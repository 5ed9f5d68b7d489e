"""The masked transformer, exactly the paper's: bidirectional, with one relative position bias shared by all layers.

codes and mask [B, K, T] -> code vectors [B, 8 K, T] -> width [B, T, D] -> blocks -> logits [B, P, T, V]

Paper: section 3.1 and 4.2. Notebook: 03.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor, nn

__all__ = ["MaskedTransformer", "ModelConfig", "check_codes", "relative_buckets"]

HEAD_START = 2.0
"""Length of every row of a new head: of 0.5, 2 and 5 the one that had learned most after 250 steps."""


@dataclass(frozen=True)
class ModelConfig:
    """Shape of a masked transformer.

    The paper's (section 4.2): 20 layers (16 for coarse-to-fine), width 1280, 20 heads.

    Notebook: 03

    Parameters
    ----------
    codebooks : int
        Codebooks that it reads, K.
    conditioning : int
        How many of them, from the first on, it is given and does not predict.
    layers : int
        Blocks of attention and feed-forward.
    width : int
        Numbers a frame, D.
    heads : int
        Of the attention.
    entries : int
        Entries a codebook, V.
    latent : int
        Numbers a codebook vector.
    dropout : float
        Chance that a number is dropped in training.
    buckets : int
        Of the relative bias.
    max_distance : int
        Frames from which on all distances share a bucket.
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

    @property
    def predicted(self) -> int:
        """Codebooks that the model predicts."""
        return self.codebooks - self.conditioning


class MaskedTransformer(nn.Module):
    """Predicts hidden tokens from the others (paper, section 3.1; parameters are named as in the reference code).

    Notebook: 03

    Parameters
    ----------
    config : ModelConfig
        Its shape.
    tables : Tensor
        The codec's raw codebooks, float32 [codebooks, entries, latent]; they are not trained and not saved.

    Raises
    ------
    ValueError
        For tables of another shape than the config's.
    """

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
        """Logits of the predicted codebooks.

        Parameters
        ----------
        codes : Int[Tensor, "batch codebooks frames"]
            What they hold where hidden does not matter.
        mask : Bool[Tensor, "batch codebooks frames"]
            True = hidden.
        hidden_only : bool
            Logits of the hidden tokens alone, in the order of codes[mask], which spares training most of the head.
        circular : bool
            Take distances between frames around a circle, so that the last frame is the first one's neighbour (for
            loops). Turning codes and mask then turns the logits, since the model knows of place by distance alone.

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

    @torch.no_grad()
    def start_local(self, generator: torch.Generator) -> None:
        """Start so that small models learn in minutes.

        Inputs of one size, heads that look at near frames first, residual outputs zero, logits by direction.

        The head starts as the codec chooses: an entry's logit is the cosine between its codebook vector and 8 numbers
        that the model makes, every codebook in directions of its own. What is learned of one entry then holds for those
        near to it.
        """
        for name, weight in self.named_parameters():
            if weight.ndim == 2 and name.startswith("transformer.layers") and "bias" not in name:
                bound = 1 / math.sqrt(weight.shape[1])
                weight.uniform_(-bound, bound, generator=generator)
        for layer in self.transformer.layers:
            layer.self_attn.fc.weight.zero_()
            layer.feed_forward.w_2.weight.zero_()
        # Raw codebooks differ in size, the last ones tenfold smaller than the first: the input weights make up for it.
        level = self.tables.square().mean((1, 2)).sqrt()
        self.embedding.special["MASK"].normal_(generator=generator).mul_(level[:, None])
        bound = 1 / math.sqrt(self.embedding.out_proj.in_channels)
        weight = self.embedding.out_proj.weight.uniform_(-bound, bound, generator=generator)
        weight.div_(level.repeat_interleave(self.config.latent)[None, :, None])
        self.embedding.out_proj.bias.zero_()
        places = nn.init.orthogonal_(
            torch.empty(self.config.predicted * self.config.latent, self.config.width), generator=generator
        )
        directions = F.normalize(self.tables[self.config.conditioning :], dim=-1)
        rows = torch.einsum("ped,pdw->epw", directions, places.unflatten(0, (self.config.predicted, -1)).to(directions))
        head = self.classifier.layers[0]
        head.weight_v.copy_(rows.flatten(0, 1)[..., None])
        head.weight_g.fill_(HEAD_START)
        head.bias.zero_()
        self.transformer.layers[0].self_attn.relative_attention_bias.weight.copy_(local_bias(self.config))


class Embedding(nn.Module):
    """Codes to width: raw codebook vectors, a learned vector where hidden, one 1x1 convolution."""

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
        """Read one vector a frame from the codes."""
        rows = [table[codes[:, k].clamp(max=len(table) - 1)] for k, table in enumerate(tables)]
        vectors = torch.stack(rows, 1)  # [batch, codebooks, frames, latent]
        vectors = torch.where(mask[..., None], self.special["MASK"][:, None], vectors)
        return self.out_proj(vectors.transpose(2, 3).flatten(1, 2)).transpose(1, 2)


class Transformer(nn.Module):
    """Blocks that share the relative bias of the first, and a last norm."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.layers = nn.ModuleList([Block(config, first=i == 0) for i in range(config.layers)])
        self.norm = RMSNorm(config.width)

    def forward(
        self, x: Float[Tensor, "batch frames width"], circular: bool = False
    ) -> Float[Tensor, "batch frames width"]:
        """Let every frame hear of every other, block after block."""
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
        """Add what attention and feed-forward have to say."""
        x = x + self.dropout(self.self_attn(self.norm_1(x), bias))
        return x + self.dropout(self.feed_forward(self.norm_3(x)))


class RMSNorm(nn.Module):
    """x / sqrt(mean(x^2) + 1e-6) * weight."""

    def __init__(self, width: int):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(width))

    def forward(self, x: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows width"]:
        """Bring each row to one size."""
        return F.rms_norm(x, x.shape[-1:], self.weight.to(x.dtype), 1e-6)


class Attention(nn.Module):
    """softmax(q k / sqrt(size) + bias) v, all frames seeing all frames."""

    def __init__(self, config: ModelConfig, first: bool):
        super().__init__()
        self.config = config
        self.w_qs, self.w_ks, self.w_vs, self.fc = (nn.Linear(config.width, config.width, bias=False) for _ in range(4))
        if first:
            self.relative_attention_bias = nn.Embedding(config.buckets, config.heads)

    def position_bias(self, frames: int, circular: bool = False) -> Float[Tensor, "1 heads queries keys"]:
        """Look up the bias of each distance in the table that only the first layer has."""
        place = torch.arange(frames, device=self.w_qs.weight.device)
        distance = place[None] - place[:, None]
        if circular:  # the shorter way round, from -(frames - 1) // 2 to frames // 2
            half = (frames - 1) // 2
            distance = (distance + half) % frames - half
        buckets = relative_buckets(distance, self.config.buckets, self.config.max_distance)
        bias = self.relative_attention_bias(buckets).permute(2, 0, 1)[None]
        return bias.contiguous()  # training and looking take 0.9 of the time on a CPU

    def forward(
        self, x: Float[Tensor, "batch frames width"], bias: Float[Tensor, "1 heads frames frames"]
    ) -> Float[Tensor, "batch frames width"]:
        """Mix the frames by how well queries and keys agree."""
        q, k, v = (
            w(x).unflatten(-1, (self.config.heads, -1)).transpose(1, 2) for w in (self.w_qs, self.w_ks, self.w_vs)
        )
        drop = self.config.dropout if self.training else 0.0
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype), dropout_p=drop)
        return self.fc(mixed.transpose(1, 2).flatten(2))


class FeedForward(nn.Module):
    """w_2(p * gelu(gate)), where w_1 makes p and gate, the second half being the gate."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.w_1 = nn.Linear(config.width, 4 * config.width, bias=False)
        self.w_2 = nn.Linear(2 * config.width, config.width, bias=False)
        self.dropout = nn.Dropout(config.dropout)

    def forward(self, x: Float[Tensor, "*rows width"]) -> Float[Tensor, "*rows width"]:
        """Work on each frame by itself."""
        p, gate = self.w_1(x).chunk(2, -1)
        return self.w_2(self.dropout(p * F.gelu(gate, approximate="tanh")))


class Classifier(nn.Module):
    """Width to logits: a weight-normed 1x1 convolution whose output channel is entry * predicted + codebook."""

    def __init__(self, config: ModelConfig):
        super().__init__()
        self.predicted = config.predicted
        self.layers = nn.ModuleList([WeightNormed(config.width, config.entries * config.predicted)])

    def forward(self, x: Float[Tensor, "batch frames width"]) -> Float[Tensor, "batch predicted frames entries"]:
        """Logits of all tokens."""
        layer = self.layers[0]
        logits = F.linear(x, layer.weight(), layer.bias)
        return logits.unflatten(-1, (-1, self.predicted)).permute(0, 3, 1, 2)

    def at(
        self, x: Float[Tensor, "batch frames width"], mask: Bool[Tensor, "batch predicted frames"]
    ) -> Float[Tensor, "hidden entries"]:
        """Logits of the hidden tokens alone, in the order of a boolean index."""
        layer = self.layers[0]
        weight, bias = (t.unflatten(0, (-1, self.predicted)) for t in (layer.weight(), layer.bias))
        parts = [F.linear(x[mask[:, p]], weight[:, p], bias[:, p]) for p in range(self.predicted)]
        place = [torch.nonzero(mask[:, p]) for p in range(self.predicted)]
        order = torch.cat(
            [(where[:, 0] * self.predicted + p) * mask.shape[-1] + where[:, 1] for p, where in enumerate(place)]
        ).argsort()
        return torch.cat(parts)[order]


class WeightNormed(nn.Module):
    """W = g v / |v| with a row of v an output channel."""

    def __init__(self, width: int, channels: int):
        super().__init__()
        bound = 1 / math.sqrt(width)
        self.weight_v = nn.Parameter(torch.empty(channels, width, 1).uniform_(-bound, bound))
        self.weight_g = nn.Parameter(self.weight_v.detach().norm(dim=1, keepdim=True))
        self.bias = nn.Parameter(torch.empty(channels).uniform_(-bound, bound))

    def weight(self) -> Float[Tensor, "channels width"]:
        """Rows of v, each as long as its g says."""
        return (self.weight_g * self.weight_v / self.weight_v.norm(dim=1, keepdim=True))[..., 0]


def relative_buckets(distance: Int[Tensor, "*shape"], buckets: int = 32, most: int = 128) -> Int[Tensor, "*shape"]:
    """Bucket of each distance: half of the buckets a side, exact up to a quarter of them, then logarithmic.

    Computed in float32 as in the reference code, whose roundings decide the borders.

    Notebook: 03

    Parameters
    ----------
    distance : Int[Tensor, "*shape"]
        Key minus query, in frames.
    buckets : int
        How many there are, both sides together.
    most : int
        Frames from which on all distances share a bucket.

    Returns
    -------
    Tensor
        int64, the same shape [..].
    """
    side = buckets // 2
    exact = side // 2
    away = distance.abs()
    far = exact + (torch.log(away.clamp(min=1).float() / exact) / math.log(most / exact) * (side - exact)).long()
    return side * (distance > 0).long() + torch.where(away < exact, away, far.clamp(max=side - 1))


def local_bias(config: ModelConfig) -> Tensor:
    """A table [buckets, heads] with which heads look back, ahead, around and everywhere, by fours, each four flatter
    than the last."""
    side = config.buckets // 2
    span = torch.arange(4 * config.max_distance)
    of = relative_buckets(-span, config.buckets, config.max_distance)
    distance = torch.tensor([float(span[of == b].min()) for b in range(side)])
    table = torch.zeros(config.buckets, config.heads)
    for head in range(config.heads):
        slope = (0.7, 0.7, 0.25, 0.03)[head % 4] * 0.5 ** (head // 4)
        table[:side, head] = table[side:, head] = -slope * distance
        if head % 4 == 0:
            table[side:, head] -= 4
            table[0, head] -= 4
        if head % 4 == 1:
            table[:side, head] -= 4
    return table


def check_codes(codes: Tensor, entries: int) -> None:
    """Refuse what are no codes of tokens, in one sentence.

    Parameters
    ----------
    codes : Tensor
        int64 [codebooks, frames] or [batch, codebooks, frames] was expected.
    entries : int
        Entries a codebook; codes run from 0 to one less.

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
