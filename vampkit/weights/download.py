"""Weights from the network, kept in the user's cache folder."""

from __future__ import annotations

import hashlib
import http.client
import urllib.error
import urllib.request
from pathlib import Path

from vampkit.errors import VampkitError
from vampkit.files import cache_folder
from vampkit.files.written import FULL, room_for

TRIES = 5
"""How often a transfer that breaks off is taken up again before it is given up."""


def cached(name: str) -> Path:
    """The place of a downloaded file in the cache."""
    return cache_folder() / "weights" / name


def download(url: str, path: Path, timeout: float = 20.0, digest: str = "") -> Path:
    """Download a file once, with a progress bar. Later calls find it.

    A transfer that breaks off is taken up where it stopped, by a later call too.

    Parameters
    ----------
    url : str
        Where the file is.
    path : Path
        Where it goes. The part that has come lies beside it.
    timeout : float
        Seconds without an answer after which a try is given up.
    digest : str
        Hash of the file in hexadecimal digits, checked before the file is put in its place: 64 of SHA-256, or 40 of
        git's own for small files; "" if it is not known.

    Returns
    -------
    Path
        The file.

    Raises
    ------
    VampkitError
        If the host cannot be reached, or gives a file with another hash. The message says where to put the file by
        hand.
    """
    if path.is_file():
        return path
    part = path.with_name(f"{path.name}{digest[:8] and '.' + digest[:8]}.part")  # another version has another part
    path.parent.mkdir(parents=True, exist_ok=True)
    with room_for(path):
        try:
            _transfer(url, part, path.name, timeout)
        except (OSError, http.client.HTTPException, ValueError) as error:
            if getattr(error, "errno", None) in FULL:
                raise
            kept = part.stat().st_size if part.is_file() else 0
            if not kept:
                part.unlink(missing_ok=True)
            reason = getattr(error, "reason", error) or type(error).__name__
            again = f", which goes on after the {kept} bytes that have come" if kept else ""
            raise VampkitError(
                f"{path.name} could not be fetched from {url} ({reason}); go online and try again{again}, or put the "
                f"file at {path} by hand"
            ) from None
        if digest and (found := _hash(part, len(digest) == 40)) != digest:
            part.unlink()
            raise VampkitError(
                f"{path.name} from {url} has the hash {found[:12]}, {digest[:12]} was expected: it was damaged on its "
                "way or changed at its source; try again, and if it stays so do not use it"
            )
        part.replace(path)
    return path


def _transfer(url: str, part: Path, name: str, timeout: float) -> None:
    """Write what `url` gives to `part`, from where the part ends, in several tries."""
    from vampkit.files.bars import progress_bar

    left = TRIES
    with progress_bar(unit="B", unit_scale=True, desc=name) as bar:
        while True:
            have = part.stat().st_size if part.is_file() else 0
            try:
                if _rest(url, part, have, timeout, bar):
                    return
                reason: Exception = OSError("the transfer broke off")
            except (http.client.HTTPException, ConnectionError, TimeoutError) as error:
                reason = error
            came = part.stat().st_size if part.is_file() else 0
            left = TRIES if came > have else left - 1
            if left <= 0 or not came:
                raise reason


def _rest(url: str, part: Path, have: int, timeout: float, bar) -> bool:
    """Fetch a file from byte `have` on. False if the transfer ended too early."""
    request = urllib.request.Request(url, headers={"Range": f"bytes={have}-"} if have else {})
    try:
        answer = urllib.request.urlopen(request, timeout=timeout)
    except urllib.error.HTTPError as error:
        if error.code == 416 and have:  # nothing is left to fetch
            return True
        raise
    with answer, part.open("ab" if answer.status == 206 else "wb") as file:
        length = int(answer.headers.get("Content-Length") or 0)
        bar.total = file.tell() + length if length else None
        bar.n = file.tell()
        came = 0
        while block := answer.read(1 << 20):
            file.write(block)
            came += len(block)
            bar.update(len(block))
        return not length or came == length


def _hash(path: Path, git: bool) -> str:
    """SHA-256 of a file, or the name that git gives it."""
    if git:
        start = f"blob {path.stat().st_size}\0".encode()
        return hashlib.sha1(start + path.read_bytes(), usedforsecurity=False).hexdigest()
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
