"""Weights from the network, kept in the user's cache folder."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from vampkit.errors import VampkitError
from vampkit.files import cache_folder, written


def download(url: str, name: str, timeout: float = 20.0) -> Path:
    """Download a file once, with a progress bar. Later calls find it in the cache.

    Raises VampkitError if the host cannot be reached. The message says where to put the file by hand.
    """
    from vampkit.files.bars import progress_bar

    path = cache_folder() / "weights" / name
    if path.is_file():
        return path
    try:
        with written(path) as part, urllib.request.urlopen(url, timeout=timeout) as answer, part.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            with progress_bar(total=total or None, unit="B", unit_scale=True, desc=name) as bar:
                while block := answer.read(1 << 20):
                    file.write(block)
                    bar.update(len(block))
            if total and file.tell() != total:
                raise OSError(f"{file.tell()} of {total} bytes came")
    except (urllib.error.URLError, OSError, TimeoutError) as error:
        reason = getattr(error, "reason", error)
        raise VampkitError(
            f"{name} could not be fetched from {url} ({reason}); go online and try again, or put the file at {path} "
            "by hand"
        ) from None
    return path
