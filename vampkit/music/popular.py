"""Genres of the studio and the street. Tables only; what they mean stands in `genre` and in the composer."""

from vampkit.music.genre import KEYS, MELODY, Genre

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
    bass=("eighths", "pulse", "long", "pulse"),
    comping=(((0, 3.9, 1),), ((0, 0.9, 1), (1, 0.9, 0.7), (2, 0.9, 0.85), (3, 0.9, 0.7)), ((0, 1.4, 1), (1.5, 0.9, 0.75), (2.5, 1.4, 0.85)),
        ((0, 0.5, 1), (0.75, 0.5, 0.7), (1.5, 0.9, 0.8), (2.5, 0.4, 0.7), (3, 0.9, 0.8))),
    groove="backbeat",
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
    bass=("eighths", "eighths", "pulse"),
    comping=(tuple((i / 2, 0.45, 1.0 if i % 2 == 0 else 0.7) for i in range(10)), ((0, 1.9, 1), (2, 0.9, 0.9), (3, 0.45, 0.7), (3.5, 0.45, 0.8)),
        ((0, 0.4, 1), (0.5, 0.4, 0.8), (1.5, 0.9, 0.9), (2.5, 0.4, 0.8), (3, 0.9, 0.9), (4, 0.9, 0.9))),
    groove="backbeat", driven=True,
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
    bass=("octaves", "offbeat", "synced"),
    comping=(((0.5, 0.3, 1), (1.5, 0.3, 0.9), (2.5, 0.3, 1), (3.5, 0.3, 0.9)),
        ((0, 0.3, 1), (0.75, 0.3, 0.9), (1.5, 0.3, 0.9), (2.5, 0.3, 0.8), (3.25, 0.3, 0.9)),
        ((0.25, 0.25, 0.8), (1, 0.4, 1), (1.75, 0.25, 0.8), (2.75, 0.3, 1), (3.5, 0.3, 0.8))),
    groove="four", kit="electronic", tunes=0.8, pump=True,
)  # fmt: skip
BLUES = Genre(
    "blues", (72, 132), {4: 1.0},
    {
        "blues": ("0:7 0:7 0:7 0:7 5:7 5:7 0:7 0:7 7:7 5:7 0:7 7:7", "0:7 5:7 0:7 0:7 5:7 5:7 0:7 9:7 2:min7 7:7 0:7/9:7 2:min7/7:7"),
        "minor": ("0:min7 0:min7 0:min7 0:min7 5:min7 5:min7 0:min7 0:min7 8:7 7:7 0:min7 7:7",),
    },
    (0.63, 0.68, 1.0), 0.012, 0.01,
    (
        {"bass": ("bass",), "chords": ("piano", "organ", "guitar"), "melody": ("sax", "guitar", "piano", "voice")},
        {"bass": ("bass",), "chords": ("guitar", "epiano"), "pad": ("organ",), "melody": ("sax", "guitar", "trumpet")},
    ),
    ({"bass": ("piano",), "chords": ("piano",), "melody": ("piano",)}, {"bass": ("guitar",), "melody": ("guitar",)}, {"bass": ("bass",), "melody": ("sax",)}),
    ("chorus", "solo", "shout"),
    bass=("walk", "boogie", "shuffle"),
    comping=(((0, 0.4, 1), (1.5, 0.4, 0.7), (2, 0.4, 0.9), (3.5, 0.4, 0.7)), ((0, 1.9, 0.9), (2.5, 1.4, 0.8)), ((1, 0.5, 0.9), (3, 0.5, 0.9))),
    groove="shuffle", tunes=0.85, size=12,
)  # fmt: skip
FUNK = Genre(
    "funk", (92, 116), {4: 1.0},
    {
        "dorian": ("0:min7 0:min7 5:7 5:7", "0:min7 5:7 0:min7 5:7", "0:min7 0:min7 0:min7 3:maj/10:maj"),
        "mixolydian": ("0:7 0:7 5:7 0:7", "0:7 0:7 10:maj 5:7"),
    },
    (0.5, 0.57, 0.5), 0.004, 0.005,
    (
        {"bass": ("bass", "synthbass"), "chords": ("clav", "guitar", "epiano"), "melody": ("sax", "trumpet", "voice", "brass")},
        {"bass": ("bass",), "chords": ("clav", "epiano"), "pad": ("brass",), "melody": ("organ", "sax", "lead")},
    ),
    ({"bass": ("bass",)}, {"chords": ("clav",), "bass": ("synthbass",)}, {"bass": ("bass",), "melody": ("sax",)}),
    ("groove", "hook", "break"),
    bass=("funk", "funk", "synced"),
    comping=(((0, 0.2, 1), (0.75, 0.2, 0.7), (1.5, 0.2, 0.9), (2.25, 0.2, 0.6), (2.75, 0.2, 0.8), (3.5, 0.2, 0.8)),
             ((0.5, 0.2, 0.8), (0.75, 0.2, 0.9), (1.75, 0.2, 0.7), (2.5, 0.2, 0.9), (3.25, 0.2, 0.8)), ((0, 0.3, 1), (1.5, 0.3, 0.8))),
    groove="funk",
)  # fmt: skip
REGGAE = Genre(
    "reggae", (66, 90), {4: 1.0},
    {
        "major": ("0:maj 5:maj 0:maj 7:maj", "0:maj 2:min 5:maj 0:maj", "0:maj 5:maj 7:maj 5:maj"),
        "minor": ("0:min 10:maj 0:min 10:maj", "0:min 5:min 0:min 7:min", "0:min 8:maj 10:maj 0:min"),
    },
    (0.52, 0.6, 0.5), 0.006, 0.008,
    (
        {"bass": ("bass",), "chords": ("organ", "guitar", "piano"), "melody": ("voice", "trumpet", "organ", "sax")},
        {"bass": ("bass", "synthbass"), "chords": ("guitar", "organ"), "arpeggio": ("clav", "guitar"), "melody": ("flute", "brass", "voice")},
    ),
    ({"bass": ("bass",), "chords": ("organ",)}, {"chords": ("guitar",), "melody": ("voice",)}),
    ("verse", "chorus", "dub"),
    bass=("dub", "dub", "pulse"),
    comping=(((1, 0.25, 0.9), (3, 0.25, 1)), ((0.5, 0.2, 0.8), (1.5, 0.2, 1), (2.5, 0.2, 0.8), (3.5, 0.2, 1)), ((1, 0.2, 1), (1.5, 0.2, 0.6), (3, 0.2, 1))),
    groove="onedrop", tunes=0.8,
)  # fmt: skip
DRUM_AND_BASS = Genre(
    "drum and bass", (165, 178), {4: 1.0},
    {
        "minor": ("0:min7 0:min7 8:maj7 8:maj7", "0:min 0:min 5:min 5:min", "0:min7 3:maj7 8:maj7 10:maj", "0:min7 0:min7 8:maj7 7:min7"),
        "dorian": ("0:min7 0:min7 5:7 5:7",),
    },
    (0.5, 0.54, 0.5), 0.0, 0.002,
    (
        {"bass": ("synthbass", "sub"), "pad": ("pad", "strings", "choir"), "melody": ("lead", "vibes", "voice")},
        {"bass": ("synthbass",), "chords": ("epiano", "piano"), "pad": ("pad",), "arpeggio": ("bells", "lead")},
    ),
    ({"bass": ("synthbass", "sub")}, {"arpeggio": ("bells", "lead"), "pad": ("pad", "choir")}),
    ("groove", "drop", "break"),
    bass=("long", "reese", "synced"),
    comping=(((0, 3.9, 0.9),), ((0, 0.4, 1), (1.5, 0.4, 0.8), (3, 0.9, 0.8)), ((0.5, 0.4, 0.8), (2.5, 0.4, 0.8))),
    groove="breakbeat", kit="electronic", tunes=0.6,
)  # fmt: skip
HIP_HOP = Genre(
    "hip-hop", (70, 95), {4: 1.0},
    {
        "minor": ("0:min7 0:min7 5:min7 5:min7", "0:min 8:maj 7:min 7:min", "0:min7 8:maj7 0:min7 10:maj", "0:min 0:min 8:maj 7:maj"),
        "dorian": ("0:min7 5:7 0:min7 5:7", "0:min7 2:min7 3:maj7 2:min7"),
    },
    (0.5, 0.62, 0.5), 0.002, 0.008,
    (
        {"bass": ("sub",), "chords": ("epiano", "piano", "strings"), "melody": ("bells", "voice", "flute")},
        {"bass": ("sub", "synthbass"), "arpeggio": ("bells", "vibes", "piano", "harp"), "pad": ("choir", "strings", "pad")},
        {"bass": ("bass",), "chords": ("epiano", "vibes", "guitar"), "melody": ("sax", "trumpet", "flute")},
    ),
    ({"bass": ("sub",)}, {"chords": ("epiano", "piano")}, {"arpeggio": ("bells", "piano"), "bass": ("sub",)}),
    ("verse", "hook", "bridge"),
    bass=("808", "808", "synced"),
    comping=(((0, 3.9, 0.9),), ((0, 1.4, 1), (1.75, 0.9, 0.7), (3, 0.9, 0.8)), ((0, 0.9, 1), (2.5, 0.9, 0.8))),
    groove="trap", kit="machine", tunes=0.65,
)  # fmt: skip
AMBIENT = Genre(
    "ambient", (52, 80), {4: 0.8, 3: 0.2},
    {
        "major": ("0:maj7 0:maj7 5:maj7 5:maj7", "0:maj7 4:min7 5:maj7 5:maj7", "0:sus4 0:maj 5:maj7 0:maj"),
        "lydian": ("0:maj7 0:maj7 2:maj 2:maj", "0:maj7 2:maj 0:maj7 11:min7"),
        "dorian": ("0:min7 0:min7 5:maj 5:maj", "0:min7 10:maj 5:maj 0:min7"),
    },
    (0.5, 0.5, 1.0), 0.02, 0.02,
    (
        {"pad": ("pad", "choir", "strings"), "arpeggio": ("bells", "vibes", "harp", "piano")},
        {"bass": ("sub", "synthbass", "cello"), "pad": ("choir", "pad"), "melody": ("flute", "voice", "violin", "bells")},
        {"pad": ("strings", "pad"), "chords": ("epiano", "piano"), "melody": ("clarinet", "voice", "lead")},
    ),
    ({"pad": ("pad", "choir", "strings")}, {"arpeggio": ("bells", "harp", "vibes")}, {"chords": ("piano", "epiano")}),
    ("A", "B", "C"),
    bass=("long",),
    comping=(((0, 3.9, 0.7),), ((0, 1.9, 0.7), (2, 1.9, 0.6))),
    groove="pulse", drums=0.15, kit="brushes", soft=True, tunes=0.45,
)  # fmt: skip
