"""Checks for homework 5, prompts and beats. `hidden` is the seed of the grader's own cases."""

from __future__ import annotations

import math
from collections.abc import Callable

import numpy as np
import torch
from torch import Tensor

from vampkit import masks
from vampkit.check.cases import Draw, pose
from vampkit.check.core import within
from vampkit.check.pictures import as_sound
from vampkit.prompts.beats import BeatGrid

SAME = 0.05
"""A beat and a downbeat that are less than this apart, in seconds, are one."""


def tempo(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(beats)`: beats per minute, from the median distance of two beats.

    Notebook: 09

    Parameters
    ----------
    yours : Callable
        The student's function. It takes times in seconds, in order, and returns one number.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "A minute has 60 seconds": lambda beats: 1 / float(np.median(np.diff(beats))),
        "Seconds a beat, or beats a minute?": lambda beats: float(np.median(np.diff(beats))),
        "The median, so that one missing beat changes little": lambda beats: 60 / float(np.mean(np.diff(beats))),
    }
    holds = {"a tempo is above 0": lambda found, beats: found > 0}
    return pose("tempo", yours, _beats, _tempo, hidden, traps=traps, holds=holds, library=[BeatGrid.tempo])


def upbeats(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(beats, downbeats)`: the beats that are no downbeats.

    Notebook: 09

    Parameters
    ----------
    yours : Callable
        The student's function. It takes times in seconds, both in order, and returns those beats that are 50 ms
        or more away from every downbeat.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Those are the beats that are downbeats": lambda beats, down: [
            b for b in beats if b not in _upbeats(beats, down)
        ],
        "A downbeat may lie a little beside its beat": lambda beats, down: [b for b in beats if b not in down],
        "Bars may be of any length": lambda beats, down: [b for i, b in enumerate(beats) if i % 4],
    }
    holds = {"each of them is a beat": lambda found, beats, _: np.isin(np.round(found, 6), np.round(beats, 6)).all()}
    library = [BeatGrid.upbeats, BeatGrid.times]
    return pose("upbeats", yours, _bars, _upbeats, hidden, traps=traps, holds=holds, library=library)


def gap(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(codebooks, frames, rate, start, end, keep)`: a mask that hides some seconds of the finer rows.

    Notebook: 08

    Parameters
    ----------
    yours : Callable
        The student's function. It takes the sizes of the mask, frames a second, the seconds from which and to
        which is hidden, and how many of the first rows are kept everywhere. It returns bool [codebooks,
        frames], True in each frame that overlaps the time.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "True is hidden: yours says what is kept": lambda *case: ~_gap(*case),
        "Which rows are the coarse ones, the first or the last?": lambda *case: _gap(*case).flip(0),
        "The last frame that overlaps the time is hidden, too": lambda k, t, rate, a, b, keep: _gap(
            k, t, rate, a, b - 1 / rate, keep
        ),
        "The first frame that overlaps the time is hidden, too": lambda k, t, rate, a, b, keep: _gap(
            k, t, rate, a + 1 / rate, b, keep
        ),
        "Some rows are kept everywhere": lambda k, t, rate, a, b, keep: _gap(k, t, rate, a, b, 0),
    }
    holds = {
        "hidden frames are hidden in the same rows": lambda found, *_: (
            found[:, found.any(0)] == found[:, found.any(0)][:, :1]
        ).all()
    }
    library = [masks.gap, masks.codebooks, masks.prefix]
    return pose("gap", yours, _holes, _gap, hidden, traps=traps, holds=holds, library=library)


def strength(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(level)`: onset strength: the mean rise over all bands.

    Notebook: 09

    Parameters
    ----------
    yours : Callable
        The student's function. It takes the level of each band [bands, frames], and returns [frames]: the mean
        over bands of how much each rises from the frame before, where a fall counts 0; 0 in the first frame.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "A fall counts as nothing, band by band": lambda level: _rises(level, rectify=torch.positive),
        "A fall is no rise": lambda level: _rises(level, rectify=torch.abs),
        "First cut the falls of each band away, then average": lambda level: _rises(level, torch.positive).relu(),
        "A mean over bands, not a sum": lambda level: _rises(level) * len(level),
        "That is the rise to the next frame": lambda level: _rises(level).roll(-1),
    }
    import librosa

    holds = {
        "nothing rises in the first frame": lambda found, level: abs(found[0]) < 1e-4,
        "it is nowhere below 0": lambda found, level: within(found, 0, np.inf),
    }
    library = [librosa.onset.onset_strength, librosa.onset.onset_strength_multi]
    return pose("strength", yours, _levels, _rises, hidden, traps=traps, holds=holds, library=library)


def clicks(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(times, samples, rate, click)`: a click at each of some times.

    Notebook: 09

    Parameters
    ----------
    yours : Callable
        The student's function. It takes times in seconds, the length of the sound in samples, samples a second,
        and the samples of a click. It returns a sound [samples]; a click begins at its time, rounded down to a
        sample, overlapping ones add up, and the last is cut at the end.
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Overlapping clicks add up": lambda *case: _clicks(*case, add=False),
        "Seconds times samples a second": lambda times, samples, rate, click: _clicks(
            [t / rate for t in times], samples, rate, click
        ),
        "A click begins at its time, it does not end there": lambda times, samples, rate, click: _clicks(
            [t - len(click) / rate for t in times], samples, rate, click
        ),
    }
    import librosa

    holds = {
        "before the first click there is silence": lambda found, times, samples, rate, click: (
            not np.any(found[: int(times[0] * rate)])
        )
    }
    settings = dict(traps=traps, holds=holds, library=[librosa.clicks], draw=as_sound(8000))
    return pose("clicks", yours, _taps, _clicks, hidden, **settings)


def f_measure(yours: Callable, hidden: int | None = None) -> bool:
    """Check `yours(true, found, reach)`: how well two lists of times agree, 0 to 1.

    Notebook: 09

    Parameters
    ----------
    yours : Callable
        The student's function. It takes two lists of times in order and how far apart two times may be to
        agree, in seconds. Each time is matched at most once. It returns 2 * matches / (number of true times +
        number of found times).
    hidden : int, optional
        Seed of the grader's cases.

    Returns
    -------
    bool
        Whether it is right; one line is printed.
    """
    traps = {
        "Each time is matched at most once": _matched_often,
        "That is the share of the found times that are right": lambda true, found, reach: (
            _matches(true, found, reach) / len(found)
        ),
        "That is the share of the true times that were found": lambda true, found, reach: (
            _matches(true, found, reach) / len(true)
        ),
        "Both lists count": lambda true, found, reach: 2 * _f_measure(true, found, reach),
    }
    import mir_eval

    from vampkit.metrics import beat_f, onset_f

    holds = {"it lies between 0 and 1": lambda found, *_: within(found, 0, 1)}
    library = [beat_f, onset_f, mir_eval.beat.f_measure, mir_eval.onset.f_measure, mir_eval.util.match_events]
    return pose("f_measure", yours, _lists, _f_measure, hidden, traps=traps, holds=holds, library=library)


def _beats(draw: Draw) -> tuple:
    """A steady pulse with small deviations, and one beat that is missing."""
    step, count = draw.number(0.3, 0.9), draw.whole(7, 15)
    times = draw.number(0, 1) + step * np.arange(count) + 0.03 * step * draw.normal(count).numpy()
    return (np.delete(times, draw.whole(2, count - 2)).tolist(),)


def _tempo(beats: list[float]) -> float:
    return 60 / float(np.median(np.diff(beats)))


def _bars(draw: Draw) -> tuple:
    step, meter = draw.number(0.3, 0.7), draw.whole(2, 7)
    beats = [0.2 + step * i for i in range(draw.whole(9, 20))]
    jitter = (0.08 * draw.uniform(len(beats)) - 0.04).tolist()
    return beats, [beats[i] + jitter[i] for i in range(draw.whole(0, meter - 1), len(beats), meter)]


def _upbeats(beats: list[float], downbeats: list[float]) -> list[float]:
    return [b for b in beats if all(abs(b - d) >= SAME for d in downbeats)]


def _holes(draw: Draw) -> tuple:
    frames, rate, codebooks = draw.whole(30, 80), draw.number(10, 60), draw.whole(3, 8)
    start = draw.number(0.1, 0.4) * frames / rate
    end = start + draw.number(0.2, 0.5) * frames / rate
    return codebooks, frames, rate, start, end, draw.whole(1, codebooks - 1)


def _gap(codebooks: int, frames: int, rate: float, start: float, end: float, keep: int) -> Tensor:
    mask = torch.zeros(codebooks, frames, dtype=torch.bool)
    mask[keep:, math.floor(start * rate) : math.ceil(end * rate)] = True
    return mask


def _levels(draw: Draw) -> tuple:
    bands = draw.whole(3, 9)
    return (draw.normal(bands, draw.whole(bands + 3, 40)) * 2 + 3,)


def _rises(level: Tensor, rectify: Callable = torch.relu) -> Tensor:
    return rectify(torch.diff(level, dim=1, prepend=level[:, :1])).mean(0)


def _taps(draw: Draw) -> tuple:
    rate, seconds = 8000, draw.number(1.0, 1.6)
    times = draw.times(draw.whole(4, 7), seconds, 0.02)
    length = draw.whole(400, 900)
    shape = torch.sin(2 * math.pi * draw.number(600, 1500) * torch.arange(length) / rate)
    click = 0.4 * shape * torch.exp(-torch.arange(length) / 150)
    return [*times, seconds - 0.02], round(seconds * rate), rate, click


def _clicks(times: list[float], samples: int, rate: int, click: Tensor, add: bool = True) -> Tensor:
    sound = torch.zeros(samples)
    for t in times:
        at = int(t * rate)
        place = slice(max(0, at), max(0, min(samples, at + len(click))))
        part = click[max(0, -at) :][: place.stop - place.start]
        sound[place] = sound[place] + part if add else part
    return sound


def _lists(draw: Draw) -> tuple:
    true = draw.times(draw.whole(6, 12), 8.0, 0.25)
    kept = [t + 0.16 * (draw.number(0, 1) - 0.5) for t in true if draw.number(0, 1) < 0.8]
    doubled = [t + 0.04 for t in true if draw.number(0, 1) < 0.4]
    return true, sorted([*kept, *doubled, draw.number(9, 10)]), draw.number(0.05, 0.07)


def _matches(true: list[float], found: list[float], reach: float) -> int:
    """Both lists in order: the earliest that can still be matched is matched, which is the most that can be."""
    i = j = count = 0
    while i < len(true) and j < len(found):
        if abs(true[i] - found[j]) <= reach:
            i, j, count = i + 1, j + 1, count + 1
        elif true[i] < found[j]:
            i += 1
        else:
            j += 1
    return count


def _f_measure(true: list[float], found: list[float], reach: float) -> float:
    return 2 * _matches(true, found, reach) / (len(true) + len(found))


def _matched_often(true: list[float], found: list[float], reach: float) -> float:
    near = sum(any(abs(t - f) <= reach for t in true) for f in found)
    return 2 * near / (len(true) + len(found))
