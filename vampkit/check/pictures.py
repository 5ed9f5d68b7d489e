"""A reader's result beside the right one, as a picture or as sound."""

from __future__ import annotations

from typing import Any

import numpy as np

from vampkit.check.core import wrong_places

FEWEST = 3
"""From this many numbers on a row is drawn as a curve; fewer are a grid, one is a bar."""
MOST_ROWS, MOST_COLUMNS = 64, 400
"""Rows and columns of a picture; what lies beyond is left out."""
MASK = [[0, "#d9d9d9"], [1, "#0f8b8d"]]
"""False and True, as in the pictures of masks."""


def side_by_side(name: str, found: np.ndarray, expected: np.ndarray) -> Any:
    """A figure of both results: grids for grids, curves for rows, bars for single numbers; None for empty ones."""
    if not found.size or not expected.size:
        return None
    title = f"{name}: yours and the target"
    found, expected = (np.asarray(a, np.float64) for a in (found, expected))
    if found.ndim == expected.ndim == 0:
        return _bars(found, expected, title)
    if found.ndim <= 1 and expected.ndim <= 1 and not _binary(found, expected):
        return _curves(np.atleast_1d(found), np.atleast_1d(expected), title)
    return _grids(found, expected, title)


def as_sound(rate: int = 44_100) -> Any:
    """A function that plays both results, [samples] at `rate`, in one player."""

    def play(name: str, found: np.ndarray, expected: np.ndarray) -> Any:
        from vampkit.audio import Clip
        from vampkit.show import listen

        if found.ndim != 1 or not found.size or not np.isfinite(found).all():
            return side_by_side(name, found, expected)
        top = max(1.0, float(np.abs(expected).max()), float(np.abs(found).max()))
        sounds = {"yours": found, "target": expected}
        return listen(*(Clip((samples / top).astype(np.float32), rate, name) for name, samples in sounds.items()))

    return play


def _binary(*arrays: np.ndarray) -> bool:
    return all(np.isin(a, (0, 1)).all() for a in arrays)


def _bars(found: np.ndarray, expected: np.ndarray, title: str) -> Any:
    from vampkit.show import bars

    values = {"yours": float(found) if np.isfinite(found) else 0.0, "target": float(expected)}
    return bars(values, "value", title, x_title="whose")


def _curves(found: np.ndarray, expected: np.ndarray, title: str) -> Any:
    from vampkit.show import curves

    if max(len(found), len(expected)) < FEWEST:
        return _grids(found, expected, title)
    rows = {"target": _blanked(expected[:MOST_COLUMNS]), "yours": _blanked(found[:MOST_COLUMNS])}
    return curves(rows, "place", "value", title)


def _grids(found: np.ndarray, expected: np.ndarray, title: str) -> Any:
    """Both as grids one below the other, and where they differ if they have one shape."""
    from plotly.subplots import make_subplots

    from vampkit.show import dress

    yours, target = _grid(found), _grid(expected)
    grids = {"yours": _blanked(yours), "target": _blanked(target)}
    if found.shape == expected.shape:
        grids["where they differ"] = wrong_places(yours, target).astype(float)
    figure = make_subplots(len(grids), 1, subplot_titles=list(grids), vertical_spacing=0.5 / len(grids))
    binary = _binary(found, expected)
    both = np.concatenate([grids["yours"].ravel(), grids["target"].ravel()])
    low, high = np.nanmin(both), np.nanmax(both)
    for row, (label, grid) in enumerate(grids.items(), 1):
        scale = dict(zmin=0, zmax=1, colorscale=[[0, "#d9d9d9"], [1, "#c2571a"]])
        if label in ("yours", "target"):
            scale = dict(zmin=low, zmax=high if high > low else low + 1, colorscale=MASK if binary else "Viridis")
        figure.add_heatmap(z=np.round(grid, 4), showscale=False, row=row, col=1, **scale)
    tall = sum(min(12, len(grid)) for grid in grids.values())
    dress(figure, title + "; dark is True" * binary, 140 + 70 * len(grids) + 8 * tall)
    figure.update_yaxes(autorange="reversed", title_text="row", showgrid=False)
    figure.update_xaxes(showgrid=False).update_xaxes(title_text="column", row=len(grids))
    return figure.update_layout(margin=dict(t=70))


def _grid(array: np.ndarray) -> np.ndarray:
    """The first item of what has more axes than two."""
    while array.ndim > 2:
        array = array[0]
    return np.atleast_2d(array)[:MOST_ROWS, :MOST_COLUMNS]


def _blanked(array: np.ndarray) -> np.ndarray:
    """Infinite numbers become nan, which is left blank."""
    return np.where(np.isfinite(array), array, np.nan)
