"""A composer and a synthesizer: unlimited music without licences, with exact annotations.

`compose(seed)` writes a piece as data, `render(piece)` makes its sound. `compose(seed, genre="training")` chooses one
of the genres that models are trained on. Seeds from HELD_OUT_SEEDS on, HELD_OUT_GENRES and HELD_OUT_INSTRUMENTS are
held out: no bundled model was trained on them.
"""

from vampkit.music.compose import compose
from vampkit.music.genres import DRAWN, GENRES, HELD_OUT_GENRES, HELD_OUT_INSTRUMENTS, HELD_OUT_SEEDS, TRAINING_GENRES
from vampkit.music.render import render
from vampkit.music.score import Chord, Instrument, Mastering, Note, Piece, Section
from vampkit.music.truth import load_jams, save_jams, to_jams
from vampkit.music.voices import INSTRUMENTS

__all__ = [
    "DRAWN", "GENRES", "HELD_OUT_GENRES", "HELD_OUT_INSTRUMENTS", "HELD_OUT_SEEDS", "INSTRUMENTS", "TRAINING_GENRES",
    "Chord", "Instrument", "Mastering", "Note", "Piece", "Section",
    "compose", "load_jams", "render", "save_jams", "to_jams",
]  # fmt: skip
