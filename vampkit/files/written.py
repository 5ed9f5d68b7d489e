"""Writing files safely: under another name first, then renamed. And what the system says when a file cannot be used."""

from __future__ import annotations

import contextlib
import errno
import hashlib
import os
import time
from collections.abc import Iterator
from pathlib import Path

from vampkit.errors import VampkitError
from vampkit.files.outer import named, path_of

try:
    import fcntl
except ImportError:  # Windows has no such locks; there two processes on one output are not told apart
    fcntl = None  # type: ignore[assignment]

FULL = (errno.ENOSPC, errno.EDQUOT)
PART = ".vampkit-part"
"""End of the names of files that are being written."""
PATIENCE = 10.0
"""Seconds that a process waits for another one that writes the same file."""
HINTS = {
    errno.ENOENT: "check the name and the folder",
    errno.EACCES: "choose a place that you may use, or change its permissions",
    errno.EPERM: "choose a place that you may use, or change its permissions",
    errno.EROFS: "choose a folder that can be written to",
    errno.ENAMETOOLONG: "choose a shorter name",
    errno.ELOOP: "its links lead in a circle: choose the file itself",
    errno.EISDIR: "it is a folder: choose a file in it",
    errno.ENOTDIR: "a part of its path is a file, not a folder: choose another path",
    errno.EEXIST: "a part of its path is a file, not a folder: choose another path",
}
"""What to do about an error of the system."""


@contextlib.contextmanager
def usable(path: str | os.PathLike, verb: str = "read") -> Iterator[None]:
    """Turn an error of the system about a file or folder into one sentence.

    Parameters
    ----------
    path : str or PathLike
        The file or folder.
    verb : str
        What is done with it: "read" or "written".

    Raises
    ------
    VampkitError
        In place of OSError. Also if the disk is full, whatever the class of the error is.
    FileNotFoundError
        If there is nothing to read.
    """
    try:
        yield
    except (BrokenPipeError, TimeoutError, ConnectionError):
        raise
    except Exception as error:
        code = getattr(error, "errno", None)
        if code in FULL or any(f"os error {full}" in str(error) for full in FULL):
            raise VampkitError(
                f"{named(path)} could not be written, the disk is full; what was saved before is whole: make room and "
                "try again"
            ) from None
        if not isinstance(error, OSError) or code is None:
            raise
        kind = FileNotFoundError if isinstance(error, FileNotFoundError) and verb == "read" else VampkitError
        raise kind(system_sentence(error, path, verb)) from None


def system_sentence(error: OSError, path: str | os.PathLike = "", verb: str = "read") -> str:
    """One sentence about an error of the system: what, what was expected, what to do."""
    where = named(path or error.filename or "a file")
    hint = HINTS.get(error.errno or 0, "choose another one")
    return f"{where} cannot be {verb} ({error.strerror or error}), a file that can be {verb} was expected; {hint}"


@contextlib.contextmanager
def written(path: str | os.PathLike, durable: bool = False) -> Iterator[Path]:
    """Give a temporary file to write to, and rename it to `path` when the block ends without an error.

    If the process is killed, either the old file or the new one is there, never half a file; the next process that
    writes `path` uses the temporary file that was left. Two processes never write one file at once: the second waits up
    to `PATIENCE` seconds.

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
        If the file cannot be written there, if the disk is full, or if another process writes it. The old file at
        `path` is still complete.

    Examples
    --------
    >>> with written("settings.json") as part:
    ...     part.write_text("{}")
    """
    path = writable(path)
    with usable(path, "written"):
        path.parent.mkdir(parents=True, exist_ok=True)
        with held(_part_of(path), path) as part:
            try:
                yield part
                if durable:
                    with part.open("rb") as file:
                        os.fsync(file.fileno())
            except BaseException:
                part.unlink(missing_ok=True)
                raise
            part.replace(path)


def writable(path: str | os.PathLike) -> Path:
    """Check, before any work is done, that a file can be written at a path.

    Parameters
    ----------
    path : str or PathLike
        The file, which may not exist yet.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    VampkitError
        If a folder or a device lies there, or the folder cannot be written to.
    """
    path = path_of(path)
    if "\0" in os.fspath(path):
        raise VampkitError(f"the name {named(path)} holds a zero byte, a plain name was expected; rename it")
    with usable(path, "written"):
        if len(os.fsencode(path.name)) > 255:
            raise OSError(errno.ENAMETOOLONG, os.strerror(errno.ENAMETOOLONG), str(path))
        with contextlib.suppress(FileNotFoundError, NotADirectoryError):
            os.stat(path)  # unlike Path.exists, it tells of links that lead in a circle
        if path.exists() and not path.is_file():
            what = "a folder" if path.is_dir() else "no plain file"
            raise VampkitError(
                f"{named(path)} is {what}, the name of a file to write was expected; choose another name"
            )
        folder = path.parent
        while not folder.exists() and folder != folder.parent:
            folder = folder.parent
        if not os.access(folder, os.W_OK) or not folder.is_dir():
            code = errno.EACCES if folder.is_dir() else errno.ENOTDIR
            raise OSError(code, os.strerror(code), str(path))
    return path


def same_file(a: str | os.PathLike, b: str | os.PathLike) -> bool:
    """Whether two paths lead to one file, also by links or by names that differ only in their case."""
    if any("\0" in os.fspath(path_of(path)) for path in (a, b)):  # no file has a zero byte in its name
        return False
    try:
        return os.path.samefile(a, b)
    except OSError:  # one of them does not exist
        return os.path.realpath(a) == os.path.realpath(b)


@contextlib.contextmanager
def alone(folder: str | os.PathLike) -> Iterator[None]:
    """Work alone on a folder. Raises VampkitError if another process works on it.

    The lock goes with the process, however that ends. The folder is created if needed; if nothing was put into it, it
    goes too.
    """
    folder = Path(folder)
    with contextlib.ExitStack() as stack:
        with usable(folder, "written"):
            is_new = not folder.exists()
            folder.mkdir(parents=True, exist_ok=True)
            lock = stack.enter_context(held(folder / f".lock{PART}", folder, patience=0.0))
        try:
            yield
        finally:
            lock.unlink(missing_ok=True)
            if is_new:
                with contextlib.suppress(OSError):  # it is not empty
                    folder.rmdir()


def _part_of(path: Path) -> Path:
    """The temporary file of a path. A name that is too long for an ending becomes a hash of it."""
    name = path.name
    if len(os.fsencode(name)) > 200:
        name = hashlib.sha256(os.fsencode(name)).hexdigest()[:32]
    return path.with_name(f".{name}{PART}")


@contextlib.contextmanager
def held(part: Path, path: Path, patience: float | None = None) -> Iterator[Path]:
    """Create a temporary file, or take over one that a killed process left, and hold it for this process alone."""
    until = time.monotonic() + (PATIENCE if patience is None else patience)
    while True:
        handle = os.open(part, os.O_RDWR | os.O_CREAT | getattr(os, "O_CLOEXEC", 0), 0o666)
        if _locked(handle) and _is_still(handle, part):
            break
        os.close(handle)
        if time.monotonic() >= until:
            raise VampkitError(
                f"another process is writing {named(path)}, nobody else was expected to; wait until it is done, or "
                "choose another name"
            )
        time.sleep(0.05)
    if fcntl is None:
        os.close(handle)  # such systems do not rename a file that is open
        yield part
        return
    try:
        yield part
    finally:
        os.close(handle)


def _locked(handle: int) -> bool:
    if fcntl is None:
        return True
    try:
        fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError as error:
        return error.errno not in (errno.EWOULDBLOCK, errno.EACCES)  # a file system without locks holds nobody up
    return True


def _is_still(handle: int, part: Path) -> bool:
    """Whether a temporary file was not renamed by the process that held it before."""
    try:
        return os.fstat(handle).st_ino == os.stat(part).st_ino
    except FileNotFoundError:
        return False


@contextlib.contextmanager
def room_for(path: str | os.PathLike) -> Iterator[None]:
    """Raise VampkitError with a clear message if the disk is full, or `path` cannot be written.

    It replaces OSError and the error of safetensors, which is of another class.
    """
    with usable(path, "written"):
        yield
