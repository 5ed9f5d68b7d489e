"""All operations of editor and studio, from the table operations.toml: their messages, their keys, and their texts.

A message from the page is a method call. Its type is the name of the operation; its other fields are the arguments of
the widget's method with that name. Operations without fields, such as moving the cursor, are done only in the page.
"""

from __future__ import annotations

import inspect
import tomllib
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter
from pathlib import Path


@dataclass(frozen=True)
class Operation:
    """One row of operations.toml, which says what the fields are."""

    name: str
    keys: str = ""
    text: str = ""
    fields: list[str] | None = None
    call: str = ""
    label: str = ""


_TABLE = tomllib.loads(Path(__file__).with_name("operations.toml").read_text(encoding="utf-8"))
EDITOR, _OWN = ([Operation(name, **row) for name, row in _TABLE[part].items()] for part in ("editor", "studio"))
STUDIO = [*EDITOR, *_OWN]
SHOWN = tuple(_TABLE["studio"]["set"]["fields"][3:])
"""The studio's controls: settings of a take without a place of their own, as the first three have."""


def perform(widget, message: dict, operations: Iterable[Operation] = EDITOR) -> None:
    """Do the operation that a message from the page asks for.

    Raises ValueError if the message does not fit, and passes on the errors of the method.
    """
    known = {operation.name: operation for operation in operations if operation.fields is not None}
    name = message.get("type")
    if name not in known:
        raise ValueError(f"the page sent {name!r}, which this widget does not know; run the cell again that shows it")
    operation = known[name]
    method = attrgetter(operation.call or name)(widget)
    given = {field: message[field] for field in operation.fields if field in message}
    try:
        inspect.signature(method).bind(**given)
    except TypeError as error:
        raise ValueError(f"the page sent {name!r}, {error}; run the cell again that shows it") from None
    method(**given)


def list_of_keys(operations: Iterable[Operation]) -> list[dict]:
    """The rows of the list of keys. The page also uses them to find the operation of a key."""
    return [
        {"name": o.name, "keys": o.keys.split(), "label": o.label or o.keys.split()[0], "text": o.text}
        for o in operations
        if o.text
    ]
