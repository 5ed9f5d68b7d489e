"""What makes a genre: the fields of the tables in `popular` and `traditional`."""

from __future__ import annotations

from dataclasses import dataclass

Bar = tuple[tuple[float, float, float], ...]
"""A rhythm as (place, length, accent) in beats; what lies beyond a bar is left out."""


@dataclass(frozen=True)
class Genre:
    """Tempo, metre, harmony, feel and who may play.

    tempo: range in beats a minute. meters: beats a bar and how often. harmony: scale -> progressions (see
    theory.parse).
    swing: range of the off-beat's place, and the length in beats of the pair it divides. drift: how far a tempo may
    wander, as a share.
    loose: timing spread of the players in seconds.
    bands: sets of (part, instruments to choose from); small: the same for solos and duos. names: of the sections.
    bass: styles of `patterns.bass_bar`. comping: rhythms of the chords. groove: of `grooves.GROOVES`.
    drums: chance that they play. kit: of `drums.KITS`. soft: they play under the others, with sparse fills.
    tunes: how many notes a melody has, against others. size: bars of a section, where the harmony asks for a length (0:
    four or eight).
    driven: guitars are distorted. pump: the kick ducks pads and chords.
    """

    name: str
    tempo: tuple[float, float]
    meters: dict[int, float]
    harmony: dict[str, tuple[str, ...]]
    swing: tuple[float, float, float]
    drift: float
    loose: float
    bands: tuple[dict[str, tuple[str, ...]], ...]
    small: tuple[dict[str, tuple[str, ...]], ...]
    names: tuple[str, str, str]
    bass: tuple[str, ...]
    comping: tuple[Bar, ...]
    groove: str
    drums: float = 1.0
    kit: str = "acoustic"
    soft: bool = False
    tunes: float = 1.0
    size: int = 0
    driven: bool = False
    pump: bool = False


KEYS = ("piano", "epiano", "organ")
MELODY = ("lead", "flute", "piano", "epiano", "guitar", "organ")
