"""The controls: `Rhythm`, `Harmony`, `Loudness`, in the order in which the adapters read their rows. Notebook: 14."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np

from vampkit.audio import Clip
from vampkit.controls import curves
from vampkit.controls.control import FRAME, Control
from vampkit.files.outer import named

__all__ = ["Control", "Harmony", "Loudness", "Rhythm", "by_control", "stacked"]


class Rhythm(Control):
    """Where something begins, and how strongly, in three bands (30 to 500 Hz, to 3 kHz, to 12 kHz).

    Notebook: 14

    Parameters
    ----------
    source : Clip or ndarray
        A sound, or a curve [3, frames], 0 to 12; 1 is one deviation of the curve over the sound, see `curves.rhythm`.
    """

    word, channels, high = "rhythm", 3, 12.0
    measure = staticmethod(curves.rhythm)

    @classmethod
    def of_times(cls, times: Sequence[float], seconds: float, strength: float | Sequence[float] = 3.0) -> Rhythm:
        """Make a rhythm from times, such as taps, beats, or the onsets of a score.

        Parameters
        ----------
        times : sequence of float
            In seconds.
        seconds : float
            Length of the curve.
        strength : float or sequence of float
            Height of each peak; a clear stroke is about 3.

        Returns
        -------
        Rhythm
            The same peaks in all three bands.

        Raises
        ------
        ValueError
            For times that are not finite, or a length below one frame.
        """
        times = np.asarray(times, float).ravel()
        frames = round(seconds / FRAME)
        if frames < 1 or not np.isfinite(times).all():
            raise ValueError(f"times of {seconds} s were given, finite times and at least one frame were expected")
        return cls(np.repeat(curves.pulses(times, frames, strength)[None], cls.channels, 0))

    def times(self, least: float = 1.0) -> list[float]:
        """Find the peaks of the curve.

        Parameters
        ----------
        least : float
            Smallest height, as the mean over the bands.

        Returns
        -------
        list of float
            Times in seconds.
        """
        return [(t + 0.5) * FRAME for t in np.nonzero(curves.strokes(self.curve, least))[0].tolist()]

    def quantize(self, beats: Sequence[float], division: int = 4) -> Rhythm:
        """Move each peak to the nearest place of a grid.

        Parameters
        ----------
        beats : sequence of float
            Beats in seconds, two or more, rising.
        division : int
            Places of the grid a beat.

        Returns
        -------
        Rhythm
            Peaks at the grid alone, each as strong as the strongest that was moved there. Places outside the curve get
            none.

        Raises
        ------
        ValueError
            For fewer than two beats, a division below 1, or a grid outside the curve.
        """
        beats = np.asarray(beats, float)
        if len(beats) < 2 or division < 1 or (np.diff(beats) <= 0).any():
            raise ValueError("two or more rising beats and a division of at least 1 were expected")
        places = np.arange((len(beats) - 1) * division + 1) / division
        grid = np.interp(places, np.arange(len(beats)), beats)
        grid = grid[(grid >= 0) & (grid < self.seconds)]
        if not len(grid):
            raise ValueError(f"no beat lies inside the {self.seconds:.2f} s of the rhythm, some were expected there")
        curve = np.zeros_like(self.curve)
        for time in self.times():
            nearest = grid[np.abs(grid - time).argmin()]
            frame = min(int(time / FRAME), self.frames - 1)
            for band in range(self.channels):
                peak = curves.pulses([nearest], self.frames, float(self.curve[band, frame]))
                curve[band] = np.maximum(curve[band], peak)
        return self._with(curve)


class Harmony(Control):
    """Which pitch classes sound, C first. Loud timbres say little more in it than soft ones.

    Notebook: 14

    Parameters
    ----------
    source : Clip or ndarray
        A sound, or a curve [12, frames], 0 to 1; frames of length 1, or 0 in silence.
    """

    word, channels = "harmony", 12
    measure = staticmethod(curves.harmony)


class Loudness(Control):
    """How loud each frame is against the whole sound, in units of 10 dB.

    Notebook: 14

    Parameters
    ----------
    source : Clip or ndarray
        A sound, or a curve [1, frames], -4 to 2.
    """

    word, channels, low, high = "loudness", 1, -4.0, 2.0
    measure = staticmethod(curves.loudness)


def from_word(word: str) -> Control:
    """Make a control from its word and a sound file, such as rhythm:drums.wav. Raises ValueError for anything else."""
    kind, _, path = word.partition(":")
    if kind not in Control.kinds or not path:
        expected = f"{', '.join(Control.kinds)} and a file were expected, as rhythm:FILE"
        raise ValueError(f"{word!r} cannot be followed, {expected}")
    clip = Clip.load(path)
    try:
        return Control.kinds[kind](clip)
    except ValueError as error:
        raise ValueError(f"{named(path)} cannot be followed: {error}") from None


def by_control(values: np.ndarray) -> Iterator[tuple[type[Control], np.ndarray]]:
    """Each kind of control with its own rows of `values` [16, frames], the curves of all controls one below another."""
    first = 0
    for kind in Control.kinds.values():
        yield kind, values[first : first + kind.channels]
        first += kind.channels


def stacked(controls: Sequence[Control], frames: int) -> np.ndarray:
    """What the adapters read, float32 [19, frames]: all curves, 0 where a control is not given, then a flag for each.

    Curves that are longer are cut. Raises TypeError for anything that is no control, and ValueError for curves that are
    shorter than the sound, or two of a kind.
    """
    given: dict[str, Control] = {}
    for control in controls:
        if not isinstance(control, Control):
            names = ", ".join(kind.__name__ for kind in Control.kinds.values())
            raise TypeError(f"{type(control).__name__} was given to follow, one of {names} was expected")
        if control.word in given:
            raise ValueError(f"two controls for {control.word} were given, one was expected; mix them first")
        if control.frames < frames:
            raise ValueError(
                f"the {control.word} is {control.seconds:.2f} s long, {frames * FRAME:.2f} s were expected; "
                "stretch it, or take it from a longer sound"
            )
        given[control.word] = control
    rows = [
        given[word].curve[:, :frames] if word in given else np.zeros((kind.channels, frames), np.float32)
        for word, kind in Control.kinds.items()
    ]
    flags = [np.full((1, frames), float(word in given), np.float32) for word in Control.kinds]
    return np.concatenate([*rows, *flags]).astype(np.float32)
