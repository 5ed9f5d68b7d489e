"""Playing a piece with a SoundFont: sampled instruments instead of our own synthesizer (extra `soundfont`)."""

from __future__ import annotations

import os
from pathlib import Path

import numpy as np

from vampkit.errors import VampkitError
from vampkit.music.score import Instrument, Note
from vampkit.music.tables import INSTRUMENT_TABLE
from vampkit.music.waves import RATE

PROGRAMS = {name: settings["program"] for name, settings in INSTRUMENT_TABLE.items()}
"""General MIDI's programs, from 0, for our instruments."""


def soundfont_bus(font: str | os.PathLike, seat: Instrument, notes: list[Note], count: int) -> np.ndarray:
    """Make all notes of a part with the font, float32 [count] at 44.1 kHz, tuned to 440 Hz.

    font: an sf2 or sf3 file. Raises FileNotFoundError if it is missing, and VampkitError if symusic is not installed or
    the instrument has no program.
    """
    path = Path(font)
    if not path.is_file():
        raise FileNotFoundError(
            f"there is no SoundFont at {path}; install one, for example Debian's fluidr3mono-gm-soundfont"
        )
    try:
        from symusic import Note as Struck
        from symusic import Score, Synthesizer, Track
    except ImportError:
        raise VampkitError(
            "symusic is not installed, it plays SoundFonts; install vampkit[soundfont], or render without one"
        ) from None
    drums = seat.name == "drums"
    if not drums and seat.name not in PROGRAMS:
        raise VampkitError(
            f"the instrument {seat.name!r} has no General MIDI program, one of {', '.join(PROGRAMS)} was expected"
        )
    if not notes:
        return np.zeros(count, np.float32)
    score = Score(480, ttype="second")
    track = Track(program=0 if drums else PROGRAMS[seat.name], is_drum=drums, ttype="second")
    for note in notes:
        track.notes.append(Struck(note.start_s, note.duration_s, note.pitch, note.velocity, ttype="second"))
    score.tracks.append(track)
    synthesizer = Synthesizer(sf_path=str(path), sample_rate=RATE, quality=4)
    sound = np.asarray(synthesizer.render(score, stereo=True)).mean(0)[:count]
    return np.pad(sound, (0, count - len(sound))).astype(np.float32)
