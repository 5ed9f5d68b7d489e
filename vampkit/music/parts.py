"""The parts: bass, chords, arpeggio, pad, melody and drums, each a function from the plan to what is played."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vampkit.music import melody as tunes
from vampkit.music import patterns, theory
from vampkit.music.grooves import drum_groove
from vampkit.music.plan import Plan
from vampkit.music.streams import pick, stream

CENTERS = {
    "piano": 60, "epiano": 60, "guitar": 55, "organ": 62, "pad": 62, "lead": 64, "bass": 40, "flute": 74, "nylon": 55, "harp": 62, "harpsichord": 60,
    "clav": 58, "banjo": 60, "strings": 62, "choir": 60, "brass": 58, "accordion": 62, "marimba": 62, "vibes": 64, "bells": 70, "kalimba": 66,
}  # fmt: skip
"""MIDI pitch around which an instrument plays chords."""
TUNE_CENTERS = {
    "piano": 74, "epiano": 72, "guitar": 69, "organ": 72, "lead": 71, "flute": 77, "sax": 65, "trumpet": 70, "voice": 66, "brass": 66, "violin": 76,
    "clarinet": 69, "oboe": 73, "vibes": 72, "bells": 76, "strings": 72, "accordion": 72, "harpsichord": 72, "kalimba": 74, "cello": 57,
}  # fmt: skip
"""The same for tunes."""
LOWEST = {"bass": 33, "synthbass": 33, "sub": 28, "cello": 36}
"""The lowest root of a bass line; 38 for instruments that are not made for it."""


class Played(NamedTuple):
    """One note in beats: place, length, MIDI pitch, accent 0..1, and its order within a strummed chord."""

    place: float
    length: float
    pitch: int
    accent: float
    order: int = 0


def _bars(plan: Plan, active: list[bool]):
    """Every bar that is played, as (name of its section, bar within the section, bars of the section, place).

    The close is left out.
    """
    for (name, first, bars), plays in zip(plan.sections, active, strict=True):
        for bar in range(bars if plays else 0):
            place = (first + bar) * plan.beats
            if place < plan.close:
                yield name, bar, bars, place


def _hold(plan: Plan) -> float:
    """Length in beats of the closing chord: a bar, or what is left of the piece."""
    left = (plan.seconds - 0.3 - plan.time(plan.close)) * plan.tempo / 60
    return float(max(0.5, min(plan.beats, left)))


def bass(plan: Plan, instrument: str, active: list[bool]) -> list[Played]:
    """Roots, fifths, octaves and steps into the next chord, in a rhythm of the genre."""
    low = LOWEST.get(instrument, 38)
    styles: dict[str, str] = {}
    played = []
    for name, _, _, place in _bars(plan, active):
        rng = stream(plan.seed, f"bass/{name}")
        style = styles.setdefault(name, pick(rng, plan.genre.bass))
        for at, length, what, accent in patterns.bass_bar(style, plan.beats):
            if at >= plan.beats:
                continue
            chord = theory.tones(*plan.chord_at(place + at))
            root = low + (chord[0] - low) % 12
            pitch = {"root": root, "octave": root + 12, "fifth": root + 7 if len(chord) == 2 or (chord[2] - chord[0]) % 12 == 7 else root + 6,
                     "third": root + (chord[1] - chord[0]) % 12, "sixth": root + 9, "seventh": root + 10}.get(what)  # fmt: skip
            if what == "approach":
                ahead = theory.tones(*plan.chord_at(place + plan.beats))
                goal = theory.nearest(root, [ahead[0]])
                pitch = theory.step(goal, -1 if goal > root else 1, theory.local_scale(plan.tonic, plan.scale, chord))
            played.append(Played(place + at, min(length, plan.beats - at), pitch, accent))
    if plan.ending:
        played.append(Played(plan.close, _hold(plan), low + (plan.tonic - low) % 12, 0.9))
    return played


def _voicings(plan: Plan, instrument: str) -> list[list[int]]:
    """A voicing for every chord of the plan, each led from the one before; power chords stand on their root."""
    before, all_of_them = None, []
    for _, _, root, quality in plan.chords:
        chord = theory.tones((plan.tonic + root) % 12, quality)
        if quality == "5":
            low = 40 + (chord[0] - 40) % 12
            voices = [low, low + 7, low + 12]
        else:
            before = voices = theory.voicing(chord, before, CENTERS[instrument])
            if instrument == "guitar":
                voices = [*voices, voices[0] + 12]
        all_of_them.append(voices)
    return all_of_them


def _voices_at(plan: Plan, voicings: list[list[int]], place: float) -> tuple[list[int], float]:
    """The voicing that sounds at a place, and where its chord ends."""
    at = max(i for i, c in enumerate(plan.chords) if c[0] <= place + 1e-6)
    return voicings[at], plan.chords[at][0] + plan.chords[at][1]


def chords(plan: Plan, instrument: str, active: list[bool]) -> list[Played]:
    """Chords in a rhythm of the genre, one rhythm for all sections of a name."""
    voicings = _voicings(plan, instrument)
    played = []
    for name, _, _, place in _bars(plan, active):
        rng = stream(plan.seed, f"chords/{name}")
        long = 1.0 if instrument in ("organ", "lead", "accordion", "brass", "strings") else pick(rng, (0.8, 1.0, 1.4))
        for at, length, accent in pick(rng, plan.genre.comping):
            if at >= plan.beats:
                continue
            voices, end = _voices_at(plan, voicings, place + at)
            length = min(length * long, end - place - at)
            order = range(len(voices)) if at % 1 == 0 else range(len(voices) - 1, -1, -1)
            played += [Played(place + at, length, v, 0.85 * accent, o) for v, o in zip(voices, order, strict=True)]
    if plan.ending:
        played += [Played(plan.close, _hold(plan), v, 0.85, o) for o, v in enumerate(voicings[-1])]
    return played


def arpeggio(plan: Plan, instrument: str, active: list[bool]) -> list[Played]:
    """Broken chords over two octaves in a cell that repeats."""
    voicings = _voicings(plan, instrument)
    played = []
    for name, _, _, place in _bars(plan, active):
        rng = stream(plan.seed, f"arpeggio/{name}")
        grid = pick(rng, (0.5, 0.5, 0.25))
        order = pick(rng, ((0, 1, 2, 3), (0, 2, 1, 2), (3, 2, 1, 0), (0, 1, 2, 4, 2, 1), (0, 2, 4, 3), (4, 2, 3, 1)))
        rests = rng.random(8) < pick(rng, (0.0, 0.0, 0.2))
        for i, at in enumerate(np.arange(0, plan.beats, grid)):
            if rests[i % 8] and i:
                continue
            voices, _ = _voices_at(plan, voicings, place + at)
            ladder = voices + [v + 12 for v in voices] if len(voices) <= 3 else [*voices, voices[1] + 12]
            pitch = ladder[order[i % len(order)] % len(ladder)]
            played.append(Played(place + float(at), grid * 1.6, pitch, 0.8 if at % 1 == 0 else 0.6))
    if plan.ending:
        played += [Played(plan.close + 0.25 * o, _hold(plan), v, 0.7) for o, v in enumerate(voicings[-1])]
    return played


def pad(plan: Plan, instrument: str, active: list[bool]) -> list[Played]:
    """Every chord held for its length."""
    voicings = _voicings(plan, instrument)
    played = []
    for (_, first, bars), plays in zip(plan.sections, active, strict=True):
        for voices, (place, length, _, _) in zip(voicings, plan.chords, strict=True):
            if plays and first * plan.beats <= place < (first + bars) * plan.beats:
                length = _hold(plan) if place >= plan.close else length * 0.98
                voices = [v + 12 if v < 48 else v for v in voices]
                played += [Played(place, length, v, 0.7) for v in sorted(set(voices))]
    return played


def melody(plan: Plan, instrument: str, active: list[bool]) -> list[Played]:
    """A tune for each name of a section; when a section returns, so does its tune, with a few notes changed."""
    center = TUNE_CENTERS[instrument]
    played = []
    for at, ((name, first, bars), plays) in enumerate(zip(plan.sections, active, strict=True)):
        start = first * plan.beats
        length = int(min(bars * plan.beats, plan.close - start)) // plan.beats
        if not plays or length < 1:
            continue

        def chord_at(place, start=start):
            return theory.tones(*plan.chord_at(start + place))

        def scale_at(place, start=start):
            return theory.local_scale(plan.tonic, plan.scale, theory.tones(*plan.chord_at(start + place)))

        rng = stream(plan.seed, f"melody/{name}")
        density = pick(rng, (0.75, 0.95, 1.1)) * plan.genre.tunes
        tune = tunes.tune(rng, length, plan.beats, center, density, chord_at, scale_at)
        again = stream(plan.seed, f"melody/{name}/{at}")
        for place, span, pitch, accent in tune:
            if again.random() < 0.04:
                pitch = theory.step(pitch, pick(again, (-1, 1)), scale_at(place))
            played.append(Played(start + place, span, pitch, 0.6 + 0.35 * accent))
    if plan.ending:
        played.append(Played(plan.close, _hold(plan), theory.nearest(center, [plan.tonic]), 0.9))
    return played


def drums(plan: Plan, instrument: str, active: list[bool]) -> list[Played]:
    """A groove for each name of a section, with a fill at its end and sometimes in its middle."""
    played = []
    soft = plan.genre.soft
    for name, bar, bars, place in _bars(plan, active):
        rng = stream(plan.seed, f"drums/{name}")
        groove = drum_groove(rng, plan.genre.groove, plan.genre.name, plan.beats, name == plan.genre.names[1])
        own = stream(plan.seed, f"fill/{place}")
        chance = 0.85 if bar == bars - 1 and bars > 1 else 0.25 if bar % 4 == 3 else 0.0
        if own.random() < chance:
            cut, hits = patterns.fill(own, plan.beats, soft)
            groove = [h for h in groove if h[0] < cut] + hits
        if bar == 0 and place and not soft:
            groove = [h for h in groove if h[0] > 0 or h[1] not in (patterns.CLOSED, patterns.OPEN)] + [
                (0.0, patterns.OPEN, 1.0)
            ]
        played += [
            Played(place + float(p), 0.2, drum, a * (0.75 if soft else 1.0)) for p, drum, a in sorted(set(groove))
        ]
    if plan.ending:
        played += [Played(plan.close, 1.0, drum, 0.8) for drum in (patterns.KICK, patterns.RIDE)]
    return played
