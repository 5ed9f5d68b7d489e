"""All operations of editor and studio in one table: their messages, their keys, and the texts of the list of keys.

A message from the page is a method call. Its type is the name of the operation; its other fields are the arguments of
the widget's method with that name. Operations without fields, such as moving the cursor, are done only in the page.
"""

from __future__ import annotations

import inspect
from collections.abc import Iterable
from dataclasses import dataclass
from operator import attrgetter


@dataclass(frozen=True)
class Operation:
    """One row of the table.

    keys: its keyboard keys, separated by spaces. text: what it does, for the list of keys. label: the key that this
    list shows; by default the first one. fields: the fields of its message, named as the parameters of the method; None
    if there is no message. call: the method, such as "session.answer", if it does not have the name of the operation.
    """

    name: str
    keys: str = ""
    text: str = ""
    fields: tuple[str, ...] | None = None
    call: str = ""
    label: str = ""


EDITOR = (
    # Cursor and tools, handled by the page
    Operation("move", "", "move the cursor; with Ctrl by ten frames or one beat, with Shift select", label="Arrows"),
    Operation("leap", "", "first and last frame, one view back and on", label="Home, End, Page Up, Page Down"),
    Operation("toggle", "Space", "change the cell under the brush: hide it, or keep it if it is hidden"),
    Operation("use_tool", "Enter", "draw with the tool: over the selection if there is one, else at the cursor"),
    Operation("ink_hide", "H", "hide"),
    Operation("ink_keep", "E", "erase (keep)"),
    Operation("brush_tool", "B", "brush"),
    Operation("box_tool", "R", "box"),
    Operation("time_tool", "T", "time"),
    Operation("row_tool", "K", "row (codebook)"),
    Operation("column_tool", "C", "column"),
    Operation("narrower", "[", "brush narrower"),
    Operation("wider", "]", "brush wider"),
    Operation("lower", "{", "brush lower"),
    Operation("higher", "}", "brush higher"),
    Operation("zoom_in", "+ =", "zoom in"),
    Operation("zoom_out", "-", "zoom out"),
    Operation("fit", "F", "all in view"),
    Operation("fit_selection", "Z", "selection in view"),
    Operation("sound_above", "V", "waveform or mel spectrogram"),
    Operation("leave", "Escape", "drop the selection, then leave the grid"),
    # Gestures; the page shows them before Python answers
    Operation("paint", fields=("path", "width", "height", "hidden", "snap")),
    Operation("rectangle", fields=("codebooks", "frames", "hidden", "snap")),
    Operation("column", fields=("frame", "hidden", "snap")),
    Operation("stamp", fields=("prompt", "how")),
    Operation("invert", "I", "invert", ()),
    Operation("fill", "A", "hide all", ()),
    Operation("clear", "Delete Backspace", "keep all", ()),
    Operation("roll", fields=("by",)),
    Operation("roll_earlier", "< ,", "roll one frame (or beat) earlier"),
    Operation("roll_later", "> .", "roll one frame (or beat) later"),
    Operation("repeat", "M", "repeat the selection", ("first", "end")),
    Operation("undo", "Ctrl+Z", "undo", ()),
    Operation("redo", "Ctrl+Shift+Z Ctrl+Y Ctrl+Shift+Y", "redo", ()),
    # Settings of the editor, and the mask as text
    Operation("snap_to", "S", "next snapping", ("what",)),
    Operation("coarse_only", "O", "coarse only", ("on",), "_draw_coarse_only"),
    Operation("lock", "L", "lock the row", ("row", "on"), "_lock_row"),
    Operation("read", fields=("data",)),
    Operation("print", fields=("form",), call="_print"),
)

SHOWN = (
    *("passes", "fine_passes", "temperature", "mask_temperature", "fine_mask_temperature"),
    *("top_p", "top_k", "min_p", "typical", "cutoff"),
)
"""Settings that the page of the studio shows."""

STUDIO = (
    *EDITOR,
    # Sound
    Operation("load", fields=("source",)),
    Operation("compose", fields=("genre", "seed")),
    Operation("upload", fields=("name", "index", "count", "buffers"), call="_take_upload"),
    Operation("crop", "Q", "crop the sound to the selection", ("frames",), "_crop"),
    # Playing, handled by the page
    Operation("play", "P", "play or pause"),
    Operation("loop", "J", "loop"),
    Operation("seek", "N", "seek to the cursor"),
    Operation("hear", "0 1 2 3 4 5 6 7 8 9", "hear the original or a take, at the same place", label="0 to 9"),
    Operation("see", "X", "mask or result"),
    Operation("sound", fields=("which",), call="_send_sound"),
    # Takes
    Operation("set", fields=("seed", "next_seed", "circular", *SHOWN)),
    Operation("preset", fields=("name",)),
    Operation("generate", "G", "generate or cancel", ()),
    Operation("cancel", fields=()),
    Operation("live", "Y", "live vamping on and off", ("chain", "roll")),
    Operation("entered", fields=(), call="session.entered"),
    Operation("choose", fields=("which",)),
    Operation("recall", fields=("which",)),
    Operation("vamp_on", fields=("which",)),
    Operation("rename", fields=("which", "name")),
    Operation("star", fields=("which", "on")),
    Operation("discard", fields=("which",)),
    Operation("export", fields=("which",)),
    # The blind test
    Operation("blind", fields=("a", "b", "trials")),
    Operation("answer", fields=("letter",), call="session.answer"),
    Operation("stop_blind", fields=(), call="session.stop_blind"),
)


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
