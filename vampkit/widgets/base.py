"""What all widgets share: a cell run again frees those it made before, and a picture stands where none runs."""

from __future__ import annotations

import base64
import re
from weakref import WeakSet

import anywidget
from IPython import get_ipython

_MADE: dict[str, tuple[str, WeakSet]] = {}
"""By a cell's id: its latest run, and the widgets that this run made."""


def replace_earlier(widget) -> None:
    """Close what earlier runs of this cell made, so that memory does not grow with each run.

    Outside a notebook, and in one whose front end names no cells, nothing is closed.
    """
    shell = get_ipython()
    parent = shell.get_parent() if hasattr(shell, "get_parent") else {}
    cell, run = parent.get("metadata", {}).get("cellId"), parent.get("header", {}).get("msg_id")
    if cell is None:
        return
    before, made = _MADE.get(cell, (run, WeakSet()))
    if before != run:
        for old in list(made):
            old.close()
            _forget(shell.user_ns, old)
        made = WeakSet()
    made.add(widget)
    _MADE[cell] = run, made


def _forget(names: dict, widget) -> None:
    """Take a widget out of IPython's results (Out[3], _3, _), which would keep its sounds in memory."""
    for results in (names, names.get("_oh", {})):
        for name in [n for n, held in results.items() if held is widget and re.fullmatch(r"_*\d*", str(n))]:
            del results[name]


def as_still(text: str, png: bytes) -> dict[str, str]:
    """What stands for a widget where widgets do not run: its words, and a picture of it."""
    return {"text/plain": text, "image/png": base64.b64encode(png).decode("ascii")}


class Widget(anywidget.AnyWidget):
    """A widget that answers messages of its page (`_heard`) and draws a picture of itself (`_still`)."""

    _closed = True  # until `__init__` has run

    def __init__(self):
        super().__init__()
        self._closed = False
        self.on_msg(self._heard)
        replace_earlier(self)

    def close(self) -> None:
        """Free the resources of the widget, in the kernel and in the page."""
        if not self._closed:
            self._closed = True
            self.on_msg(self._heard, remove=True)
            self.unobserve_all()
            self.layout.close()
            super().close()

    def _heard(self, widget, content: dict, buffers: list) -> None:
        """Answer one message from the page."""
        raise NotImplementedError

    def _still(self) -> bytes:
        """A PNG of the whole widget, to be seen where widgets do not run."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs):
        """The widget; its words and a picture of it for pages where widgets do not run."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        return {**data, **as_still(repr(self), self._still())}, metadata


class Assembly:
    """Plain ipywidgets in a box, `widget`, and what stands for them on pages where they do not run."""

    def __init__(self, box):
        self.widget, self._closed = box, False
        replace_earlier(self)

    def close(self) -> None:
        """Free the box and all that it holds."""
        if not self._closed:
            self._closed = True
            free(self.widget)

    def _check_open(self) -> None:
        if self._closed:
            name = type(self).__name__
            raise ValueError(f"this {name} was closed, an open one was expected; make a new {name}")

    def _still(self) -> dict[str, str]:
        """What is shown now as formats that need no kernel: text, and a picture or HTML."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs):
        self._check_open()
        bundle = self.widget._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        return {**(data or {}), **self._still()}


def free(*parts) -> None:
    """Close widgets with all they hold, their layouts and their styles, which are widgets too and would stay open."""
    for part in parts:
        part.unobserve_all()
        for piece in (*getattr(part, "children", ()), getattr(part, "layout", None), getattr(part, "style", None)):
            if hasattr(piece, "unobserve_all"):
                free(piece)
        part.close()
