"""The genres of the composer, read from genres.toml, and which of them are drawn or held out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from vampkit.music.tables import table

Band = dict[str, tuple[str, ...]]
"""For each part, the instruments from which one is drawn."""
Rhythm = tuple[tuple[float, float, float], ...]
"""The notes of a bar as (place, length, accent), in beats. In a shorter bar, notes beyond its end are left out."""


@dataclass(frozen=True)
class Genre:
    """A genre: tempo, meter, harmony, feel and instruments.

    tempo: range in beats per minute. meters: beats per bar -> how likely.
    swing: range of the place of the off-beat in its pair of notes, 0.5 is even. swing_pair: length of that pair in
    beats. tempo_drift: how much the tempo may change, as a fraction. timing_spread: deviations of the players, in
    seconds.
    sections: names of the normal, the loudest and the contrasting section. section_bars: length of a section if the
    harmony needs a certain one (0: four or eight bars).
    harmony: for each scale its progressions, see `theory.parse`. bass: styles of `patterns.bass_bar`. comping: rhythms
    of the chords.
    bands: possible combinations of instruments. small_bands: the same for solos and duos.
    groove: one of `grooves.GROOVES`. drum_kit: one of `drums.KITS`. drum_chance: probability of drums. soft_drums:
    quieter drums with few fills.
    melody_density: number of notes in a melody, relative to other genres. distorted_guitar: guitars are distorted.
    pump: the kick makes pads and chords quieter for a moment.
    """

    name: str
    tempo: tuple[float, float]
    meters: dict[int, float]
    swing: tuple[float, float]
    swing_pair: float
    tempo_drift: float
    timing_spread: float
    sections: tuple[str, str, str]
    harmony: dict[str, tuple[str, ...]]
    bass: tuple[str, ...]
    comping: tuple[Rhythm, ...]
    bands: tuple[Band, ...]
    small_bands: tuple[Band, ...]
    groove: str
    section_bars: int = 0
    drum_kit: str = "acoustic"
    drum_chance: float = 1.0
    soft_drums: bool = False
    melody_density: float = 1.0
    distorted_guitar: bool = False
    pump: bool = False


def _frozen(value: Any) -> Any:
    """Convert all lists in a value of the file to tuples."""
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    return {k: _frozen(v) for k, v in value.items()} if isinstance(value, dict) else value


def _genre(name: str, row: dict[str, Any]) -> Genre:
    fields = _frozen(row)
    fields["meters"] = {int(beats): chance for beats, chance in row["meters"].items()}
    for kind in ("bands", "small_bands"):
        fields[kind] = tuple({part: tuple(names.split()) for part, names in band.items()} for band in row[kind])
    return Genre(name, **fields)


GENRE_TABLE = {name: _genre(name, row) for name, row in table("genres").items()}
GENRES: tuple[str, ...] = tuple(GENRE_TABLE)
"""The genres by name."""
DRAWN = GENRES[:5]
"""The genres from which the seed chooses if no genre is given."""
TRAINING = "training"
"""Given as a genre, it lets the seed choose one of TRAINING_GENRES."""
HELD_OUT_SEEDS = 1_000_000
"""Seeds from this one on are never used in training, so that they can be used for tests."""
HELD_OUT_GENRES = ("baroque", "folk")
"""Never used in training, like HELD_OUT_INSTRUMENTS. They test models on genres and instruments they do not know."""
HELD_OUT_INSTRUMENTS = ("harpsichord", "oboe", "accordion", "banjo", "kalimba")
"""Instruments that only the held-out genres use."""
TRAINING_GENRES = tuple(name for name in GENRES if name not in HELD_OUT_GENRES)
"""The genres that codecs and models are trained on: all except the held-out ones."""
