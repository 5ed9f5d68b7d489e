"""What the drums play in a bar: one function per groove. Each draws a random variant once per section.

All places are in beats. A hit is (place, drum, accent).
"""

from __future__ import annotations

import numpy as np

from vampkit.music import general_midi as gm
from vampkit.music.streams import pick

Hit = tuple[float, int, float]


def drum_groove(rng: np.random.Generator, groove: str, genre: str, beats: int, bright: bool) -> list[Hit]:
    """One bar of drums, drawn once for a section. bright: the ride or open hats lead."""
    return [hit for hit in GROOVES[groove](rng, beats, bright, genre) if 0 <= hit[0] < beats]


def _steady(drum: int, beats: int, step: float, accents: tuple[float, ...]) -> list[Hit]:
    """A drum at every `step`, with accents for beats, their halves and their quarters."""
    return [(p, drum, accents[0 if p % 1 == 0 else 1 if p % 0.5 == 0 else 2]) for p in np.arange(0, beats, step)]


def _hits(drum: int, places, accent: float, first: float | None = None) -> list[Hit]:
    """A drum at some places, all with one accent. first: another accent for the start of the bar."""
    return [(p, drum, first if p == 0 and first is not None else accent) for p in places]


def _backbeat(rng, beats, bright, genre):
    kicks = pick(rng, ((0, 2), (0, 1.5, 2), (0, 2, 2.5), (0, 0.5, 2, 3.5), (0, 1.5, 2.5), (0, 0.75, 2, 2.75)))
    hits = _hits(gm.KICK, kicks, 0.85, first=1.0) + _hits(gm.SNARE, (1, 3), 1.0)
    if beats == 5:
        hits += [(4.0, gm.KICK, 0.8), (4.5, gm.SNARE, 0.55)]
    step = 0.25 if genre == "pop" and rng.random() < 0.35 else 0.5
    top = gm.RIDE if bright and rng.random() < 0.6 else gm.CLOSED_HAT
    hits += _steady(top, beats, step, (0.8, 0.55, 0.35))
    if rng.random() < 0.5:
        hits.append((beats - 0.5, gm.OPEN_HAT, 0.7))
    if rng.random() < 0.4:
        hits += _hits(gm.SNARE, (1.75, 2.25), 0.18)
    if genre == "pop" and bright and rng.random() < 0.5:
        hits += _hits(gm.CLAP, (1.0, 3.0), 0.7)
    return hits


def _four(rng, beats, bright, genre):
    hits = _hits(gm.KICK, range(beats), 1.0)
    hits += [(b, pick(rng, (gm.CLAP, gm.CLAP, gm.SNARE)), 0.85) for b in range(1, beats, 2)]
    hits += [(b + 0.5, gm.OPEN_HAT if bright or rng.random() < 0.7 else gm.CLOSED_HAT, 0.75) for b in range(beats)]
    if rng.random() < 0.7:
        hits += _steady(gm.CLOSED_HAT, beats, 0.25, (0.45, 0.45, 0.3))
    return hits + _hits(gm.RIM, pick(rng, ((), (0.75, 2.25), (1.75, 3.25, 3.75), (0.75, 1.5, 2.75))), 0.4)


def _bossa(rng, beats, bright, genre):
    hits = _hits(gm.KICK, (0, 2), 0.7) + _hits(gm.KICK, (1.5, 3.5), 0.4)
    hits += _hits(gm.RIM, pick(rng, ((0, 1.5, 3), (0.5, 2, 3), (1, 2.5))), 0.75)
    return hits + _steady(gm.RIDE if bright else gm.CLOSED_HAT, beats, 0.5, (0.5, 0.35))


def _waltz(rng, beats, bright, genre):
    hits = [(0, gm.KICK, 0.8)] + [(p, pick(rng, (gm.SNARE, gm.CLOSED_HAT)), 0.35) for p in (1, 2)]
    if bright or rng.random() < 0.6:
        hits += [(0, gm.RIDE, 0.5), (1, gm.RIDE, 0.6), (1.5, gm.RIDE, 0.35), (2, gm.RIDE, 0.5)]
    return hits


def _shuffle(rng, beats, bright, genre):
    hits = _hits(gm.KICK, pick(rng, ((0, 2), (0, 2, 3.5), (0, 1.5, 2))), 0.9) + _hits(gm.SNARE, (1, 3), 0.9)
    return hits + _steady(gm.RIDE if bright else gm.CLOSED_HAT, beats, 0.5, (0.75, 0.5))


def _swing(rng, beats, bright, genre):
    hits = [(b, gm.RIDE, 0.7 if b % 2 else 0.6) for b in range(beats)]
    hits += [(b + 0.5, gm.RIDE, 0.45) for b in range(1, beats, 2)]
    hits += _hits(gm.CLOSED_HAT, range(1, beats, 2), 0.5) + _hits(gm.KICK, range(beats), 0.25)
    comments = ((), ((1.5, 0.3),), ((3.5, 0.35),), ((0.5, 0.25), (2.5, 0.3)), ((1.5, 0.3), (3.0, 0.25)))
    hits += [(p, gm.SNARE, accent) for p, accent in pick(rng, comments)]
    if rng.random() < 0.3:
        hits.append((beats - 0.5, gm.KICK, 0.5))
    return hits


def _funk(rng, beats, bright, genre):
    kicks = pick(rng, ((0, 0.5, 2.5), (0, 0.75, 2.25, 2.5), (0, 1.75, 2.5, 3.75), (0, 0.5, 2.75)))
    hits = _hits(gm.KICK, kicks, 0.8, first=1.0) + _hits(gm.SNARE, (1, 3), 1.0)
    hits += _hits(gm.SNARE, pick(rng, ((0.75, 1.75, 2.25, 3.75), (1.5, 2.25, 3.5), (0.25, 1.75, 2.75))), 0.2)
    hits += _steady(gm.CLOSED_HAT, beats, 0.25, (0.7, 0.5, 0.35))
    if bright:
        return hits + _hits(gm.OPEN_HAT, (1.5, 3.5), 0.6)
    return hits + (_hits(gm.OPEN_HAT, (3.5,), 0.5) if rng.random() < 0.5 else [])


def _onedrop(rng, beats, bright, genre):
    hits = [(2, gm.KICK, 1.0), (2, pick(rng, (gm.SNARE, gm.RIM)), 0.9)]
    if bright:
        hits += _hits(gm.KICK, (0, 1, 3), 0.7)
    hits += _steady(gm.CLOSED_HAT, beats, 0.5, (0.45, 0.65))
    return hits + _hits(gm.RIM, pick(rng, ((), (3.5,), (0.75, 3.5), (1.5,))), 0.4)


def _breakbeat(rng, beats, bright, genre):
    breaks = (
        ((0, 2.5), (1, 3)),
        ((0, 0.5, 2.5), (1, 3)),
        ((0, 1.5, 2.5), (1, 3, 3.75)),
        ((0, 2.5, 2.75), (1, 1.75, 3)),
    )
    kicks, snares = pick(rng, breaks)
    hits = _hits(gm.KICK, kicks, 0.95) + [(p, gm.SNARE, 1.0 if p % 1 == 0 else 0.45) for p in snares]
    hits += [(p, gm.SNARE, 0.2) for p in (1.75, 2.25) if rng.random() < 0.6]
    step = pick(rng, (0.5, 0.5, 0.25))
    return hits + _steady(gm.RIDE if bright else gm.CLOSED_HAT, beats, step, (0.65, 0.45, 0.45))


def _trap(rng, beats, bright, genre):
    kicks = pick(rng, ((0, 1.75, 2.5), (0, 0.75, 2.5), (0, 2.5, 3.75), (0, 1.5, 2.75)))
    hits = _hits(gm.KICK, kicks, 0.85, first=1.0)
    hits += [(s, pick(rng, (gm.CLAP, gm.SNARE)), 1.0) for s in (1, 3)]
    step = pick(rng, (0.25, 0.25, 0.5))
    hats = set(np.arange(0, beats, step))
    for start in np.arange(0, beats, 0.5):
        if step == 0.25 and rng.random() < 0.15:  # a roll, in triplets or in 32nds
            hats |= set(np.round(np.arange(start, start + 0.5, pick(rng, (0.125, 1 / 6))), 4))
    hits += [(p, gm.CLOSED_HAT, 0.6 if p % 0.5 == 0 else 0.4) for p in sorted(hats)]
    return hits + ([(beats - 0.5, gm.OPEN_HAT, 0.5)] if bright else [])


def _pulse(rng, beats, bright, genre):
    return [(0, gm.KICK, 0.5)] + [(b, gm.SHAKER if b % 2 else gm.RIM, 0.3) for b in range(1, beats)]


def _light(rng, beats, bright, genre):
    cell = pick(rng, ((0, 1.5, 2.5), (0, 1, 2.5, 3.5), (0, 1.5, 3)))
    hits = [(p, gm.CLAVES if p else gm.CONGA, 0.5) for p in cell] + _steady(gm.SHAKER, beats, 0.5, (0.45, 0.3))
    return hits + (_hits(gm.TAMBOURINE, range(1, beats, 2), 0.35) if bright else [])


def _clave(rng, beats, bright, genre):
    hits = _hits(gm.CLAVES, pick(rng, ((0, 1.5, 3), (1, 2))), 0.8) + _steady(gm.SHAKER, beats, 0.5, (0.5, 0.35))
    hits += _hits(gm.MUTE_CONGA, (0, 0.5, 1, 1.5, 2, 2.5), 0.4)
    hits += [(1, gm.CONGA, 0.5), (3, gm.LOW_CONGA, 0.8), (3.5, gm.CONGA, 0.8)]
    return hits + ([(b, gm.COWBELL, 0.5 if b % 2 else 0.7) for b in range(beats)] if bright else [])


def _frame(rng, beats, bright, genre):
    hits = [(0, gm.LOW_TOM, 0.8)]
    hits += [(p, gm.LOW_TOM, 0.3 if p % 1 else 0.5) for p in np.arange(0.5, beats, 0.5) if rng.random() < 0.8]
    return hits + (_hits(gm.TAMBOURINE, range(1, beats, 2), 0.4) if bright else [])


GROOVES = {
    "backbeat": _backbeat, "four": _four, "bossa": _bossa, "waltz": _waltz, "shuffle": _shuffle, "swing": _swing,
    "funk": _funk, "onedrop": _onedrop, "breakbeat": _breakbeat, "trap": _trap, "pulse": _pulse, "light": _light,
    "clave": _clave, "frame": _frame,
}  # fmt: skip
"""Name -> groove."""
