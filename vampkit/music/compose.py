"""The composer: from a seed to a piece as data.

First a plan (time, form, harmony), then the parts, then a human touch.
"""

from __future__ import annotations

import math
import numbers

import numpy as np

from vampkit.music import mastering, theory
from vampkit.music import parts as players
from vampkit.music.genre import Genre
from vampkit.music.genres import DRAWN, GENRES, TABLE, TRAINING, TRAINING_GENRES
from vampkit.music.plan import Plan, make_plan
from vampkit.music.score import Chord, Instrument, Mastering, Note, Piece, Section
from vampkit.music.streams import pick, stream

SMALL = 0.25
"""Share of solos and duos.

Single voices are what mixtures are made of, and a model must have heard them alone (science of synthetic data:
diversity).
"""
LEVELS = {"bass": -2.0, "chords": -4.0, "arpeggio": -6.0, "pad": -9.0, "melody": -1.0, "drums": 0.0}
"""dB between the parts of a common mix."""
PANS = {"bass": 0.0, "chords": 0.35, "arpeggio": 0.6, "pad": 0.2, "melody": 0.1, "drums": 0.0}
PIANO_KEY = ("piano", "epiano", "organ")


def compose(seed: int, genre: str | None = None, seconds: float = 30.0) -> Piece:
    """Write a piece of music.

    seed: whole number from 0 on; one seed gives one piece, on any machine. Seeds from 1,000,000 on are held out from
    training.
    genre: one of GENRES, or None to let the seed choose one of DRAWN, or "training" to let it choose one of
    TRAINING_GENRES. Pieces asked for by genre have a mastering of their own; a seed alone is mixed plainly. seconds:
    exact length of the piece; it starts with music at once.

    Raises TypeError and ValueError for a seed, genre or length that cannot be.
    Notebook: 00.
    """
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral):
        raise TypeError(f"the seed is {seed!r}, a whole number was expected; give for example 7")
    if seed < 0:
        raise ValueError(f"the seed is {seed}, a number from 0 on was expected; drop the sign")
    if genre not in (None, TRAINING) and genre not in TABLE:
        raise ValueError(
            f"there is no genre {genre!r}, one of {', '.join(GENRES)} was expected; choose one of them, {TRAINING!r} or None"
        )
    if (
        isinstance(seconds, bool)
        or not isinstance(seconds, numbers.Real)
        or not math.isfinite(seconds)
        or not 0.5 <= seconds <= 3600
    ):
        raise ValueError(
            f"a piece of {seconds!r} s was asked for, 0.5 to 3600 s can be composed; choose a length between"
        )
    seed, seconds = int(seed), float(seconds)
    chosen = (
        TABLE[genre]
        if genre in TABLE
        else TABLE[pick(stream(seed, "genre"), DRAWN if genre is None else TRAINING_GENRES)]
    )
    band, with_drums = _band(seed, chosen)
    plan = make_plan(seed, chosen, seconds)
    active = _arrangement(plan, [*band, "drums"] if with_drums else list(band))
    notes: list[Note] = []
    for part in [*band, "drums"] if with_drums else band:
        played = getattr(players, part)(plan, band.get(part, "drums"), active[part])
        notes += _perform(plan, part, band.get(part, "drums"), played)
    how = Mastering() if genre is None else mastering.draw(seed)
    return _piece(plan, _seats(seed, band, with_drums), sorted(notes, key=lambda n: (n.start_s, n.part, n.pitch)), how)


def _band(seed: int, genre: Genre) -> tuple[dict[str, str], bool]:
    """Who plays: part -> instrument, and whether there are drums."""
    rng = stream(seed, "band")
    small = rng.random() < SMALL
    choice = pick(rng, genre.small if small else genre.bands)
    band = {part: pick(rng, names) for part, names in choice.items()}
    if small and set(band) == {"bass"}:
        return band, True
    return band, bool(rng.random() < (0.2 * genre.drums if small else genre.drums))


def _arrangement(plan: Plan, parts: list[str]) -> dict[str, list[bool]]:
    """For every part and section whether it plays.

    An intro is thin, a bridge may drop the drums, optional parts come and go.
    """
    active = {part: [True] * len(plan.sections) for part in parts}
    for at, (name, _, _) in enumerate(plan.sections):
        rng = stream(plan.seed, f"arrangement/{name}")
        silent = set()
        if name == "intro" and len(parts) > 2:
            silent = {"melody", pick(rng, ("drums", "bass", "pad"))}
        elif name == plan.genre.names[2] and len(parts) > 3 and rng.random() < 0.4:
            silent = {"drums"}
        elif at and rng.random() < 0.3 and len(parts) > 3:
            silent = {pick(rng, ("pad", "arpeggio", "melody"))}
        if set(parts) - silent - {"drums"}:
            for part in silent & set(parts):
                active[part][at] = False
    return active


def _perform(plan: Plan, part: str, instrument: str, played: list[players.Played]) -> list[Note]:
    """Turn places in beats into seconds, with the small deviations of a player.

    Timing that drifts, velocity that varies.
    """
    rng = stream(plan.seed, f"feel/{part}")
    loose = plan.genre.loose * (0.6 if part in ("drums", "bass") else 1.0)
    strum = rng.uniform(0.006, 0.022) if instrument == "guitar" and part == "chords" else rng.uniform(0, 0.004)
    notes, late, before = [], 0.0, None
    for note in sorted(played, key=lambda p: (p.place, p.order)):
        if note.place != before:
            late = 0.7 * late + 0.7 * rng.normal(0, loose)
            push = rng.normal(0, 4)
            before = note.place
        start = max(0.0, plan.time(plan.swung(note.place)) + late + strum * note.order)
        end = plan.time(plan.swung(note.place + note.length)) + late
        if start >= plan.seconds - 0.03:
            continue
        velocity = int(np.clip(round(38 + 78 * note.accent * plan.level(note.place) + push + rng.normal(0, 2)), 8, 127))
        duration = min(max(end - start, 0.04), plan.seconds - start)
        notes.append(Note(round(start, 6), round(duration, 6), int(note.pitch), velocity, part))
    return notes


def _seats(seed: int, band: dict[str, str], with_drums: bool) -> tuple[Instrument, ...]:
    """Level and place of every part; one instrument that plays several parts sits in one place."""
    rng = stream(seed, "mix")
    side = pick(rng, (-1, 1))
    seats, places = [], {}
    for part in [*band, *(["drums"] if with_drums else [])]:
        name = band.get(part, "drums")
        pan = places.setdefault(name, side * PANS[part] + rng.normal(0, 0.06))
        side = -side
        level = LEVELS[part] + rng.normal(0, 1.5)
        seats.append(Instrument(part, name, round(float(level), 3), round(float(np.clip(pan, -0.8, 0.8)), 3)))
    return tuple(seats)


def _piece(plan: Plan, seats: tuple[Instrument, ...], notes: list[Note], how: Mastering) -> Piece:
    """Write the plan's truth down in seconds."""
    last = plan.seconds

    def span(first: float, length: float) -> tuple[float, float]:
        start = 0.0 if first == 0 else plan.time(first)
        return round(start, 6), round(min(plan.time(first + length), last) - start, 6)

    ends = plan.bars * plan.beats
    beats = [round(plan.time(b), 6) for b in range(ends)]
    chords = []
    for first, length, root, quality in plan.chords:
        if plan.time(first) < last - 0.05:
            pitch = (plan.tonic + root) % 12
            label = f"{theory.NAMES[pitch]}:{quality}"
            chords.append(Chord(*span(first, length), label, pitch, theory.tones(pitch, quality)))
    sections = [Section(*span(bar * plan.beats, bars * plan.beats), name) for name, bar, bars in plan.sections]
    mood = "min" if 3 in theory.SCALES[plan.scale] else "maj"
    return Piece(
        seed=plan.seed, genre=plan.genre.name, seconds=plan.seconds, tempo=round(plan.tempo, 4), meter=(plan.beats, 4),
        key=f"{theory.NAMES[plan.tonic]}:{mood}", scale=plan.scale, tuning=plan.tuning, swing=round(plan.swing, 4),
        beats=tuple(b for b in beats if b < last), downbeats=tuple(b for b in beats[:: plan.beats] if b < last),
        chords=tuple(chords), sections=tuple(s for s in sections if s.duration_s > 0), notes=tuple(notes), instruments=seats,
        mastering=how,
    )  # fmt: skip
