"""`vampkit lab --copy`: a folder of one's own with the notebooks in it, laid and brought up to date without a loss."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
from dataclasses import dataclass, field
from pathlib import Path

from vampkit import __version__
from vampkit.errors import VampkitError
from vampkit.files import written
from vampkit.files.outer import named
from vampkit.files.written import usable

LIST = ".vampkit-notebooks.json"
"""Notes in the student's folder which files were laid there, and what they held."""
KINDS = {".ipynb", ".md", ".png", ".html"}
LEFT_OUT = {"__pycache__", ".ipynb_checkpoints", "masters", "guide.md", "grading.md"}
"""The masters of the course hold the answers; guide and grading are for instructors."""


def notebooks_folder() -> Path | None:
    """The folder of the notebooks: beside the package in a checkout, inside it in a wheel; None if it is in neither."""
    package = Path(__file__).resolve().parents[1]
    return next((f for f in (package / "notebooks", package.parent / "notebooks") if f.is_dir()), None)


@dataclass
class Laid:
    """What became of each file, as names relative to the folder.

    Parameters
    ----------
    new : list of str
        Was not there.
    updated : list of str
        Was there as an older vampkit had laid it, and is the new one now.
    kept : list of str
        Was changed by its owner, or was not laid by vampkit; it stays as it is.
    same : list of str
        Was there already.
    """

    new: list[str] = field(default_factory=list)
    updated: list[str] = field(default_factory=list)
    kept: list[str] = field(default_factory=list)
    same: list[str] = field(default_factory=list)


def lay_out(target: str | os.PathLike, source: Path | None = None) -> Laid:
    """Copy the notebooks into a folder. A file that its owner changed, or brought, is never written over.

    Parameters
    ----------
    target : str or PathLike
        The folder. It is made if it is not there.
    source : Path, optional
        Where the notebooks come from; None: those of this vampkit.

    Returns
    -------
    Laid
        What became of each file.

    Raises
    ------
    VampkitError
        If there are no notebooks, if the folder is the notebooks' own, or cannot be written.
    """
    source, target = source or notebooks_folder(), Path(target).expanduser()
    if source is None:
        raise VampkitError(
            "no notebooks lie beside this vampkit, some were expected; install a wheel, or run it in a whole clone"
        )
    if target.resolve() == source or source in target.resolve().parents:
        raise VampkitError(f"{named(target)} is where the notebooks come from, another folder was expected; choose one")
    laid, before = Laid(), _listed(target)
    now = dict(before)
    with usable(target, "written"):
        for path in _files(source):
            name = path.relative_to(source).as_posix()
            fate = _lay(path, target / name, before.get(name))
            getattr(laid, fate).append(name)
            if fate != "kept":
                now[name] = _hash(path)
        target.mkdir(parents=True, exist_ok=True)
        with written(target / LIST) as part:
            part.write_text(json.dumps({"vampkit": __version__, "files": now}, indent=1), encoding="utf-8")
    return laid


def _files(source: Path) -> list[Path]:
    """What is laid: notebooks, and the texts and pictures that they show or link to."""
    files = (path for path in sorted(source.rglob("*")) if path.suffix in KINDS and path.is_file())
    return [path for path in files if not LEFT_OUT & set(path.relative_to(source).parts)]


def _lay(path: Path, target: Path, laid_before: str | None) -> str:
    """Copy one file unless that would lose something; the name of the list that it belongs to."""
    there = os.path.lexists(target)
    if there:
        held = _hash(target) if target.is_file() else None
        if held == _hash(path):
            return "same"
        if held is None or held != laid_before:
            return "kept"
    target.parent.mkdir(parents=True, exist_ok=True)
    with written(target) as part:
        shutil.copyfile(path, part)
    return "updated" if there else "new"


def _hash(path: Path) -> str:
    return hashlib.sha256(path.read_bytes()).hexdigest()


def _listed(target: Path) -> dict[str, str]:
    """What was laid before, by name; empty if nothing was, or the list is damaged: then nothing there is replaced."""
    try:
        files = json.loads((target / LIST).read_text(encoding="utf-8"))["files"]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {str(name): str(value) for name, value in files.items()} if isinstance(files, dict) else {}
