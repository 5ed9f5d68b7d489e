"""Sound in blocks: read, measure, resample and write files of any length with little memory.

A block is a float32 array [channels, samples]. The results are the same as if the whole sound were processed at once.
"""

from __future__ import annotations

import math
import os
from collections.abc import Callable, Iterable, Iterator
from itertools import chain
from pathlib import Path
from typing import Any

import numpy as np

from vampkit.audio.clip import Clip
from vampkit.audio.limit import limited, watched
from vampkit.audio.reading import missing, opened, sound_path
from vampkit.errors import VampkitError
from vampkit.files import written
from vampkit.files.outer import named, path_of
from vampkit.files.written import writable

SIZE = 1 << 18
"""Samples in a block: about 6 s, 1 MB per channel."""
KINDS = {".wav": ("WAV", "FLOAT"), ".flac": ("FLAC", "PCM_24"), ".ogg": ("OGG", "VORBIS")}
"""File types that can be written. For each suffix: format and sample type, as libsndfile names them."""


def exactly(blocks: Iterable[np.ndarray], length: int) -> Iterator[np.ndarray]:
    """The first `length` samples of the blocks, with silence at the end if they hold fewer."""
    channels, given = 1, 0
    for block in blocks:
        channels, block = len(block), block[:, : length - given]
        given += block.shape[1]
        if block.shape[1]:
            yield block
    if given < length:
        yield np.zeros((channels, length - given), dtype=np.float32)


def resample_blocks(blocks: Iterable[np.ndarray], rate: int, wanted: int) -> Iterator[np.ndarray]:
    """Resample blocks (soxr, high quality). The result is the same as if the whole were resampled at once."""
    if rate == wanted:
        yield from blocks
        return
    import soxr

    stream, channels = None, 1
    for block in chain(blocks, [None]):
        channels = channels if block is None else len(block)
        stream = stream or soxr.ResampleStream(rate, wanted, channels, dtype="float32")
        rows = np.zeros((0, channels)) if block is None else block.T
        made = stream.resample_chunk(np.ascontiguousarray(rows, dtype=np.float32), last=block is None)
        if len(made):
            yield made.T


def resample_loop(samples: np.ndarray, rate: int, wanted: int) -> np.ndarray:
    """Resample a loop [channels, samples], whose end is followed by its start again."""
    if rate == wanted:
        return samples
    step = rate // math.gcd(rate, wanted)
    lead = step * -(-4096 // step)  # longer than the resampler's filter, and a whole number of samples at both rates
    length = samples.shape[1]
    around = Clip(samples[:, np.arange(-lead, length + lead) % length], rate).resample(wanted).samples
    first = lead * wanted // rate
    return around[:, first : first + round(length * wanted / rate)]


class FileBlocks:
    """A sound file that is read block by block.

    Raises FileNotFoundError, and VampkitError for a file that is empty, damaged or no sound, as `Clip.load` does.
    """

    def __init__(self, path: str | os.PathLike):
        self.path = sound_path(path)
        with opened(self.path) as file:
            self.rate, self.length, self.channels = file.samplerate, file.frames, file.channels
            rows = file.read(min(SIZE, max(1, self.rate // 100)), dtype="float32", always_2d=True)
        if not len(rows):
            raise VampkitError(f"{named(self.path)} holds no samples, some sound was expected; choose another file")
        self._file: Any = None

    def blocks(self) -> Iterator[np.ndarray]:
        """The whole file in blocks [channels, samples]."""
        given = 0
        with opened(self.path) as file:
            while len(rows := file.read(SIZE, dtype="float32", always_2d=True)):
                if not np.isfinite(rows).all():
                    raise ValueError(
                        f"{named(self.path.name)} holds samples that are NaN or infinite, finite numbers were "
                        "expected; mend the sound"
                    )
                given += len(rows)
                yield rows.T
        if end := missing(self.path, given, self.length, self.rate):
            yield np.zeros((self.channels, end), dtype=np.float32)

    def rows(self, rate: int, arranged: Callable[[np.ndarray], np.ndarray]) -> Iterator[np.ndarray]:
        """What `arranged` makes of the channels, at the given sample rate, in blocks [rows, samples]."""
        yield from resample_blocks((arranged(block) for block in self.blocks()), self.rate, rate)

    def mono(self, rate: int) -> Iterator[np.ndarray]:
        """The mean of the channels at the given sample rate, in blocks [1, samples]."""
        yield from self.rows(rate, lambda block: block.mean(0, keepdims=True))

    def piece(self, first: int, last: int) -> np.ndarray:
        """Samples `first` to `last` - 1, [channels, samples]."""
        import soundfile

        if last <= first:
            return np.zeros((self.channels, 0), dtype=np.float32)
        self._file = self._file or soundfile.SoundFile(os.fsencode(self.path))
        self._file.seek(first)
        return self._file.read(last - first, dtype="float32", always_2d=True, fill_value=0.0).T


def loudness(blocks: Iterable[np.ndarray], rate: int) -> tuple[float, int]:
    """Integrated loudness in LUFS of blocks [channels, samples] (-inf for silence), and their number of samples.

    The filters are those of pyloudnorm and the gates those of ITU-R BS.1770, so the result equals `Clip.loudness` of
    the whole. Sounds shorter than 0.4 s are not measured; their loudness is -inf.
    """
    import pyloudnorm
    from scipy.signal import lfilter

    filters = list(pyloudnorm.Meter(rate)._filters.values())
    states: list[np.ndarray] = []
    total, length, marks, sums = 0.0, 0, [0], [0.0]
    for block in blocks:
        x = block.astype(np.float64)
        states = states or [np.zeros((len(x), max(len(f.a), len(f.b)) - 1)) for f in filters]
        for i, f in enumerate(filters):
            x, states[i] = lfilter(f.b, f.a, x, zi=states[i])
            x = x * f.passband_gain
        energy, count = total + np.cumsum(np.square(x).sum(0)), x.shape[1]
        for mark in _marks(rate, length, length + count):
            marks.append(mark)
            sums.append(float(energy[mark - length - 1]))
        total, length = float(energy[-1]) if count else total, length + count
    count = int(np.round((length / rate - 0.4) / 0.1)) + 1
    if count < 1 or length < 0.4 * rate:
        return float("-inf"), length
    marks, sums = marks + [length], sums + [total]
    low, high = (
        np.interp([min(int(0.4 * (j * 0.25 + more) * rate), length) for j in range(count)], marks, sums)
        for more in (0, 1)
    )
    power = (high - low) / (0.4 * rate)
    return _gated(power), length


def _marks(rate: int, first: int, last: int) -> list[int]:
    """Samples in (first, last] at which a gating block of 0.4 s begins or ends, one every 0.1 s."""
    steps = range(max(0, int(first / rate / 0.1) - 5), int(last / rate / 0.1) + 2)
    marks = {int(0.4 * (j * 0.25 + more) * rate) for j in steps for more in (0, 1)}
    return sorted(m for m in marks if first < m <= last)


def _gated(power: np.ndarray) -> float:
    """Loudness from the mean power of each gating block (BS.1770, equations 4 to 7).

    Only some blocks count: those above -70 LUFS that are also not more than 10 LU below the mean of these.
    """
    with np.errstate(divide="ignore"):
        level = -0.691 + 10 * np.log10(np.maximum(power, 0))
    if not (level >= -70).any():
        return float("-inf")
    gate = max(-70.0, -0.691 + 10 * np.log10(power[level >= -70].mean()) - 10)
    chosen = power[level > gate]
    return float(-0.691 + 10 * np.log10(chosen.mean())) if len(chosen) else float("-inf")


def sound_target(path: str | os.PathLike) -> Path:
    """Check, before any work is done, that a sound can be written to a path: its suffix, and its place."""
    path = path_of(path, "sound file")
    if path.suffix.lower() not in KINDS:
        raise ValueError(
            f"{named(path.name)} ends in {named(path.suffix) or 'no suffix'}, .wav, .flac or .ogg was expected; "
            "rename it"
        )
    return writable(path)


def save_blocks(
    blocks: Iterable[np.ndarray], rate: int, path: str | os.PathLike, last: Callable[[], object] | None = None
) -> Path:
    """Write blocks to a wav, flac or ogg file as they come. An unfinished file is removed.

    The suffix of the name sets the type. flac and ogg hold nothing above full scale; such peaks are made softer, see
    `vampkit.audio.limit`. last: called when the sound is written, before it gets its name. Raises ValueError for any
    other suffix, and for a rate that the type cannot hold.
    """
    import soundfile

    path = sound_target(path)
    kind, subtype = KINDS[path.suffix.lower()]
    softened = subtype != "FLOAT"
    blocks = watched(blocks, path, softened)
    with written(path) as part:
        file = None
        try:
            for block in limited(blocks, rate) if softened else blocks:
                file = file or soundfile.SoundFile(
                    os.fsencode(part), "w", rate, len(block), format=kind, subtype=subtype
                )
                file.write(block.T)
        except soundfile.LibsndfileError as error:
            raise VampkitError(
                f"{named(path)} could not be written ({error.error_string.strip().rstrip('.')}), "
                f"{kind.lower()} at {rate} Hz was expected to hold it; write a wav, or choose another place"
            ) from None
        finally:
            if file:
                file.close()
        if subtype == "FLOAT":
            _undated(part)
        if last is not None:
            last()
            os.utime(part)  # a sound is never older than its record, see `vampkit.pipeline.soundfiles.finished`
    return path


def _undated(path: Path) -> None:
    """Take the time of writing out of a wav file of floats, so that equal sounds give equal files.

    libsndfile writes it into the header, 12 bytes after the name of the chunk with the peaks.
    """
    with path.open("r+b") as file:
        if (at := file.read(256).find(b"PEAK")) >= 0:
            file.seek(at + 12)
            file.write(bytes(4))
