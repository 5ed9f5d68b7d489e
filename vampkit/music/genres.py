"""The genres of the composer, read from genres.toml, and which of them a seed draws from."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

Band = dict[str, tuple[str, ...]]
"""Part -> instruments, one of which is drawn to play it."""
Rhythm = tuple[tuple[float, float, float], ...]
"""A bar as (place, length, accent) in beats; what lies beyond a shorter bar is left out."""


@dataclass(frozen=True)
class Genre:
    """Tempo, metre, harmony, feel and who may play.

    tempo: range in beats per minute. meters: beats per bar -> how likely.
    swing: range of the place of the off-beat within its pair, 0.5 is even. swing_pair: length of that pair in beats.
    tempo_drift: how far the tempo may wander, as a share. timing_spread: of the players, in seconds.
    sections: names of the common, the loudest and the contrasting one. section_bars: length of a section where the
    harmony asks for one (0: four or eight).
    harmony: scale -> progressions, see `theory.parse`. bass: styles of `patterns.bass_bar`. comping: rhythms of the
    chords.
    bands: who may play together. small_bands: the same for solos and duos.
    groove: of `grooves.GROOVES`. drum_kit: of `drums.KITS`. drum_chance: how likely drums are. soft_drums: they play
    under the others, with sparse fills.
    melody_density: how many notes a melody has, against other genres. distorted_guitar: guitars go through an
    amplifier's drive. pump: the kick ducks pads and chords.
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
    """A value of the file with all its lists as tuples."""
    if isinstance(value, list):
        return tuple(_frozen(v) for v in value)
    return {k: _frozen(v) for k, v in value.items()} if isinstance(value, dict) else value


def _genre(name: str, row: dict[str, Any]) -> Genre:
    fields = _frozen(row)
    fields["meters"] = {int(beats): chance for beats, chance in row["meters"].items()}
    for kind in ("bands", "small_bands"):
        fields[kind] = tuple({part: tuple(names.split()) for part, names in band.items()} for band in row[kind])
    return Genre(name, **fields)


GENRE_TABLE = {
    name: _genre(name, row)
    for name, row in tomllib.loads(Path(__file__).with_name("genres.toml").read_text(encoding="utf-8")).items()
}
GENRES: tuple[str, ...] = tuple(GENRE_TABLE)
"""The genres by name."""
DRAWN = GENRES[:5]
"""Those that a seed draws from when no genre is named."""
TRAINING = "training"
"""In place of a genre's name: let the seed choose one of TRAINING_GENRES."""
HELD_OUT_SEEDS = 1_000_000
"""Seeds from here on are kept out of all training, to test with."""
HELD_OUT_GENRES = ("baroque", "folk")
"""Kept out of all training, as are HELD_OUT_INSTRUMENTS: they test how a model meets what it never heard."""
HELD_OUT_INSTRUMENTS = ("harpsichord", "oboe", "accordion", "banjo", "kalimba")
"""Only the held-out genres use these."""
TRAINING_GENRES = tuple(name for name in GENRES if name not in HELD_OUT_GENRES)
"""What codecs and models are trained on: all genres but those held out."""
