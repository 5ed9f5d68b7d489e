"""The overview as a still picture, for pages and places where nothing interactive runs."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vampkit.show import pictures, spectra


def overview(clip, mask=None, path=None, tokens=None, title: str = "", size: tuple[float, float] = (9, 4.2)):
    """Spectrogram above and mask grid below on one time axis, drawn by matplotlib. Notebook: 00.

    clip: Clip [C, N]. mask: bool [K, T], True = hidden; or None for the spectrogram alone. path: a .png or .svg to
    write (beside first, then renamed). tokens: Tokens, which give the mask's time axis. size: inches.
    Returns the matplotlib Figure, or the path where one was given. Raises as `mask_over` does.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # A figure of its own, not pyplot's: nothing global is touched and nothing stays open.
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    if mask is None:
        upper, lower = figure.subplots(), None
    else:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
    length = clip.seconds
    _draw_spectrum(upper, clip)
    if lower is not None:
        grid = spectra.mask_array(mask)
        length = max(length, grid.shape[1] * spectra.frame_seconds(tokens))
        _draw_mask(lower, grid, spectra.frame_seconds(tokens))
    (lower or upper).set_xlabel("time (s)")
    upper.set_xlim(0, length)
    if title or clip.name:
        upper.set_title(title or clip.name, loc="left", fontsize=10)
    if path is None:
        return figure
    path = Path(path)
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    # Without a date or version in it, the same picture is the same file.
    metadata = {"Software": None} if path.suffix == ".png" else {"Date": None}
    figure.savefig(part, dpi=120, format=path.suffix.lstrip("."), metadata=metadata, facecolor="white")
    part.replace(path)
    return path


def _draw_spectrum(axes, clip) -> None:
    spectrum = spectra.spectrum(clip, bands=96, columns=900)
    low, top = spectra.shared_range(spectrum)
    axes.imshow(
        spectrum.db,
        origin="lower",
        aspect="auto",
        cmap="magma",
        vmin=low,
        vmax=top,
        extent=(0, spectrum.seconds, 0, len(spectrum.hz)),
    )
    marks = [f for f in (100, 1000, 3000, 10000) if spectrum.hz[0] <= f <= spectrum.hz[-1]]
    axes.set_yticks(np.interp(marks, spectrum.hz, np.arange(len(spectrum.hz)) + 0.5), [f"{f:,}" for f in marks])
    axes.set_ylabel("Hz (mel)")


def _draw_mask(axes, grid: np.ndarray, frame: float) -> None:
    rows, frames = grid.shape
    colours = np.array([(233, 233, 233), pictures.ACCENT, tuple(c * 0.45 for c in pictures.ACCENT)], dtype=float) / 255
    painted = colours[pictures.hatch(grid, 4, 10)]
    axes.imshow(painted, aspect="auto", interpolation="antialiased", extent=(0, frames * frame, rows, 0))
    shown = [k for k in range(rows) if rows <= 5 or k in (0, spectra.COARSE - 1, rows - 1)]
    names = spectra.codebook_names(rows)
    axes.set_yticks([k + 0.5 for k in shown], [names[k] for k in shown])
    axes.set_title(f"mask: {100 * grid.mean():.1f} % hidden (hatched), the rest is kept", loc="left", fontsize=9)
