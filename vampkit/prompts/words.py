"""Prompts as text, for the command line: "periodic:7 + prefix:3 & compression:4"."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterator
from dataclasses import MISSING, fields

from vampkit.errors import VampkitError
from vampkit.files.outer import MOST_NESTED, json_of, named, shown
from vampkit.files.outer import text as checked_text
from vampkit.files.texts import existing, text_of
from vampkit.prompts.base import Prompt
from vampkit.prompts.presets import PRESETS
from vampkit.prompts.values import value_of

MOST_WORDS = 100_000
"""Characters of a prompt: a drawn mask of some minutes fits."""
JOINED = "joined by + (either keeps), & (both keep, binds closer), ~ (the opposite) and ( )"


def parse(text: str) -> Prompt:
    """Make a prompt from text, such as "periodic:7+prefix:3".

    "a+b" keeps what a or b keeps, "a&b" what both keep, "~a" what a does not keep. ~ binds more tightly than &, and &
    more tightly than +. The values of a word follow a colon, in the order of the prompt's fields or by name. Times are
    joined by "/": "beats:beats=0.5/1/1.5". A prompt that contains another one has it in brackets:
    "loop:bars=4(periodic:7)". `words_help` lists all words. The names in `PRESETS` are words too.

    Notebook: 06

    Parameters
    ----------
    text : str
        The text.

    Returns
    -------
    Prompt
        The prompt.

    Raises
    ------
    ValueError
        For an unknown word, or values that do not fit.
    FileNotFoundError
        For a missing file.

    Examples
    --------
    >>> parse("periodic:7 & compression:4")
    (Periodic(period=7, width=1, offset=0) & Compression(codebooks=4))
    """
    words = _Words(checked_text("the prompt is ", text, MOST_WORDS))
    try:
        prompt = _either(words)
    except RecursionError:
        raise ValueError(
            f"the prompt {shown(text)} has too many brackets inside each other, at most {MOST_NESTED} prompts were "
            "expected; use fewer"
        ) from None
    if words.next is not None:
        raise ValueError(f"the prompt {shown(text)} goes on with {words.next!r} where + or & was expected")
    return prompt


def words_help() -> str:
    """Describe all words: one line per word with an example, then the presets and how words are joined.

    Returns
    -------
    str
        Lines of text.
    """
    lines = {_example(kind): (kind.__doc__ or "").split("\n")[0].replace("`", "") for kind in _kinds().values()}
    lines["json:PROMPT.json"] = "A prompt that was written as JSON, or the prompt of a take's record."
    width = max(map(len, lines))
    table = "\n".join(f"{example:{width}}  {sentence}" for example, sentence in lines.items())
    presets = textwrap.fill(f"Presets: {', '.join(PRESETS)}.", 110, break_on_hyphens=False)
    return f"{table}\n\n{presets}\n\nWords are {JOINED}."


def _kinds() -> dict[str, type[Prompt]]:
    """Prompt types by word. Those that need another prompt in brackets come last."""
    kinds = sorted(Prompt.kinds.values(), key=_needs_another)
    return {kind.word: kind for kind in kinds if kind.word}


def _needs_another(kind: type[Prompt]) -> bool:
    return any(f.name == "prompt" and f.default is MISSING for f in fields(kind))


def _example(kind: type[Prompt]) -> str:
    return kind.example or kind.word


def _expected() -> str:
    """All words, for error messages."""
    examples = " ".join(map(_example, _kinds().values()))
    return f"words such as {examples} json:PROMPT.json or a preset's name such as paper-beats were expected, {JOINED}"


class _Words:
    """Reads a text one mark (such as + or brackets) or word at a time. `next` is the one to come."""

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
        raise ValueError(f"the prompt {shown(words.text)} lacks a word; {_expected()}")
    another = None
    if words.next == "(":
        words.take()
        another = _closed(words)
    return _prompt(word.strip(), another)


def _closed(words: _Words) -> Prompt:
    prompt = _either(words)
    if words.take() != ")":
        raise ValueError(f"the prompt {shown(words.text)} opens a bracket that it does not close, ) was expected")
    return prompt


def _prompt(word: str, another: Prompt | None) -> Prompt:
    """Make a prompt from a word with its values, and from the prompt in brackets, if there is one."""
    name, _, text = word.partition(":")
    if another is None and word in PRESETS:
        return PRESETS[word]
    if another is None and name == "json":
        return _from_json(text)
    kind = _kinds().get(name)
    if kind is None or not (text.strip() or kind.bare):
        raise ValueError(f"the prompt {shown(word)} is not known; {_expected()}")
    if another is not None and "prompt" not in {f.name for f in fields(kind)}:
        raise ValueError(f"the prompt {shown(word)} takes none in brackets; {_expected()}")
    if another is None and _needs_another(kind):
        raise ValueError(f"the prompt {shown(word)} needs another one in brackets; {_expected()}")
    given = _given(kind, word, text) | ({} if another is None else {"prompt": another})
    try:
        return kind(**given)
    except (TypeError, ValueError) as error:
        raise _unfit(word, kind, error) from None


def _given(kind: type[Prompt], word: str, text: str) -> dict:
    """Read the fields of a prompt from the text after the colon. Values come in order or by name."""
    values = {f.name: value_of(f) for f in fields(kind) if f.name != "prompt"}
    names, given = list(values), {}
    if names and values[names[0]].takes_all:
        return {names[0]: values[names[0]].read(text)}
    for place, part in enumerate(text.split(",") if text.strip() else []):
        name, equals, value = part.partition("=")
        name, value = (name.strip(), value) if equals else (names[place] if place < len(names) else part, part)
        if name not in values or name in given:
            takes = ", ".join(names) or "nothing"
            raise ValueError(f"the prompt {shown(word)} does not take {part.strip()!r}; it takes {takes}")
        try:
            given[name] = values[name].read(value)
        except ValueError as error:
            raise _unfit(word, kind, error) from None
    return given


def _unfit(word: str, kind: type[Prompt], error: Exception) -> ValueError:
    return ValueError(f"the prompt {shown(word)} does not fit: {error}; write it as in {_example(kind)}")


def _from_json(where: str) -> Prompt:
    """Read a prompt from a JSON file, which holds a prompt or the record of a take."""
    path = existing(where)
    try:
        data = json_of(text_of(path, "prompt"), named(path.name), "a prompt in JSON", "write one with Prompt.to_json")
    except VampkitError as error:
        raise ValueError(f"{named(path.name)} holds no prompt ({error})") from None
    recorded = data.get("prompt") if isinstance(data, dict) else None
    return Prompt.from_json(recorded if isinstance(recorded, dict) else data)
