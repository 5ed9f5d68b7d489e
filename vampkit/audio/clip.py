"""Clip: a piece of sound, and what is done with sound before and after the codec."""

from __future__ import annotations

import os
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np

from vampkit.errors import VampkitError

LEVEL = -24.0
"""Loudness in LUFS at which everything is encoded, compared and scored (paper, section 4.1)."""

SHORTEST_FOR_LOUDNESS = 0.4
"""Length in seconds of a gating block of ITU-R BS.1770. For shorter sounds loudness is not defined."""

SLACK = 0.1
"""Seconds that a file may be shorter than its header says.

The header that some encoders write counts one packet too many. The missing samples become silence.
"""


@dataclass(frozen=True)
class Clip:
    """Sound in memory.

    Notebook: 00

    Parameters
    ----------
    samples : ndarray
        float32 [channels, samples]; full scale is +-1.
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
        samples = np.asarray(self.samples)
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
        samples = samples.astype(np.float32, copy=False)
        if not np.isfinite(samples).all():
            bad = int((~np.isfinite(samples)).sum())
            raise ValueError(
                f"{bad} samples are NaN or infinite, finite numbers were expected; mend the sound, for example with "
                "numpy.nan_to_num"
            )
        if not (isinstance(self.rate, (int, np.integer)) and self.rate > 0):
            raise ValueError(
                f"the sample rate is {self.rate!r}, a positive whole number of samples per second was expected"
            )
        object.__setattr__(self, "samples", samples)
        object.__setattr__(self, "rate", int(self.rate))

    @classmethod
    def load(cls, path: str | os.PathLike, start: float = 0.0, seconds: float | None = None) -> Clip:
        """Read a sound file, or a stretch of it.

        Notebook: 00

        Parameters
        ----------
        path : str or PathLike
            A wav, flac, ogg, mp3 or opus file. Up to `SLACK` seconds may be missing at its end; they become silence.
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
        import soundfile

        path = Path(path)
        if not path.is_file():
            raise FileNotFoundError(f"there is no sound file at {path}; check the name and the folder")
        if path.stat().st_size == 0:
            raise VampkitError(f"{path} is empty (0 bytes), a sound file was expected; copy or download it again")
        if _is_cut(path):
            raise VampkitError(
                f"{path} is damaged: it breaks off before the end that its header promises; fetch it again"
            )
        try:
            with soundfile.SoundFile(path) as file:
                rate, total = file.samplerate, file.frames
                first = round(start * rate)
                count = -1 if seconds is None else round(seconds * rate)
                if first < 0 or (first and first >= total):
                    raise ValueError(
                        f"{path.name} is {total / rate:.2f} s long, an excerpt from {start} s was asked for; start "
                        "earlier"
                    )
                file.seek(first)
                samples = file.read(count, dtype="float32", always_2d=True).T
        except soundfile.LibsndfileError as error:
            raise VampkitError(
                f"{path} cannot be read as sound ({error.error_string.strip().rstrip('.')}); wav, flac, "
                "ogg, mp3 or opus was expected; convert it or fetch it again"
            ) from None
        expected = total - first if seconds is None else min(total - first, count)
        if samples.shape[1] == 0:
            raise VampkitError(f"{path} holds no samples, some sound was expected; choose another file")
        if short := missing(path, samples.shape[1], expected, rate):
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
        if rate == self.rate:
            return self
        import soxr

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
        if not (0 <= start < self.seconds and seconds > 0):
            raise ValueError(
                f"an excerpt of {seconds} s from {start} s was asked for, the clip lasts {self.seconds:.2f} s; choose "
                "a start inside it and a positive length"
            )
        first = round(start * self.rate)
        return replace(self, samples=self.samples[:, first : first + round(seconds * self.rate)])

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


def missing(path: Path, held: int, promised: int, rate: int) -> int:
    """Number of samples missing at the end of a file. Raises VampkitError if they are more than `SLACK` seconds."""
    if promised - held > SLACK * rate:
        raise VampkitError(
            f"{path} is damaged: it promises {promised / rate:.2f} s and holds {held / rate:.2f} s; fetch it again, or "
            "cut it with an audio editor"
        )
    return max(0, promised - held)


def _is_cut(path: Path) -> bool:
    """Whether a WAV or Ogg file is truncated. libsndfile does not report this; it only reads what is left."""
    size = path.stat().st_size
    with path.open("rb") as file:
        head = file.read(12)
        if head[:4] == b"RIFF" and head[8:] == b"WAVE":
            promised = int.from_bytes(head[4:8], "little")
            return 0 < promised < 0xFFFFFFF0 and promised + 8 > size
        if head[:4] == b"OggS":
            file.seek(max(0, size - 65_307))  # the largest size of an Ogg page
            tail = file.read()
            last = tail.rfind(b"OggS")
            return last < 0 or len(tail) < last + 27 or not tail[last + 5] & 4  # bit 4: last page of the stream
    return False
