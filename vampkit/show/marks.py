"""How matplotlib names what plotly draws with: texts, colours, scales, dashes and markers."""

from __future__ import annotations

import html
import re

import numpy as np
from matplotlib.colors import LinearSegmentedColormap, to_rgba

DPI = 100
POINT = 72 / DPI  # points a pixel
DASHES = {"dash": (5, 3), "dot": (1.2, 2), "dashdot": (5, 2, 1.2, 2), "longdash": (9, 3), "longdashdot": (9, 2, 1.2, 2)}
MARKERS = {
    "circle": "o",
    "square": "s",
    "diamond": "D",
    "cross": "P",
    "x": "X",
    "triangle-up": "^",
    "triangle-down": "v",
    "triangle-left": "<",
    "triangle-right": ">",
    "star": "*",
    "line-ns": "|",
    "line-ew": "_",
}
NUMBERED = ("circle", "square", "diamond", "cross", "x", "triangle-up", "triangle-down", "triangle-left")
STEPS = {"hv": "steps-post", "vh": "steps-pre", "hvh": "steps-mid"}


def plain(text: str | None) -> str:
    """A text of plotly (a little HTML) as plain lines."""
    text = re.sub(r"<br\s*/?>", "\n", text or "")
    return html.unescape(re.sub(r"<[^>]+>", "", text)).replace("$", r"\$")


def colour(value, opacity: float | None = None) -> tuple:
    """A colour of plotly as red, green, blue and opacity, 0 to 1."""
    found = re.fullmatch(r"rgba?\(([^)]*)\)", value)
    if found:
        red, green, blue, *rest = (float(part) for part in found[1].split(","))
        rgba = (red / 255, green / 255, blue / 255, *(rest or [1.0]))
    else:
        rgba = to_rgba(value)
    return rgba if opacity is None else (*rgba[:3], rgba[3] * opacity)


def scale(stops) -> LinearSegmentedColormap:
    """A colour scale of plotly; two stops at one place make a sharp border."""
    from plotly.colors import get_colorscale

    stops = stops if stops is not None else get_colorscale("Viridis")
    return LinearSegmentedColormap.from_list("scale", [(place, colour(name)) for place, name in stops], N=2048)


def marker_look(marker, usual: str) -> dict:
    """A marker of plotly, told by name or by number; those named "open" have an edge alone."""
    symbol = marker.symbol if marker.symbol is not None else "circle"
    if not isinstance(symbol, (str, int, np.integer)):
        symbol = symbol[0]
    if not isinstance(symbol, str) or symbol.isdigit():
        symbol = NUMBERED[int(symbol) % len(NUMBERED)]
    given = marker.color if isinstance(marker.color, str) else usual
    size = marker.size if isinstance(marker.size, (int, float)) else 6
    hollow = "open" in symbol
    base = next((name for name in (symbol, *symbol.split("-")) if name in MARKERS), "circle")
    edge = (marker.line.width or 0) * POINT
    look = dict(marker=MARKERS[base], markersize=size * POINT, markerfacecolor="none" if hollow else colour(given))
    drawn = hollow or base.startswith("line")
    edge_colour = colour(given if drawn else marker.line.color or given)
    return look | dict(markeredgecolor=edge_colour, markeredgewidth=edge or (1.2 if drawn else 0))


def cell_texts(axes, trace, picture, x, y) -> None:
    """The number or text that stands in each cell of a heatmap; x and y are the middles of columns and rows."""
    size = (trace.textfont.size or 12) * POINT
    for (row, column), value in np.ndenumerate(picture.get_array()):
        words = str(trace.text[row][column]) if trace.text is not None else ""
        text = trace.texttemplate.replace("%{text}", words)
        text = re.sub(r"%\{z(?::([^}]*))?\}", lambda found, v=value: format(v, found[1] or "g"), text)
        red, green, blue, alpha = picture.cmap(picture.norm(value))
        light = 1 - alpha + alpha * (0.3 * red + 0.6 * green + 0.1 * blue)
        ink = colour(trace.textfont.color or ("#222222" if light > 0.5 else "#ffffff"))
        axes.text(x[column], y[row], plain(text), ha="center", va="center", fontsize=size, color=ink, clip_on=True)


def line_look(line, usual: str) -> dict:
    """Colour, width, dashes and steps of a line."""
    return dict(
        color=colour(line.color or usual),
        linewidth=(2 if line.width is None else line.width) * POINT,
        linestyle=(0, DASHES[line.dash]) if line.dash in DASHES else "solid",
    )


def as_text(name: str) -> str:
    """A name as plotly shows it letter by letter, whatever it looks like."""
    return html.escape(name, quote=False)
