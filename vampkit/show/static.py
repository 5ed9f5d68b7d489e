"""The overview as a still picture, for pages that cannot be interactive."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from vampkit.files import written
from vampkit.show import pictures, spectra


def overview(clip, mask=None, path=None, tokens=None, title: str = "", size: tuple[float, float] = (9, 4.2)):
    """Draw the spectrogram of a clip and below it the mask, on one time axis, with matplotlib.

    Notebook: 00

    Parameters
    ----------
    clip : Clip
        Sound [channels, samples]; channels are averaged.
    mask : Bool[Tensor, "codebooks frames"], optional
        The mask, True = hidden; None: only the spectrogram is drawn.
    path : str or PathLike, optional
        A .png or .svg file to write.
    tokens : Tokens, optional
        The tokens of the mask, for its time axis. None: the frame rate of the paper's codec is used.
    title : str
        Title above the picture; empty: the name of the clip.
    size : tuple of float
        Width and height in inches.

    Returns
    -------
    Figure or Path
        The path if one was given, else the matplotlib figure. x: time (s). y: Hz (mel) above, codebooks below. Colour:
        the loudest 80 dB above, hidden or kept below.

    Raises
    ------
    TypeError
        For a mask that is not boolean.
    ValueError
        For a mask of another shape than [codebooks, frames], or a clip without samples.
    """
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    # Not made with pyplot, so that no global state is changed and no figure stays open.
    figure = Figure(figsize=size, layout="constrained")
    FigureCanvasAgg(figure)
    length = clip.seconds
    if mask is None:
        upper = lower = figure.subplots()
    else:
        upper, lower = figure.subplots(2, 1, sharex=True, height_ratios=[3, 2])
        grid, frame = spectra.mask_array(mask), spectra.frame_seconds(tokens)
        length = max(length, grid.shape[1] * frame)
        _draw_mask(lower, grid, frame)
    spectrum = spectra.spectrum(clip, bands=96, columns=900)
    _draw_spectrum(upper, spectrum, *spectra.shared_range(spectrum))
    lower.set_xlabel("time (s)")
    upper.set_xlim(0, length)
    if title or clip.name:
        upper.set_title((title or clip.name).replace("$", r"\$"), loc="left", fontsize=10)  # no formula
    if path is None:
        return figure
    kind = Path(path).suffix.lstrip(".")
    # Date and version are left out, so that the same picture gives the same file.
    metadata = {"Software": None} if kind == "png" else {"Date": None}
    with written(path) as part:
        figure.savefig(part, dpi=120, format=kind, metadata=metadata, facecolor="white")
    return Path(path)


def stack(clips, labels, mask=None, tokens=None):
    """Spectrograms of clips one above the other, each under its label, the mask or the tokens below; a still player.

    Returns a figure of matplotlib, 720 pixels wide. Few colours and coarse cells keep its PNG small.
    """
    from matplotlib.figure import Figure

    spectrums = [spectra.spectrum(clip, bands=40, columns=240) for clip in clips]
    low, top = spectra.shared_range(*spectrums)
    grid = mask if mask is not None else tokens
    rows = (
        0 if grid is None else (spectra.mask_array(mask) if mask is not None else spectra.code_array(tokens)).shape[0]
    )
    heights = [90 if len(clips) < 7 else 44] * len(clips) + [max(60, 9 * rows)] * (grid is not None)
    width, left, gap, bottom = 720, 80, 22, 42
    height = bottom + sum(heights) + gap * len(heights)
    figure = Figure(figsize=(width / 100, height / 100), dpi=100, facecolor="white")
    length, edge = max(clip.seconds for clip in clips), height
    for i, high in enumerate(heights):
        edge -= high + gap
        axes = figure.add_axes((left / width, edge / height, 1 - (left + 14) / width, high / height), label=str(i))
        if i < len(clips):
            _draw_spectrum(axes, spectrums[i], low, top, step=5)
            axes.set_title(labels[i], loc="left", fontsize=9, pad=4, parse_math=False)
            if high < 60:  # room for two marks
                axes.set_yticks(axes.get_yticks()[1::2], [mark.get_text() for mark in axes.get_yticklabels()[1::2]])
        else:
            _draw_grid(axes, mask, tokens)
        axes.set_xlim(0, length)
        last = i == len(heights) - 1
        axes.tick_params(labelsize=8, labelbottom=last, bottom=last)
        axes.yaxis.label.set_fontsize(8)
        axes.spines[:].set_visible(False)
    axes.set_xlabel("time (s)", fontsize=8)
    return figure


def _draw_spectrum(axes, spectrum, low: int, top: int, step: int = 1) -> None:
    extent = (0, spectrum.seconds, 0, len(spectrum.hz))
    look = dict(cmap="magma", vmin=low, vmax=top, interpolation=None if step == 1 else "nearest")
    axes.imshow(spectrum.db // step * step, origin="lower", aspect="auto", extent=extent, **look)
    marks = [f for f in (100, 1000, 3000, 10000) if spectrum.hz[0] <= f <= spectrum.hz[-1]]
    axes.set_yticks(np.interp(marks, spectrum.hz, np.arange(len(spectrum.hz)) + 0.5), [f"{f:,}" for f in marks])
    axes.set_ylabel("Hz (mel)")


def _draw_mask(axes, grid: np.ndarray, frame: float) -> None:
    rows, frames = grid.shape
    colours = np.array([(233, 233, 233), pictures.ACCENT, tuple(c * 0.45 for c in pictures.ACCENT)], dtype=float) / 255
    pixels = colours[pictures.hatch(grid, 4, 10)]
    axes.imshow(pixels, aspect="auto", interpolation="antialiased", extent=(0, frames * frame, rows, 0))
    _codebook_ticks(axes, rows)
    axes.set_title(f"mask: {100 * grid.mean():.1f} % hidden (hatched), the rest is kept", loc="left", fontsize=9)


def _draw_grid(axes, mask, tokens) -> None:
    """The mask in plain cells, or the tokens where there is none."""
    if mask is not None:
        grid = spectra.mask_array(mask)
        pixels = np.where(grid[..., None], pictures.ACCENT, (225, 225, 225)).astype(np.uint8)
        name = f"mask: {100 * grid.mean():.1f} % hidden (dark), the rest is kept"
    else:
        grid, name = spectra.code_array(tokens), "tokens: a colour is the name of an entry"
        pixels = spectra.entry_colours()[spectra.entry_colour_index(grid)]
    rows, frames = grid.shape
    extent = (0, frames * spectra.frame_seconds(tokens), rows, 0)
    axes.imshow(pixels, aspect="auto", interpolation="nearest", extent=extent)
    for row in range(1, rows):
        axes.axhline(row, color="white", linewidth=0.7)
    _codebook_ticks(axes, rows)
    axes.set_title(name, loc="left", fontsize=9)


def _codebook_ticks(axes, rows: int) -> None:
    shown = [k for k in range(rows) if rows <= 5 or k in (0, spectra.COARSE - 1, rows - 1)]
    names = spectra.codebook_names(rows)
    axes.set_yticks([k + 0.5 for k in shown], [names[k] for k in shown])
