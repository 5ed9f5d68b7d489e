"""Opening sound files: what their headers claim is checked before memory is taken, and every error is one sentence."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from vampkit.errors import VampkitError
from vampkit.files.outer import MOST_CHANNELS, MOST_RATE, named
from vampkit.files.texts import existing
from vampkit.files.written import usable

SLACK = 0.1
"""Seconds that a file may be shorter than its header says.

The header that some encoders write counts one packet too many. The missing samples become silence.
"""
LOWEST_RATE = 1000
"""Samples per second. Below, a file of a few bytes would become hours of sound."""


def sound_path(path: str | os.PathLike) -> Path:
    """The path of a sound file. Raises FileNotFoundError, or VampkitError for one that is empty or breaks off."""
    path = existing(path, "sound file")
    with usable(path):
        if path.stat().st_size == 0:
            raise VampkitError(
                f"{named(path)} is empty (0 bytes), a sound file was expected; copy or download it again"
            )
        if _is_cut(path):
            raise VampkitError(
                f"{named(path)} is damaged: it breaks off before the end that its header promises; fetch it again"
            )
    return path


@contextmanager
def opened(path: Path) -> Iterator[Any]:
    """Open a sound file for reading. Errors of libsndfile, also later ones, become one sentence.

    Yields
    ------
    soundfile.SoundFile
        The file.

    Raises
    ------
    VampkitError
        For a file that is no sound, is damaged, or claims a rate or channels out of range.
    """
    import soundfile

    try:
        with usable(path), soundfile.SoundFile(os.fsencode(path)) as file:
            if not (LOWEST_RATE <= file.samplerate <= MOST_RATE and 1 <= file.channels <= MOST_CHANNELS):
                raise VampkitError(
                    f"{named(path)} claims {file.samplerate} samples a second and {file.channels} channels, "
                    f"{LOWEST_RATE} to {MOST_RATE} and 1 to {MOST_CHANNELS} were expected; convert it or fetch it again"
                )
            yield file
    except (soundfile.SoundFileError, RuntimeError) as error:
        reason = getattr(error, "error_string", str(error)).strip().rstrip(".")
        raise VampkitError(
            f"{named(path)} cannot be read as sound ({reason}); wav, flac, ogg, mp3 or opus was expected; convert it "
            "or fetch it again"
        ) from None


def missing(path: Path, held: int, promised: int, rate: int) -> int:
    """Number of samples missing at the end of a file. Raises VampkitError if they are more than `SLACK` seconds."""
    if promised - held > SLACK * rate:
        raise VampkitError(
            f"{named(path)} is damaged: it promises {promised / rate:.2f} s and holds {held / rate:.2f} s; fetch it "
            "again, or cut it with an audio editor"
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
