"""Schedules: how large a share is hidden, over training and over the passes of decoding.

Paper: section 3.2 and 3.3. Notebook: 02.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


def cosine(u):
    """gamma(u) = cos(pi u / 2): everything hidden at 0, nothing at 1; takes and returns a number or a tensor."""
    return (
        torch.cos(torch.as_tensor(u) * (math.pi / 2)).clamp(1e-10, 1.0)
        if isinstance(u, Tensor)
        else max(1e-10, math.cos(math.pi * u / 2))
    )


def linear(u):
    """1 - u."""
    return 1 - u


def square(u):
    """1 - u^2: slower at first than the cosine, then faster."""
    return 1 - u**2


def root(u):
    """1 - sqrt(u): most is revealed in the first passes."""
    return 1 - u**0.5


def hidden_counts(hidden: int, passes: int) -> list[int]:
    """Tokens still hidden after each pass, [passes], of `hidden` at the start, one item.

    floor(gamma(i / passes) hidden) in float32 as in the reference, at least one token revealed a pass while there are
    several, none left at the end.
    """
    if passes < 1:
        raise ValueError(f"{passes} passes were asked for, at least 1 was expected")
    counts, now = [], hidden
    for i in range(1, passes + 1):
        now = 0 if i == passes else remaining(now, hidden, i / passes)
        counts.append(now)
    return counts


def remaining(now: int, start: int, u: float) -> int:
    """Tokens to hide again when `now` are hidden, `start` were at first, and a share `u` of the passes is done."""
    if now == 0:
        return 0
    gamma = torch.cos(torch.tensor(u, dtype=torch.float32) * math.pi / 2).clamp(min=1e-10)
    # One token stays hidden until the last pass, even where one is all there is.
    return max(1, min(now - 1, int(torch.floor(gamma * start))))


def training_ratios(count: int, seed: int, step: int) -> Tensor:
    """r for each of `count` examples, spread evenly over (0, 1) and shuffled: [count], a function of (seed, step).

    Strata instead of independent draws: the shares of a batch cover the range, and the loss is steadier (the reference
    uses Sobol numbers to that end).
    """
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    places = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    return places[torch.randperm(count, generator=generator)]


def noam(step: int, width: int, warmup: int = 10_000, factor: float = 2.0) -> float:
    """Learning rate after `step` steps (from 1) of a model `width` wide.

    A linear rise over `warmup` steps, then 1 / sqrt(step).

    Source: Vaswani et al. 2017, equation 3, with the paper's settings (section 4.2). Notebook: 04.
    """
    if step < 1 or width < 1 or warmup < 1:
        raise ValueError(f"step {step}, width {width} and warmup {warmup} were given, 1 or more of each was expected")
    return factor * width**-0.5 * min(step**-0.5, step * warmup**-1.5)
