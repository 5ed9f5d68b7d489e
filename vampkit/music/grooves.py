"""What the drums play in a bar.

One function a groove, which draws a variant once for a section. All places in beats.
"""

from __future__ import annotations

import numpy as np

from vampkit.music.patterns import (
    CLAP,
    CLAVES,
    CLOSED,
    CONGA,
    COWBELL,
    KICK,
    LOW_CONGA,
    LOW_TOM,
    MUTE_CONGA,
    OPEN,
    RIDE,
    RIM,
    SHAKER,
    SNARE,
    TAMBOURINE,
)  # fmt: skip
from vampkit.music.streams import pick


def drum_groove(
    rng: np.random.Generator, groove: str, genre: str, beats: int, bright: bool
) -> list[tuple[float, int, float]]:
    """One bar of drums as (place, drum, accent), drawn once for a section. bright: the ride or open hats lead."""
    return [h for h in GROOVES[groove](rng, beats, bright, genre) if 0 <= h[0] < beats]


def _backbeat(rng, beats, bright, genre):
    kicks = pick(rng, ((0, 2), (0, 1.5, 2), (0, 2, 2.5), (0, 0.5, 2, 3.5), (0, 1.5, 2.5), (0, 0.75, 2, 2.75)))
    hits = [(k, KICK, 1.0 if k == 0 else 0.85) for k in kicks] + [(s, SNARE, 1.0) for s in (1, 3)]
    if beats == 5:
        hits += [(4.0, KICK, 0.8), (4.5, SNARE, 0.55)]
    fine = 0.25 if genre == "pop" and rng.random() < 0.35 else 0.5
    top = RIDE if bright and rng.random() < 0.6 else CLOSED
    hits += [(p, top, 0.8 if p % 1 == 0 else 0.55 if p % 0.5 == 0 else 0.35) for p in np.arange(0, beats, fine)]
    if rng.random() < 0.5:
        hits.append((beats - 0.5, OPEN, 0.7))
    if rng.random() < 0.4:
        hits += [(p, SNARE, 0.18) for p in (1.75, 2.25)]
    if genre == "pop" and bright and rng.random() < 0.5:
        hits += [(1.0, CLAP, 0.7), (3.0, CLAP, 0.7)]
    return hits


def _four(rng, beats, bright, genre):
    hits = [(float(b), KICK, 1.0) for b in range(beats)]
    hits += [(float(b), pick(rng, (CLAP, CLAP, SNARE)), 0.85) for b in range(1, beats, 2)]
    hits += [(b + 0.5, OPEN if bright or rng.random() < 0.7 else CLOSED, 0.75) for b in range(beats)]
    if rng.random() < 0.7:
        hits += [(p, CLOSED, 0.3 if p % 0.5 else 0.45) for p in np.arange(0, beats, 0.25)]
    hits += [(p, RIM, 0.4) for p in pick(rng, ((), (0.75, 2.25), (1.75, 3.25, 3.75), (0.75, 1.5, 2.75)))]
    return hits


def _bossa(rng, beats, bright, genre):
    hits = [(p, KICK, a) for p, a in ((0, 0.7), (1.5, 0.4), (2, 0.7), (3.5, 0.4))]
    hits += [(p, RIM, 0.75) for p in pick(rng, ((0, 1.5, 3), (0.5, 2, 3), (1, 2.5)))]
    top = RIDE if bright else CLOSED
    return hits + [(p, top, 0.5 if p % 1 == 0 else 0.35) for p in np.arange(0, beats, 0.5)]


def _waltz(rng, beats, bright, genre):
    hits = [(0.0, KICK, 0.8)] + [(float(p), pick(rng, (SNARE, CLOSED)), 0.35) for p in (1, 2)]
    if bright or rng.random() < 0.6:
        hits += [(p, RIDE, a) for p, a in ((0, 0.5), (1, 0.6), (1.5, 0.35), (2, 0.5))]
    return hits


def _shuffle(rng, beats, bright, genre):
    hits = [(p, KICK, 0.9) for p in pick(rng, ((0, 2), (0, 2, 3.5), (0, 1.5, 2)))] + [(s, SNARE, 0.9) for s in (1, 3)]
    top = RIDE if bright else CLOSED
    return hits + [(p, top, 0.75 if p % 1 == 0 else 0.5) for p in np.arange(0, beats, 0.5)]


def _swing(rng, beats, bright, genre):
    hits = [(float(b), RIDE, 0.7 if b % 2 else 0.6) for b in range(beats)] + [
        (b + 0.5, RIDE, 0.45) for b in range(1, beats, 2)
    ]
    hits += [(float(b), CLOSED, 0.5) for b in range(1, beats, 2)] + [(float(b), KICK, 0.25) for b in range(beats)]
    hits += [
        (p, SNARE, a)
        for p, a in pick(rng, ((), ((1.5, 0.3),), ((3.5, 0.35),), ((0.5, 0.25), (2.5, 0.3)), ((1.5, 0.3), (3.0, 0.25))))
    ]
    return hits + ([(beats - 0.5, KICK, 0.5)] if rng.random() < 0.3 else [])


def _funk(rng, beats, bright, genre):
    hits = [
        (p, KICK, 1.0 if p == 0 else 0.8)
        for p in pick(rng, ((0, 0.5, 2.5), (0, 0.75, 2.25, 2.5), (0, 1.75, 2.5, 3.75), (0, 0.5, 2.75)))
    ]
    hits += [(s, SNARE, 1.0) for s in (1, 3)] + [
        (p, SNARE, 0.2) for p in pick(rng, ((0.75, 1.75, 2.25, 3.75), (1.5, 2.25, 3.5), (0.25, 1.75, 2.75)))
    ]
    hits += [(p, CLOSED, 0.7 if p % 1 == 0 else 0.5 if p % 0.5 == 0 else 0.35) for p in np.arange(0, beats, 0.25)]
    return hits + ([(p, OPEN, 0.6) for p in (1.5, 3.5)] if bright else [(3.5, OPEN, 0.5)] if rng.random() < 0.5 else [])


def _onedrop(rng, beats, bright, genre):
    hits = [(2.0, KICK, 1.0), (2.0, pick(rng, (SNARE, RIM)), 0.9)] + (
        [(0.0, KICK, 0.7), (1.0, KICK, 0.7), (3.0, KICK, 0.7)] if bright else []
    )
    hits += [(p, CLOSED, 0.65 if p % 1 else 0.45) for p in np.arange(0, beats, 0.5)]
    return hits + [(p, RIM, 0.4) for p in pick(rng, ((), (3.5,), (0.75, 3.5), (1.5,)))]


def _breakbeat(rng, beats, bright, genre):
    kicks, snares = pick(
        rng,
        (((0, 2.5), (1, 3)), ((0, 0.5, 2.5), (1, 3)), ((0, 1.5, 2.5), (1, 3, 3.75)), ((0, 2.5, 2.75), (1, 1.75, 3))),
    )
    hits = [(p, KICK, 0.95) for p in kicks] + [(p, SNARE, 1.0 if p % 1 == 0 else 0.45) for p in snares]
    hits += [(p, SNARE, 0.2) for p in (1.75, 2.25) if rng.random() < 0.6]
    return hits + [
        (p, RIDE if bright else CLOSED, 0.65 if p % 1 == 0 else 0.45)
        for p in np.arange(0, beats, pick(rng, (0.5, 0.5, 0.25)))
    ]


def _trap(rng, beats, bright, genre):
    hits = [
        (p, KICK, 1.0 if p == 0 else 0.85)
        for p in pick(rng, ((0, 1.75, 2.5), (0, 0.75, 2.5), (0, 2.5, 3.75), (0, 1.5, 2.75)))
    ]
    hits += [(s, pick(rng, (CLAP, SNARE)), 1.0) for s in (1.0, 3.0)]
    step = pick(rng, (0.25, 0.25, 0.5))
    hats = set(np.arange(0, beats, step))
    for start in np.arange(0, beats, 0.5):
        if step == 0.25 and rng.random() < 0.15:  # a roll, in triplets or in 32nds
            hats |= set(np.round(np.arange(start, start + 0.5, pick(rng, (0.125, 1 / 6))), 4))
    return (
        hits
        + [(float(p), CLOSED, 0.6 if p % 0.5 == 0 else 0.4) for p in sorted(hats)]
        + ([(beats - 0.5, OPEN, 0.5)] if bright else [])
    )


def _pulse(rng, beats, bright, genre):
    return [(0.0, KICK, 0.5)] + [(float(b), SHAKER if b % 2 else RIM, 0.3) for b in range(1, beats)]


def _light(rng, beats, bright, genre):
    cell = pick(rng, ((0, 1.5, 2.5), (0, 1, 2.5, 3.5), (0, 1.5, 3)))
    hits = [(float(p), CLAVES if p else CONGA, 0.5) for p in cell] + [
        (p, SHAKER, 0.45 if p % 1 == 0 else 0.3) for p in np.arange(0, beats, 0.5)
    ]
    return hits + ([(float(b), TAMBOURINE, 0.35) for b in range(1, beats, 2)] if bright else [])


def _clave(rng, beats, bright, genre):
    hits = [(p, CLAVES, 0.8) for p in pick(rng, ((0, 1.5, 3), (1, 2)))] + [
        (p, SHAKER, 0.5 if p % 1 == 0 else 0.35) for p in np.arange(0, beats, 0.5)
    ]
    hits += [(p, MUTE_CONGA, 0.4) for p in (0, 0.5, 1, 1.5, 2, 2.5)] + [
        (1.0, CONGA, 0.5),
        (3.0, LOW_CONGA, 0.8),
        (3.5, CONGA, 0.8),
    ]
    return hits + ([(float(b), COWBELL, 0.7 if b % 2 == 0 else 0.5) for b in range(beats)] if bright else [])


def _frame(rng, beats, bright, genre):
    hits = [(0.0, LOW_TOM, 0.8)] + [
        (p, LOW_TOM, 0.3 if p % 1 else 0.5) for p in np.arange(0.5, beats, 0.5) if rng.random() < 0.8
    ]
    return hits + ([(float(b), TAMBOURINE, 0.4) for b in range(1, beats, 2)] if bright else [])


GROOVES = {
    "backbeat": _backbeat, "four": _four, "bossa": _bossa, "waltz": _waltz, "shuffle": _shuffle, "swing": _swing, "funk": _funk, "onedrop": _onedrop,
    "breakbeat": _breakbeat, "trap": _trap, "pulse": _pulse, "light": _light, "clave": _clave, "frame": _frame,
}  # fmt: skip
"""Name -> groove."""
