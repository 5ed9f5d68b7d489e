"""Questions whose answers the composer knows, and how an answer is judged.

Notebook: 13.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float

from vampkit.controls.curves import HOP, RATE
from vampkit.music import GENRES, INSTRUMENTS, Piece
from vampkit.music.genres import GENRE_TABLE
from vampkit.music.theory import NAMES

PLAYERS = (*INSTRUMENTS, "drums")
"""What can sound in a piece, in the order of the answers to "instruments"."""


@dataclass(frozen=True)
class Question:
    """A question to a probe: what kind of answer it has, and how wrong an answer is.

    Notebook: 13

    Parameters
    ----------
    name : str
        Its name, as in the answers of `truth`.
    kind : str
        "classes": one of some classes, int [items]. "presence": which of some things are there, bool [items, things].
        "numbers": float [items, numbers].
    by_frame : bool
        Whether it is asked for each frame; otherwise for a whole piece.
    meaning : str
        What is asked, in words.
    count : int
        Number of classes; 0 for other kinds.
    """

    name: str
    kind: str
    by_frame: bool
    meaning: str
    count: int = 0

    def target(self, truth: np.ndarray) -> Float[np.ndarray, "items outputs"]:
        """Turn answers into the numbers that a probe learns: a one for the right class, or for what is there.

        Parameters
        ----------
        truth : ndarray
            Answers, [items] or [items, numbers].

        Returns
        -------
        ndarray
            float64 [items, outputs].
        """
        if self.kind == "classes":
            return np.eye(self.count)[truth]
        return np.asarray(truth, np.float64)

    def constant(self, truth: np.ndarray) -> Float[np.ndarray, "1 outputs"]:
        """Give the best answer of one who hears nothing: the commonest class, or the mean.

        Parameters
        ----------
        truth : ndarray
            The answers that he has seen, [items] or [items, numbers].

        Returns
        -------
        ndarray
            float64 [1, outputs].
        """
        return self.target(truth).mean(0, keepdims=True)

    def loss(self, output: np.ndarray, truth: np.ndarray) -> Float[np.ndarray, " items"]:
        """Say how wrong each answer is.

        Parameters
        ----------
        output : ndarray
            What a probe says, [items or 1, outputs].
        truth : ndarray
            The answers, [items] or [items, numbers].

        Returns
        -------
        ndarray
            float64 [items]: for classes 1 where the largest output is not the right class; for presence the share of
            things that are wrongly said to be there or not; for numbers the squared error, summed.
        """
        if self.kind == "classes":
            return (output.argmax(1) != truth) * 1.0
        if self.kind == "presence":
            return ((output > 0.5) != truth).mean(1)
        return np.square(output - truth).sum(1)


QUESTIONS = {
    question.name: question
    for question in (
        Question("chord", "classes", True, "the root of the chord, one of 12 pitch classes", 12),
        Question("beat", "numbers", True, "the place between two beats, as cosine and sine"),
        Question("bar", "numbers", True, "the place between two bar lines, as cosine and sine"),
        Question("key", "classes", False, "the tonic, one of 12 pitch classes", 12),
        Question("tempo", "numbers", False, "beats per minute, as the logarithm to base 2"),
        Question("genre", "classes", False, "one of the composer's genres", len(GENRES)),
        Question("instruments", "presence", False, "which of the instruments and drums sound"),
        Question("section", "classes", False, "the first, second or third section of the genre, or an intro", 4),
    )
}
"""The questions by name: three for each frame, five for a whole piece."""


def truth(piece: Piece, frames: int) -> dict[str, np.ndarray]:
    """Answer all questions for the start of a piece.

    Notebook: 13

    Parameters
    ----------
    piece : Piece
        A piece from `music.compose`.
    frames : int
        Number of frames of the codec that are asked about.

    Returns
    -------
    dict of str to ndarray
        For each of `QUESTIONS` the answers: [frames] or [frames, 2] where it is asked for each frame, otherwise with a
        single item.
    """
    times = (np.arange(frames) + 0.5) * HOP / RATE
    names = [*GENRE_TABLE[piece.genre].sections, "intro"]
    starts = [section.start_s for section in piece.sections]
    section = piece.sections[_at(starts, np.array([times.mean()]))[0]]
    ends = times[-1]
    sounding = {note.part for note in piece.notes if note.start_s < ends}
    players = {seat.name for seat in piece.instruments if seat.part in sounding}
    roots = np.array([chord.root for chord in piece.chords])
    return {
        "chord": roots[_at([chord.start_s for chord in piece.chords], times)],
        "beat": _around(piece.beats, 60 / piece.tempo, times),
        "bar": _around(piece.downbeats, piece.meter[0] * 60 / piece.tempo, times),
        "key": np.array([NAMES.index(piece.key.split(":")[0])]),
        "tempo": np.log2([[piece.tempo]]),
        "genre": np.array([GENRES.index(piece.genre)]),
        "instruments": np.array([[name in players for name in PLAYERS]]),
        "section": np.array([names.index(section.name)]),
    }


def _at(starts, times: np.ndarray) -> np.ndarray:
    """Index of the last start at or before each time; the first where there is none."""
    return np.maximum(np.searchsorted(np.asarray(starts), times, side="right") - 1, 0)


def _around(marks, step: float, times: np.ndarray) -> Float[np.ndarray, "frames 2"]:
    """The place of each time between two marks, once around a circle: cosine and sine. Outside they go on evenly."""
    marks = np.asarray(marks)
    before = marks[0] - step * np.arange(3, 0, -1)
    after = marks[-1] + step * np.arange(1, 1 + int(np.ceil(max(0, times[-1] - marks[-1]) / step) + 1))
    line = np.concatenate([before, marks, after])
    phase = 2 * np.pi * np.interp(times, line, np.arange(len(line)))
    return np.stack([np.cos(phase), np.sin(phase)], 1)
