"""What all controls share: one curve from a clip or an array, and what can be done to it.

A control is immutable; `shift`, `stretch`, `smooth` and the others give a new one. Notebook: 14.
"""

from __future__ import annotations

import base64
import zlib
from collections.abc import Callable
from typing import ClassVar

import numpy as np

from vampkit.audio import Clip
from vampkit.controls import curves
from vampkit.errors import VampkitError
from vampkit.files.outer import MOST_FRAMES, number, shown
from vampkit.files.texts import of_format

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
            data = of_format(data, FORMAT, "control")
            kind = Control.kinds[data["control"]]
            frames = number("its number of frames is ", data["frames"], 1, MOST_FRAMES, whole=True)
            size = frames * kind.channels * 2
            steps = np.frombuffer(zlib.decompressobj().decompress(base64.b85decode(data["curve"]), size + 1), "<i2")
            made = object.__new__(kind)
            made.curve = made._checked(steps.reshape(kind.channels, frames).astype(np.float32) * STEP)
        except (KeyError, TypeError, ValueError, zlib.error) as error:
            raise VampkitError(
                f"this is no control ({shown(str(error))}), one was expected; write one with Control.to_json"
            ) from None
        return made

    def __eq__(self, other) -> bool:
        return type(other) is type(self) and np.array_equal(other.curve, self.curve)

    __hash__ = None

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.frames} frames, {self.seconds:.2f} s)"
