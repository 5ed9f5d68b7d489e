"""The parts: bass, chords, arpeggio, pad, melody and drums. Each is a function from the plan to notes."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from vampkit.music import general_midi as gm
from vampkit.music import patterns, theory
from vampkit.music.grooves import drum_groove
from vampkit.music.melody import tune
from vampkit.music.plan import Plan
from vampkit.music.streams import pick, stream
from vampkit.music.tables import INSTRUMENT_TABLE

LOWEST_ROOT = 38
"""Lowest root of a bass line, as MIDI pitch, for instruments that do not have their own lowest root."""
SUSTAINED = ("organ", "lead", "accordion", "brass", "strings")
"""Instruments that hold chords exactly as long as the rhythm says. Others may play them shorter or longer."""


class Played(NamedTuple):
    """One note in beats: place, length, MIDI pitch, accent 0..1, and its order within a strummed chord."""

    place: float
    length: float
    pitch: int
    accent: float
    order: int = 0


def _bars(plan: Plan, active: list[bool]):
    """All bars except the closing chord: (name of the section, bar in the section, bars of the section, place)."""
    for (name, first, bars), plays in zip(plan.sections, active, strict=True):
        for bar in range(bars if plays else 0):
            place = (first + bar) * plan.beats
            if place < plan.close:
                yield name, bar, bars, place


def _hold(plan: Plan) -> float:
    """Length of the closing chord in beats: one bar, or less if the piece ends before."""
    left = (plan.seconds - 0.3 - plan.time(plan.close)) * plan.tempo / 60
    return float(max(0.5, min(plan.beats, left)))


def bass(plan: Plan, instrument: str, active: list[bool]) -> list[Played]:
    """Make a bass line in a style of the genre. Sections with the same name have the same style."""
    low = INSTRUMENT_TABLE[instrument].get("lowest_root", LOWEST_ROOT)
    played = []
    for name, _, _, place in _bars(plan, active):
        style = pick(stream(plan.seed, f"bass/{name}"), plan.genre.bass)
        for at, length, degree, accent in patterns.bass_bar(style, plan.beats):
            if at < plan.beats:
                pitch = _bass_pitch(plan, low, degree, place + at, place + plan.beats)
                played.append(Played(place + at, min(length, plan.beats - at), pitch, accent))
    if plan.ending:
        played.append(Played(plan.close, _hold(plan), low + (plan.tonic - low) % 12, 0.9))
    return played


def _bass_pitch(plan: Plan, low: int, degree: str, place: float, next_bar: float) -> int:
    """MIDI pitch of a degree of the chord at a place; "approach" is a step from the root of the next bar's chord."""
    chord = theory.tones(*plan.chord_at(place))
    root = low + (chord[0] - low) % 12
    if degree == "approach":
        goal = theory.nearest(root, [theory.tones(*plan.chord_at(next_bar))[0]])
        return theory.step(goal, -1 if goal > root else 1, theory.local_scale(plan.tonic, plan.scale, chord))
    if degree == "third":
        return root + (chord[1] - chord[0]) % 12
    if degree == "fifth" and len(chord) > 2 and (chord[2] - chord[0]) % 12 != 7:
        return root + 6
    return root + {"root": 0, "fifth": 7, "sixth": 9, "seventh": 10, "octave": 12}[degree]


def _voicings(plan: Plan, instrument: str) -> list[list[int]]:
    """Choose a voicing for each chord of the plan, close to the voicing before. Power chords start at their root."""
    before, voicings = None, []
    for _, _, root, quality in plan.chords:
        chord = theory.tones((plan.tonic + root) % 12, quality)
        if quality == "5":
            low = 40 + (chord[0] - 40) % 12
            voices = [low, low + 7, low + 12]
        else:
            before = voices = theory.voicing(chord, before, INSTRUMENT_TABLE[instrument]["chord_center"])
            if instrument == "guitar":
                voices = [*voices, voices[0] + 12]
        voicings.append(voices)
    return voicings


def _voices_at(plan: Plan, voicings: list[list[int]], place: float) -> tuple[list[int], float]:
    """The voicing at a place, and the place where its chord ends."""
    at = max(i for i, c in enumerate(plan.chords) if c[0] <= place + 1e-6)
    return voicings[at], plan.chords[at][0] + plan.chords[at][1]


def chords(plan: Plan, instrument: str, active: list[bool]) -> list[Played]:
    """Make chords in a rhythm of the genre, the same in sections with the same name. Off-beats are up-strokes."""
    voicings = _voicings(plan, instrument)
    played = []
    for name, _, _, place in _bars(plan, active):
        rng = stream(plan.seed, f"chords/{name}")
        stretch = 1.0 if instrument in SUSTAINED else pick(rng, (0.8, 1.0, 1.4))
        for at, length, accent in pick(rng, plan.genre.comping):
            if at >= plan.beats:
                continue
            voices, end = _voices_at(plan, voicings, place + at)
            length = min(length * stretch, end - place - at)
            order = range(len(voices)) if at % 1 == 0 else range(len(voices) - 1, -1, -1)
            played += [Played(place + at, length, v, 0.85 * accent, o) for v, o in zip(voices, order, strict=True)]
    if plan.ending:
        played += [Played(plan.close, _hold(plan), v, 0.85, o) for o, v in enumerate(voicings[-1])]
    return played


def arpeggio(plan: Plan, instrument: str, active: list[bool]) -> list[Played]:
    """Make broken chords over two octaves, with a pattern that repeats."""
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
    """Make chords that are held for their full length."""
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
    """Make a melody for each section name. If a section returns, so does its melody, with a few notes changed."""
    center = INSTRUMENT_TABLE[instrument]["melody_center"]
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
        density = pick(rng, (0.75, 0.95, 1.1)) * plan.genre.melody_density
        variation = stream(plan.seed, f"melody/{name}/{at}")
        for place, span, pitch, accent in tune(rng, length, plan.beats, center, density, chord_at, scale_at):
            if variation.random() < 0.04:
                pitch = theory.step(pitch, pick(variation, (-1, 1)), scale_at(place))
            played.append(Played(start + place, span, pitch, 0.6 + 0.35 * accent))
    if plan.ending:
        played.append(Played(plan.close, _hold(plan), theory.nearest(center, [plan.tonic]), 0.9))
    return played


def drums(plan: Plan, instrument: str, active: list[bool]) -> list[Played]:
    """Make a groove for each section name, with a fill at the end of a section and sometimes in its middle."""
    played = []
    soft = plan.genre.soft_drums
    for name, bar, bars, place in _bars(plan, active):
        rng = stream(plan.seed, f"drums/{name}")
        groove = drum_groove(rng, plan.genre.groove, plan.genre.name, plan.beats, name == plan.genre.sections[1])
        fill_rng = stream(plan.seed, f"fill/{place}")
        chance = 0.85 if bar == bars - 1 and bars > 1 else 0.25 if bar % 4 == 3 else 0.0
        if fill_rng.random() < chance:
            cut, hits = patterns.fill(fill_rng, plan.beats, soft)
            groove = [h for h in groove if h[0] < cut] + hits
        if bar == 0 and place and not soft:
            groove = [h for h in groove if h[0] > 0 or h[1] not in (gm.CLOSED_HAT, gm.OPEN_HAT)]
            groove.append((0.0, gm.OPEN_HAT, 1.0))
        loudness = 0.75 if soft else 1.0
        played += [Played(place + float(p), 0.2, drum, a * loudness) for p, drum, a in sorted(set(groove))]
    if plan.ending:
        played += [Played(plan.close, 1.0, drum, 0.8) for drum in (gm.KICK, gm.RIDE)]
    return played


PARTS = {"bass": bass, "chords": chords, "arpeggio": arpeggio, "pad": pad, "melody": melody, "drums": drums}
"""For each part, the function that makes its notes from a plan, an instrument and the sections in which it plays."""
