"""Schedules: which fraction of the tokens is hidden, over training and over the passes of decoding.

Paper: sections 3.2 and 3.3. Notebook: 02.
"""

from __future__ import annotations

import math
from collections.abc import Callable

import torch
from jaxtyping import Float
from torch import Tensor

Schedule = Callable[[float | Tensor], float | Tensor]
"""A function from the fraction of the passes that is done to the mask ratio. It falls from 1 at 0 to 0 at 1."""


def cosine(u: float | Tensor) -> float | Tensor:
    """Mask ratio gamma(u) = cos(pi u / 2), the schedule of the paper.

    Notebook: 02

    Parameters
    ----------
    u : float or Tensor
        In decoding the fraction of the passes that is done, in training a random number. From 0 to 1, any shape [..].

    Returns
    -------
    float or Tensor
        The mask ratio, of the same type and shape as u. At least 1e-10, as in the reference code.
    """
    if isinstance(u, Tensor):
        return torch.cos(u * (math.pi / 2)).clamp(1e-10, 1.0)
    return max(1e-10, math.cos(math.pi * u / 2))


def linear(u: float | Tensor) -> float | Tensor:
    """Mask ratio 1 - u.

    Notebook: 02

    Parameters
    ----------
    u : float or Tensor
        See `cosine`, shape [..].

    Returns
    -------
    float or Tensor
        The mask ratio.
    """
    return 1 - u


def square(u: float | Tensor) -> float | Tensor:
    """Mask ratio 1 - u^2: it falls more slowly than the cosine at first, then faster.

    Notebook: 02

    Parameters
    ----------
    u : float or Tensor
        See `cosine`, shape [..].

    Returns
    -------
    float or Tensor
        The mask ratio.
    """
    return 1 - u**2


def root(u: float | Tensor) -> float | Tensor:
    """Mask ratio 1 - sqrt(u): most tokens are revealed in the first passes.

    Notebook: 02

    Parameters
    ----------
    u : float or Tensor
        See `cosine`, shape [..].

    Returns
    -------
    float or Tensor
        The mask ratio.
    """
    return 1 - u**0.5


SCHEDULES: dict[str, Schedule] = {"cosine": cosine, "linear": linear, "square": square, "root": root}
"""The schedules by their names in `sampling.Settings`. A function that you add here can be chosen there."""


def hidden_counts(hidden: int, passes: int, schedule: Schedule = cosine) -> list[int]:
    """Count the tokens of one item that are still hidden after each pass.

    Notebook: 02, 05

    Parameters
    ----------
    hidden : int
        Tokens hidden at the start.
    passes : int
        How many passes there are.
    schedule : function
        Gives the mask ratio at a fraction of the passes.

    Returns
    -------
    list of int
        One number per pass: floor(schedule(i / passes) * hidden), in float32 as in the reference code. Each pass
        reveals at least one token as long as several are hidden. After the last pass none is hidden.

    Raises
    ------
    ValueError
        For fewer than one pass.
    """
    if passes < 1:
        raise ValueError(f"{passes} passes were asked for, at least 1 was expected")
    counts, now = [], hidden
    for i in range(1, passes + 1):
        now = 0 if i == passes else remaining(now, hidden, i / passes, schedule)
        counts.append(now)
    return counts


def remaining(now: int, start: int, u: float, schedule: Schedule = cosine) -> int:
    """Count the tokens to hide again after a pass that is not the last one.

    Parameters
    ----------
    now : int
        Tokens hidden before the pass.
    start : int
        Tokens hidden at the start.
    u : float
        Fraction of the passes that is done.
    schedule : function
        Gives the mask ratio at that fraction.

    Returns
    -------
    int
        How many. At least 1, so that something is left for the last pass, unless nothing is hidden.
    """
    if now == 0:
        return 0
    ratio = torch.as_tensor(schedule(torch.tensor(u, dtype=torch.float32)))
    return max(1, min(now - 1, int(torch.floor(ratio * start))))


def training_ratios(count: int, seed: int, step: int) -> Float[Tensor, " examples"]:
    """Draw the random numbers of a training batch that `cosine` turns into mask ratios.

    (0, 1) is cut into `count` equal parts, and one number is drawn from each. So the ratios of a batch cover the whole
    range, and the loss varies less (the reference code uses Sobol numbers for this purpose).

    Notebook: 02, 04

    Parameters
    ----------
    count : int
        Examples of the batch.
    seed, step : int
        Seed and step of the training; the numbers depend on both.

    Returns
    -------
    Tensor
        float32 [count], shuffled.
    """
    generator = torch.Generator().manual_seed(seed * 1_000_003 + step)
    places = (torch.arange(count) + torch.rand(count, generator=generator)) / count
    return places[torch.randperm(count, generator=generator)]


def noam(step: int, width: int, warmup: int = 10_000, factor: float = 2.0) -> float:
    """Learning rate of a training step: a linear rise, then 1 / sqrt(step).

    Source: Vaswani et al. 2017, equation 3. The warm-up is the paper's (section 4.2), the factor the reference code's.
    At the paper's width of 1280 the peak is 5.59e-4, below its "target" of 0.001.

    Notebook: 04

    Parameters
    ----------
    step : int
        Number of the step, from 1.
    width : int
        Width of the model.
    warmup : int
        How many steps the rise takes.
    factor : float
        The rate is multiplied by this.

    Returns
    -------
    float
        The learning rate.

    Raises
    ------
    ValueError
        For a step, width or warmup below 1.
    """
    if step < 1 or width < 1 or warmup < 1:
        raise ValueError(f"step {step}, width {width} and warmup {warmup} were given, 1 or more of each was expected")
    return factor * width**-0.5 * min(step**-0.5, step * warmup**-1.5)
