"""What a cell shows, inside a widget and on a page: each thing's own formats, and HTML for where no widget runs."""

from __future__ import annotations

import base64
import html

from IPython.core.formatters import DisplayFormatter

from vampkit.show.marks import plain
from vampkit.show.pictures import uri

_FORMATS = DisplayFormatter()


def outputs(*things) -> tuple[dict, ...]:
    """For an Output widget: each thing in the formats that it offers; a str as a paragraph."""
    shown = []
    for thing in things:
        data, metadata = ({"text/html": as_page(thing)}, {}) if isinstance(thing, str) else _formats(thing)
        shown.append({"output_type": "display_data", "data": data, "metadata": metadata})
    return tuple(shown)


def as_page(thing) -> str:
    """HTML of one thing for a page without a kernel: a str as a paragraph, a figure as a picture, others as they are."""
    if isinstance(thing, str):
        return "".join(f"<p>{html.escape(line)}</p>" for line in thing.splitlines())
    if hasattr(thing, "png"):
        return f'<img width="720" alt="{html.escape(in_words(thing), quote=True)}" src="{uri(thing.png(), "image/png")}">'
    data, _ = _formats(thing)
    if "image/png" in data and "text/html" not in data:
        png = base64.b64decode(data["image/png"])
        return f'<img alt="{html.escape(in_words(thing), quote=True)}" src="{uri(png, "image/png")}">'
    return data.get("text/html") or as_page(in_words(thing))


def in_words(thing) -> str:
    """One thing as text: the title of a figure, what others print."""
    return plain(thing.layout.title.text).replace("\n", ": ") if hasattr(thing, "png") else str(thing)


def _formats(thing) -> tuple[dict, dict]:
    if hasattr(thing, "png"):  # a figure shows itself by a call; its formats are asked for instead
        return thing._repr_mimebundle_(), {}
    return _FORMATS.format(thing)
