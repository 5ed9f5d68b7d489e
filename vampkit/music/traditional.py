"""Genres with a long memory. Tables only; what they mean stands in `genre` and in the composer."""

from vampkit.music.genre import Genre

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
    bass=("bossa", "bossa", "walk"),
    comping=(((0, 0.9, 1), (1.5, 0.9, 0.85), (3, 0.9, 0.9)), ((0, 0.45, 0.9), (1, 0.45, 0.7), (2.5, 0.9, 1), (3.5, 0.45, 0.8)),
        ((0.5, 0.9, 0.9), (2, 0.45, 0.8), (3, 0.9, 1))),
    groove="bossa", soft=True,
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
    ("A", "B", "trio"),
    bass=("oom", "oom", "walk"),
    comping=(((1, 0.6, 0.8), (2, 0.6, 0.75)), ((1, 1.8, 0.8),), ((0, 2.9, 0.9),), ((1, 0.4, 0.8), (1.5, 0.3, 0.5), (2, 0.6, 0.75))),
    groove="waltz", drums=0.4, soft=True, tunes=0.8,
)  # fmt: skip
JAZZ = Genre(
    "jazz", (112, 210), {4: 0.9, 3: 0.1},
    {
        "major": ("2:min7 7:7 0:maj7 9:7", "0:maj7/9:7 2:min7/7:7 4:min7/9:7 2:min7/7:7", "0:maj7 0:maj7 2:min7 7:7 0:maj7 5:maj7 2:min7/7:7 0:maj6",
                  "0:maj7 3:min7/8:7 2:min7 7:7"),
        "dorian": ("0:min7 0:min7 0:min7 0:min7 1:min7 1:min7 0:min7 0:min7", "0:min7 5:7 0:min7 5:7"),
        "minor": ("2:hdim7 7:7 0:min7 0:min7", "0:min7 5:min7 2:hdim7 7:7"),
    },
    (0.61, 0.67, 1.0), 0.012, 0.011,
    (
        {"bass": ("bass",), "chords": ("piano", "guitar", "epiano"), "melody": ("sax", "trumpet", "piano", "vibes")},
        {"bass": ("bass",), "chords": ("piano", "vibes"), "melody": ("clarinet", "sax", "flute")},
        {"bass": ("bass",), "chords": ("piano",), "pad": ("brass",), "melody": ("trumpet", "sax")},
    ),
    ({"bass": ("bass",), "melody": ("sax", "trumpet")}, {"bass": ("piano",), "chords": ("piano",), "melody": ("piano",)},
     {"bass": ("bass",), "chords": ("guitar",), "melody": ("vibes", "guitar")}),
    ("A", "B", "solo"),
    bass=("walk",),
    comping=(((0, 0.9, 0.9), (1.5, 0.4, 0.8)), ((1.5, 0.4, 0.8), (3.5, 0.4, 0.9)), ((0.5, 0.4, 0.8), (2, 0.9, 0.9)), ((0, 1.9, 0.8), (2.5, 0.9, 0.8))),
    groove="swing", kit="brushes", soft=True, size=8,
)  # fmt: skip
MINIMAL = Genre(
    "minimal", (104, 160), {4: 0.3, 5: 0.3, 7: 0.4},
    {
        "lydian": ("0:maj7 0:maj7 2:maj 2:maj",),
        "dorian": ("0:min7 0:min7 5:maj 5:maj", "0:min7 0:min7 0:min7 10:maj"),
        "major": ("0:maj 0:maj 5:maj 5:maj", "0:maj7 9:min7 5:maj7 7:sus4"),
    },
    (0.5, 0.5, 1.0), 0.002, 0.004,
    (
        {"arpeggio": ("marimba", "piano", "vibes"), "bass": ("cello", "bass", "synthbass"), "pad": ("strings", "choir", "organ")},
        {"arpeggio": ("vibes", "marimba", "harp"), "chords": ("marimba", "piano"), "melody": ("clarinet", "violin", "flute")},
        {"arpeggio": ("marimba",), "chords": ("vibes",), "bass": ("cello",), "melody": ("strings", "trumpet")},
    ),
    ({"arpeggio": ("marimba", "vibes", "piano")}, {"arpeggio": ("harp",), "melody": ("clarinet", "violin")}),
    ("A", "B", "C"),
    bass=("eighths", "long", "ostinato"),
    comping=(tuple((i, 0.45, 0.9 if i == 0 else 0.6) for i in range(8)), tuple((i / 2, 0.3, 0.8 if i % 3 == 0 else 0.5) for i in range(14))),
    groove="light", drums=0.4, kit="latin", soft=True, tunes=0.6,
)  # fmt: skip
SALSA = Genre(
    "salsa", (160, 214), {4: 1.0},
    {
        "minor": ("0:min 5:min 7:7 7:7", "0:min 10:maj 8:maj 7:7", "0:min 0:min 7:7 7:7"),
        "major": ("0:maj 5:maj 7:7 5:maj", "0:maj 9:min 2:min7 7:7", "0:maj 5:maj 7:7 7:7"),
    },
    (0.5, 0.53, 0.5), 0.004, 0.006,
    (
        {"bass": ("bass",), "arpeggio": ("piano",), "chords": ("piano",), "melody": ("trumpet", "flute", "brass")},
        {"bass": ("bass",), "chords": ("piano", "vibes"), "pad": ("brass",), "melody": ("voice", "trumpet", "sax")},
    ),
    ({"bass": ("bass",), "chords": ("piano",)}, {"arpeggio": ("piano",), "melody": ("trumpet",)}),
    ("verse", "montuno", "mambo"),
    bass=("tumbao",),
    comping=(((0, 0.4, 0.9), (0.5, 0.4, 0.8), (1.5, 0.4, 0.9), (2.5, 0.4, 0.8), (3.5, 0.4, 0.9)),
             ((0.5, 0.4, 0.8), (1, 0.4, 0.8), (2, 0.4, 0.9), (3, 0.4, 0.8), (3.5, 0.4, 0.8))),
    groove="clave", kit="latin",
)  # fmt: skip
BAROQUE = Genre(
    "baroque", (62, 112), {4: 0.7, 3: 0.3},
    {
        "major": ("0:maj 5:maj 11:dim 4:min 9:min 2:min 7:7 0:maj",
                  "0:maj 7:maj 9:min 4:min 5:maj 0:maj 5:maj 7:maj", "0:maj/7:maj 0:maj/5:maj 2:min/7:7 0:maj"),
        "harmonic minor": ("0:min 5:min 10:7 3:maj 8:maj 2:dim 7:7 0:min", "0:min 7:7 0:min 10:maj 3:maj 10:maj 0:min 7:7"),
    },
    (0.5, 0.53, 0.5), 0.014, 0.01,
    (
        {"bass": ("cello", "harpsichord"), "chords": ("harpsichord",), "melody": ("oboe", "violin", "flute")},
        {"bass": ("cello",), "arpeggio": ("harpsichord",), "pad": ("strings",), "melody": ("oboe", "violin")},
    ),
    ({"bass": ("harpsichord",), "melody": ("harpsichord",)}, {"arpeggio": ("harpsichord",)}, {"bass": ("organ",), "chords": ("organ",), "melody": ("organ",)}),
    ("A", "B", "C"),
    bass=("eighths", "walk", "long"),
    comping=(((0, 0.9, 0.9), (1, 0.9, 0.7), (2, 0.9, 0.8), (3, 0.9, 0.7)), ((0, 1.9, 0.9), (2, 1.9, 0.8))),
    groove="pulse", drums=0.0, tunes=1.15,
)  # fmt: skip
FOLK = Genre(
    "folk", (96, 132), {4: 0.7, 3: 0.3},
    {
        "dorian": ("0:min 10:maj 0:min 10:maj", "0:min 0:min 10:maj 7:min", "0:min 5:maj 0:min 10:maj"),
        "mixolydian": ("0:maj 10:maj 0:maj 10:maj", "0:maj 0:maj 10:maj 5:maj"),
        "major": ("0:maj 5:maj 0:maj 7:maj", "0:maj 7:maj 9:min 5:maj"),
    },
    (0.5, 0.64, 0.5), 0.01, 0.009,
    (
        {"chords": ("nylon", "guitar"), "melody": ("violin", "flute", "accordion")},
        {"bass": ("bass", "cello"), "chords": ("guitar", "accordion"), "arpeggio": ("banjo", "nylon"), "melody": ("violin", "flute", "kalimba")},
    ),
    ({"melody": ("violin", "flute", "accordion")}, {"arpeggio": ("banjo", "nylon", "kalimba")}, {"chords": ("nylon",), "melody": ("flute",)}),
    ("A", "B", "C"),
    bass=("pulse", "oom"),
    comping=(((0, 0.5, 1), (1, 0.4, 0.6), (1.5, 0.4, 0.7), (2, 0.5, 0.9), (3, 0.4, 0.6), (3.5, 0.4, 0.7)),
             tuple((i / 2, 0.4, 0.9 if i % 2 == 0 else 0.6) for i in range(8))),
    groove="frame", drums=0.5, kit="latin", soft=True, tunes=1.2,
)  # fmt: skip
