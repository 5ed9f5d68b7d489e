"""Checks for the tasks of notebook 11, the paper, measured."""

from __future__ import annotations

from collections.abc import Callable

import torch
from torch import Tensor

from vampkit.check.core import generator, judge


def judged(yours: Callable) -> bool:
    """Check `yours(low, high, least, most)`: what intervals of a ratio say of a statement.

    Notebook: 11

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes the ends of some intervals, both [intervals], and the two numbers between which
        the ratio should lie. It returns a whole number for each interval: 1 where it lies inside, -1 where it lies
        outside, 0 where it holds one of the two numbers.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    low = torch.tensor([0.5, 0.7, 1.3, 0.9, 0.1, 1.1, 0.3])
    high = torch.tensor([0.7, 1.3, 1.6, 1.1, 3.0, 1.2, 0.78])
    cases = [(low, high, 0.8, 1.25), (low, high, 0.0, 1.0), (low, high, 1.0, 9.0)]
    traps = {
        "An interval that lies outside contradicts; one that holds an end leaves it open": lambda low, high, a, b: (
            2 * ((a < low) & (high < b)).long() - 1
        ),
        "Judge by the whole interval, not by its middle": lambda low, high, a, b: (
            2 * ((a < (low + high) / 2) & ((low + high) / 2 < b)).long() - 1
        ),
        "It may lie outside on either side": lambda low, high, a, b: ((a < low) & (high < b)).long() - (low > b).long(),
    }
    return judge("judged", yours, cases, _judged, traps)


def delay(yours: Callable) -> bool:
    """Check `yours(codes)`: the delay pattern.

    Notebook: 11

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes codes [codebooks, frames]. It returns [codebooks, frames + codebooks - 1]:
        codebook k moved to the right by k, counted from 0, and -1 where no token is.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    shapes = [(3, 5), (4, 4), (1, 6), (2, 3)]
    cases = [(torch.randint(1, 99, shape, generator=generator(i)),) for i, shape in enumerate(shapes)]
    traps = {
        "Which way is it moved?": lambda codes: _delay(codes.flip(0)).flip(0),
        "Nothing is -1, since 0 is a token": lambda codes: _delay(codes).clamp(min=0),
        "Codebook 0 stays where it is": lambda codes: _delay(torch.cat([codes[:1] * 0 - 1, codes]))[1:],
    }
    return judge("delay", yours, cases, _delay, traps)


def spread(yours: Callable) -> bool:
    """Check `yours(digits)`: the van der Corput order of 2^digits frames.

    Notebook: 11

    Parameters
    ----------
    yours : Callable
        The reader's function. It takes a number of binary digits. It returns for each frame from 0 to 2^digits - 1
        when its turn comes: its number in binary, with the digits read backwards. [2^digits]

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "That is the order of the frames themselves": lambda digits: torch.arange(2**digits),
        "Backwards: the last digit becomes the first": lambda digits: torch.arange(2**digits).flip(0),
        "Leading zeros are digits too": lambda digits: torch.tensor([int(f"{n:b}"[::-1], 2) for n in range(2**digits)]),
    }
    return judge("spread", yours, [(3,), (1,), (5,), (4,)], _spread, traps)


def _judged(low: Tensor, high: Tensor, least: float, most: float) -> Tensor:
    inside = (least < low) & (high < most)
    outside = (high < least) | (low > most)
    return inside.long() - outside.long()


def _delay(codes: Tensor) -> Tensor:
    rows = torch.full((len(codes), codes.shape[1] + len(codes) - 1), -1)
    for k, row in enumerate(codes):
        rows[k, k : k + len(row)] = row
    return rows


def _spread(digits: int) -> Tensor:
    place = torch.arange(2**digits)
    return sum((place >> d & 1) << (digits - 1 - d) for d in range(digits))
