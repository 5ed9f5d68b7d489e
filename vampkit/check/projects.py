"""Checks for the projects: what can be tested of them. The rest is read and heard, by the rubric in the guide."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import torch

from vampkit.check.cases import Draw, draws, pose
from vampkit.check.core import as_value, attempt, say
from vampkit.check.watch import Watch
from vampkit.metrics import bootstrap, mushra_difference, screened


def playable(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(codebooks, frames, gesture)`: a mask that a gesture plays.

    Notebook: 10

    Parameters
    ----------
    yours : Callable
        The student's function. It takes the sizes of a mask and a gesture, a list of (time, height), both 0 to
        1 and in order of time. It returns bool [codebooks, frames], True = hidden. There is no single right
        answer: it must keep something and hide something, give the same for the same gesture, and another mask
        for another one.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    for number, draw in enumerate(draws(hidden), 1):
        where = f"in {'hidden ' * (hidden is not None)}case {number}"
        sizes = draw.whole(4, 14), draw.whole(40, 300)
        gestures = [_gesture(draw) for _ in range(4)]
        played = []
        for gesture in [*gestures, gestures[0]]:
            mask, failure = attempt(yours, (*sizes, gesture), where, Watch())
            if failure:
                return say("playable", failure)
            played.append(as_value(mask))
        if wrong := _unplayable(played, sizes):
            return say("playable", f"not yet; {where} {wrong}")
    return say("playable", "right", True)


def difference(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(rows, first, second, seed)`: how much higher one condition is than another, paired.

    Notebook: 11

    Parameters
    ----------
    yours : Callable
        The student's function. It takes rows (condition, track, take, value), the names of two conditions, and
        a seed. It pairs values of one track and take, and returns (mean, low, high) of first - second, with a
        bootstrap interval over tracks, as `metrics.bootstrap` computes it with that seed.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Which minus which?": lambda rows, first, second, seed: _difference(rows, second, first, seed),
        "Takes of one track are not independent: draw whole tracks": lambda *case: _difference(*case, by_track=False),
        "Pair the values: what differs between tracks is no noise then": _unpaired,
    }
    holds = {"the mean lies inside": lambda found, *_: found[1] <= found[0] <= found[2]}
    return pose("difference", yours, _study, _difference, hidden, traps=traps, holds=holds)


def heard(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(rows, first, second)`: what listeners preferred.

    Notebook: 12

    Parameters
    ----------
    yours : Callable
        The student's function. It takes the ratings of a listening test, rows as `metrics.read_listening` gives
        them, and the names of two conditions. It leaves out listeners who gave the hidden reference less than
        90 in more than 15 % of the trials, and returns (number of listeners left, mean, low, high), the last
        three of first - second with an interval over listeners, seed 0.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Who did not hear the reference is left out": lambda *case: _heard(*case, screen=False),
        "Which minus which?": lambda rows, first, second: _heard(rows, second, first),
    }
    holds = {"a number of listeners is whole and above 0": lambda found, *_: found[0] >= 1 and found[0] % 1 == 0}
    return pose("heard", yours, _ratings, _heard, hidden, traps=traps, holds=holds)


def _unplayable(found: list, sizes: tuple[int, int]) -> str:
    """What is wrong with the masks of some gestures and of the first one again, in words; empty if nothing is."""
    for mask in found:
        if not isinstance(mask, np.ndarray) or mask.dtype != bool or mask.shape != sizes:
            named = f"{mask.dtype} of shape {mask.shape}" if isinstance(mask, np.ndarray) else mask
            return f"it returned {named}, bool of shape {sizes} was expected"
        if mask.all() or not mask.any():
            return "it hides everything or nothing; a prompt keeps something and leaves something to write"
    if not np.array_equal(found[0], found[-1]):
        return "one gesture gave two masks; who plays the same must get the same (chance comes from a seed)"
    if len({mask.tobytes() for mask in found}) < len(found) - 1:
        return "different gestures gave the same mask; an instrument answers to what is played"
    return ""


def _gesture(draw: Draw) -> list[tuple[float, float]]:
    times = sorted(draw.uniform(draw.whole(3, 12)).tolist())
    return [(t, draw.number(0, 1)) for t in times]


def _study(draw: Draw) -> tuple:
    names = ["base", "tuned", "other"]
    rows = []
    for track in range(draw.whole(5, 12)):
        level = draw.number(-3, 3)
        for take in range(draw.whole(1, 4)):
            values = (level + 0.5 * draw.normal(3) + torch.tensor([0.0, draw.number(0, 1), 0.2])).tolist()
            rows += [(name, f"track {track}", take, value) for name, value in zip(names, values, strict=True)]
    return [rows[i] for i in draw.order(len(rows)).tolist()], "tuned", "base", draw.whole(0, 999)


def _difference(
    rows: list[tuple], first: str, second: str, seed: int, by_track: bool = True
) -> tuple[float, float, float]:
    value = {(condition, track, take): v for condition, track, take, v in rows}
    pairs = sorted({(track, take) for _, track, take, _ in rows})
    values = [value[first, *pair] - value[second, *pair] for pair in pairs]
    return tuple(bootstrap(values, [track for track, _ in pairs] if by_track else None, seed=seed))[:3]


def _unpaired(rows: list[tuple], first: str, second: str, seed: int) -> tuple[float, float, float]:
    a, b = (bootstrap([r[3] for r in rows if r[0] == name], seed=seed) for name in (first, second))
    return a.mean - b.mean, a.low - b.high, a.high - b.low


def _ratings(draw: Draw) -> tuple:
    rows, trials = [], draw.whole(3, 6)
    for i in range(draw.whole(4, 8)):
        good = i > 1 or draw.number(0, 1) < 0.3
        for question in range(1, trials + 1):
            scores = {"reference": draw.whole(92, 100) if good else draw.whole(30, 80), "base": draw.whole(20, 60)}
            scores["tuned"] = scores["base"] + draw.whole(-10, 30)
            for place, (condition, score) in enumerate(scores.items(), 1):
                rows.append(
                    dict(
                        listener=f"listener {i}", session=f"{i}", test="test", kind="mushra", question=str(question),
                        trial=f"song {question}", position=str(place), condition=condition, score=str(score),
                        x="", answer="",
                    )
                )  # fmt: skip
    return rows, "tuned", "base"


def _heard(rows: list[dict], first: str, second: str, screen: bool = True) -> tuple[int, float, float, float]:
    kept = screened(rows)[0] if screen else rows
    found = mushra_difference(kept, first, second)
    return found.n, found.mean, found.low, found.high
