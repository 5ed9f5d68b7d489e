"""Writing without loss: beside first, then renamed."""

from __future__ import annotations

import contextlib
import errno
import os
from collections.abc import Iterator
from pathlib import Path

from vampkit.errors import VampkitError

FULL = (errno.ENOSPC, errno.EDQUOT)


@contextlib.contextmanager
def written(path: str | os.PathLike, durable: bool = False) -> Iterator[Path]:
    """A file to write in place of `path`, renamed to it when the block ends well.

    A kill at any moment leaves either the old file or the new one, never half of one.

    Parameters
    ----------
    path : str or PathLike
        Where the file is to lie in the end; its folder is made.
    durable : bool
        Flush it to the disk before it is renamed, so that even a power cut leaves a whole file.

    Yields
    ------
    Path
        The file beside `path` to write to. It is removed where the block raises.

    Raises
    ------
    VampkitError
        Where the disk is full; the file that was there before is whole.

    Examples
    --------
    >>> with written("settings.json") as part:
    ...     part.write_text("{}")
    """
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(f"{path.name}.part")
    with room_for(path):
        try:
            yield part
            if durable:
                with part.open("rb") as file:
                    os.fsync(file.fileno())
        except BaseException:
            part.unlink(missing_ok=True)
            raise
        part.replace(path)


@contextlib.contextmanager
def room_for(path: str | os.PathLike) -> Iterator[None]:
    """One clear sentence where the disk is full while `path` is written.

    Raises
    ------
    VampkitError
        In place of the error of the system, or of safetensors, which has one of its own.
    """
    try:
        yield
    except Exception as error:
        if getattr(error, "errno", None) not in FULL and not any(f"os error {code}" in str(error) for code in FULL):
            raise
        raise VampkitError(
            f"{path} could not be written, the disk is full; what was saved before is whole: make room and try again"
        ) from None
