"""The five genres: tempo, metre, harmony, feel and who may play. Tables only; what they mean stands in the composer."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Genre:
    """What makes a genre.

    tempo: range in beats a minute. meters: beats a bar and how often. harmony: scale -> progressions (see theory.parse).
    swing: range of the off-beat's place, and the length in beats of the pair it divides. drift: how far a tempo may wander, as a share.
    bands: sets of (part, instruments to choose from); small: the same for solos and duos. loose: timing spread of the players in seconds.
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
    drums: float = 1.0


KEYS = ("piano", "epiano", "organ")
MELODY = ("lead", "flute", "piano", "epiano", "guitar", "organ")

POP = Genre(
    "pop", (90, 128), {4: 1.0},
    {
        "major": ("0:maj 7:maj 9:min 5:maj", "9:min 5:maj 0:maj 7:maj", "0:maj 9:min 5:maj 7:maj", "5:maj 7:maj 4:min 9:min",
                  "0:maj 5:maj 9:min 7:sus4/7:maj", "2:min7 7:maj 0:maj7 9:min", "0:maj 4:min 5:maj 5:min"),
        "minor": ("0:min 8:maj 3:maj 10:maj", "0:min 5:min 8:maj 10:maj", "8:maj 10:maj 0:min 3:maj", "0:min 10:maj 8:maj 7:min"),
    },
    (0.5, 0.56, 0.5), 0.006, 0.006,
    (
        {"bass": ("bass",), "chords": KEYS + ("guitar",), "pad": ("pad",), "melody": MELODY},
        {"bass": ("bass",), "chords": ("piano", "epiano"), "arpeggio": ("guitar", "lead", "epiano"), "melody": MELODY},
        {"bass": ("bass",), "chords": ("guitar", "piano"), "arpeggio": ("guitar", "piano"), "pad": ("pad", "organ"), "melody": MELODY},
    ),
    ({"bass": ("piano",), "chords": ("piano",), "melody": ("piano",)}, {"chords": ("guitar", "epiano"), "melody": ("flute", "lead")},
     {"arpeggio": ("guitar", "piano", "epiano")}),
    ("verse", "chorus", "bridge"),
)  # fmt: skip
ROCK = Genre(
    "rock", (100, 150), {4: 0.85, 5: 0.15},
    {
        "mixolydian": ("0:5 10:5 5:5 0:5", "0:5 5:5 10:5 5:5", "0:maj 10:maj 5:maj 0:maj"),
        "minor": ("0:5 8:5 10:5 0:5", "0:5 3:5 10:5 8:5", "0:5 0:5 8:5 10:5", "0:min 10:maj 8:maj 10:maj"),
        "dorian": ("0:5 5:5 0:5 10:5", "0:min 5:maj 0:min 10:maj"),
    },
    (0.5, 0.5, 1.0), 0.008, 0.007,
    (
        {"bass": ("bass",), "chords": ("guitar",), "melody": ("lead", "guitar", "organ")},
        {"bass": ("bass",), "chords": ("guitar",), "arpeggio": ("guitar",), "melody": ("lead", "organ", "guitar")},
        {"bass": ("bass",), "chords": ("guitar",), "pad": ("organ",), "melody": ("lead", "guitar")},
    ),
    ({"chords": ("guitar",), "melody": ("guitar",)}, {"bass": ("bass",)}, {"arpeggio": ("guitar",), "bass": ("bass",)}),
    ("verse", "chorus", "solo"),
)  # fmt: skip
HOUSE = Genre(
    "house", (118, 128), {4: 1.0},
    {
        "minor": ("0:min 8:maj 3:maj 10:maj", "0:min7 0:min7 5:min7 5:min7", "8:maj7 10:maj 0:min7 0:min7", "0:min7 3:maj7 5:min7 7:min7"),
        "dorian": ("0:min7 5:7 0:min7 5:7", "0:min7 0:min7 10:maj 5:maj"),
    },
    (0.5, 0.58, 0.5), 0.0, 0.002,
    (
        {"bass": ("bass",), "chords": ("epiano", "organ", "piano", "lead"), "pad": ("pad",)},
        {"bass": ("bass",), "chords": ("piano", "organ"), "pad": ("pad",), "melody": ("lead", "flute", "epiano")},
        {"bass": ("bass",), "chords": ("epiano", "organ"), "arpeggio": ("lead", "guitar"), "pad": ("pad",)},
    ),
    ({"bass": ("bass",)}, {"chords": ("piano", "organ", "epiano")}, {"arpeggio": ("lead", "epiano"), "pad": ("pad",)}),
    ("groove", "drop", "break"),
)  # fmt: skip
BOSSA = Genre(
    "bossa", (110, 150), {4: 1.0},
    {
        "major": ("0:maj7 0:maj7 2:7 2:7 2:min7 7:7 0:maj7 7:7", "0:maj7 9:min7 2:min7 7:7", "2:min7 7:7 0:maj7 9:7",
                  "0:maj7 0:maj7 5:min7 10:7 4:min7 9:7 2:min7 7:7"),
        "minor": ("0:min7 0:min7 2:hdim7 7:7", "0:min6 5:min7 10:7 3:maj7", "0:min7 5:min7 2:hdim7/7:7 0:min6"),
    },
    (0.5, 0.54, 1.0), 0.012, 0.009,
    (
        {"bass": ("bass",), "chords": ("guitar",), "melody": ("flute", "piano", "epiano")},
        {"bass": ("bass",), "chords": ("epiano", "piano"), "melody": ("flute", "guitar")},
        {"bass": ("bass",), "chords": ("guitar",), "pad": ("pad",), "melody": ("flute", "epiano")},
    ),
    ({"bass": ("guitar",), "chords": ("guitar",)}, {"chords": ("guitar",), "melody": ("flute",)},
     {"bass": ("piano",), "chords": ("piano",), "melody": ("piano",)}),
    ("A", "B", "C"),
)  # fmt: skip
WALTZ = Genre(
    "waltz", (84, 176), {3: 1.0},
    {
        "major": ("0:maj 7:7 0:maj 5:maj 2:min 7:7 0:maj 0:maj", "0:maj 9:min 2:min 7:7", "0:maj 4:7 9:min 2:7 7:7 7:7 0:maj 0:maj",
                  "5:maj 0:maj 7:7 0:maj"),
        "harmonic minor": ("0:min 7:7 0:min 7:7 5:min 0:min 7:7 0:min", "0:min 5:min 10:7 3:maj 8:maj 2:dim 7:7 0:min", "0:min 5:min 7:7 0:min"),
    },
    (0.5, 0.62, 1.0), 0.03, 0.012,
    (
        {"bass": ("bass", "organ"), "chords": ("piano", "guitar", "epiano"), "melody": ("flute", "lead", "guitar")},
        {"bass": ("piano",), "chords": ("piano",), "pad": ("pad",), "melody": ("piano", "flute")},
        {"bass": ("bass",), "chords": ("guitar",), "arpeggio": ("piano",), "melody": ("flute", "organ")},
    ),
    ({"bass": ("piano",), "chords": ("piano",), "melody": ("piano",)}, {"bass": ("organ",), "chords": ("organ",), "melody": ("organ",)},
     {"bass": ("guitar",), "chords": ("guitar",), "melody": ("flute",)}),
    ("A", "B", "trio"), 0.4,
)  # fmt: skip

TABLE = {g.name: g for g in (POP, ROCK, HOUSE, BOSSA, WALTZ)}
GENRES: tuple[str, ...] = tuple(TABLE)
"""The genres by name."""
