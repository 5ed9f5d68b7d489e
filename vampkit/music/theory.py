"""Chords, scales and voice leading."""

from __future__ import annotations

import numpy as np

NAMES = ("C", "Db", "D", "Eb", "E", "F", "Gb", "G", "Ab", "A", "Bb", "B")
QUALITIES = {
    "maj": (0, 4, 7), "min": (0, 3, 7), "5": (0, 7), "sus4": (0, 5, 7), "dim": (0, 3, 6),
    "7": (0, 4, 7, 10), "maj7": (0, 4, 7, 11), "min7": (0, 3, 7, 10), "hdim7": (0, 3, 6, 10),
    "maj6": (0, 4, 7, 9), "min6": (0, 3, 7, 9),
}  # fmt: skip
SCALES = {
    "major": (0, 2, 4, 5, 7, 9, 11), "minor": (0, 2, 3, 5, 7, 8, 10), "dorian": (0, 2, 3, 5, 7, 9, 10),
    "mixolydian": (0, 2, 4, 5, 7, 9, 10), "lydian": (0, 2, 4, 6, 7, 9, 11), "blues": (0, 3, 5, 6, 7, 10),
    "harmonic minor": (0, 2, 3, 5, 7, 8, 11),
}  # fmt: skip


def parse(progression: str) -> list[list[tuple[int, str]]]:
    """Read bars of chords from text: "0:maj 2:min7/7:7" is a bar of I and a bar shared by ii7 and V7.

    A chord is (semitones above the tonic, quality).
    """
    bars = [[chord.split(":") for chord in bar.split("/")] for bar in progression.split()]
    return [[(int(degree), quality) for degree, quality in bar] for bar in bars]


def tones(root: int, quality: str) -> tuple[int, ...]:
    """Pitch classes of a chord, root first."""
    return tuple((root + i) % 12 for i in QUALITIES[quality])


def local_scale(tonic: int, scale: str, chord: tuple[int, ...]) -> tuple[int, ...]:
    """Pitch classes that a melody may use over a chord: the chord tones, and the tones of the scale that do not clash.

    A tone of the scale clashes if it is a semitone away from a chord tone that is not in the scale.
    """
    plain = {(tonic + s) % 12 for s in SCALES[scale]}
    altered = set(chord) - plain
    return tuple(sorted(set(chord) | {p for p in plain if not any((p - a) % 12 in (1, 11) for a in altered)}))


def nearest(pitch: float, classes) -> int:
    """The MIDI pitch nearest to `pitch` that is in one of the pitch classes; if two are equally near, the lower one."""
    around = np.arange(int(pitch) - 7, int(pitch) + 9)
    fits = around[np.isin(around % 12, list(classes))]
    return int(fits[np.argmin(np.abs(fits - pitch))])


def step(pitch: int, steps: int, classes) -> int:
    """The MIDI pitch `steps` steps above `pitch` (below, if negative), counting only the given pitch classes."""
    ladder = np.array([p for p in range(pitch - 36, pitch + 37) if p % 12 in set(classes)])
    at = int(np.argmin(np.abs(ladder - pitch)))
    return int(ladder[np.clip(at + steps, 0, len(ladder) - 1)])


def voicing(chord: tuple[int, ...], before: list[int] | None, center: float) -> list[int]:
    """The close position of a chord that is nearest to the voicing before, in MIDI pitches, not far from `center`."""
    best, least = None, np.inf
    for turn in range(len(chord)):
        turned = chord[turn:] + chord[:turn]
        for octave in (-24, -12, 0, 12):
            low = nearest(center + octave / 2, [turned[0]])
            voices = [low]
            for tone in turned[1:]:
                voices.append(voices[-1] + ((tone - voices[-1]) % 12 or 12))
            pull = abs(float(np.mean(voices)) - center)
            move = sum(min(abs(v - b) for b in before) for v in voices) if before else 0.0
            if (cost := move + 0.35 * pull) < least:
                best, least = voices, cost
    return best
