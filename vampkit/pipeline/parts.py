"""Which files a pipeline is made of: the bundled ones, the published VampNet's, or those in a folder. Notebook: 00."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from pathlib import Path

from vampkit.files.outer import path_of, shown
from vampkit.weights import hub
from vampkit.weights.models import models_folder


@dataclass(frozen=True)
class Parts:
    """The files of a pipeline.

    Parameters
    ----------
    name : str
        Its name in records.
    codec, coarse : str or Path
        What `load_codec` and `load_model` take.
    fine : str or Path, optional
        The same of the coarse-to-fine model; None: the coarse model is used alone.
    controls : Path
        Where its controls lie, if it has some.
    """

    name: str
    codec: str | Path
    coarse: str | Path
    fine: str | Path | None
    controls: Path

    @classmethod
    def of(cls, name: str | os.PathLike) -> Parts:
        """Find the files of a pipeline.

        Parameters
        ----------
        name : str or PathLike
            See `vampkit.load_vamp`.

        Returns
        -------
        Parts
            The files. Published ones are fetched.

        Raises
        ------
        FileNotFoundError
            For an unknown name, or a folder without a codec or a coarse model.
        """
        word, folder = str(name), path_of(name, "folder of weights")
        if word == "tiny":
            return cls(word, "tiny", "coarse", "fine", models_folder() / "controls.safetensors")
        if re.fullmatch(rf"{hub.NAME}(/[\w-]+)?", word) and (word == hub.NAME or not os.path.isdir(folder)):
            tune = word.partition("/")[2]
            where = f"loras/{tune}/" if tune else ""
            codec, coarse, fine = (hub.fetched(f) for f in ("codec.pth", f"{where}coarse.pth", f"{where}c2f.pth"))
            return cls(word, codec, coarse, fine, hub.folder() / where / "controls.safetensors")
        if not os.path.isdir(folder):
            raise FileNotFoundError(
                f'there is no model called {shown(word)}; "tiny", "vampnet", "vampnet/NAME" of a published fine-tune, '
                "or a folder with codec, coarse and fine weights was expected"
            )
        return cls._in(folder)

    @classmethod
    def _in(cls, folder: Path) -> Parts:
        """The files in a folder: our own, or else the reference code's."""
        mine = [folder / f"{part}.safetensors" for part in ("codec", "coarse", "fine")]
        theirs = [folder / "codec.pth", folder / "coarse.pth", folder / "c2f.pth"]
        if folder.parent.name == "loras" and not theirs[0].is_file():
            theirs[0] = folder.parent.parent / "codec.pth"
        codec, coarse, fine = theirs if theirs[1].is_file() and not mine[1].is_file() else mine
        return cls(
            folder.resolve().name, codec, coarse, fine if fine.is_file() else None, folder / "controls.safetensors"
        )
