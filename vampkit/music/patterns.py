"""What the bass plays in a bar, and how the drums end a section. All places and lengths are in beats."""

from __future__ import annotations

import numpy as np

from vampkit.music import general_midi as gm
from vampkit.music.streams import pick
from vampkit.music.tables import table

BassNote = tuple[float, float, str, float]
"""Place, length, degree (root, third, fifth, sixth, seventh, octave or approach), accent."""

BASS = table("bass")


def bass_bar(style: str, beats: int) -> list[BassNote]:
    """One bar of bass."""
    if style in BASS["fixed"]:
        return BASS["fixed"][style]
    if style in BASS["eighths"]:
        length, cycle = BASS["eighths"][style].values()
        return [(i / 2, length, *cycle[i % len(cycle)]) for i in range(2 * beats)]
    if style == "long":
        return [(0.0, beats - 0.1, "root", 1.0)]
    if style == "pulse":
        held = [(0.0, 1.4, "root", 1.0), (1.5, 0.45, "root", 0.6), (2.0, 1.4, "root", 0.9)]
        return [*held, (beats - 0.5, 0.45, "approach", 0.6)]
    if style == "walk":
        degrees = [*("root", "third", "fifth", "approach")[: beats - 1], "approach"]
        return [(float(i), 0.95, degree, 0.9) for i, degree in enumerate(degrees)]
    if style == "offbeat":
        return [(i + 0.5, 0.42, "root", 0.9) for i in range(beats)] + [(beats - 0.25, 0.22, "octave", 0.6)]
    raise ValueError(f"there is no bass style {style!r}; give one of vampkit/music/patterns.py")


def fill(rng: np.random.Generator, beats: int, soft: bool) -> tuple[float, list[tuple[float, int, float]]]:
    """Make a drum fill for the end of a section: the beat from which it replaces the groove, and its hits."""
    length = 1.0 if soft else float(pick(rng, (1.0, 1.0, 2.0)))
    path = pick(
        rng,
        (
            (gm.SNARE, gm.HIGH_TOM, gm.MID_TOM, gm.LOW_TOM),
            (gm.SNARE, gm.SNARE, gm.SNARE, gm.SNARE),
            (gm.HIGH_TOM, gm.HIGH_TOM, gm.LOW_TOM, gm.LOW_TOM),
            (gm.RIM, gm.RIM, gm.SNARE, gm.SNARE),
        ),
    )
    first = beats - length
    hits = []
    for place in np.arange(first, beats, 0.5 if soft else 0.25):
        if place == first or rng.random() < 0.8:
            done = (place - first) / length
            hits.append((float(place), path[int(4 * done)], (0.35 if soft else 0.6) + 0.4 * done))
    if not soft:
        hits.append((float(first), gm.KICK, 0.7))
    return float(first), hits
