"""Interactive figures of sound, tokens and masks: builders of `plotly.graph_objects.Figure`.

Numbers are sent as small integers, so a figure of 10 s stays below 150 kB of a notebook. The ground is clear and the
ink of middle lightness, so that light and dark pages both work.
"""

from __future__ import annotations

import numpy as np

from vampkit.show import spectra

INK = "#767676"  # 4.5 : 1 on white, 4.1 : 1 on black
GRID = "rgba(128,128,128,0.25)"
HIDDEN, KEPT = "#0f8b8d", "rgba(160,160,160,0.30)"
STRIKE = "#ffffff"  # hidden cells are struck through as well: colour is not their only sign
WIDEST = 600  # columns of a heatmap; more are not seen


def dress(figure, title: str = "", height: int = 300):
    """Give a figure the neutral dress of all ours, which suits light and dark pages.

    Clear ground, grey ink, narrow margins. Returns it. Notebook: 01, 02.
    """
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


def _figure(*traces):
    import plotly.graph_objects as go

    return go.Figure(list(traces), layout=dict(template="none"))


def _seconds(figure, length: float, **where) -> None:
    figure.update_xaxes(title_text="time (s)", range=[0, length], showgrid=False, **where)


def _spectrogram_trace(clip, columns: int, **settings):
    import plotly.graph_objects as go

    spectrum = spectra.spectrum(clip, columns=columns)
    low, top = spectra.shared_range(spectrum)
    step = spectrum.seconds / spectrum.db.shape[1]
    # One byte a cell: 0 is the lowest decibel shown.
    cells = np.clip(spectrum.db, low, top).astype(np.int8)
    trace = go.Heatmap(
        z=cells,
        x0=step / 2,
        dx=step,
        zmin=low,
        zmax=top,
        colorscale="Magma",
        name="spectrogram",
        hovertemplate="%{x:.2f} s, %{z} dB<extra></extra>",
        **settings,
    )
    return trace, spectrum


def _hertz(figure, spectrum, **where) -> None:
    marks = [f for f in (100, 500, 1000, 3000, 10000) if spectrum.hz[0] <= f <= spectrum.hz[-1]]
    places = np.interp(marks, spectrum.hz, np.arange(len(spectrum.hz)))
    figure.update_yaxes(
        title_text="frequency (Hz, mel)",
        tickvals=list(places),
        ticktext=[f"{f:,}" for f in marks],
        showgrid=False,
        **where,
    )


def spectrogram(clip, title: str = "", columns: int = 480):
    """Log-mel spectrogram of a clip in decibels over seconds; the loudest 80 dB are shown. Notebook: 00.

    clip: Clip [C, N]. Returns a plotly Figure. Raises ValueError for a clip without samples.
    """
    trace, spectrum = _spectrogram_trace(clip, columns, colorbar=dict(title=dict(text="dB"), thickness=12))
    figure = dress(_figure(trace), title)
    _seconds(figure, clip.seconds)
    _hertz(figure, spectrum)
    return figure


def waveform(clip, title: str = "", columns: int = 800):
    """Lowest and highest sample of each stretch of a clip, over seconds; the level is shown as it is. Notebook: 00.

    clip: Clip [C, N]. Returns a plotly Figure. Raises ValueError for a clip without samples.
    """
    import plotly.graph_objects as go

    low, high = spectra.outline(clip, columns)
    x = (np.repeat(np.arange(len(low)), 2) + 0.5) * clip.seconds / len(low)
    y = np.stack([low, high], 1).ravel()
    figure = dress(
        _figure(
            go.Scatter(
                x=x.astype(np.float32),
                y=y.astype(np.float32),
                mode="lines",
                line=dict(width=1, color=HIDDEN),
                hovertemplate="%{x:.2f} s, %{y:.3f}<extra></extra>",
            )
        ),
        title,
        200,
    )
    figure.update_yaxes(title_text="sample (full scale 1)")
    _seconds(figure, clip.seconds)
    return figure


def _rows(figure, codebooks: int, **where) -> None:
    names = spectra.codebook_names(codebooks)
    figure.update_yaxes(
        tickvals=list(range(codebooks)), ticktext=names, range=[codebooks - 0.5, -0.5], showgrid=False, **where
    )


def tokens(tokens_or_codes, title: str = ""):
    """Codes as a heatmap, a row a codebook (coarse 1 to 4, fine 5 on) over seconds. Notebook: 01.

    tokens_or_codes: Tokens, or codes [K, T] (then of the paper's frame rate). Colour is the number of the entry.
    At most 600 frames are drawn one by one; of longer ones every n-th, and the title says so. Returns a plotly Figure.
    Raises TypeError and ValueError for what is not [K, T] of whole numbers.
    """
    import plotly.graph_objects as go

    codes = spectra.code_array(tokens_or_codes)
    stride = -(-codes.shape[1] // WIDEST)
    step = spectra.frame_seconds(tokens_or_codes) * stride
    if stride > 1:
        title = f"{title} (every {stride}th frame)".strip()
    figure = dress(
        _figure(
            go.Heatmap(
                z=codes[:, ::stride].astype(np.int16),
                x0=step / 2,
                dx=step,
                colorscale="Viridis",
                colorbar=dict(title=dict(text="entry"), thickness=12),
                hovertemplate="%{x:.2f} s, %{y}: entry %{z}<extra></extra>",
            )
        ),
        title,
        120 + 18 * len(codes),
    )
    _rows(figure, len(codes))
    _seconds(figure, codes.shape[1] * spectra.frame_seconds(tokens_or_codes))
    return figure


def _mask_traces(grid: np.ndarray, frame: float):
    """Heatmap of kept and hidden cells, and a line through every run of hidden ones."""
    import plotly.graph_objects as go

    stride = -(-grid.shape[1] // (2 * WIDEST))
    shown = grid[:, ::stride].astype(np.int8)
    scale = [[0, KEPT], [0.5, KEPT], [0.5, HIDDEN], [1, HIDDEN]]
    cells = go.Heatmap(
        z=shown,
        x0=frame * stride / 2,
        dx=frame * stride,
        zmin=0,
        zmax=1,
        colorscale=scale,
        ygap=1,
        showscale=False,
        hovertemplate="%{x:.2f} s, %{y}: %{z} (1 hidden, 0 kept)<extra></extra>",
        name="mask",
    )
    spans = [(a, b, k) for k, row in enumerate(grid) for a, b in spectra.runs(row)]
    x = np.array([(a * frame, b * frame, np.nan) for a, b, _ in spans], dtype=np.float32).ravel()
    y = np.repeat(np.array([k for *_, k in spans], dtype=np.float32), 3)
    strike = go.Scatter(
        x=x, y=y, mode="lines", line=dict(width=1, color=STRIKE), hoverinfo="skip", showlegend=False, name="hidden"
    )
    return cells, strike


def _legend(figure) -> None:
    """Two names in the legend: drawn by empty traces, as a heatmap has none."""
    for name, colour, symbol in (
        ("hidden, to be filled in (struck through)", HIDDEN, "square-cross"),
        ("kept", "#a0a0a0", "square-open"),
    ):
        figure.add_scatter(
            x=[None],
            y=[None],
            mode="markers",
            name=name,
            marker=dict(size=11, color=colour, symbol=symbol, line=dict(width=1, color=INK)),
        )


def _share(grid: np.ndarray, frame: float) -> str:
    return f"{100 * grid.mean():.1f} % hidden, {grid.any(0).sum() * frame:.2f} s touched"


def mask(mask, tokens=None, title: str = ""):
    """What a mask hides: a row a codebook over seconds; hidden cells are filled and struck through. Notebook: 02.

    mask: bool [K, T], True = hidden. tokens: Tokens, which give the time axis (else the paper's frame rate).
    Returns a plotly Figure. Raises TypeError and ValueError for what is no mask.
    """
    grid, frame = spectra.mask_array(mask), spectra.frame_seconds(tokens)
    figure = dress(_figure(*_mask_traces(grid, frame)), title or _share(grid, frame), 130 + 18 * len(grid))
    _legend(figure)
    _rows(figure, len(grid))
    _seconds(figure, grid.shape[1] * frame)
    return figure


def mask_over(clip, mask, tokens=None, title: str = ""):
    """Spectrogram of a clip above, its mask below, on one time axis. Notebook: 00.

    clip: Clip [C, N]. mask: bool [K, T], True = hidden. tokens: Tokens, which give the mask's time axis.
    Returns a plotly Figure. Raises TypeError and ValueError for what is no mask, ValueError for an empty clip.
    """
    from plotly.subplots import make_subplots

    grid, frame = spectra.mask_array(mask), spectra.frame_seconds(tokens)
    figure = make_subplots(rows=2, cols=1, shared_xaxes=True, vertical_spacing=0.05, row_heights=[0.45, 0.55])
    trace, spectrum = _spectrogram_trace(clip, 420, showscale=False)
    figure.add_trace(trace, row=1, col=1)
    for part in _mask_traces(grid, frame):
        figure.add_trace(part, row=2, col=1)
    dress(figure, title or _share(grid, frame), 230 + 26 * len(grid))
    _hertz(figure, spectrum, row=1, col=1)
    _rows(figure, len(grid), row=2, col=1)
    length = max(clip.seconds, grid.shape[1] * frame)
    figure.update_xaxes(range=[0, length], showgrid=False)
    figure.update_xaxes(title_text="time (s)", row=2, col=1)
    return figure


def _hidden_after(steps) -> list[tuple[str, np.ndarray]]:
    found = []
    for number, step in enumerate(steps):
        index = step.index if hasattr(step, "confidence") else number  # a tensor has an `index` of another meaning
        grid = np.asarray(getattr(step, "mask", step))
        grid = spectra.mask_array(grid[0] if grid.ndim == 3 else grid)
        found.append((f"pass {index + 1}", grid))
    if not found:
        raise ValueError("no passes were given, at least one was expected; give list(vk.sample(...))")
    return found


def passes(steps, tokens=None, panels: int = 9, title: str = "", names=None):
    """How the mask empties: up to `panels` passes of the sampling loop, evenly chosen, a small grid each. Notebook: 00.

    steps: Step objects of `sample` (or masks bool [K, T]); of a batch the first item. A pass's panel shows what is
    still hidden after it, as percent where several frames share a column. tokens: Tokens, which give the time axis.
    names: one a grid, in place of "pass 1" and so on. Returns a plotly Figure. Raises ValueError without steps, and for
    another number of names.
    """
    import plotly.graph_objects as go
    from plotly.subplots import make_subplots

    found = _hidden_after(steps)
    if names is not None:
        if len(names) != len(found):
            raise ValueError(f"{len(names)} names were given for {len(found)} grids, one each was expected")
        found = [(name, grid) for name, (_, grid) in zip(names, found, strict=True)]
    chosen = [found[i] for i in np.unique(np.linspace(0, len(found) - 1, min(panels, len(found))).round().astype(int))]
    columns = min(3, len(chosen))
    rows = -(-len(chosen) // columns)
    heads = [f"{name}: {100 * grid.mean():.1f} % hidden" for name, grid in chosen]
    figure = make_subplots(
        rows=rows,
        cols=columns,
        subplot_titles=heads,
        shared_xaxes=True,
        shared_yaxes=True,
        horizontal_spacing=0.03,
        vertical_spacing=0.28 / rows,
    )
    frame = spectra.frame_seconds(tokens)
    for i, (_, grid) in enumerate(chosen):
        width = min(200, grid.shape[1])
        edges = np.linspace(0, grid.shape[1], width + 1).round().astype(int)
        share = 100 * np.add.reduceat(grid.astype(float), edges[:-1], axis=1) / np.diff(edges)
        step = grid.shape[1] * frame / width
        figure.add_trace(
            go.Heatmap(
                z=share.round().astype(np.int8),
                x0=step / 2,
                dx=step,
                zmin=0,
                zmax=100,
                ygap=1,
                showscale=False,
                colorscale=[[0, KEPT], [1, HIDDEN]],
                hovertemplate="%{x:.2f} s, %{y}: %{z} % hidden<extra></extra>",
            ),
            row=i // columns + 1,
            col=i % columns + 1,
        )
    dress(figure, title, 60 + rows * (70 + 16 * len(chosen[0][1])))
    _rows(figure, len(chosen[0][1]))
    figure.update_xaxes(showgrid=False)
    figure.update_xaxes(title_text="time (s)", row=rows)
    figure.update_annotations(font=dict(size=12, color=INK))
    figure.update_layout(margin=dict(t=64 if title else 40))
    return figure
