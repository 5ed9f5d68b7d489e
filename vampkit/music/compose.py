"""The composer: turns a seed into a piece as data.

First it makes a plan (time, form, harmony), then the parts, and then small deviations like those of a human player.
"""

from __future__ import annotations

import numbers

import numpy as np

from vampkit.music import mastering, theory
from vampkit.music.genres import DRAWN, GENRE_TABLE, GENRES, TRAINING, TRAINING_GENRES, Genre
from vampkit.music.parts import PARTS, Played
from vampkit.music.plan import Plan, make_plan
from vampkit.music.score import Chord, Instrument, Mastering, Note, Piece, Section
from vampkit.music.streams import pick, stream

SMALL_BANDS = 0.25
"""Fraction of solos and duos. Models need single instruments in training to tell them apart in a mix."""
LEVELS = {"bass": -2.0, "chords": -4.0, "arpeggio": -6.0, "pad": -9.0, "melody": -1.0, "drums": 0.0}
"""Level of each part in a typical mix, in dB."""
PANS = {"bass": 0.0, "chords": 0.35, "arpeggio": 0.6, "pad": 0.2, "melody": 0.1, "drums": 0.0}
"""How far each part is panned from the centre; 1 is fully left or right."""


def compose(seed: int, genre: str | None = None, seconds: float = 30.0) -> Piece:
    """Compose a piece of music.

    Notebook: 08, 09, 10

    Parameters
    ----------
    seed : int
        A whole number, at least 0. The same seed gives the same piece on any machine. Seeds from 1,000,000 on are held
        out from training.
    genre : str, optional
        One of GENRES; or "training", so that the seed chooses one of TRAINING_GENRES; or None, so that the seed chooses
        one of DRAWN. Without a genre the piece has a plain mix, otherwise its own mastering.
    seconds : float
        Exact length of the piece, 0.5 to 3600 s. There is no silence at the start.

    Returns
    -------
    Piece
        The score with its beats, chords and sections, for `render`.

    Raises
    ------
    TypeError
        For a seed that is not a whole number.
    ValueError
        For a seed below 0, an unknown genre, or a length out of range.

    Examples
    --------
    >>> piece = music.compose(7, genre="jazz", seconds=20)
    """
    _check(seed, genre, seconds)
    seed, seconds = int(seed), float(seconds)
    drawn_from = {None: DRAWN, TRAINING: TRAINING_GENRES}
    name = pick(stream(seed, "genre"), drawn_from[genre]) if genre in drawn_from else genre
    band = _band(seed, GENRE_TABLE[name])
    plan = make_plan(seed, GENRE_TABLE[name], seconds)
    active = _arrangement(plan, list(band))
    notes: list[Note] = []
    for part, instrument in band.items():
        notes += _perform(plan, part, instrument, PARTS[part](plan, instrument, active[part]))
    notes.sort(key=lambda note: (note.start_s, note.part, note.pitch))
    return _piece(plan, _seats(seed, band), notes, Mastering() if genre is None else mastering.draw(seed))


def _check(seed: int, genre: str | None, seconds: float) -> None:
    """Raise TypeError or ValueError for invalid arguments of `compose`."""
    if isinstance(seed, bool) or not isinstance(seed, numbers.Integral):
        raise TypeError(f"the seed is {seed!r}, a whole number was expected; give for example 7")
    if seed < 0:
        raise ValueError(f"the seed is {seed}, a number from 0 on was expected; drop the sign")
    if genre not in (None, TRAINING, *GENRES):
        raise ValueError(
            f"there is no genre {genre!r}, one of {', '.join(GENRES)} was expected; "
            f"choose one of them, {TRAINING!r} or None"
        )
    number = isinstance(seconds, numbers.Real) and not isinstance(seconds, bool)
    if not number or not 0.5 <= seconds <= 3600:
        raise ValueError(
            f"a piece of {seconds!r} s was asked for, 0.5 to 3600 s can be composed; choose a length between"
        )


def _band(seed: int, genre: Genre) -> dict[str, str]:
    """Choose the instrument of each part. Drums come last, if there are any."""
    rng = stream(seed, "band")
    small = rng.random() < SMALL_BANDS
    choice = pick(rng, genre.small_bands if small else genre.bands)
    band = {part: pick(rng, names) for part, names in choice.items()}
    only_bass = small and set(band) == {"bass"}
    if only_bass or rng.random() < (0.2 * genre.drum_chance if small else genre.drum_chance):
        band["drums"] = "drums"
    return band


def _arrangement(plan: Plan, parts: list[str]) -> dict[str, list[bool]]:
    """Decide for each part and section whether the part plays.

    An intro is thin, the contrasting section may drop the drums, and optional parts come and go.
    """
    active = {part: [True] * len(plan.sections) for part in parts}
    for at, (name, _, _) in enumerate(plan.sections):
        rng = stream(plan.seed, f"arrangement/{name}")
        silent = set()
        if name == "intro" and len(parts) > 2:
            silent = {"melody", pick(rng, ("drums", "bass", "pad"))}
        elif name == plan.genre.sections[2] and len(parts) > 3 and rng.random() < 0.4:
            silent = {"drums"}
        elif at and rng.random() < 0.3 and len(parts) > 3:
            silent = {pick(rng, ("pad", "arpeggio", "melody"))}
        if set(parts) - silent - {"drums"}:
            for part in silent & set(parts):
                active[part][at] = False
    return active


def _perform(plan: Plan, part: str, instrument: str, played: list[Played]) -> list[Note]:
    """Convert places in beats to seconds, with small deviations in timing and velocity like those of a player."""
    rng = stream(plan.seed, f"feel/{part}")
    spread = plan.genre.timing_spread * (0.6 if part in ("drums", "bass") else 1.0)
    strum = rng.uniform(0.006, 0.022) if instrument == "guitar" and part == "chords" else rng.uniform(0, 0.004)
    notes, late, previous = [], 0.0, None
    for note in sorted(played, key=lambda p: (p.place, p.order)):
        if note.place != previous:
            late = 0.7 * late + 0.7 * rng.normal(0, spread)
            push = rng.normal(0, 4)
            previous = note.place
        start = max(0.0, plan.time(plan.swung(note.place)) + late + strum * note.order)
        end = plan.time(plan.swung(note.place + note.length)) + late
        if start >= plan.seconds - 0.03:
            continue
        velocity = int(np.clip(round(38 + 78 * note.accent * plan.level(note.place) + push + rng.normal(0, 2)), 8, 127))
        duration = min(max(end - start, 0.04), plan.seconds - start)
        notes.append(Note(round(start, 6), round(duration, 6), int(note.pitch), velocity, part))
    return notes


def _seats(seed: int, band: dict[str, str]) -> tuple[Instrument, ...]:
    """Choose level and pan of each part. If an instrument plays several parts, they have the same pan."""
    rng = stream(seed, "mix")
    side = pick(rng, (-1, 1))
    seats, places = [], {}
    for part, name in band.items():
        pan = places.setdefault(name, side * PANS[part] + rng.normal(0, 0.06))
        side = -side
        level = LEVELS[part] + rng.normal(0, 1.5)
        seats.append(Instrument(part, name, round(float(level), 3), round(float(np.clip(pan, -0.8, 0.8)), 3)))
    return tuple(seats)


def _piece(plan: Plan, seats: tuple[Instrument, ...], notes: list[Note], master: Mastering) -> Piece:
    """Convert the plan from beats to seconds."""
    last = plan.seconds

    def span(first: float, length: float) -> tuple[float, float]:
        start = 0.0 if first == 0 else plan.time(first)
        return round(start, 6), round(min(plan.time(first + length), last) - start, 6)

    beats = [round(plan.time(b), 6) for b in range(plan.bars * plan.beats)]
    chords = []
    for first, length, root, quality in plan.chords:
        if plan.time(first) < last - 0.05:
            pitch = (plan.tonic + root) % 12
            label = f"{theory.NAMES[pitch]}:{quality}"
            chords.append(Chord(*span(first, length), label, pitch, theory.tones(pitch, quality)))
    sections = [Section(*span(bar * plan.beats, bars * plan.beats), name) for name, bar, bars in plan.sections]
    mood = "min" if 3 in theory.SCALES[plan.scale] else "maj"
    return Piece(
        seed=plan.seed,
        genre=plan.genre.name,
        seconds=plan.seconds,
        tempo=round(plan.tempo, 4),
        meter=(plan.beats, 4),
        key=f"{theory.NAMES[plan.tonic]}:{mood}",
        scale=plan.scale,
        tuning=plan.tuning,
        swing=round(plan.swing, 4),
        beats=tuple(b for b in beats if b < last),
        downbeats=tuple(b for b in beats[:: plan.beats] if b < last),
        chords=tuple(chords),
        sections=tuple(s for s in sections if s.duration_s > 0),
        notes=tuple(notes),
        instruments=seats,
        mastering=master,
    )
