"""Interactive figures of sound, and the common style of all figures.

Numbers are stored as small integers, so a figure of 10 s adds less than 150 kB to a notebook. The background is
transparent and the text is grey, so that figures can be read on light and dark pages.
"""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go

from vampkit.show import spectra
from vampkit.show.marks import as_text

INK = "#767676"  # 4.5 : 1 on white, 4.1 : 1 on black
GRID = "rgba(128,128,128,0.25)"
ACCENT = "#0f8b8d"


def dress(figure, title: str = "", height: int = 300):
    """Give a figure the look of all of ours, and a still picture for pages without scripts.

    The background is transparent, text is grey, margins are narrow.

    Notebook: 01, 02

    Parameters
    ----------
    figure : plotly.graph_objects.Figure
        The figure; it is changed in place.
    title : str
        Title above the figure; empty for none.
    height : int
        Height in pixels.

    Returns
    -------
    Figure
        The same figure. The titles of its axes are kept.
    """
    from vampkit.show.still import Figure

    if type(figure) is go.Figure:  # one that plotly made, such as `make_subplots`
        figure.__class__ = Figure
    axis = dict(gridcolor=GRID, linecolor=GRID, zerolinecolor=GRID, ticks="outside", tickcolor=GRID)
    figure.update_layout(
        template="none",
        paper_bgcolor="rgba(0,0,0,0)",
        plot_bgcolor="rgba(0,0,0,0)",
        height=height,
        font=dict(color=INK, size=12),
        margin=dict(l=80, r=20, t=40 if title else 16, b=44),
        title=dict(text=title, font=dict(size=14), x=0.01, xanchor="left") if title else None,
        legend=dict(orientation="h", y=1.01, yanchor="bottom", x=1, xanchor="right"),
    )
    figure.update_xaxes(**axis)
    figure.update_yaxes(**axis)
    return figure


def figure_of(*traces):
    """Make a figure of these traces, without plotly's theme."""
    return go.Figure(list(traces), layout=dict(template="none"))


def heatmap(cells: np.ndarray, step: float, hover: str, **settings):
    """Make a heatmap of cells [rows, columns] over time. step: seconds per column. hover: text for a cell."""
    hover = f"{hover}<extra></extra>"
    return go.Heatmap(z=cells, x0=step / 2, dx=step, hovertemplate=hover, **settings)


def time_axis(figure, length: float) -> None:
    """Make x a time axis from 0 to `length` seconds."""
    figure.update_xaxes(title_text="time (s)", range=[0, length], showgrid=False)


def mel_axis(figure, hz: np.ndarray, **place) -> None:
    """Label y with some round frequencies. hz: frequency of each row. place: row and col of the panel."""
    marks = [f for f in (100, 500, 1000, 3000, 10000) if hz[0] <= f <= hz[-1]]
    figure.update_yaxes(
        title_text="frequency (Hz, mel)",
        tickvals=list(np.interp(marks, hz, np.arange(len(hz)))),
        ticktext=[f"{f:,}" for f in marks],
        showgrid=False,
        **place,
    )


def spectrogram_trace(clip, columns: int, **settings):
    """Make the heatmap of a clip's spectrogram. Returns it and the frequencies of its rows in Hz."""
    spectrum = spectra.spectrum(clip, columns=columns)
    low, top = spectra.shared_range(spectrum)
    cells = np.clip(spectrum.db, low, top).astype(np.int8)  # one byte per cell
    step = spectrum.seconds / spectrum.db.shape[1]
    look = dict(zmin=low, zmax=top, colorscale="Magma", name="spectrogram")
    return heatmap(cells, step, "%{x:.2f} s, %{z} dB", **look, **settings), spectrum.hz


def spectrogram(clip, title: str = "", columns: int = 320):
    """Draw the log-mel spectrogram of a clip. The loudest 80 dB are shown.

    Notebook: 00, 09

    Parameters
    ----------
    clip : Clip
        Sound [channels, samples]; channels are averaged.
    title : str
        Written above the figure; empty: the clip's name.
    columns : int
        Largest number of columns.

    Returns
    -------
    Figure
        x: time (s). y: frequency (Hz, mel). Colour: dB (0 is a full-scale sine).

    Raises
    ------
    ValueError
        For a clip without samples.
    """
    trace, hz = spectrogram_trace(clip, columns, colorbar=dict(title=dict(text="dB"), thickness=12))
    figure = dress(figure_of(trace), title or f"Spectrogram of {as_text(clip.name or 'the sound')}")
    time_axis(figure, clip.seconds)
    mel_axis(figure, hz)
    return figure


def waveform(clip, title: str = "", columns: int = 800):
    """Draw the waveform of a clip: the lowest and highest sample of each of many short stretches.

    Notebook: 00, 08

    Parameters
    ----------
    clip : Clip
        Sound [channels, samples]; channels are averaged.
    title : str
        Written above the figure; empty: the clip's name.
    columns : int
        Largest number of stretches.

    Returns
    -------
    Figure
        x: time (s). y: sample (full scale 1).

    Raises
    ------
    ValueError
        For a clip without samples.
    """
    low, high = spectra.outline(clip, columns)
    x = (np.repeat(np.arange(len(low)), 2) + 0.5) * clip.seconds / len(low)
    y = np.stack([low, high], 1).ravel()
    look = dict(line=dict(width=1, color=ACCENT), hovertemplate="%{x:.2f} s, %{y:.3f}<extra></extra>")
    line = go.Scatter(x=x.astype(np.float32), y=y.astype(np.float32), mode="lines", **look)
    figure = dress(figure_of(line), title or f"Waveform of {as_text(clip.name or 'the sound')}", 220)
    figure.update_yaxes(title_text="sample (full scale 1)")
    time_axis(figure, clip.seconds)
    return figure
