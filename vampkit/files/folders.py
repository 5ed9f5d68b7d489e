"""Folders: where the bundled clips and models lie, and where fetched files and long runs go."""

from __future__ import annotations

import os
from pathlib import Path

from vampkit.errors import VampkitError


def data_folder() -> Path:
    """Folder that holds `clips/` and `models/`.

    In a checkout it lies next to the package, in an installed wheel inside the package.

    Notebook: 13

    Returns
    -------
    Path
        The folder.

    Raises
    ------
    VampkitError
        If it is in neither place.
    """
    package = Path(__file__).resolve().parent.parent
    for folder in (package / "data", package.parent / "data"):
        if (folder / "clips").is_dir() or (folder / "models").is_dir():
            return folder
    raise VampkitError(
        f"the bundled clips and models are missing beside {package}; install vampkit again from a wheel or a whole "
        "clone"
    )


def cache_folder() -> Path:
    """Folder of fetched files and long runs: $VAMPKIT_CACHE, else $XDG_CACHE_HOME/vampkit, else ~/.cache/vampkit.

    Returns
    -------
    Path
        The folder, which may not exist yet.
    """
    if os.environ.get("VAMPKIT_CACHE"):
        return Path(os.environ["VAMPKIT_CACHE"]).expanduser()
    return Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache").expanduser() / "vampkit"
