"""Controls: what a take follows, frame by frame. `Rhythm`, `Harmony` and `Loudness` each hold one curve.

A control comes from a clip (whose curve is computed), from an array, or, for a rhythm, from times such as taps. It is
immutable; `shift`, `stretch`, `smooth` and the others give a new one. Notebook: 14.
"""

from __future__ import annotations

import base64
import json
import zlib
from collections.abc import Callable, Sequence
from typing import ClassVar

import numpy as np

from vampkit.audio import Clip
from vampkit.controls import curves
from vampkit.errors import VampkitError

FORMAT = "vampkit.control/1"
FRAME = curves.HOP / curves.RATE
"""Length of a frame in seconds."""
STEP = 1 / 32
"""Values are rounded to this when a control is made, so that a record holds exactly what the model was told."""


class Control:
    """Says what a take follows: one curve, float32 [channels, frames]. This is the base class.

    Notebook: 14

    Parameters
    ----------
    source : Clip or ndarray
        A sound, whose curve is computed at -24 LUFS; or a curve [channels, frames], with 57.42 frames a second.

    Raises
    ------
    TypeError
        For another kind of source.
    ValueError
        For a silent clip, or a curve without frames, with other channels, or with values that are not finite.
    """

    kinds: ClassVar[dict[str, type[Control]]] = {}
    """All controls by their word."""
    word: ClassVar[str] = ""
    channels: ClassVar[int] = 0
    low: ClassVar[float] = 0.0
    high: ClassVar[float] = 1.0
    """Range of the values; others are clipped."""
    measure: ClassVar[Callable]
    """Computes the curve from samples."""

    def __init__(self, source: Clip | np.ndarray):
        if isinstance(source, Clip):
            samples = curves.prepared(source)
            if not samples.any():
                raise ValueError(f"the clip is silent, a sound to take the {self.word} from was expected")
            source = type(self).measure(samples)
        self.curve = self._checked(source)

    def __init_subclass__(cls):
        Control.kinds[cls.word] = cls

    def _checked(self, curve) -> np.ndarray:
        if isinstance(curve, (str, bytes, dict)) or not hasattr(curve, "__len__"):
            raise TypeError(
                f"{type(curve).__name__} was given, a Clip or a curve [{self.channels}, frames] was expected"
            )
        curve = np.asarray(curve, np.float32)
        if curve.ndim == 1 and self.channels == 1:
            curve = curve[None]
        if curve.ndim != 2 or len(curve) != self.channels or not curve.shape[1]:
            raise ValueError(
                f"a curve of shape {curve.shape} was given, [{self.channels}, frames] was expected for {self.word}"
            )
        if not np.isfinite(curve).all():
            raise ValueError(f"the {self.word} curve holds values that are not finite; numbers were expected")
        curve = np.round(np.clip(curve, self.low, self.high) / STEP) * STEP
        curve.flags.writeable = False
        return curve.astype(np.float32)

    @property
    def frames(self) -> int:
        """Number of frames."""
        return self.curve.shape[1]

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.frames * FRAME

    def _with(self, curve: np.ndarray) -> Control:
        made = object.__new__(type(self))
        made.curve = made._checked(curve)
        return made

    def shift(self, seconds: float) -> Control:
        """Move the curve in time.

        Parameters
        ----------
        seconds : float
            To the right; below 0 to the left. What is left empty is 0.

        Returns
        -------
        Control
            A curve of the same length.
        """
        frames = round(seconds / FRAME)
        moved = np.zeros_like(self.curve)
        if abs(frames) < self.frames:
            a, b = max(0, frames), max(0, -frames)
            moved[:, a : self.frames - b] = self.curve[:, b : self.frames - a]
        return self._with(moved)

    def stretch(self, seconds: float) -> Control:
        """Stretch or squeeze the curve to another length.

        Parameters
        ----------
        seconds : float
            The new length.

        Returns
        -------
        Control
            The whole curve over the new length.

        Raises
        ------
        ValueError
            For a length below one frame.
        """
        frames = round(seconds / FRAME)
        if frames < 1:
            raise ValueError(f"a length of {seconds} s was given, at least {FRAME:.3f} s (one frame) was expected")
        return self._with(self._stretched(frames))

    def _stretched(self, frames: int) -> np.ndarray:
        places = (np.arange(frames) + 0.5) * self.frames / frames - 0.5
        return np.stack([np.interp(places, np.arange(self.frames), row) for row in self.curve])

    def smooth(self, seconds: float) -> Control:
        """Average the curve over time.

        Parameters
        ----------
        seconds : float
            Length of the average, centred on each frame.

        Returns
        -------
        Control
            The smooth curve.
        """
        size = max(1, round(seconds / FRAME)) // 2 * 2 + 1
        padded = np.pad(self.curve, ((0, 0), (size // 2, size // 2)), mode="edge")
        return self._with(np.stack([np.convolve(row, np.full(size, 1 / size), "valid") for row in padded]))

    def mix(self, other: Control, share: float = 0.5) -> Control:
        """Mix with another control of the same kind and length.

        Parameters
        ----------
        other : Control
            The other control.
        share : float
            Of the other, 0 to 1.

        Returns
        -------
        Control
            (1 - share) of this curve plus share of the other.

        Raises
        ------
        TypeError, ValueError
            For a control of another kind or length, or a share outside 0 to 1.
        """
        if type(other) is not type(self):
            raise TypeError(f"{type(other).__name__} was given, another {type(self).__name__} was expected")
        if other.frames != self.frames:
            raise ValueError(
                f"curves of {self.frames} and {other.frames} frames were given, equal lengths were expected; "
                "use stretch or cut"
            )
        if not 0 <= share <= 1:
            raise ValueError(f"a share of {share} was given, 0 to 1 was expected")
        return self._with((1 - share) * self.curve + share * other.curve)

    def cut(self, start: float, seconds: float) -> Control:
        """Take a part of the curve.

        Parameters
        ----------
        start, seconds : float
            Where it begins, and its length.

        Returns
        -------
        Control
            The part.

        Raises
        ------
        ValueError
            If the part does not lie inside the curve.
        """
        first, count = round(start / FRAME), round(seconds / FRAME)
        if first < 0 or count < 1 or first + count > self.frames:
            raise ValueError(
                f"a part from {start} s of {seconds} s was asked for, the curve is {self.seconds:.2f} s long"
            )
        return self._with(self.curve[:, first : first + count])

    def to_json(self) -> dict:
        """Give the control as plain JSON; the curve is compressed.

        Returns
        -------
        dict
            What `from_json` reads.
        """
        steps = np.round(self.curve / STEP).astype("<i2").tobytes()
        packed = base64.b85encode(zlib.compress(steps, 9)).decode("ascii")
        return {"format": FORMAT, "control": self.word, "frames": self.frames, "curve": packed}

    @staticmethod
    def from_json(data: dict | str) -> Control:
        """Read what `to_json` gave.

        Parameters
        ----------
        data : dict or str
            JSON.

        Returns
        -------
        Control
            The same control.

        Raises
        ------
        VampkitError
            For anything else.
        """
        try:
            data = json.loads(data) if isinstance(data, str) else data
            if data["format"] != FORMAT:
                raise KeyError(f"format {data['format']!r}")
            kind = Control.kinds[data["control"]]
            steps = np.frombuffer(zlib.decompress(base64.b85decode(data["curve"])), "<i2")
            made = object.__new__(kind)
            made.curve = made._checked(steps.reshape(kind.channels, data["frames"]).astype(np.float32) * STEP)
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise VampkitError(f"this is no control ({error}); write one with Control.to_json") from None
        return made

    def __eq__(self, other) -> bool:
        return type(other) is type(self) and np.array_equal(other.curve, self.curve)

    __hash__ = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.frames} frames, {self.seconds:.2f} s)"


class Rhythm(Control):
    """Where something begins, and how strongly, in three bands (30 to 500 Hz, to 3 kHz, to 12 kHz).

    Notebook: 14

    Parameters
    ----------
    source : Clip or ndarray
        A sound, or a curve [3, frames], 0 to 12; 1 is one deviation of the curve over the sound.
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
        mean = np.pad(self.curve.mean(0), 1)
        peak = (mean[1:-1] >= mean[:-2]) & (mean[1:-1] > mean[2:]) & (mean[1:-1] >= least)
        return [(t + 0.5) * FRAME for t in np.nonzero(peak)[0].tolist()]

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
            Peaks at the grid alone, each as strong as the strongest that was moved there.

        Raises
        ------
        ValueError
            For fewer than two beats, or a division below 1.
        """
        beats = np.asarray(beats, float)
        if len(beats) < 2 or division < 1 or (np.diff(beats) <= 0).any():
            raise ValueError("two or more rising beats and a division of at least 1 were expected")
        places = np.arange((len(beats) - 1) * division + 1) / division
        grid = np.interp(places, np.arange(len(beats)), beats)
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
