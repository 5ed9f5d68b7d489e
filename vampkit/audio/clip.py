"""Clip: a piece of sound, and what is done with sound before and after the codec."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vampkit.audio.reading import missing, opened, sound_path
from vampkit.errors import VampkitError
from vampkit.files.outer import MOST_RATE, MOST_SAMPLES, named, number, shown, text

LEVEL = -24.0
"""Loudness in LUFS at which everything is encoded, compared and scored (paper, section 4.1)."""

LOUDEST = 1e6
"""The largest sample; full scale is 1."""

FULL_SCALE = {"int8": 2.0**7, "int16": 2.0**15, "int32": 2.0**31, "uint8": 2.0**7, "uint16": 2.0**15}
"""Full scale of whole numbers as files and recorders give them; those without a sign have silence in the middle."""

BLOCK = 1 << 20
"""Samples that are read at once."""

SHORTEST_FOR_LOUDNESS = 0.4
"""Length in seconds of a gating block of ITU-R BS.1770. For shorter sounds loudness is not defined."""


@dataclass(frozen=True)
class Clip:
    """Sound in memory.

    Notebook: 00

    Parameters
    ----------
    samples : ndarray
        float32 [channels, samples]; full scale is +-1. Whole numbers of 8, 16 or 32 bits, as sound files hold them, are
        scaled to it.
    rate : int
        Samples per second.
    name, credit : str
        Name of the sound, and who made it under which licence.

    Raises
    ------
    ValueError
        For arrays of another shape, and for samples that are not finite.
    """

    samples: np.ndarray
    rate: int
    name: str = ""
    credit: str = ""

    def __post_init__(self):
        try:
            samples = np.asarray(self.samples)
        except Exception:  # lists of several lengths, and objects that are no arrays
            raise ValueError(
                f"{shown(self.samples)} was given as sound, an array [channels, samples] was expected; make one with "
                "numpy.array"
            ) from None
        if samples.ndim == 1:
            samples = samples[None]
        if samples.ndim != 2 or not np.issubdtype(samples.dtype, np.number) or np.iscomplexobj(samples):
            raise ValueError(
                f"sound of shape {samples.shape} and type {samples.dtype} was given, real numbers of shape "
                "[channels, samples] were expected; reshape it first"
            )
        if samples.shape[0] > samples.shape[1] > 0 and samples.shape[0] > 8:
            raise ValueError(
                f"sound of shape {samples.shape} has {samples.shape[0]} channels, [channels, samples] was expected; "
                "transpose it"
            )
        if samples.size > MOST_SAMPLES:
            raise ValueError(
                f"sound of {samples.size} samples was given, at most {MOST_SAMPLES} were expected in memory; give the "
                "path of its file to vamp"
            )
        if (scale := FULL_SCALE.get(samples.dtype.name)) is not None:
            samples = (samples.astype(np.float64) - scale * (samples.dtype.kind == "u")) / scale
        with np.errstate(over="ignore"):
            samples = samples.astype(np.float32, copy=False)
        if not np.isfinite(samples).all():
            bad = int((~np.isfinite(samples)).sum())
            raise ValueError(
                f"{bad} samples are NaN or infinite, finite numbers were expected; mend the sound, for example with "
                "numpy.nan_to_num"
            )
        if samples.size and np.abs(samples).max() > LOUDEST:
            raise ValueError(
                f"the largest sample is {np.abs(samples).max():g}, at most {LOUDEST:g} was expected (full scale is 1); "
                "scale the sound"
            )
        rate = self.rate.item() if isinstance(self.rate, np.generic) else self.rate
        if isinstance(rate, bool) or not isinstance(rate, int) or not 0 < rate <= MOST_RATE:
            raise ValueError(
                f"the sample rate is {shown(rate)}, a positive whole number of samples per second up to {MOST_RATE} "
                "was expected; give the rate that the sound was recorded with"
            )
        for name in ("name", "credit"):
            text(f"the {name} is ", getattr(self, name))
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "rate", rate)

    @classmethod
    def load(cls, path: str | os.PathLike, start: float = 0.0, seconds: float | None = None) -> Clip:
        """Read a sound file, or a stretch of it.

        Notebook: 00

        Parameters
        ----------
        path : str or PathLike
            A wav, flac, ogg, mp3 or opus file. Up to 0.1 seconds may be missing at its end; they become silence.
        start : float
            Where to start reading, in seconds.
        seconds : float, optional
            How many seconds to read; None reads to the end.

        Returns
        -------
        Clip
            The sound.

        Raises
        ------
        FileNotFoundError
            If there is no file.
        VampkitError
            For a file that is empty, damaged or not a sound.
        """
        path = sound_path(path)
        start = number("start is ", start, 0, whole=False)
        seconds = number("seconds is ", seconds, 0, optional=True, hint="leave it out to read to the end")
        with opened(path) as file:
            rate, total = file.samplerate, file.frames
            first = round(start * rate)
            if first and first >= total:
                raise ValueError(
                    f"{named(path.name)} is {total / rate:.2f} s long, an excerpt from {start} s was asked for; start "
                    "earlier"
                )
            expected = total - first if seconds is None else min(total - first, round(seconds * rate))
            if first:
                file.seek(first)
            blocks, held = [], 0
            # Block by block, since a header may claim more samples than memory holds and the file has.
            while held < expected and len(rows := file.read(min(BLOCK, expected - held), "float32", always_2d=True)):
                blocks.append(rows)
                held += len(rows)
                if held * file.channels > MOST_SAMPLES:
                    raise VampkitError(
                        f"{named(path.name)} holds more than {MOST_SAMPLES} samples, fewer were expected in memory; "
                        "read a part with start and seconds, or give its path to vamp"
                    )
        if not held:
            raise VampkitError(f"{named(path)} holds no samples, some sound was expected; choose another file")
        samples = np.concatenate(blocks).T
        if short := missing(path, held, expected, rate):
            samples = np.pad(samples, ((0, 0), (0, short)))
        return cls(samples, rate, name=path.stem)

    def save(self, path: str | os.PathLike) -> Path:
        """Write a sound file: wav (32-bit float), flac (24 bit) or ogg (Vorbis).

        Parameters
        ----------
        path : str or PathLike
            The file. Its suffix sets the type.

        Returns
        -------
        Path
            The file.

        Raises
        ------
        ValueError
            For another suffix.
        """
        from vampkit.audio.blocks import save_blocks

        return save_blocks([self.samples], self.rate, path)

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return self.samples.shape[1] / self.rate

    @property
    def channels(self) -> int:
        """Number of channels."""
        return self.samples.shape[0]

    def mono(self) -> Clip:
        """Mix the channels to their mean.

        Notebook: 00

        Returns
        -------
        Clip
            One channel.
        """
        return self if self.channels == 1 else replace(self, samples=self.samples.mean(0, keepdims=True))

    def resample(self, rate: int) -> Clip:
        """Change the sample rate (soxr, high quality).

        Notebook: a1

        Parameters
        ----------
        rate : int
            Samples per second.

        Returns
        -------
        Clip
            The same sound.
        """
        rate = number("the sample rate is ", rate, 1, MOST_RATE, whole=True)
        if rate == self.rate:
            return self
        import soxr

        if (made := self.samples.size / self.rate * rate) > MOST_SAMPLES:
            raise ValueError(
                f"{made:.0f} samples would be made, at most {MOST_SAMPLES} were expected; take an excerpt, or check "
                "the sample rate"
            )

        return replace(self, samples=soxr.resample(self.samples.T, self.rate, rate).T, rate=rate)

    def excerpt(self, start: float, seconds: float) -> Clip:
        """Cut out a stretch.

        Notebook: 00

        Parameters
        ----------
        start : float
            Where the stretch starts, in seconds.
        seconds : float
            Length of the stretch; it is shorter if the clip ends before.

        Returns
        -------
        Clip
            The stretch.

        Raises
        ------
        ValueError
            For a start outside the clip, or a length that is not positive.
        """
        start, seconds = number("start is ", start), number("seconds is ", seconds)
        if not (0 <= start < self.seconds and seconds > 0):
            raise ValueError(
                f"an excerpt of {seconds} s from {start} s was asked for, the clip lasts {self.seconds:.2f} s; choose "
                "a start inside it and a positive length"
            )
        first = round(start * self.rate)
        return replace(self, samples=self.samples[:, first : first + round(min(seconds, self.seconds) * self.rate)])

    def gain(self, db: float) -> Clip:
        """Make the clip louder or softer.

        Notebook: a1

        Parameters
        ----------
        db : float
            Decibels.

        Returns
        -------
        Clip
            The same sound at another level.
        """
        db = number("the gain is ", db, -1000, 1000)
        return replace(self, samples=self.samples * np.float32(10 ** (db / 20)))

    def peak(self) -> float:
        """Find the peak level.

        Notebook: a1

        Returns
        -------
        float
            Level of the largest sample in dB relative to full scale (0 is full scale); -inf for silence.
        """
        top = float(np.abs(self.samples).max(initial=0.0))
        return 20 * float(np.log10(top)) if top > 0 else float("-inf")

    def loudness(self) -> float:
        """Measure the integrated loudness (ITU-R BS.1770, by pyloudnorm).

        A clip shorter than the standard's block of 0.4 s is repeated until it fills one.

        Notebook: a1

        Returns
        -------
        float
            LUFS; -inf for silence.
        """
        import warnings

        import pyloudnorm

        samples = self.samples
        if samples.shape[1] == 0 or not samples.any():
            return float("-inf")
        block = int(np.ceil(SHORTEST_FOR_LOUDNESS * self.rate)) + 1
        if samples.shape[0] > 5:  # the standard knows weights for five channels
            samples = samples.mean(0, keepdims=True)
        if samples.shape[1] < block:
            samples = np.tile(samples, int(np.ceil(block / samples.shape[1])))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return float(pyloudnorm.Meter(self.rate).integrated_loudness(samples.T.astype(np.float64)))

    def at_loudness(self, lufs: float = LEVEL) -> Clip:
        """Scale the clip to a loudness; silence stays silence.

        Notebook: a1

        Parameters
        ----------
        lufs : float
            The loudness wanted.

        Returns
        -------
        Clip
            The same sound at that level.
        """
        now = self.loudness()
        return self.gain(lufs - now) if np.isfinite(now) else self
