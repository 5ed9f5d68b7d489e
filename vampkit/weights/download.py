"""Files from the network, kept in the user's cache folder."""

from __future__ import annotations

import urllib.error
import urllib.request
from pathlib import Path

from vampkit.errors import VampkitError
from vampkit.files import cache_folder


def download(url: str, name: str, timeout: float = 20.0) -> Path:
    """Download a file once, with a progress bar. Later calls find it in the cache.

    Raises VampkitError if the host cannot be reached. The message says where to put the file by hand.
    """
    from tqdm.auto import tqdm

    path = cache_folder() / "weights" / name
    if path.is_file():
        return path
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    try:
        with urllib.request.urlopen(url, timeout=timeout) as answer, part.open("wb") as file:
            total = int(answer.headers.get("Content-Length") or 0)
            with tqdm(total=total or None, unit="B", unit_scale=True, desc=name) as bar:
                while block := answer.read(1 << 20):
                    file.write(block)
                    bar.update(len(block))
        if total and part.stat().st_size != total:
            raise OSError(f"{part.stat().st_size} of {total} bytes came")
    except (urllib.error.URLError, OSError, TimeoutError) as error:
        part.unlink(missing_ok=True)
        raise VampkitError(
            f"{name} could not be fetched from {url} ({getattr(error, 'reason', error)}); go online and try again, or "
            f"put the file at {path} by hand"
        ) from None
    part.replace(path)
    return path
