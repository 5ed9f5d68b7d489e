"""What the bass plays in a bar, and how drums end a section. All places and lengths in beats."""

from __future__ import annotations

import numpy as np

from vampkit.music.streams import pick

KICK, RIM, SNARE, CLAP, CLOSED, LOW_TOM, OPEN, MID_TOM, HIGH_TOM, RIDE = 36, 37, 38, 39, 42, 45, 46, 47, 50, 51
TAMBOURINE, COWBELL, MUTE_CONGA, CONGA, LOW_CONGA, SHAKER, CLAVES = 54, 56, 62, 63, 64, 70, 75
"""General MIDI's numbers."""


def bass_bar(style: str, beats: int) -> list[tuple[float, float, str, float]]:
    """One bar of bass as (place, length, what: root, third, fifth, sixth, seventh, octave or approach, accent)."""
    if style == "eighths":
        return [(p, 0.45, "root", 1.0 if p % 1 == 0 else 0.7) for p in np.arange(0, beats, 0.5)]
    if style == "pulse":
        return [
            (0.0, 1.4, "root", 1.0),
            (1.5, 0.45, "root", 0.6),
            (2.0, 1.4, "root", 0.9),
            (beats - 0.5, 0.45, "approach", 0.6),
        ]
    if style == "long":
        return [(0.0, beats - 0.1, "root", 1.0)]
    if style == "walk":
        return [
            (float(p), 0.95, ("root", "third", "fifth", "approach", "approach")[p if p < beats - 1 else 3], 0.9)
            for p in range(beats)
        ]
    if style == "octaves":
        return [
            (p, 0.4, "root" if p % 1 == 0 else "octave", 0.9 if p % 1 == 0 else 0.75) for p in np.arange(0, beats, 0.5)
        ]
    if style == "offbeat":
        return [(p + 0.5, 0.42, "root", 0.9) for p in range(beats)] + [(beats - 0.25, 0.22, "octave", 0.6)]
    if style == "synced":
        return [
            (0.0, 0.7, "root", 1.0),
            (0.75, 0.2, "root", 0.6),
            (1.5, 0.45, "octave", 0.7),
            (2.5, 0.45, "root", 0.9),
            (3.25, 0.4, "fifth", 0.7),
        ]
    if style == "bossa":
        return [(0.0, 1.4, "root", 1.0), (1.5, 0.45, "fifth", 0.6), (2.0, 1.4, "fifth", 0.95), (3.5, 0.45, "root", 0.6)]
    if style == "boogie":
        return [
            (p / 2, 0.45, ("root", "fifth", "sixth", "fifth")[p // 2 % 4], 0.9 if p % 2 == 0 else 0.65)
            for p in range(2 * beats)
        ]
    if style == "shuffle":
        return [(p / 2, 0.4, "root" if p % 4 < 3 else "fifth", 1.0 if p % 2 == 0 else 0.6) for p in range(2 * beats)]
    if style == "funk":
        return [(0.0, 0.4, "root", 1.0), (0.75, 0.15, "root", 0.5), (1.5, 0.2, "octave", 0.8), (1.75, 0.2, "root", 0.5), (2.5, 0.2, "seventh", 0.7),
                (3.0, 0.2, "octave", 0.8), (3.5, 0.3, "fifth", 0.7)]  # fmt: skip
    if style == "dub":
        return [
            (0.0, 0.9, "root", 1.0),
            (1.5, 0.4, "root", 0.7),
            (2.0, 0.9, "fifth", 0.9),
            (3.25, 0.2, "third", 0.6),
            (3.5, 0.4, "approach", 0.7),
        ]
    if style == "reese":
        return [(0.0, 2.4, "root", 1.0), (2.5, 1.4, "root", 0.9)]
    if style == "808":
        return [(0.0, 1.3, "root", 1.0), (1.75, 0.5, "root", 0.7), (2.5, 1.0, "root", 0.9), (3.75, 0.2, "octave", 0.6)]
    if style == "tumbao":
        return [(0.0, 0.4, "root", 0.5), (1.5, 1.3, "fifth", 0.9), (3.0, 0.95, "approach", 1.0)]
    if style == "ostinato":
        return [(p / 2, 0.4, ("root", "fifth", "octave")[p % 3], 1.0 if p % 3 == 0 else 0.6) for p in range(2 * beats)]
    return [(0.0, 0.95, "root", 1.0)]


def fill(rng: np.random.Generator, beats: int, soft: bool) -> tuple[float, list[tuple[float, int, float]]]:
    """The end of a section on the drums: from which beat on it replaces the groove, and its hits."""
    length = float(pick(rng, (1.0, 1.0, 2.0))) if not soft else 1.0
    path = pick(
        rng,
        (
            (SNARE, HIGH_TOM, MID_TOM, LOW_TOM),
            (SNARE, SNARE, SNARE, SNARE),
            (HIGH_TOM, HIGH_TOM, LOW_TOM, LOW_TOM),
            (RIM, RIM, SNARE, SNARE),
        ),
    )
    places = np.arange(beats - length, beats, 0.5 if soft else 0.25)
    keep = [p for p in places if p == places[0] or rng.random() < 0.8]
    hits = [
        (float(p), path[int(4 * (p - places[0]) / length)], (0.35 if soft else 0.6) + 0.4 * (p - places[0]) / length)
        for p in keep
    ]
    if not soft:
        hits.append((float(places[0]), KICK, 0.7))
    return float(beats - length), hits
