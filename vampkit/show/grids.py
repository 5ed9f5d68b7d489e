"""Interactive figures of tokens and masks over time, with one row per codebook."""

from __future__ import annotations

import numpy as np
import plotly.graph_objects as go
from plotly.subplots import make_subplots

from vampkit import masks
from vampkit.show import spectra
from vampkit.show.figures import ACCENT, INK, dress, figure_of, heatmap, mel_axis, spectrogram_trace, time_axis

HIDDEN, KEPT = ACCENT, "rgba(160,160,160,0.30)"
STRIKE = "#ffffff"  # a line through hidden cells, so that they can be told apart without colour
WIDEST = 600  # largest number of columns of a heatmap; more cannot be seen


def _codebook_axis(figure, codebooks: int, title: str | None = "codebook", **place) -> None:
    figure.update_yaxes(
        title_text=title,
        tickvals=list(range(codebooks)),
        ticktext=spectra.codebook_names(codebooks),
        range=[codebooks - 0.5, -0.5],
        showgrid=False,
        **place,
    )
    figure.update_layout(margin_l=98)  # room for the names and, beside them, the title


def _name_scale() -> list[tuple[float, str]]:
    """The colours of entries as a scale of plotly: each a stretch of its own, with sharp borders."""
    colours = spectra.entry_colours()
    edges = np.linspace(0, 1, len(colours) + 1).round(6).tolist()
    named = [f"rgb({red},{green},{blue})" for red, green, blue in colours.tolist()]
    return [(edge, name) for i, name in enumerate(named) for edge in edges[i : i + 2]]


def tokens(tokens_or_codes, title: str = ""):
    """Draw codes as a heatmap with one row per codebook: "coarse 1" to "coarse 4", then "fine 5" and so on.

    For sounds of more than 600 frames only every n-th frame is drawn, and the title says so.

    Notebook: 00, 01

    Parameters
    ----------
    tokens_or_codes : Tokens or Tensor
        Tokens, or only their codes, int64 [codebooks, frames]. For codes the frame rate of the paper's codec is used.
    title : str
        Written above the figure; empty: how many codebooks and frames there are.

    Returns
    -------
    Figure
        x: time (s). y: codebooks, the first on top. Colour: a name without order, the same for the same entry (no
        unit); 16 numbers of 1024 share one.

    Raises
    ------
    TypeError
        For anything that is not whole numbers.
    ValueError
        For another shape than [codebooks, frames].
    """
    codes = spectra.code_array(tokens_or_codes)
    title = title or f"Tokens: {codes.shape[0]} codebooks, {codes.shape[1]} frames"
    stride = -(-codes.shape[1] // WIDEST)
    step = spectra.frame_seconds(tokens_or_codes) * stride
    if stride > 1:
        title = f"{title} (every {stride}th frame)"
    cells = codes[:, ::stride].astype(np.int16)
    # Entries are names: colours in no order, and no bar that would rank them. Half a number on either side, so that
    # the borders of the colours lie between two entries.
    look = dict(zmin=-0.5, zmax=spectra.table_size(codes) - 0.5, colorscale=_name_scale(), showscale=False)
    trace = heatmap(cells, step, "%{x:.2f} s, %{y}: entry %{z}", **look)
    figure = dress(figure_of(trace), title, 120 + 18 * len(codes))
    _codebook_axis(figure, len(codes))
    time_axis(figure, codes.shape[1] * spectra.frame_seconds(tokens_or_codes))
    return figure


def _mask_traces(grid: np.ndarray, frame: float):
    """Make a heatmap of kept and hidden cells, and a line through each run of hidden cells."""
    stride = -(-grid.shape[1] // (2 * WIDEST))
    scale = [[0, KEPT], [0.5, KEPT], [0.5, HIDDEN], [1, HIDDEN]]
    look = dict(zmin=0, zmax=1, colorscale=scale, ygap=1, showscale=False, name="mask")
    hover = "%{x:.2f} s, %{y}: %{z} (1 hidden, 0 kept)"
    cells = heatmap(grid[:, ::stride].astype(np.int8), frame * stride, hover, **look)
    spans = [(a, b, k) for k, row in enumerate(grid) for a, b in masks.runs(row)]
    x = np.array([(a * frame, b * frame, np.nan) for a, b, _ in spans], dtype=np.float32).ravel()
    y = np.repeat(np.array([k for *_, k in spans], dtype=np.float32), 3)
    strike = go.Scatter(
        x=x, y=y, mode="lines", line=dict(width=1, color=STRIKE), hoverinfo="skip", showlegend=False, name="hidden"
    )
    return cells, strike


def _legend(figure) -> None:
    """Explain the two colours of a mask in the legend. Empty traces are used, since a heatmap has no legend entry."""
    for name, colour, symbol in (
        ("hidden, to be filled in (struck through)", HIDDEN, "square-cross"),
        ("kept", "#a0a0a0", "square-open"),
    ):
        marker = dict(size=11, color=colour, symbol=symbol, line=dict(width=1, color=INK))
        figure.add_scatter(x=[None], y=[None], mode="markers", name=name, marker=marker)


def _mask_title(grid: np.ndarray, frame: float) -> str:
    return f"{100 * grid.mean():.1f} % hidden, {grid.any(0).sum() * frame:.2f} s touched"


def mask(mask, tokens=None, title: str = ""):
    """Draw a mask with one row per codebook. Hidden cells are filled and struck through.

    Notebook: 02, 09

    Parameters
    ----------
    mask : Bool[Tensor, "codebooks frames"]
        True = hidden.
    tokens : Tokens, optional
        The tokens of the mask, for the time axis. None: the frame rate of the paper's codec is used.
    title : str
        Title above the figure; empty: the mask ratio in percent, and the seconds in which anything is hidden.

    Returns
    -------
    Figure
        x: time (s). y: codebooks, the first on top. Colour: hidden or kept (no unit).

    Raises
    ------
    TypeError
        For a mask that is not boolean.
    ValueError
        For another shape than [codebooks, frames].
    """
    grid, frame = spectra.mask_array(mask), spectra.frame_seconds(tokens)
    figure = dress(figure_of(*_mask_traces(grid, frame)), title or _mask_title(grid, frame), 130 + 18 * len(grid))
    _legend(figure)
    _codebook_axis(figure, len(grid))
    time_axis(figure, grid.shape[1] * frame)
    return figure


def mask_over(clip, mask, tokens=None, title: str = ""):
    """Draw the spectrogram of a clip and below it the mask, on one time axis.

    Notebook: 00, 02

    Parameters
    ----------
    clip : Clip
        Sound [channels, samples]; channels are averaged.
    mask : Bool[Tensor, "codebooks frames"]
        True = hidden.
    tokens : Tokens, optional
        The tokens of the mask, for its time axis. None: the frame rate of the paper's codec is used.
    title : str
        Title above the figure; empty: the mask ratio in percent, and the seconds in which anything is hidden.

    Returns
    -------
    Figure
        x: time (s). y: frequency (Hz, mel) above, codebooks below. Colour: the loudest 80 dB above, hidden or kept
        below.

    Raises
    ------
    TypeError
        For a mask that is not boolean.
    ValueError
        For a mask of another shape than [codebooks, frames], or a clip without samples.
    """
    grid, frame = spectra.mask_array(mask), spectra.frame_seconds(tokens)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.05, row_heights=[0.45, 0.55])
    trace, hz = spectrogram_trace(clip, 300, showscale=False)
    figure.add_trace(trace, row=1, col=1)
    for part in _mask_traces(grid, frame):
        figure.add_trace(part, row=2, col=1)
    dress(figure, title or _mask_title(grid, frame), 230 + 26 * len(grid))
    mel_axis(figure, hz, row=1, col=1)
    _codebook_axis(figure, len(grid), row=2, col=1)
    figure.update_xaxes(range=[0, max(clip.seconds, grid.shape[1] * frame)], showgrid=False)
    figure.update_xaxes(title_text="time (s)", row=2, col=1)
    return figure


def _named_grids(steps, names) -> list[tuple[str, np.ndarray]]:
    """Name and mask [codebooks, frames] of each pass."""
    named = []
    for number, step in enumerate(steps):
        index = step.index if hasattr(step, "confidence") else number  # tensors have another `index`
        grid = np.asarray(getattr(step, "mask", step))
        named.append((f"pass {index + 1}", spectra.mask_array(grid[0] if grid.ndim == 3 else grid)))
    if not named:
        raise ValueError("no passes were given, at least one was expected; give list(vk.sample(...))")
    if names is None:
        return named
    if len(names) != len(named):
        raise ValueError(f"{len(names)} names were given for {len(named)} grids, one each was expected")
    return [(name, grid) for name, (_, grid) in zip(names, named, strict=True)]


def _percent_trace(grid: np.ndarray, length: float):
    """Make a heatmap with at most 200 columns of how many percent of the frames in each column are hidden."""
    columns = min(200, grid.shape[1])
    percent = spectra.column_means(100.0 * grid, columns)
    look = dict(zmin=0, zmax=100, ygap=1, showscale=False, colorscale=[[0, KEPT], [1, HIDDEN]])
    return heatmap(percent.round().astype(np.int8), length / columns, "%{x:.2f} s, %{y}: %{z} % hidden", **look)


def passes(steps, tokens=None, panels: int = 9, title: str = "", names=None):
    """Draw how the mask empties: some passes of the sampling loop, each as a small grid.

    Each grid shows what is still hidden after its pass.

    Notebook: 00, 02, 04, 05

    Parameters
    ----------
    steps : sequence of Step or Tensor
        The results of `sample`, or masks, bool [codebooks, frames], True = hidden. Of a batch the first item is drawn.
    tokens : Tokens, optional
        The tokens, for the time axis. None: the frame rate of the paper's codec is used.
    panels : int
        Largest number of passes to draw. They are chosen evenly.
    title : str
        Written above the figure; empty: what the panels show.
    names : sequence of str, optional
        One name per grid, instead of "pass 1" and so on.

    Returns
    -------
    Figure
        One panel per pass. x: time (s). y: codebooks, the first on top. Colour: hidden frames, in % of a column.

    Raises
    ------
    TypeError
        For masks that are not boolean.
    ValueError
        If there are no steps, or if the number of names differs.
    """
    named = _named_grids(steps, names)
    drawn = np.unique(np.linspace(0, len(named) - 1, min(panels, len(named))).round().astype(int))
    chosen = [named[i] for i in drawn]
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    titles = [f"{name}: {100 * grid.mean():.1f} % hidden" for name, grid in chosen]
    shared = dict(shared_xaxes=True, shared_yaxes=True, horizontal_spacing=0.03, vertical_spacing=0.28 / rows)
    figure = make_subplots(rows, columns, subplot_titles=titles, **shared)
    for i, (_, grid) in enumerate(chosen):
        trace = _percent_trace(grid, grid.shape[1] * spectra.frame_seconds(tokens))
        figure.add_trace(trace, row=i // columns + 1, col=i % columns + 1)
    codebooks = len(chosen[0][1])
    title = title or ("What is still hidden after each pass" if names is None else "What each mask hides")
    dress(figure, title, 60 + rows * (70 + 16 * codebooks))
    _codebook_axis(figure, codebooks, title=None)
    figure.update_yaxes(title_text="codebook", col=1)
    figure.update_xaxes(showgrid=False)
    figure.update_xaxes(title_text="time (s)", row=rows)
    figure.update_annotations(font=dict(size=12, color=INK))
    figure.update_layout(margin=dict(t=64))
    return figure
