"""What bass, chords and drums play in a bar. All places and lengths in beats."""

from __future__ import annotations

import numpy as np

from vampkit.music.streams import pick

KICK, RIM, SNARE, CLAP, CLOSED, LOW_TOM, OPEN, MID_TOM, HIGH_TOM, RIDE = 36, 37, 38, 39, 42, 45, 46, 47, 50, 51


def bass_bar(style: str, beats: int) -> list[tuple[float, float, str, float]]:
    """One bar of bass as (place, length, what: root, fifth, octave or approach, accent)."""
    if style == "eighths":
        return [(p, 0.45, "root", 1.0 if p % 1 == 0 else 0.7) for p in np.arange(0, beats, 0.5)]
    if style == "pulse":
        return [(0.0, 1.4, "root", 1.0), (1.5, 0.45, "root", 0.6), (2.0, 1.4, "root", 0.9), (beats - 0.5, 0.45, "approach", 0.6)]
    if style == "long":
        return [(0.0, beats - 0.1, "root", 1.0)]
    if style == "walk":
        return [(float(p), 0.95, ("root", "third", "fifth", "approach", "approach")[p if p < beats - 1 else 3], 0.9) for p in range(beats)]
    if style == "octaves":
        return [(p, 0.4, "root" if p % 1 == 0 else "octave", 0.9 if p % 1 == 0 else 0.75) for p in np.arange(0, beats, 0.5)]
    if style == "offbeat":
        return [(p + 0.5, 0.42, "root", 0.9) for p in range(beats)] + [(beats - 0.25, 0.22, "octave", 0.6)]
    if style == "synced":
        return [(0.0, 0.7, "root", 1.0), (0.75, 0.2, "root", 0.6), (1.5, 0.45, "octave", 0.7), (2.5, 0.45, "root", 0.9), (3.25, 0.4, "fifth", 0.7)]
    if style == "bossa":
        return [(0.0, 1.4, "root", 1.0), (1.5, 0.45, "fifth", 0.6), (2.0, 1.4, "fifth", 0.95), (3.5, 0.45, "root", 0.6)]
    return [(0.0, 0.95, "root", 1.0)]


BASS = {"pop": ("eighths", "pulse", "long", "pulse"), "rock": ("eighths", "eighths", "pulse"), "house": ("octaves", "offbeat", "synced"),
        "bossa": ("bossa", "bossa", "walk"), "waltz": ("oom", "oom", "walk")}  # fmt: skip

CHORD_BARS: dict[str, tuple[tuple[tuple[float, float, float], ...], ...]] = {
    "pop": (((0, 3.9, 1),), ((0, 0.9, 1), (1, 0.9, 0.7), (2, 0.9, 0.85), (3, 0.9, 0.7)), ((0, 1.4, 1), (1.5, 0.9, 0.75), (2.5, 1.4, 0.85)),
            ((0, 0.5, 1), (0.75, 0.5, 0.7), (1.5, 0.9, 0.8), (2.5, 0.4, 0.7), (3, 0.9, 0.8))),
    "rock": (tuple((i / 2, 0.45, 1.0 if i % 2 == 0 else 0.7) for i in range(10)), ((0, 1.9, 1), (2, 0.9, 0.9), (3, 0.45, 0.7), (3.5, 0.45, 0.8)),
             ((0, 0.4, 1), (0.5, 0.4, 0.8), (1.5, 0.9, 0.9), (2.5, 0.4, 0.8), (3, 0.9, 0.9), (4, 0.9, 0.9))),
    "house": (((0.5, 0.3, 1), (1.5, 0.3, 0.9), (2.5, 0.3, 1), (3.5, 0.3, 0.9)),
              ((0, 0.3, 1), (0.75, 0.3, 0.9), (1.5, 0.3, 0.9), (2.5, 0.3, 0.8), (3.25, 0.3, 0.9)),
              ((0.25, 0.25, 0.8), (1, 0.4, 1), (1.75, 0.25, 0.8), (2.75, 0.3, 1), (3.5, 0.3, 0.8))),
    "bossa": (((0, 0.9, 1), (1.5, 0.9, 0.85), (3, 0.9, 0.9)), ((0, 0.45, 0.9), (1, 0.45, 0.7), (2.5, 0.9, 1), (3.5, 0.45, 0.8)),
              ((0.5, 0.9, 0.9), (2, 0.45, 0.8), (3, 0.9, 1))),
    "waltz": (((1, 0.6, 0.8), (2, 0.6, 0.75)), ((1, 1.8, 0.8),), ((0, 2.9, 0.9),), ((1, 0.4, 0.8), (1.5, 0.3, 0.5), (2, 0.6, 0.75))),
}  # fmt: skip
"""Rhythms of the chords as (place, length, accent); what lies beyond the bar is left out."""


def drum_groove(rng: np.random.Generator, genre: str, beats: int, bright: bool) -> list[tuple[float, int, float]]:
    """One bar of drums as (place, drum, accent), drawn once for a section. bright: the ride or open hats lead."""
    maker = {"pop": _backbeat, "rock": _backbeat, "house": _four, "bossa": _bossa, "waltz": _waltz}[genre]
    hits = maker(rng, beats, bright, genre)
    return [h for h in hits if 0 <= h[0] < beats]


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


def fill(rng: np.random.Generator, beats: int, soft: bool) -> tuple[float, list[tuple[float, int, float]]]:
    """The end of a section on the drums: from which beat on it replaces the groove, and its hits."""
    length = float(pick(rng, (1.0, 1.0, 2.0))) if not soft else 1.0
    path = pick(rng, ((SNARE, HIGH_TOM, MID_TOM, LOW_TOM), (SNARE, SNARE, SNARE, SNARE), (HIGH_TOM, HIGH_TOM, LOW_TOM, LOW_TOM), (RIM, RIM, SNARE, SNARE)))
    places = np.arange(beats - length, beats, 0.5 if soft else 0.25)
    keep = [p for p in places if p == places[0] or rng.random() < 0.8]
    hits = [(float(p), path[int(4 * (p - places[0]) / length)], (0.35 if soft else 0.6) + 0.4 * (p - places[0]) / length) for p in keep]
    if not soft:
        hits.append((float(places[0]), KICK, 0.7))
    return float(beats - length), hits
