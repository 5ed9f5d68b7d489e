"""The bundled clips, with their makers and licences."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

from vampkit.audio.clip import Clip
from vampkit.files import data_folder


def clips() -> list[str]:
    """List the bundled clips.

    Notebook: 00

    Returns
    -------
    list of str
        Names for `load_clip`.
    """
    return sorted(p.stem for p in (data_folder() / "clips").glob("*.ogg"))


def load_clip(name: str) -> Clip:
    """Load a bundled clip, with its maker and licence.

    Notebook: 00

    Parameters
    ----------
    name : str
        Name of the clip, or the start of its name.

    Returns
    -------
    Clip
        The sound.

    Raises
    ------
    FileNotFoundError
        If not exactly one clip has that name. The message lists all clips.
    """
    found = [n for n in clips() if n == name] or [n for n in clips() if n.startswith(name)]
    if len(found) != 1:
        raise FileNotFoundError(
            f"{len(found)} bundled clips are called {name!r}, exactly one was expected; there are: {', '.join(clips())}"
        )
    folder = data_folder() / "clips"
    return replace(Clip.load(folder / f"{found[0]}.ogg"), name=found[0], credit=_credit(folder, found[0]))


def _credit(folder: Path, name: str) -> str:
    for line in (folder / "ATTRIBUTION.md").read_text(encoding="utf-8").splitlines():
        cells = [c.strip() for c in line.strip("|").split("|")]
        if len(cells) >= 5 and cells[0] == f"{name}.ogg":
            licence = cells[4].split("]")[0].lstrip("[")
            return f"{cells[2]}, “{cells[3]}”, {licence}"
    return "vampkit's own composer, CC BY-SA 4.0" if name.startswith("composed") else ""
