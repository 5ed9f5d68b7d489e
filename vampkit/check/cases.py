"""Cases of a homework task: a few small ones that a student sees, many that only the grader draws."""

from __future__ import annotations

import io
from collections.abc import Callable, Mapping
from contextlib import redirect_stdout
from functools import partial

import torch
from torch import Tensor

from vampkit.check.core import generator, judge

PUBLIC, HIDDEN = 4, 16
"""How many cases there are."""


class Draw:
    """Draws the arguments of a case. One seed gives one case. place: among the cases, from 1."""

    def __init__(self, seed: int, place: int = 1):
        self.generator, self.place = generator(seed), place

    def whole(self, low: int, high: int) -> int:
        """A whole number, low to high, both included."""
        return int(torch.randint(low, high + 1, (), generator=self.generator))

    def number(self, low: float, high: float) -> float:
        """A number between low and high."""
        return low + (high - low) * float(torch.rand((), generator=self.generator))

    def normal(self, *shape: int) -> Tensor:
        """Normally distributed numbers, float32."""
        return torch.randn(shape, generator=self.generator)

    def uniform(self, *shape: int) -> Tensor:
        """Numbers in [0, 1), float32."""
        return torch.rand(shape, generator=self.generator)

    def codes(self, entries: int, *shape: int) -> Tensor:
        """Codes, 0 to entries - 1."""
        return torch.randint(entries, shape, generator=self.generator)

    def mask(self, ratio: float, *shape: int) -> Tensor:
        """A mask that hides about this fraction; at least one token is hidden and one is kept."""
        mask = torch.rand(shape, generator=self.generator) < ratio
        mask.view(-1)[0], mask.view(-1)[-1] = True, False
        return mask

    def times(self, count: int, seconds: float, apart: float = 0.1) -> list[float]:
        """Times in order within some seconds, each at least `apart` after the one before."""
        gaps = torch.rand(count + 1, generator=self.generator).double()
        room = max(0.0, seconds - apart * count)
        return (gaps.cumsum(0)[:-1] / gaps.sum() * room + apart * torch.arange(count)).tolist()

    def order(self, count: int) -> Tensor:
        """The numbers 0 to count - 1, shuffled."""
        return torch.randperm(count, generator=self.generator)


def draws(hidden: int | None) -> list[Draw]:
    """What draws the cases, each its own: the public ones, or for a seed `hidden` those of the grader."""
    seeds = range(1, PUBLIC + 1) if hidden is None else [1000 * (hidden + 1) + i for i in range(HIDDEN)]
    return [Draw(seed, place) for place, seed in enumerate(seeds, 1)]


def pose(
    name: str,
    yours: Callable,
    case: Callable[[Draw], tuple],
    answer: Callable,
    hidden: int | None,
    calls: Mapping[str, Callable] | None = None,
    **settings,
) -> bool:
    """Judge `yours` on cases that `case` draws, those for `hidden`. settings: what else `judge` takes.

    calls: checks of earlier tasks, by the name of the function that `yours` may call; where that is wrong it is named.
    """
    cases = [case(draw) for draw in draws(hidden)]
    settings |= dict(hidden=hidden is not None, tensors=True, after=partial(_wrong_before, yours, calls or {}, hidden))
    return judge(name, yours, cases, answer, **settings)


def _wrong_before(yours: Callable, calls: Mapping[str, Callable], hidden: int | None) -> str:
    """Names a function of an earlier task that `yours` calls and that is not right; empty if there is none."""
    code, known = getattr(yours, "__code__", None), getattr(yours, "__globals__", {})
    for name in (name for name in calls if code and name in code.co_names and name in known):
        with redirect_stdout(io.StringIO()):
            right = calls[name](known[name], hidden)
        if not right:
            return f"It calls your {name}, which is not right yet: mend that first"
    return ""


def demand(check: Callable, yours: Callable, hidden: int | None = None) -> None:
    """Raise AssertionError with what a check says, unless `yours` is right: how a grader's test calls a check."""
    with redirect_stdout(io.StringIO()) as said:
        right = check(yours, hidden)
    if right is not True:
        raise AssertionError(said.getvalue().strip())
