"""Interactive figures of numbers: curves, bars, schedules and matrices, in the style of the other figures."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vampkit.show.figures import INK, dress, figure_of

COLOURS = ("#0f8b8d", "#c2571a", "#7a5fc7", "#5a8a1f", "#b5478b", "#4a7fb5")
DASHES = ("solid", "dash", "dot", "dashdot", "longdash", "longdashdot")  # to tell curves apart without colour
FEW = 16  # up to this many whole numbers on an axis are all labelled


def curves(lines, x_title: str = "", y_title: str = "", title: str = "", height: int = 320):
    """Draw named curves in one figure, with different colours and dashes.

    Notebook: 01, 02

    Parameters
    ----------
    lines : dict
        {name: (x, y)}, or {name: y} with x = 0, 1, 2 and so on; arrays [points].
    x_title : str
        Title of the x axis, with the unit.
    y_title : str
        Title of the y axis, with the unit.
    title : str
        Title above the figure.
    height : int
        Height in pixels.

    Returns
    -------
    Figure
        x: `x_title`. y: `y_title`, in the units of the numbers given.

    Raises
    ------
    ValueError
        If x and y differ in length.
    """
    traces = []
    for i, (name, line) in enumerate(lines.items()):
        x, y = line if isinstance(line, tuple) and len(line) == 2 else (np.arange(len(line)), line)
        x, y = np.asarray(x, dtype=np.float32), np.asarray(y, dtype=np.float32)
        if x.shape != y.shape:
            raise ValueError(f"curve {name!r} has {x.shape} places and {y.shape} values, equally many were expected")
        turn, place = divmod(i, len(COLOURS))  # with each turn of the colours, the next dash
        look = dict(width=2, color=COLOURS[place], dash=DASHES[(place + turn) % len(DASHES)])
        traces.append(go.Scatter(x=x, y=y, name=name, mode="lines", line=look))
    figure = dress(figure_of(*traces), title, height)
    figure.update_xaxes(title_text=x_title, dtick=_tick_step([x for trace in traces for x in trace.x]))
    figure.update_yaxes(title_text=y_title)
    figure.update_layout(showlegend=len(traces) > 1, margin=dict(t=70 if title else 40))
    return figure


def _tick_step(places) -> int | None:
    """Step of ticks: 1 if an axis shows few whole numbers, so that halves are not labelled; else plotly chooses."""
    whole = len(places) > 0 and all(float(p).is_integer() for p in places)
    return 1 if whole and max(places) - min(places) <= FEW else None


def bars(values, y_title: str = "", title: str = "", height: int = 320, digits: int = 2, x_title: str = ""):
    """Draw named values as bars, with each number under its name.

    Notebook: 00, 01

    Parameters
    ----------
    values : dict
        {name: number}, or {name: (mean, low, high)} to draw intervals.
    y_title : str
        Title of the y axis, with the unit.
    title : str
        Title above the figure.
    height : int
        Height in pixels.
    digits : int
        Number of decimals of the numbers under the names.
    x_title : str
        Title of the x axis.

    Returns
    -------
    Figure
        x: the names. y: `y_title`, in the unit of the numbers given.
    """
    triples = [v if isinstance(v, tuple) else (v, v, v) for v in values.values()]
    mean, low, high = (np.array(c, dtype=float) for c in zip(*triples, strict=True))
    names, numbers = [str(name) for name in values], [f"{m:.{digits}f}" for m in mean]
    error = dict(type="data", array=high - mean, arrayminus=mean - low, color=INK, visible=bool((high > low).any()))
    look = dict(textposition="none", marker_color=COLOURS[0], hovertemplate="%{x}: %{text}<extra></extra>")
    bar = go.Bar(x=names, y=mean, error_y=error, text=numbers, **look)
    figure = dress(figure_of(bar), title, height)
    # Numbers are not drawn inside or above the bars: in low bars they would shrink, and intervals would cover them.
    labels = [f"{name}<br><b>{number}</b>" for name, number in zip(names, numbers, strict=True)]
    axis = dict(type="category", tickvals=names, ticktext=labels, tickangle=0, showgrid=False)
    figure.update_xaxes(title_text=x_title, **axis)
    figure.update_yaxes(title_text=y_title)
    return figure.update_layout(margin=dict(b=72 if x_title else 52))


def schedules(functions, points: int = 101, title: str = ""):
    """Draw the mask ratio over the passes of sampling for several schedules (paper, section 3.2).

    Notebook: 02

    Parameters
    ----------
    functions : dict
        {name: function of u in [0, 1]}, such as {"cosine": schedules.cosine}. Each function takes and returns a float.
    points : int
        Number of points of each curve.
    title : str
        Written above the figure; empty: what it shows.

    Returns
    -------
    Figure
        x: u, the fraction of the passes that is done, 0 to 1. y: mask ratio ("share hidden"), 0 to 1.
    """
    u = np.linspace(0, 1, points)
    lines = {name: (u, np.array([float(f(float(v))) for v in u])) for name, f in functions.items()}
    return curves(lines, "u", "share hidden", title or "Share hidden over the course of the passes")


def matrices(panels, x_title: str = "", y_title: str = "", title: str = "", top: float | None = None):
    """Draw named matrices side by side, with one colour scale that starts at 0 and the first row on top.

    Notebook: 03, 05, 08

    Parameters
    ----------
    panels : dict
        {name: array [rows, columns]}, with no negative values.
    x_title : str
        Title of the x axis.
    y_title : str
        Title of the y axis.
    title : str
        Title above the figure.
    top : float, optional
        Value of the lightest colour; None: the largest value.

    Returns
    -------
    Figure
        One panel per matrix. x: `x_title`, columns from 0. y: `y_title`, rows from 0. Colour: in the unit of the
        numbers given.

    Raises
    ------
    ValueError
        For arrays that are not matrices.
    """
    grids = {name: np.asarray(grid, dtype=np.float32) for name, grid in panels.items()}
    if not grids or any(grid.ndim != 2 for grid in grids.values()):
        shapes = [grid.shape for grid in grids.values()]
        raise ValueError(f"panels of shapes {shapes} were given, at least one [rows, columns] was expected")
    top = top or max(float(grid.max()) for grid in grids.values())
    columns = min(4, len(grids))
    rows = -(-len(grids) // columns)
    gaps = dict(horizontal_spacing=0.04, vertical_spacing=0.2 / rows)
    figure = make_subplots(rows, columns, subplot_titles=list(grids), **gaps)
    look = dict(zmin=0, zmax=top, colorscale="Viridis", hovertemplate="row %{y}, column %{x}: %{z:.3f}<extra></extra>")
    if all(max(grid.shape) <= 8 for grid in grids.values()):  # small matrices have room for numbers
        look["texttemplate"] = "%{z:.2f}"
    for i, grid in enumerate(grids.values()):
        trace = go.Heatmap(z=grid.round(3), showscale=i == 0, colorbar=dict(thickness=12), **look)
        figure.add_trace(trace, i // columns + 1, i % columns + 1)
    dress(figure, title, 60 + 240 * rows)
    tall, wide = (max(grid.shape[side] for grid in grids.values()) for side in (0, 1))
    figure.update_yaxes(autorange="reversed", showgrid=False, dtick=1 if tall <= FEW else None)
    figure.update_xaxes(showgrid=False, dtick=1 if wide <= FEW else None)
    figure.update_xaxes(title_text=x_title, row=rows)
    figure.update_yaxes(title_text=y_title, col=1)
    figure.update_annotations(font=dict(size=12, color=INK))
    return figure.update_layout(margin=dict(t=64 if title else 40))
