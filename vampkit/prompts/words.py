"""Prompts from words, for the command line: "periodic:7 + prefix:3 & compression:4"."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import fields
from pathlib import Path

from vampkit.prompts.base import Dropout, On, Prompt
from vampkit.prompts.frames import (
    Compression,
    Drawn,
    Everything,
    Inpaint,
    Nothing,
    Periodic,
    Prefix,
    Random,
    RandomShare,
    Suffix,
)
from vampkit.prompts.length import Continuation, Loop, Outpaint, Stretch
from vampkit.prompts.presets import PRESETS
from vampkit.prompts.sound import Beats, Onsets

KINDS = {
    "compression": Compression, "periodic": Periodic, "prefix": Prefix, "suffix": Suffix, "inpaint": Inpaint, "outpaint": Outpaint,
    "continuation": Continuation, "loop": Loop, "beats": Beats, "onsets": Onsets, "random": Random, "share": RandomShare, "stretch": Stretch,
    "everything": Everything, "nothing": Nothing, "dropout": Dropout, "on": On,
}  # fmt: skip
"""Words that take values in the order of the prompt's fields, or by name: "periodic:7,width=3"."""
BARE = ("beats", "onsets", "everything", "nothing")
"""Words that say enough without values."""

HELP = (
    "compression:1 periodic:7,width=3 prefix:3 suffix:3 inpaint:2,4 outpaint:1,5 continuation:30,prefix=3 loop:bars=4(periodic:7) stretch:2 "
    "beats:after=0.075,which=down onsets random:0.8 share:0.2 everything nothing, dropout:0.2(periodic:7) on:0,1(prefix:3), "
    "drawn:MASK.npy json:PROMPT.json, a preset's name such as paper-beats; joined by + (either keeps), & (both keep, binds closer), ~ (the opposite) and ( )"
)
"""All words, by example."""


def parse(text: str) -> Prompt:
    """A prompt from words: "periodic:7+prefix:3" keeps what either keeps, "periodic:7&compression:4" what both keep.

    & binds closer, ~ closest.

    A word's values follow a colon, in order or by name; lists of times are joined by "/": "beats:beats=0.5/1/1.5".
    Prompts around another one have it in
    brackets: "loop:bars=4(periodic:7)". `HELP` shows every word, the names in `PRESETS` are words too. Raises
    ValueError for a word it does not know and for values that do not fit, FileNotFoundError for a file that is not
    there. Notebook: 06.
    """
    words = _Words(text)
    prompt = _either(words)
    if words.next is not None:
        raise ValueError(f"the prompt {text!r} goes on with {words.next!r} where + or & was expected")
    return prompt


class _Words:
    """The marks and words of a text, one at a time."""

    def __init__(self, text: str):
        self.text, self._left = text, iter(re.findall(r"[+&~()]|[^+&~()]*[^+&~()\s][^+&~()]*", text))
        self.next = next(self._left, None)

    def take(self) -> str | None:
        taken, self.next = self.next, next(self._left, None)
        return taken

    def while_next(self, mark: str) -> Iterator[None]:
        while self.next == mark:
            self.take()
            yield


def _either(words: _Words) -> Prompt:
    prompt = _both(words)
    for _ in words.while_next("+"):
        prompt = prompt | _both(words)
    return prompt


def _both(words: _Words) -> Prompt:
    prompt = _one(words)
    for _ in words.while_next("&"):
        prompt = prompt & _one(words)
    return prompt


def _one(words: _Words) -> Prompt:
    word = words.take()
    if word == "~":
        return ~_one(words)
    if word == "(":
        return _closed(words)
    if word is None or word in "+&)":
        raise ValueError(f"the prompt {words.text!r} lacks a word; words such as {HELP} were expected")
    inner = None
    if words.next == "(":
        words.take()
        inner = _closed(words)
    return _prompt(word.strip(), inner)


def _closed(words: _Words) -> Prompt:
    prompt = _either(words)
    if words.take() != ")":
        raise ValueError(f"the prompt {words.text!r} opens a bracket that it does not close, ) was expected")
    return prompt


def _prompt(word: str, inner: Prompt | None) -> Prompt:
    name, _, values = word.partition(":")
    if inner is None and word in PRESETS:
        return PRESETS[word]
    if inner is None and name in ("drawn", "json"):
        return _from_file(name, values)
    kind = KINDS.get(name)
    if kind is None or not (values.strip() or name in BARE):
        raise ValueError(f"the prompt {word!r} is not known; words such as {HELP} were expected")
    names = [f.name for f in fields(kind) if f.name != "prompt"]
    takes_inner = len(names) < len(fields(kind))
    if (inner is not None and not takes_inner) or (inner is None and kind in (On, Dropout)):
        raise ValueError(
            f"the prompt {word!r} {'takes none' if inner else 'needs another one'} in brackets; words such as {HELP} were expected"
        )
    given = {} if inner is None else {"prompt": inner}
    parts = values.split(",") if values.strip() else []
    if kind is On:
        given["codebooks"], parts = tuple(_value(v) for v in parts), []
    for place, part in enumerate(parts):
        key, equals, value = part.partition("=")
        key, value = (key.strip(), value) if equals else (names[place] if place < len(names) else part, part)
        if key not in names or key in given:
            raise ValueError(
                f"the prompt {word!r} does not take {part.strip()!r}; it takes {', '.join(names) or 'nothing'}"
            )
        given[key] = _value(value, times=key in ("beats", "downbeats", "times"))
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise ValueError(f"the prompt {word!r} does not fit ({error}); words such as {HELP} were expected") from None


def _value(text: str, times: bool = False):
    """A number, several times, or a word."""
    text = text.strip()
    if times:
        return tuple(_value(part) for part in text.split("/"))
    for convert in (int, float):
        try:
            return convert(text)
        except ValueError:
            pass
    return text


def _from_file(name: str, where: str) -> Prompt:
    """A mask from a .npy file or as its own text, or a prompt from the JSON file that holds it or a take's record."""
    import numpy as np

    if name == "drawn" and re.match(r"\d+x\d+:", where):
        return Drawn(where)
    path = Path(where)
    if not path.is_file():
        raise FileNotFoundError(f"there is no file at {path}; check the name and the folder")
    try:
        if name == "drawn":
            return Drawn(np.load(path, allow_pickle=False))
        data = json.loads(path.read_text(encoding="utf-8"))
    except (ValueError, TypeError, EOFError) as error:
        raise ValueError(
            f"{path.name} holds no prompt ({error}); a bool array [codebooks, frames] in .npy or a prompt in JSON was expected"
        ) from None
    return Prompt.from_json(
        data.get("prompt", data) if isinstance(data, dict) and isinstance(data.get("prompt"), dict) else data
    )
