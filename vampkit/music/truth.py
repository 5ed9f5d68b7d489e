"""The annotations of a piece as JAMS, a common format in music research."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import TYPE_CHECKING

from vampkit.errors import VampkitError
from vampkit.files.texts import existing, write_text
from vampkit.music.score import Piece

if TYPE_CHECKING:
    import jams

SOURCE = "vampkit's composer: known, not annotated"


def to_jams(piece: Piece) -> jams.JAMS:
    """Convert the annotations of a piece to JAMS (Humphrey et al. 2014).

    They are beats with their places in the bar, tempo, key, chords, sections, the notes of each part, genre and
    instruments. Chords and keys are in Harte's notation. The pitches of drum notes are General MIDI drum numbers.

    Parameters
    ----------
    piece : Piece
        A piece from `compose`.

    Returns
    -------
    jams.JAMS
        The annotations, with times in seconds. The sandbox of the object holds the piece itself.
    """
    import jams

    made = jams.JAMS()
    made.file_metadata.duration = piece.seconds
    made.file_metadata.title = f"{piece.genre}-{piece.seed}"

    def add(namespace: str, rows) -> None:
        annotation = jams.Annotation(namespace=namespace, time=0, duration=piece.seconds)
        annotation.annotation_metadata = jams.AnnotationMetadata(data_source=SOURCE)
        for time, duration, value in rows:
            annotation.append(time=time, duration=duration, value=value, confidence=1.0)
        made.annotations.append(annotation)

    whole = 0.0, piece.seconds  # start and duration
    first = next((i for i, b in enumerate(piece.beats) if b in piece.downbeats), 0)
    add("beat", ((b, 0.0, (i - first) % piece.meter[0] + 1) for i, b in enumerate(piece.beats)))
    add("tempo", [(*whole, piece.tempo)])
    tonic, mode = piece.key.split(":")
    add("key_mode", [(*whole, f"{tonic}:{'minor' if mode == 'min' else 'major'}")])
    add("chord", ((c.start_s, c.duration_s, c.label) for c in piece.chords))
    add("segment_open", ((s.start_s, s.duration_s, s.name) for s in piece.sections))
    for seat in piece.instruments:
        notes = [n for n in piece.notes if n.part == seat.part]
        add("note_midi", ((n.start_s, n.duration_s, n.pitch) for n in notes))
        velocities = [n.velocity for n in notes]
        made.annotations[-1].sandbox.update(part=seat.part, instrument=seat.name, velocity=velocities)
    names = sorted({seat.name for seat in piece.instruments})
    add("tag_open", [(*whole, tag) for tag in (piece.genre, *names)])
    made.sandbox.update(piece=json.loads(piece.to_json()))
    return made


def save_jams(piece: Piece, path: str | os.PathLike) -> Path:
    """Write the annotations of a piece to a JAMS file.

    Parameters
    ----------
    piece : Piece
        A piece from `compose`.
    path : str or PathLike
        The file, usually with the suffix .jams. Its folder is created if needed.

    Returns
    -------
    Path
        The file.
    """
    return write_text(path, to_jams(piece).dumps())


def load_jams(path: str | os.PathLike) -> Piece:
    """Read the piece that `save_jams` wrote.

    Parameters
    ----------
    path : str or PathLike
        A JAMS file.

    Returns
    -------
    Piece
        A piece equal to the one that was saved.

    Raises
    ------
    FileNotFoundError
        If there is no file.
    VampkitError
        For a file that does not contain a piece.
    """
    path = existing(path)
    try:
        piece = json.loads(path.read_text(encoding="utf-8"))["sandbox"]["piece"]
    except (json.JSONDecodeError, UnicodeDecodeError, KeyError, TypeError):
        raise VampkitError(
            f"{path.name} holds no piece, a JAMS file of `vampkit compose` was expected; compose it again"
        ) from None
    return Piece.from_json(json.dumps(piece))
