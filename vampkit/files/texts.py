"""Text files, and JSON data that names its format."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from vampkit.errors import VampkitError
from vampkit.files.written import written


def existing(path: str | os.PathLike) -> Path:
    """The path of a file. Raises FileNotFoundError if there is none."""
    path = Path(path)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file at {path}; check the name and the folder")
    return path


def write_text(path: str | os.PathLike, text: str) -> Path:
    """Write a text file, safely (see `written`). Returns its path."""
    with written(path) as part:
        part.write_text(text, encoding="utf-8")
    return Path(path)


def of_format(data: Any, kind: str, what: str, hint: str = "") -> dict:
    """JSON data of the format `kind`, from its text or already read. Raises VampkitError for anything else.

    what: the class whose `to_json` writes such data, in small letters. hint: what to do about another format.
    """
    writer = f"{what.capitalize()}.to_json"
    if isinstance(data, (str, bytes)):
        try:
            data = json.loads(data)
        except ValueError as error:
            raise VampkitError(
                f"this is no JSON ({error}), a {what} in the format {kind} was expected; write it with {writer}"
            ) from None
    found = data.get("format") if isinstance(data, dict) else type(data).__name__
    if not isinstance(data, dict) or found != kind:
        hint = hint or f"write the {what} with {writer}"
        raise VampkitError(f"the format is {found!r}, {kind!r} was expected; {hint}")
    return data
