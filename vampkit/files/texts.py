"""Text files, and JSON data that names its format."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

from vampkit.errors import VampkitError
from vampkit.files.outer import MOST_TEXT, json_of, named, path_of, shown
from vampkit.files.written import usable, written


def existing(path: str | os.PathLike, what: str = "file", hint: str = "check the name and the folder") -> Path:
    """The path of a file. Raises FileNotFoundError if there is none, VampkitError if it cannot be reached.

    what: what is read from it. hint: what to do if there is none.
    """
    path = path_of(path, what)
    with usable(path):
        if path.is_dir():
            raise FileNotFoundError(f"{named(path)} is a folder, a {what} was expected; name a file in it")
        if not path.is_file():
            raise FileNotFoundError(f"there is no {what} at {named(path)}; {hint}")
    return path


def text_of(path: str | os.PathLike, what: str = "text") -> str:
    """The text of a file. Raises FileNotFoundError, or VampkitError for what is no text, too long or unreadable."""
    path = existing(path)
    with usable(path):
        if path.stat().st_size > MOST_TEXT:
            raise VampkitError(
                f"{named(path.name)} holds {path.stat().st_size} bytes, a {what} was expected; choose another"
            )
        try:
            return path.read_text(encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise VampkitError(
                f"{named(path.name)} is no text in UTF-8, a {what} was expected; choose another file"
            ) from None


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
        data = json_of(data, "this", f"a {what} in the format {kind}", f"write it with {writer}")
    found = data.get("format") if isinstance(data, dict) else type(data).__name__
    if not isinstance(data, dict) or found != kind:
        hint = hint or f"write the {what} with {writer}"
        raise VampkitError(f"the format is {shown(found)}, {kind!r} was expected; {hint}")
    return data
