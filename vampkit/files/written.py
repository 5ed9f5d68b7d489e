"""Writing files safely: under another name first, then renamed."""

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
    """Give a temporary file to write to, and rename it to `path` when the block ends without an error.

    If the process is killed, either the old file or the new one is there, never half a file.

    Parameters
    ----------
    path : str or PathLike
        Final path of the file. Its folder is created if needed.
    durable : bool
        Flush the file to the disk before it is renamed, so that it is complete even after a power cut.

    Yields
    ------
    Path
        The temporary file, in the same folder as `path`. It is removed if the block raises.

    Raises
    ------
    VampkitError
        If the disk is full. The old file at `path` is still complete.

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
    """Raise VampkitError with a clear message if the disk is full while `path` is written.

    It replaces OSError and the error of safetensors, which is of another class.
    """
    try:
        yield
    except Exception as error:
        if getattr(error, "errno", None) not in FULL and not any(f"os error {code}" in str(error) for code in FULL):
            raise
        raise VampkitError(
            f"{path} could not be written, the disk is full; what was saved before is whole: make room and try again"
        ) from None
