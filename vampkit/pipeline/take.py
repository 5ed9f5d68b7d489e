"""Takes: the results of the pipeline, each with a record from which it can be made again. Notebook: 00, 08."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from vampkit import __version__
from vampkit.audio import Clip
from vampkit.audio.blocks import save_blocks, sound_target
from vampkit.codec import Tokens
from vampkit.errors import VampkitError
from vampkit.files.outer import fields, json_of, named, shown
from vampkit.files.texts import existing, of_format, text_of, write_text
from vampkit.files.written import same_file, writable
from vampkit.masks import as_mask
from vampkit.model import check_mask
from vampkit.pipeline.settings import HINT, TakeSettings
from vampkit.pipeline.source import Prompted
from vampkit.prompts import Drawn

FORMAT = "vampkit.take/2"
NEEDED = ("model", "weights", "codec", "source", "prompt")
MOST_MIXED = 64
"""Takes that a record may mix."""


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

        Raises
        ------
        ValueError
            For another suffix.
        VampkitError
            If a sound lies there that is no take of vampkit's.
        """
        path = own_target(path)
        return save_blocks([self.clip.samples], self.clip.rate, path, lambda: save_record(self.record, path))

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
        if not isinstance(other, Take):
            raise TypeError(f"{shown(other)} was given to mix with, another Take was expected; make one with Vamp.vamp")
        if isinstance(mask, (np.ndarray, list)):
            mask = as_mask(mask)
        check_mask(mask, "(True takes the other's tokens)")
        mine, theirs = self.tokens, other.tokens
        alike = theirs.codec == mine.codec and theirs.codes.shape == mine.codes.shape
        if not alike or mask.shape != self.mask.shape:
            raise ValueError(
                f"takes of {tuple(mine.codes.shape)} and {tuple(theirs.codes.shape)} tokens and a mask of "
                f"{tuple(mask.shape)} were given; two takes of one sound and a mask [codebooks, frames] of their "
                "length were expected"
            )
        mask = mask.cpu()
        tokens = mine.replace(codes=torch.where(mask, theirs.codes, mine.codes))
        parts = {"mix": [self.record, other.record], "mask": Drawn(mask).to_json()}
        record = {"format": FORMAT, "vampkit": __version__} | parts
        hidden = torch.where(mask, other.mask, self.mask)
        return replace(self, clip=self.decode(tokens), tokens=tokens, mask=hidden, record=record)


def record_of(prompted: Prompted, mask: Tensor, settings: TakeSettings, model: str, weights: str) -> dict:
    """The record of a take as plain JSON: models, prompt and settings.

    "python" is the prompt as code, for humans, and "vampkit" the version that made the take; neither is read again.
    """
    tokens = prompted.tokens
    return {
        "format": FORMAT,
        "vampkit": __version__,
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


def own_target(path: str | os.PathLike, *sources: str | os.PathLike) -> Path:
    """Check, before any work is done, that a take can be written to a path without a loss.

    Parameters
    ----------
    path : str or PathLike
        The sound file to write. A take that lies there, with its record beside it, is replaced; nothing else is.
    *sources : str or PathLike
        Files that the take is made from.

    Returns
    -------
    Path
        The path.

    Raises
    ------
    ValueError
        For a suffix that is not wav, flac or ogg.
    VampkitError
        If the path cannot be written, is a source, or holds something else than a take.
    """
    path = sound_target(path)
    beside = writable(path.with_suffix(".json"))
    for source in sources:
        if same_file(path, source):
            raise VampkitError(f"{named(path)} would be written over the sound it is made from; choose another target")
    for made in (path, beside):
        if os.path.lexists(made) and not _is_record(beside):
            raise VampkitError(
                f"{named(made)} is there already and is no take of vampkit's, a new name was expected; choose another "
                "name, or move that file away"
            )
    return path


def _is_record(path: Path) -> bool:
    """Whether the record of a take lies at a path."""
    try:
        data = json_of(text_of(path), "", "", "")
    except (VampkitError, FileNotFoundError):
        return False
    return isinstance(data, dict) and str(data.get("format")).startswith("vampkit.take/")


def load_record(record: dict | str | os.PathLike) -> dict:
    """Check a take's record, or read it from a file.

    Raises FileNotFoundError for a missing file, and VampkitError for anything that is not a record.
    """
    if isinstance(record, (str, os.PathLike)):
        path = existing(record, hint="the .json beside a take was expected")
        record = json_of(text_of(path, "record"), named(path.name), "the .json beside a take", "choose that")
    record = of_format(record, FORMAT, "record", "give the record of a take")
    level, count = [(record, 0)], 0
    while level:
        each, depth = level.pop()
        of_format(each, FORMAT, "record", "give the record of a take")
        count += 1
        if depth > MOST_MIXED or count > 2 * MOST_MIXED:
            raise VampkitError(
                f"the record mixes more than {MOST_MIXED} takes, or itself, fewer were expected; mix fewer takes"
            )
        if "mix" not in each:
            fields("the record", each, NEEDED, hint=HINT)
            if wrong := [name for name in NEEDED[:4] if not isinstance(each[name], str)]:
                raise VampkitError(f"the record's {wrong[0]} is {shown(each[wrong[0]])}, a text was expected; {HINT}")
            continue
        fields("the record of a mix", each, ("mix", "mask"), hint=HINT)
        if not isinstance(each["mix"], list) or len(each["mix"]) != 2:
            raise VampkitError(f"the record's mix is {shown(each['mix'])}, two records were expected; {HINT}")
        level += [(part, depth + 1) for part in each["mix"]]
    return record
