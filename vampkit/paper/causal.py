"""An autoregressive model of the same size: every token is drawn from the earlier ones alone, frame after frame.

It is the masked transformer with two changes. No frame sees a later one, and codebook k is moved k frames to the right
(the delay pattern of MusicGen), so that the codebooks of a frame are drawn one after the other:

    codebook 1   a b c d .        Each column is one step. It is predicted from the columns before it.
    codebook 2   . a b c d        A dot is the MASK vector: nothing there.

Source of the pattern: Copet et al. 2023, arXiv 2306.05284. Notebook: 11.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
import torch.nn.functional as F
from jaxtyping import Bool, Float, Int
from torch import Tensor

from vampkit.model import MaskedTransformer, check_codes, relative_buckets
from vampkit.sampling import draw

NOWHERE = -1
"""Stands in a delayed pattern where no token is."""


def delayed(codes: Int[Tensor, "batch codebooks frames"]) -> Int[Tensor, "batch codebooks steps"]:
    """Move codebook k to the right by k frames, counted from 0.

    Notebook: 11

    Parameters
    ----------
    codes : Tensor
        int64 [batch, codebooks, frames].

    Returns
    -------
    Tensor
        int64 [batch, codebooks, frames + codebooks - 1], -1 where no token is.
    """
    batch, codebooks, frames = codes.shape
    rows = codes.new_full((batch, codebooks, frames + codebooks - 1), NOWHERE)
    for k in range(codebooks):
        rows[:, k, k : k + frames] = codes[:, k]
    return rows


def undelayed(rows: Int[Tensor, "batch codebooks steps"]) -> Int[Tensor, "batch codebooks frames"]:
    """Undo `delayed`.

    Notebook: 11

    Parameters
    ----------
    rows : Tensor
        int64 [batch, codebooks, steps].

    Returns
    -------
    Tensor
        int64 [batch, codebooks, steps - codebooks + 1].
    """
    frames = rows.shape[2] - rows.shape[1] + 1
    return torch.stack([rows[:, k, k : k + frames] for k in range(rows.shape[1])], 1)


class Cache:
    """Keys and values of the steps that are done, so that a new step does not compute them again.

    Notebook: 11

    Parameters
    ----------
    model : CausalTransformer
        The model.
    batch, steps : int
        Items, and how many steps there can be.
    """

    def __init__(self, model: CausalTransformer, batch: int, steps: int):
        config = model.config
        shape = (config.layers, 2, batch, config.heads, steps, config.width // config.heads)
        self.rows, self.steps = torch.zeros(shape), 0


class CausalTransformer(MaskedTransformer):
    """The masked transformer, made autoregressive. The names and numbers of its weights are the same.

    It is called as the masked one is, and `masked_cross_entropy(..., ratio=1.0)` measures it. But nothing is hidden
    from it: the logits of a token come from all earlier ones, also from those that the mask marks.

    Notebook: 11

    Parameters
    ----------
    config : ModelConfig
        The shape of the model, without conditioning codebooks.
    tables : Tensor
        The codebooks of the codec, float32 [codebooks, entries, latent].
    """

    def forward(
        self,
        codes: Int[Tensor, "batch codebooks frames"],
        mask: Bool[Tensor, "batch codebooks frames"],
        hidden_only: bool = False,
        circular: bool = False,
    ) -> Float[Tensor, "batch predicted frames entries"] | Float[Tensor, "hidden entries"]:
        """Compute the logits of all tokens, each from the earlier ones.

        Parameters
        ----------
        codes : Int[Tensor, "batch codebooks frames"]
            The tokens.
        mask : Bool[Tensor, "batch codebooks frames"]
            Which logits are wanted, if `hidden_only`.
        hidden_only : bool
            Compute only the logits of the tokens that the mask marks, in the order of codes[mask].
        circular : bool
            Has no meaning here and must be False.

        Returns
        -------
        Tensor
            [batch, codebooks, frames, entries], or [marked tokens, entries].

        Raises
        ------
        ValueError
            If circular is True.
        """
        if circular:
            raise ValueError("a circle has no first frame; circular must be False for an autoregressive model")
        rows = delayed(codes)
        x = self.advance(torch.cat([torch.full_like(rows[:, :, :1], NOWHERE), rows[:, :, :-1]], 2))
        if hidden_only:
            marked = delayed(mask.long()) == 1
            return self.classifier.at(x, marked)
        return undelayed(self.classifier(x))

    def advance(
        self, rows: Int[Tensor, "batch codebooks steps"], cache: Cache | None = None
    ) -> Float[Tensor, "batch steps width"]:
        """Compute the hidden states of new steps.

        Parameters
        ----------
        rows : Tensor
            int64 [batch, codebooks, steps], what each new step reads: the column before it, -1 where no token is.
        cache : Cache, optional
            What earlier steps left; the new ones are added. None: these are the first steps, and nothing is kept.

        Returns
        -------
        Tensor
            [batch, steps, width].
        """
        x = self.embedding(rows.clamp(min=0), rows == NOWHERE, self.tables)
        before = 0 if cache is None else cache.steps
        bias = self._bias(before, before + x.shape[1])
        for number, layer in enumerate(self.transformer.layers):
            h = layer.norm_1(x)
            q, k, v = (
                w(h).unflatten(-1, (self.config.heads, -1)).transpose(1, 2)
                for w in (layer.self_attn.w_qs, layer.self_attn.w_ks, layer.self_attn.w_vs)
            )
            if cache is not None:
                kept = cache.rows[number, :, :, :, : before + x.shape[1]]
                kept[0, :, :, before:], kept[1, :, :, before:] = k, v
                k, v = kept
            mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=bias.to(q.dtype))
            x = x + layer.dropout(layer.self_attn.fc(mixed.transpose(1, 2).flatten(2)))
            x = x + layer.dropout(layer.feed_forward(layer.norm_3(x)))
        if cache is not None:
            cache.steps += x.shape[1]
        return self.transformer.norm(x)

    def _bias(self, first: int, last: int) -> Float[Tensor, "1 heads queries keys"]:
        """The relative bias of the steps `first` to `last` - 1, -inf for what lies ahead of each."""
        table = self.transformer.layers[0].self_attn.relative_attention_bias
        place = torch.arange(last, device=table.weight.device)
        distance = place[None] - place[first:, None]
        buckets = relative_buckets(distance, self.config.buckets, self.config.max_distance)
        return table(buckets).permute(2, 0, 1)[None].masked_fill(distance > 0, float("-inf"))


@torch.inference_mode()
def continued(
    model: CausalTransformer,
    codes: Int[Tensor, "batch codebooks given"],
    frames: int,
    seeds: Sequence[int],
    temperature: float = 1.0,
) -> Int[Tensor, "batch codebooks frames"]:
    """Draw `frames` more frames, token after token.

    Notebook: 11

    Parameters
    ----------
    model : CausalTransformer
        The model.
    codes : Tensor
        int64 [batch, codebooks, given], the start; it may have 0 frames.
    frames : int
        How many frames are drawn.
    seeds : sequence of int
        One seed per item.
    temperature : float
        Sampling temperature.

    Returns
    -------
    Tensor
        int64 [batch, codebooks, given + frames].
    """
    if codes.numel():
        check_codes(codes, model.config.entries)
    batch, codebooks, given = codes.shape
    rows = delayed(torch.cat([codes, torch.zeros(batch, codebooks, frames, dtype=torch.int64)], 2))
    steps = rows.shape[2]
    frame = torch.arange(steps) - torch.arange(codebooks)[:, None]
    free = (frame >= given) & (frame < given + frames)  # [codebooks, steps]
    generators = [torch.Generator().manual_seed(int(seed)) for seed in seeds]
    cache = Cache(model, batch, steps)
    reads = torch.cat([torch.full_like(rows[:, :, :1], NOWHERE), rows[:, :, :given]], 2)
    everything = torch.ones(batch, codebooks, 1, dtype=torch.bool)
    for step in range(given, steps):
        x = model.advance(reads, cache)[:, -1:]
        probabilities = (model.classifier.at(x, everything) / temperature).softmax(-1)
        uniform = torch.stack([torch.rand(codebooks, generator=g, dtype=torch.float64) for g in generators])
        drawn = draw(probabilities, uniform.flatten()).view(batch, codebooks)
        rows[:, :, step] = torch.where(free[:, step], drawn, rows[:, :, step])
        reads = rows[:, :, step : step + 1]
    return undelayed(rows)
