"""Checks for the tasks of notebook 03, the model."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vampkit.check.core import generator, judge
from vampkit.model import MaskedTransformer, ModelConfig, relative_buckets


def parameters(yours: Callable) -> bool:
    """Check `yours(layers, width, heads, codebooks, conditioning)`: how many numbers such a model learns.

    Notebook: 03

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the sizes of a `MaskedTransformer` whose codebooks have 1024 entries of 8
        dimensions, and returns a whole number.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [(6, 192, 4, 4, 0), (20, 1280, 20, 4, 0), (16, 1280, 20, 14, 4), (1, 64, 8, 2, 0), (3, 96, 3, 9, 2)]
    traps = {
        "Which layers hold a table of the relative bias?": _miscounted(lambda c: 32 * c.heads * (c.layers - 1)),
        "For which codebooks does the head make logits?": _miscounted(
            lambda c: (c.width + 2) * c.entries * c.conditioning
        ),
        "How many numbers does weight normalisation add to the head?": _miscounted(
            lambda c: -c.entries * (c.codebooks - c.conditioning)
        ),
        "Each codebook has a vector for hidden tokens, which is learned, too": _miscounted(
            lambda c: -c.codebooks * c.latent
        ),
        "How many norms are there outside the blocks?": _miscounted(lambda c: -c.width),
        "How wide is the feed-forward part after its gate?": _miscounted(lambda c: 2 * c.width**2 * c.layers),
    }
    return judge("parameters", yours, cases, _count, traps)


def circular_bias(yours: Callable) -> bool:
    """Check `yours(table, frames)`: the relative bias on a loop, whose last frame lies beside its first.

    Notebook: 03

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes a table [32, heads] and an odd number of frames, and returns the bias [heads,
        frames, frames].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    cases = [
        (torch.randn(32, heads, generator=generator(seed)), frames)
        for seed, (heads, frames) in enumerate([(1, 5), (2, 7), (4, 31), (3, 201)])
    ]
    traps = {
        "Frame 0 and the last one are neighbours here": lambda table, frames: _bias(table, _line(frames)),
        "Ahead and back are swapped: the distance is key minus query": lambda table, frames: _bias(
            table, -_circle(frames)
        ),
        "The heads come first": lambda table, frames: _bias(table, _circle(frames)).permute(1, 2, 0),
        "A frame ahead and a frame back are in different buckets": lambda table, frames: _bias(
            table, _circle(frames).abs()
        ),
    }
    return judge("circular_bias", yours, cases, lambda table, frames: _bias(table, _circle(frames)), traps)


def reach(yours: Callable) -> bool:
    """Check `yours(logits, fraction)`: how many of the likeliest entries reach a fraction of the probability.

    Notebook: 03

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes logits [tokens, entries] and a fraction, 0 to 1, and returns int64 [tokens].

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    scales = [(4, 6, 1.0, 0.5), (5, 20, 3.0, 0.9), (30, 1024, 2.0, 0.95), (3, 8, 0.5, 0.05)]
    cases = [
        (torch.randn(n, v, generator=generator(seed)) * scale, fraction)
        for seed, (n, v, scale, fraction) in enumerate(scales)
    ]
    traps = {
        "Count the entry that crosses the line as well": lambda logits, fraction: _reach(logits, fraction) - 1,
        "In which order are the entries to be added up?": lambda logits, fraction: (
            (logits.softmax(-1).cumsum(-1) < fraction).sum(-1) + 1
        ),
        "Begin with the likeliest": lambda logits, fraction: (
            (logits.softmax(-1).sort(-1).values.cumsum(-1) < fraction).sum(-1) + 1
        ),
        "It is the sum that must reach the fraction": lambda logits, fraction: (logits.softmax(-1) > 1 - fraction).sum(
            -1
        ),
    }
    return judge("reach", yours, cases, _reach, traps)


def _config(layers: int, width: int, heads: int, codebooks: int, conditioning: int) -> ModelConfig:
    return ModelConfig(codebooks=codebooks, conditioning=conditioning, layers=layers, width=width, heads=heads)


def _miscounted(extra: Callable[[ModelConfig], int]) -> Callable:
    """A count that is wrong by `extra`."""
    return lambda *sizes: _count(*sizes) + extra(_config(*sizes))


def _count(*sizes: int) -> int:
    config = _config(*sizes)
    with torch.device("meta"):  # shapes without numbers: nothing is allocated
        model = MaskedTransformer(config, torch.empty(config.codebooks, config.entries, config.latent))
    return sum(weight.numel() for weight in model.parameters())


def _line(frames: int) -> Tensor:
    place = torch.arange(frames)
    return place[None] - place[:, None]


def _circle(frames: int) -> Tensor:
    half = frames // 2
    return (_line(frames) + half) % frames - half


def _bias(table: Tensor, distance: Tensor) -> Tensor:
    return table[relative_buckets(distance)].permute(2, 0, 1)


def _reach(logits: Tensor, fraction: float) -> Tensor:
    ordered = logits.softmax(-1).sort(-1, descending=True).values
    return (ordered.cumsum(-1) < fraction).sum(-1) + 1
