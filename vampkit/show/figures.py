"""Interactive figures of sound, and what all our figures have in common.

Numbers are sent as small integers, so a figure of 10 s stays below 150 kB of a notebook. The background is transparent
and the text of middle lightness, so that light and dark pages both work.
"""

from __future__ import annotations

import numpy as np

from vampkit.show import spectra

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
        What to change, in place.
    title : str
        Written above it; empty for none.
    height : int
        Pixels.

    Returns
    -------
    Figure
        The same one; its axes keep their names and units.
    """
    import plotly.graph_objects as go

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
    """A figure of these traces without plotly's own theme."""
    import plotly.graph_objects as go

    return go.Figure(list(traces), layout=dict(template="none"))


def heatmap(cells: np.ndarray, step: float, hover: str, **settings):
    """A heatmap of cells [rows, columns] over time; a column lasts `step` seconds, `hover` says what a cell is."""
    import plotly.graph_objects as go

    hover = f"{hover}<extra></extra>"
    return go.Heatmap(z=cells, x0=step / 2, dx=step, hovertemplate=hover, **settings)


def time_axis(figure, length: float) -> None:
    """Time from 0 to `length` seconds along x."""
    figure.update_xaxes(title_text="time (s)", range=[0, length], showgrid=False)


def mel_axis(figure, hz: np.ndarray, **place) -> None:
    """Some round frequencies along y, for rows that stand for these hz; `place` names the panel (row, col)."""
    marks = [f for f in (100, 500, 1000, 3000, 10000) if hz[0] <= f <= hz[-1]]
    figure.update_yaxes(
        title_text="frequency (Hz, mel)",
        tickvals=list(np.interp(marks, hz, np.arange(len(hz)))),
        ticktext=[f"{f:,}" for f in marks],
        showgrid=False,
        **place,
    )


def spectrogram_trace(clip, columns: int, **settings):
    """Heatmap of a clip's spectrogram, and the frequencies of its rows in Hz."""
    spectrum = spectra.spectrum(clip, columns=columns)
    low, top = spectra.shared_range(spectrum)
    cells = np.clip(spectrum.db, low, top).astype(np.int8)  # one byte a cell
    step = spectrum.seconds / spectrum.db.shape[1]
    look = dict(zmin=low, zmax=top, colorscale="Magma", name="spectrogram")
    return heatmap(cells, step, "%{x:.2f} s, %{z} dB", **look, **settings), spectrum.hz


def spectrogram(clip, title: str = "", columns: int = 480):
    """Log-mel spectrogram of a clip; the loudest 80 dB are shown.

    Notebook: 00, 09

    Parameters
    ----------
    clip : Clip
        Sound [channels, samples]; channels are averaged.
    title : str
        Written above the figure; empty: the clip's name.
    columns : int
        Most columns that are drawn.

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
    figure = dress(figure_of(trace), title or f"Spectrogram of {clip.name or 'the sound'}")
    time_axis(figure, clip.seconds)
    mel_axis(figure, hz)
    return figure


def waveform(clip, title: str = "", columns: int = 800):
    """Lowest and highest sample of each stretch of a clip; the level is shown as it is.

    Notebook: 00, 08

    Parameters
    ----------
    clip : Clip
        Sound [channels, samples]; channels are averaged.
    title : str
        Written above the figure; empty: the clip's name.
    columns : int
        Most stretches that are drawn.

    Returns
    -------
    Figure
        x: time (s). y: sample (full scale 1).

    Raises
    ------
    ValueError
        For a clip without samples.
    """
    import plotly.graph_objects as go

    low, high = spectra.outline(clip, columns)
    x = (np.repeat(np.arange(len(low)), 2) + 0.5) * clip.seconds / len(low)
    y = np.stack([low, high], 1).ravel()
    line = go.Scatter(
        x=x.astype(np.float32),
        y=y.astype(np.float32),
        mode="lines",
        line=dict(width=1, color=ACCENT),
        hovertemplate="%{x:.2f} s, %{y:.3f}<extra></extra>",
    )
    figure = dress(figure_of(line), title or f"Waveform of {clip.name or 'the sound'}", 220)
    figure.update_yaxes(title_text="sample (full scale 1)")
    time_axis(figure, clip.seconds)
    return figure
