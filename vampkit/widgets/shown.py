"""What a cell shows, inside a widget and on a page: each thing's own formats, and HTML for where no widget runs."""

from __future__ import annotations

import base64
import html
import textwrap

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
    """HTML of one thing for a page without a kernel: a str as a paragraph, a figure as a picture."""
    if isinstance(thing, str):
        return "".join(f"<p>{html.escape(line)}</p>" for line in thing.splitlines())
    data, _ = ({}, {}) if hasattr(thing, "png") else _formats(thing)
    if "text/html" in data:
        return data["text/html"]
    png = thing.png() if hasattr(thing, "png") else base64.b64decode(data.get("image/png", ""))
    if not png:
        return as_page(in_words(thing))
    return f'<img width="720" alt="{html.escape(in_words(thing), quote=True)}" src="{uri(png, "image/png")}">'


def in_words(thing) -> str:
    """One thing as text: the title of a figure, what others print."""
    figure = hasattr(thing, "png") and hasattr(thing, "layout")  # a sheet of pictures has no layout
    return plain(thing.layout.title.text).replace("\n", ": ") if figure else str(thing)


def lines(*texts: str) -> str:
    """A picture of some lines of text as SVG, for pages that show pictures alone."""
    rows = [row for text in texts for row in textwrap.wrap(text, 110) or [""]]
    spans = "".join(f'<text x="8" y="{18 + 18 * n}">{html.escape(row)}</text>' for n, row in enumerate(rows))
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="720" height="{12 + 18 * len(rows)}" font-family="sans-serif" '
        f'font-size="13"><rect width="100%" height="100%" fill="white"/>{spans}</svg>'
    )


def _formats(thing) -> tuple[dict, dict]:
    if hasattr(thing, "png"):  # a figure shows itself by a call; its formats are asked for instead
        return thing._repr_mimebundle_(), {}
    return _FORMATS.format(thing)
