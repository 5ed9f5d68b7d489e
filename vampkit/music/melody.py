"""Melodies: a motif of one or two bars that is repeated, follows the harmony, and ends each phrase with a cadence."""

from __future__ import annotations

import numpy as np

from vampkit.music import theory
from vampkit.music.streams import pick

SCHEMES = ((0, 1, 0, 2), (0, 0, 1, 2), (0, 1, 0, 1), (0, 0, 0, 2), (0, 1, 2, 2))
"""Which of three one-bar cells fills each bar of a phrase of four bars. The first cell is always repeated."""


def cell(rng: np.random.Generator, beats: int, density: float) -> list[tuple[float, float, int]]:
    """Draw one bar of a melody as (place, length, steps from the first note), in beats. Strong beats get more notes."""
    grid = np.arange(0, beats, 0.5)
    chance = np.where(grid == 0, 0.85, np.where(grid % 1 == 0, 0.62, 0.42)) * density
    places = [float(g) for g, c in zip(grid, chance, strict=True) if rng.random() < c] or [0.0]
    if rng.random() < 0.25:
        places.append(float(pick(rng, grid)) + 0.25)
        places.sort()
    steps, at = [], 0
    for _ in places:
        steps.append(at)
        at = int(np.clip(at + pick(rng, (-3, -2, -1, 0, 1, 2, 3, 4), (1, 3, 6, 2.5, 6, 3, 1, 0.5)), -6, 6))
    ends = [*places[1:], float(beats)]
    legato = pick(rng, (0.6, 0.9, 1.0))
    return [(p, min(2.5, (e - p)) * legato, s) for p, e, s in zip(places, ends, steps, strict=True)]


def cadence(rng: np.random.Generator, beats: int) -> list[tuple[float, float, int]]:
    """Draw the last bar of a phrase: one or two notes, then a rest."""
    if rng.random() < 0.5:
        return [(0.0, min(beats, 2.5), 0)]
    return [(0.0, 0.9, 1), (1.0, min(beats - 1, 1.8), 0)]


def tune(
    rng: np.random.Generator, bars: int, beats: int, center: int, density: float, chord_at, scale_at
) -> list[tuple[float, float, int, float]]:
    """Make the melody of a section as (place in beats from its start, length, pitch, accent from 0 to 1).

    chord_at, scale_at: functions of a place in beats that give pitch classes.
    """
    cells = [cell(rng, beats, density) for _ in range(3)]
    cells[2] = cadence(rng, beats) if rng.random() < 0.7 else cells[2]
    scheme = pick(rng, SCHEMES)
    rest = pick(rng, (None, None, None, 1, 3))
    arch = rng.uniform(1, 5) * np.sin(np.pi * (np.arange(bars) % 4 + 0.5) / 4)
    notes, at = [], float(center)
    for bar in range(bars):
        if rest == bar % 4:
            continue
        first = bar * beats
        at = theory.nearest(0.6 * at + 0.4 * (center + arch[bar]), chord_at(first))
        for place, length, steps in cells[scheme[bar % 4]]:
            where = first + place
            pitch = theory.step(at, steps, scale_at(where))
            if place % 1 == 0 and (place == 0 or length >= 1 or 2 * place == beats):
                pitch = theory.nearest(pitch, chord_at(where))
            while pitch > center + 11:
                pitch -= 12
            while pitch < center - 9:
                pitch += 12
            notes.append((where, length, pitch, 1.0 if place == 0 else 0.7 if place % 1 == 0 else 0.4))
    return notes
