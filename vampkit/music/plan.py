"""The plan of a piece: its time, form and harmony. It is made before any notes."""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from vampkit.music import theory
from vampkit.music.genres import Genre
from vampkit.music.streams import pick, stream

FRAMES_A_SECOND = 44_100 / 768
"""Frames per second of the codec. If beats are whole frames, loops also repeat exactly in the tokens."""
FORMS = ("0010", "0101", "0011", "0102", "1010", "0121")
"""Orders of the three sections of a genre, by number. In longer pieces the order is repeated."""


@dataclass
class Plan:
    """Time, form and harmony of one piece. Places are in beats from the first downbeat.

    beats: beats per bar. tempo: beats per minute. tonic: pitch class. tuning: frequency of A4 in Hz. swing: place of
    the off-beat in its pair of notes. ending: the last bar is a closing tonic chord. grid: time of each beat in
    seconds. sections: (name, first bar, bars). chords: (place, length, semitones above the tonic, quality).
    """

    seed: int
    genre: Genre
    seconds: float
    beats: int
    tempo: float
    tonic: int
    scale: str
    tuning: float
    swing: float
    bars: int = 0
    ending: bool = False
    grid: np.ndarray = field(default_factory=lambda: np.zeros(0))
    sections: list[tuple[str, int, int]] = field(default_factory=list)
    chords: list[tuple[float, float, int, str]] = field(default_factory=list)

    def time(self, place: float) -> float:
        """Convert a place to seconds. Beyond the grid, beats have the length of the last one."""
        last = len(self.grid) - 1
        if place >= last:
            return float(self.grid[last] + (place - last) * (self.grid[last] - self.grid[last - 1]))
        return float(np.interp(place, np.arange(last + 1), self.grid))

    def swung(self, place: float) -> float:
        """Move a place by the swing: the middle of each pair of notes comes later, its start and end do not move."""
        pair = self.genre.swing_pair
        whole, part = divmod(place / pair, 1)
        part = 2 * part * self.swing if part < 0.5 else self.swing + (2 * part - 1) * (1 - self.swing)
        return (whole + part) * pair

    def chord_at(self, place: float) -> tuple[int, str]:
        """Root (pitch class) and quality of the chord at a place."""
        _, _, root, quality = next(c for c in reversed(self.chords) if c[0] <= place + 1e-6)
        return (self.tonic + root) % 12, quality

    def level(self, place: float) -> float:
        """Loudness of the section at a place, relative to the loudest section."""
        bar = place / self.beats
        name = next((n for n, first, _ in reversed(self.sections) if first <= bar + 1e-6), "")
        return {"intro": 0.8, self.genre.sections[1]: 1.0, self.genre.sections[2]: 0.85}.get(name, 0.9)

    @property
    def close(self) -> float:
        """Place of the closing chord; infinity if there is none."""
        return (self.bars - 1) * self.beats if self.ending else float("inf")


def make_plan(seed: int, genre: Genre, seconds: float) -> Plan:
    """Draw the plan of a piece."""
    rng = stream(seed, "plan")
    beats = pick(rng, genre.meters, genre.meters.values())
    tempo = float(np.exp(rng.uniform(*np.log(genre.tempo))))
    if genre.tempo_drift == 0 and rng.random() < 0.5:
        tempo = 60 * FRAMES_A_SECOND / round(60 * FRAMES_A_SECOND / tempo)
    scale = pick(rng, genre.harmony)
    tonic = int(rng.integers(12))
    tuning = round(float(np.clip(rng.normal(440, 1.8), 435, 445)), 2)
    swing = float(rng.uniform(*genre.swing))
    plan = Plan(seed, genre, seconds, beats, tempo, tonic, scale, tuning, swing)
    _lay_time(plan)
    _lay_form(plan)
    _lay_chords(plan)
    return plan


def _lay_time(plan: Plan) -> None:
    """Draw the times of the beats. The first downbeat is within 0.1 s, and the tempo may drift.

    A piece has an ending if there is room for it.
    """
    rng = stream(plan.seed, "time")
    first = rng.uniform(0.01, 0.1)
    drift = plan.genre.tempo_drift
    count = int(np.ceil(plan.seconds * plan.tempo / 60 * (1 + 2 * drift))) + 2 * plan.beats
    walk = np.cumsum(rng.normal(0, 0.3, count)) if drift else np.zeros(count)
    lengths = 60 / plan.tempo * (1 + drift * np.tanh(walk))
    plan.grid = first + np.concatenate([[0.0], np.cumsum(lengths)])
    downbeats = plan.grid[:: plan.beats]
    plan.ending = bool(rng.random() < 0.4) and plan.seconds >= 16
    room = plan.seconds - (1.2 if plan.ending else 0.0)
    plan.bars = max(1, int((downbeats < room).sum()))


def _lay_form(plan: Plan) -> None:
    """Draw sections of four bars (eight in long pieces) in one of FORMS, after an intro of two bars if time allows."""
    rng = stream(plan.seed, "form")
    order = pick(rng, FORMS)
    size = plan.genre.section_bars or (8 if plan.bars >= 32 and rng.random() < 0.7 else 4)
    at = 0
    if plan.seconds >= 24 and rng.random() < 0.4:
        plan.sections.append(("intro", 0, 2))
        at = 2
    turn = 0
    while at < plan.bars:
        bars = min(size, plan.bars - at)
        name = plan.genre.sections[int(order[turn % len(order)])]
        if plan.sections and bars == 1:
            name, first, before = plan.sections[-1]
            plan.sections[-1] = (name, first, before + 1)
        else:
            plan.sections.append((name, at, bars))
        at, turn = at + bars, turn + 1


def _lay_chords(plan: Plan) -> None:
    """Draw a chord progression for each section name, repeated to fill the section. The closing chord is the tonic."""
    rng = stream(plan.seed, "harmony")
    choices = list(plan.genre.harmony[plan.scale])
    rng.shuffle(choices)
    progressions = {name: theory.parse(choices[i % len(choices)]) for i, name in enumerate(plan.genre.sections)}
    progressions["intro"] = progressions[plan.genre.sections[0]]
    for name, first, bars in plan.sections:
        for bar in range(bars):
            place = (first + bar) * plan.beats
            chords = progressions[name][bar % len(progressions[name])]
            if place >= plan.close:
                chords = [(0, "min" if 3 in theory.SCALES[plan.scale] else "maj")]
            cuts = [0, plan.beats] if len(chords) == 1 else [0, -(-plan.beats // 2), plan.beats]
            for chord, start, stop in zip(chords, cuts[:-1], cuts[1:], strict=True):
                new = (float(place + start), float(stop - start), *chord)
                _add_chord(plan.chords, new, joinable=place < plan.close)


def _add_chord(chords: list, new: tuple, joinable: bool) -> None:
    """Append a chord. If it is the same as the one before, make that one longer instead (at most two bars)."""
    if joinable and chords and chords[-1][2:] == new[2:] and chords[-1][1] <= new[1]:
        chords[-1] = (chords[-1][0], chords[-1][1] + new[1], *new[2:])
    else:
        chords.append(new)
