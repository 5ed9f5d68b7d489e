"""Takes: the results of the pipeline, each with a record from which it can be made again. Notebook: 00, 08."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import torch
from torch import Tensor

from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.errors import VampkitError
from vampkit.files.texts import of_format, write_text
from vampkit.model import check_mask
from vampkit.pipeline.settings import TakeSettings
from vampkit.pipeline.source import Prompted
from vampkit.prompts import Drawn

FORMAT = "vampkit.take/2"


@dataclass(frozen=True)
class Take:
    """One result of `Vamp.vamp`.

    Notebook: 00

    Parameters
    ----------
    clip : Clip
        The sound.
    tokens : Tokens
        The generated codes, [codebooks, frames] or [items, codebooks, frames].
    original : Tokens
        The codes that the take started from, in the same shape.
    mask : Tensor
        bool [codebooks, frames], True = was hidden.
    record : dict
        All that is needed to make the take again from its sound, as plain JSON.
    decode : callable
        Turns Tokens into a Clip, with the codec of the take.
    """

    clip: Clip
    tokens: Tokens
    original: Tokens
    mask: Tensor
    record: dict
    decode: Callable[[Tokens], Clip] = field(repr=False, compare=False)

    def save(self, path: str | os.PathLike) -> Path:
        """Write the sound, and next to it the record, as .json.

        Parameters
        ----------
        path : str or PathLike
            The sound file to write: wav, flac or ogg.

        Returns
        -------
        Path
            The sound file.
        """
        path = self.clip.save(path)
        save_record(self.record, path)
        return path

    def mix(self, other: Take, mask: Tensor) -> Take:
        """Mix two takes: use the tokens of the other take where a mask is True.

        Notebook: 08

        Parameters
        ----------
        other : Take
            Another take of the same sound.
        mask : Tensor
            bool [codebooks, frames].

        Returns
        -------
        Take
            The mix; its record contains the records of both takes.

        Raises
        ------
        TypeError, ValueError
            For takes and masks that do not fit together.
        """
        check_mask(mask, "(True takes the other's tokens)")
        mine, theirs = self.tokens, other.tokens
        alike = theirs.codec == mine.codec and theirs.codes.shape == mine.codes.shape
        if not alike or mask.shape != self.mask.shape:
            raise ValueError(
                f"takes of {tuple(mine.codes.shape)} and {tuple(theirs.codes.shape)} tokens and a mask of "
                f"{tuple(mask.shape)} were given; two takes of one sound and a mask [codebooks, frames] of their "
                "length were expected"
            )
        tokens = mine.replace(codes=torch.where(mask, theirs.codes, mine.codes))
        record = {"format": FORMAT, "mix": [self.record, other.record], "mask": Drawn(mask).to_json()}
        hidden = torch.where(mask, other.mask, self.mask)
        return replace(self, clip=self.decode(tokens), tokens=tokens, mask=hidden, record=record)


def record_of(prompted: Prompted, mask: Tensor, settings: TakeSettings, model: str, weights: str) -> dict:
    """The record of a take as plain JSON: models, prompt and settings. "python" is the prompt as code, for humans."""
    tokens = prompted.tokens
    return {
        "format": FORMAT,
        "model": model,
        "weights": weights,
        "codec": tokens.codec,
        "source": tokens.name,
        "credit": tokens.credit,
        "prompt": prompted.prompt.to_json(),
        "python": repr(prompted.prompt),
        **settings.record(),
        "hidden": round(float(mask.float().mean()), 6),
    }


def save_record(record: dict, path: Path) -> None:
    """Write a record as .json next to the sound at `path`."""
    write_text(path.with_suffix(".json"), json.dumps(record, indent=1))


def load_record(record: dict | str | os.PathLike) -> dict:
    """Check a take's record, or read it from a file.

    Raises FileNotFoundError for a missing file, and VampkitError for anything that is not a record.
    """
    if isinstance(record, (str, os.PathLike)):
        path = Path(record)
        if not path.is_file():
            raise FileNotFoundError(f"there is no file at {path}; the .json beside a take was expected")
        try:
            record = json.loads(path.read_text(encoding="utf-8"))
        except ValueError as error:
            raise VampkitError(f"{path.name} is no JSON ({error}); the .json beside a take was expected") from None
    return of_format(record, FORMAT, "record", "give the record of a take")
