"""The twin of a plotly figure, drawn by matplotlib: the kinds of traces and settings that this package's figures use.

Panels lie where plotly puts them; margins grow where texts need room. Nothing global is touched, no browser is asked.
"""

from __future__ import annotations

import html
import re
import textwrap
from itertools import count

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import LinearSegmentedColormap, Normalize, to_rgba
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.ticker import FixedLocator, MaxNLocator, MultipleLocator, NullLocator
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

WIDTH, DPI = 720, 100
POINT = 72 / DPI  # points a pixel
TEXT, GRID = "#4a4a4a", "#dddddd"  # on white, unlike the figure's own middle grey
CYCLE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
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
ANCHORS = {"middle": "center", "auto": "center", None: "center"}


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


def draw(figure) -> Figure:
    """A matplotlib figure with the traces, axes, shapes, texts and legend of a plotly figure."""
    return _Twin(figure).still


class _Twin:
    """One drawing: panels by the names of their axes, and the margins in pixels."""

    def __init__(self, figure):
        self.traces, self.layout = figure.data, figure.layout
        self.height = self.layout.height or 450
        margin = self.layout.margin
        sides = {"left": (margin.l, 80), "right": (margin.r, 80), "top": (margin.t, 100), "bottom": (margin.b, 80)}
        self.margin = {side: usual if given is None else given for side, (given, usual) in sides.items()}
        self.still = Figure(figsize=(WIDTH / DPI, self.height / DPI), dpi=DPI, facecolor="white")
        self.canvas = FigureCanvasAgg(self.still)
        self.panels: dict[tuple[str, str], object] = {}
        self.names: dict[tuple[str, str], list[str]] = {}
        self.bars: list = []
        self.paper = self.still.add_axes((0, 0, 1, 1), zorder=-1)  # plotly's "paper": the area within the margins
        self.paper.set_axis_off()
        cycle = count()
        self.keys = []
        for trace in self.traces:
            getattr(self, f"_{trace.type}")(trace, CYCLE[next(cycle) % len(CYCLE)])
        for (x, y), axes in self.panels.items():
            self._axis(axes, x, "x")
            self._axis(axes, y, "y")
        self._matches()
        self._thin_out()
        for shape in self.layout.shapes:
            self._shape(shape)
        for note in self.layout.annotations:
            self._annotation(note)
        self._arrange()

    # Panels and their axes

    def _panel(self, trace):
        key = (trace.xaxis or "x", trace.yaxis or "y")
        if key not in self.panels:
            axes = self.still.add_axes((0, 0, 1, 1), label="".join(key))
            axes.set_facecolor("none")
            axes.spines[:].set_visible(False)
            self.panels[key] = axes
        return self.panels[key]

    def _settings(self, name: str):
        return self.layout[name[0] + "axis" + name[1:]]

    def _places(self, name: str, values) -> np.ndarray:
        """Values along an axis as numbers; names are counted in the order in which they come."""
        values = list(values)
        if not any(isinstance(value, str) for value in values):
            return np.array([np.nan if value is None else float(value) for value in values])
        known = self.names.setdefault(name, [])
        known += [value for value in dict.fromkeys(values) if value not in known]
        return np.array([known.index(value) for value in values], dtype=float)

    def _axis(self, axes, name: str, side: str) -> None:
        settings, axis = self._settings(name), getattr(axes, f"{side}axis")
        if settings.type == "log":
            getattr(axes, f"set_{side}scale")("log")
            axis.set_minor_locator(NullLocator())
        limits = getattr(axes, f"set_{side}lim")
        if settings.range:
            limits(*(10 ** np.array(settings.range) if settings.type == "log" else settings.range))
        elif settings.autorange == "reversed":
            limits(*sorted(getattr(axes, f"get_{side}lim")(), reverse=True))
        if settings.scaleanchor:
            axes.set_aspect("equal", adjustable="box" if settings.constrain == "domain" else "datalim")
        self._ticks(axes, axis, settings, name)
        if settings.showgrid is not False:
            axis.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        size = 12 * POINT
        axes.tick_params(side, colors=GRID, labelcolor=TEXT, labelsize=size, length=4, width=0.8, pad=3)
        if settings.showticklabels is False:
            axes.tick_params(side, **{"labelleft" if side == "y" else "labelbottom": False})
        axis.set_label_text(plain(settings.title.text), fontsize=size, color=TEXT)
        axis.set_visible(settings.visible is not False)

    def _ticks(self, axes, axis, settings, name: str) -> None:
        if settings.tickvals is not None and settings.tickmode != "auto":
            places = self._places(name, settings.tickvals)
            texts = settings.ticktext if settings.ticktext is not None else [f"{value:g}" for value in places]
        elif name in self.names:
            texts = self.names[name]
            places = np.arange(len(texts))
        else:
            if settings.dtick:
                axis.set_major_locator(MultipleLocator(settings.dtick))
            elif settings.type != "log":
                low, high = settings.domain or (0, 1)
                room = (high - low) * (WIDTH - 100 if name[0] == "x" else self.height - 80)
                axis.set_major_locator(
                    MaxNLocator(max(2, int(room / (70 if name[0] == "x" else 36))), steps=[1, 2, 5, 10])
                )
                axes.ticklabel_format(axis=name[0], useOffset=False, style="plain")
            return
        texts = [plain(str(text)) for text in texts]
        if name[0] == "x":
            low, high = settings.domain or (0, 1)
            room = (high - low) * (WIDTH - 100) / max(len(texts), 1)
            lines = [line for text in texts for line in text.split("\n")]
            if max((len(line) for line in lines), default=0) * 6.6 > room:  # names share their lines with nobody
                wide = max(4, int(room / 6.6))
                texts = ["\n".join(textwrap.fill(line, wide) for line in text.split("\n")) for text in texts]
        axis.set_major_locator(FixedLocator(places))
        axis.set_ticks(places, texts)

    def _matches(self) -> None:
        """Axes that follow another one, and have no range of their own, get the limits of all that follow it."""
        for side, spot in (("x", 0), ("y", 1)):
            groups: dict[str, list] = {}
            for key, axes in self.panels.items():
                if self._settings(key[spot]).range is None:
                    groups.setdefault(self._settings(key[spot]).matches or key[spot], []).append(axes)
            for group in groups.values():
                limits = np.array([getattr(axes, f"get_{side}lim")() for axes in group])
                first, last = (max, min) if limits[0, 0] > limits[0, 1] else (min, max)
                for axes in group:
                    getattr(axes, f"set_{side}lim")(first(limits[:, 0]), last(limits[:, 1]))

    def _thin_out(self) -> None:
        """Panels side by side in little room: the first one's names of rows stand for all."""
        for (x, y), axes in self.panels.items():
            start, row = (self._settings(x).domain or (0, 1))[0], self._settings(y).domain
            ends = [
                self._settings(other).domain[1]
                for other, high in self.panels
                if self._settings(high).domain == row and other != x
            ]
            before = [start - end for end in ends if end <= start]
            if before and min(before) * (WIDTH - 100) < 40 and not self._settings(y).title.text:
                axes.tick_params("y", labelleft=False)

    # Traces

    def _key(self, trace, handle) -> None:
        """A line of the legend, where the figure has one."""
        counted = [t for t in self.traces if t.type != "heatmap" and t.showlegend is not False]
        wanted = self.layout.showlegend
        if wanted is None:
            wanted = len(counted) > 1 or any(t.showlegend for t in counted)
        if wanted and trace.showlegend is not False:
            place = next(i for i, other in enumerate(self.traces) if other is trace)
            self.keys.append((handle, plain(trace.name or f"trace {place}")))

    def _scatter(self, trace, usual: str) -> None:
        axes = self._panel(trace)
        x = self._places(trace.xaxis or "x", trace.x if trace.x is not None else range(len(trace.y)))
        y = self._places(trace.yaxis or "y", trace.y)
        mode, line, marker = trace.mode or ("lines+markers" if len(x) < 20 else "lines"), trace.line, trace.marker
        look = {"linestyle": "none", "alpha": trace.opacity}
        if "lines" in mode:
            width = (2 if line.width is None else line.width) * POINT
            look |= dict(color=colour(line.color or usual), linewidth=width, drawstyle=STEPS.get(line.shape, "default"))
            look["linestyle"] = (0, DASHES[line.dash]) if line.dash in DASHES else "solid"
        if "markers" in mode:
            look |= _marker(marker, line.color or usual)
        shown = ~np.isnan(x) | ~np.isnan(y) if len(x) else np.zeros(0, bool)
        if shown.any():
            axes.plot(x, y, clip_on="lines" in mode or not self._inside(trace, x, y), **look)
            self._errors(axes, x, y, trace.error_y, line.color or marker.color or usual)
            axes.margins(x=0.04 if "markers" in mode else 0, y=0.07)
        self._key(trace, Line2D([], [], **look))

    def _inside(self, trace, x, y) -> bool:
        """Whether markers may reach over the border: none lies outside of the range."""
        for name, values in ((trace.xaxis or "x", x), (trace.yaxis or "y", y)):
            limits = self._settings(name).range
            if limits and (np.nanmin(values) < min(limits) or np.nanmax(values) > max(limits)):
                return False
        return True

    @staticmethod
    def _errors(axes, x, y, bars, usual: str) -> None:
        if bars.array is None or bars.visible is False:
            return
        lower = bars.array if bars.arrayminus is None else bars.arrayminus
        spread = np.abs(np.array([lower, bars.array], dtype=float))
        look = dict(ecolor=colour(bars.color or usual), elinewidth=1.4, capsize=3, capthick=1.4, fmt="none")
        axes.errorbar(x, y, yerr=spread, **look)

    def _bar(self, trace, usual: str) -> None:
        axes = self._panel(trace)
        beside = [t for t in self.traces if t.type == "bar" and (t.xaxis, t.yaxis) == (trace.xaxis, trace.yaxis)]
        place = next(i for i, other in enumerate(beside) if other is trace)
        share = 0.8 / len(beside)
        x = self._places(trace.xaxis or "x", trace.x) + (place - (len(beside) - 1) / 2) * share
        fill = colour(trace.marker.color or usual)
        axes.bar(x, trace.y, share, color=fill)
        self._errors(axes, x, trace.y, trace.error_y, usual)
        axes.margins(x=0.02, y=0.06)
        self._key(trace, Patch(color=fill))

    def _heatmap(self, trace, _usual: str) -> None:
        axes = self._panel(trace)
        cells = np.array([[np.nan if v is None else v for v in row] for row in trace.z], dtype=float)
        rows, columns = cells.shape
        left, wide = self._grid(trace.xaxis or "x", trace.x, trace.x0, trace.dx, columns)
        low, high = self._grid(trace.yaxis or "y", trace.y, trace.y0, trace.dy, rows)
        bounds = [np.nanmin(cells) if trace.zmin is None else trace.zmin]
        bounds += [np.nanmax(cells) if trace.zmax is None else trace.zmax]
        look = dict(cmap=_scale(trace.colorscale, trace.reversescale), norm=Normalize(*bounds), alpha=trace.opacity)
        before = axes.dataLim.frozen() if axes.has_data() else None
        extent = (left, left + wide * columns, low, low + high * rows)
        picture = axes.imshow(cells, aspect="auto", origin="lower", interpolation="nearest", extent=extent, **look)
        if before is not None:
            axes.update_datalim(before)
        for gap, edges, line in (
            (trace.ygap, low + high * np.arange(1, rows), axes.axhline),
            (trace.xgap, left + wide * np.arange(1, columns), axes.axvline),
        ):
            for edge in edges if gap else ():
                line(edge, color="white", linewidth=gap * POINT)
        if trace.texttemplate:
            self._cell_texts(axes, trace, cells, picture, (left + wide / 2, wide, low + high / 2, high))
        if trace.showscale is not False:
            self.bars.append((picture, plain(trace.colorbar.title.text)))

    def _grid(self, name: str, values, first, step, cells: int) -> tuple[float, float]:
        """Where cells of equal size begin along an axis, and how long each is."""
        if values is not None:
            places = self._places(name, values)
            first, step = places[0], (places[-1] - places[0]) / max(len(places) - 1, 1) or 1
        step = 1 if step is None else float(step)
        return (0 if first is None else float(first)) - step / 2, step

    @staticmethod
    def _cell_texts(axes, trace, cells, picture, spots) -> None:
        x, wide, y, high = spots
        size = (trace.textfont.size or 12) * POINT
        for (row, column), value in np.ndenumerate(cells):
            words = trace.text[row][column] if trace.text is not None else ""
            number = re.sub(
                r"%\{z(?::([^}]*))?\}", lambda found, v=value: format(v, found[1] or "g"), trace.texttemplate
            )
            text = plain(number.replace("%{text}", str(words)))
            red, green, blue, alpha = picture.cmap(picture.norm(value))
            light = 1 - alpha + alpha * (0.3 * red + 0.6 * green + 0.1 * blue)
            ink = trace.textfont.color or ("#222222" if light > 0.5 else "#ffffff")
            spot = (x + column * wide, y + row * high)
            axes.text(*spot, text, ha="center", va="center", fontsize=size, color=colour(ink), clip_on=True)

    # Shapes and notes

    def _transform(self, name: str | None, axis: str):
        """How a coordinate of a shape or note is meant: in data, in a share of a panel, or in a share of the paper."""
        name = name or axis
        if name == "paper":
            return self.paper.transAxes
        name, _, domain = name.partition(" ")
        found = [axes for (x, y), axes in self.panels.items() if name in (x, y)]
        if not found:
            return self.paper.transAxes
        return found[0].transAxes if domain else found[0].transData

    def _shape(self, shape) -> None:
        inside = [axes for (x, y), axes in self.panels.items() if x in (shape.xref or "") or y in (shape.yref or "")]
        transform = blended_transform_factory(self._transform(shape.xref, "x"), self._transform(shape.yref, "y"))
        fill = colour(shape.fillcolor, shape.opacity) if shape.fillcolor else "none"
        line = shape.line
        width = (2 if line.width is None else line.width) * POINT
        look = dict(transform=transform, linewidth=width, zorder=0.5 if shape.layer == "below" else 3)
        edge = colour(line.color or TEXT, shape.opacity)
        if line.dash in DASHES:
            look["linestyle"] = (0, DASHES[line.dash])
        if shape.type == "line":
            part = Line2D([shape.x0, shape.x1], [shape.y0, shape.y1], color=edge, **look)
        else:
            size = (shape.x1 - shape.x0, shape.y1 - shape.y0)
            part = Rectangle((shape.x0, shape.y0), *size, facecolor=fill, edgecolor=edge if width else "none", **look)
        self.still.add_artist(part)
        if inside:
            part.set_clip_box(inside[0].bbox)

    def _annotation(self, note) -> None:
        transform = blended_transform_factory(self._transform(note.xref, "x"), self._transform(note.yref, "y"))
        across = ANCHORS.get(note.xanchor, note.xanchor)
        along = "bottom" if note.showarrow and note.yanchor is None else ANCHORS.get(note.yanchor, note.yanchor)
        if along == "bottom":  # a title of a panel does not touch it
            transform += ScaledTranslation(0, 3 / DPI, self.still.dpi_scale_trans)
        look = dict(ha=across, va=along, fontsize=(note.font.size or 12) * POINT, color=TEXT)
        self.still.text(note.x, note.y, plain(note.text), transform=transform, **look)

    # Margins, title, legend

    def _arrange(self) -> None:
        title = plain(self.layout.title.text)
        title = textwrap.fill(title, 88)
        lines = title.count("\n") + 1 if title else 0
        size = (self.layout.title.font.size or 14) * POINT
        top = 8 + 20 * lines
        if title:
            self.still.text(0.012, 1 - 7 / self.height, title, va="top", fontsize=size, color=TEXT)
        legend = self._legend()
        if legend is not None:
            top += legend.get_window_extent().height + 4
        if any(note.yref == "paper" and note.yanchor == "bottom" for note in self.layout.annotations):
            top += 18
        self.margin["top"] = max(self.margin["top"], top)
        if self.bars:
            self.margin["right"] += 12 + 46
        for _ in range(2):  # texts that would be cut off push their margin; a second look for what moved by that
            self._place(legend)
            box = self.still.get_tightbbox(self.canvas.get_renderer())
            edges = {"left": box.x0 * DPI, "bottom": box.y0 * DPI, "right": WIDTH - box.x1 * DPI}
            short = {side: max(0.0, 5 - room) for side, room in edges.items()}
            for side, pixels in short.items():
                self.margin[side] += pixels
            if not any(short.values()):
                break
        self._place(legend)

    def _legend(self):
        """The legend's lines in as few rows as the picture's width allows; None without any."""
        for columns in range(len(self.keys), 0, -1):
            rows = -(-len(self.keys) // columns)
            ordered = [self.keys[i] for start in range(columns) for i in range(start, len(self.keys), columns)]
            look = dict(fontsize=12 * POINT, frameon=False, labelcolor=TEXT, handlelength=2.4, borderaxespad=0)
            legend = self.still.legend(*zip(*ordered, strict=True), ncols=columns, columnspacing=1.4, **look)
            if legend.get_window_extent().width < WIDTH - 60 or columns == 1 or rows > 6:
                return legend
            legend.remove()
        return None

    def _place(self, legend) -> None:
        left, bottom = self.margin["left"] / WIDTH, self.margin["bottom"] / self.height
        wide = 1 - left - self.margin["right"] / WIDTH
        high = 1 - bottom - self.margin["top"] / self.height
        self.paper.set_position((left, bottom, wide, high))
        for (x, y), axes in self.panels.items():
            (x0, x1), (y0, y1) = (self._settings(name).domain or (0, 1) for name in (x, y))
            axes.set_position((left + x0 * wide, bottom + y0 * high, (x1 - x0) * wide, (y1 - y0) * high))
        if legend is not None:
            legend.set_loc("lower right")
            legend.set_bbox_to_anchor((left + wide, bottom + high + 4 / self.height), self.still.transFigure)
        for picture, title in self.bars[:1]:
            place = (left + wide + 12 / WIDTH, bottom, 12 / WIDTH, high - (14 / self.height if title else 0))
            self._colour_bar(picture, title, place)

    def _colour_bar(self, picture, title: str, place) -> None:
        if getattr(self, "scale", None) is None:
            self.scale = self.still.add_axes(place)
            drawn = self.still.colorbar(ScalarMappable(picture.norm, picture.cmap), cax=self.scale)
            drawn.outline.set_visible(False)
            self.scale.tick_params(colors=GRID, labelcolor=TEXT, labelsize=12 * POINT, length=4, width=0.8)
            self.scale.set_title(title, fontsize=12 * POINT, color=TEXT, loc="left", pad=4)
        self.scale.set_position(place)


def _scale(stops, back: bool | None = None) -> LinearSegmentedColormap:
    """A colour scale of plotly; two stops at one place make a sharp border."""
    from plotly.colors import get_colorscale

    stops = stops if stops is not None else get_colorscale("Viridis")
    found = LinearSegmentedColormap.from_list("scale", [(place, colour(name)) for place, name in stops], N=2048)
    return found.reversed() if back else found


def _marker(marker, usual: str) -> dict:
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
    look |= dict(
        markeredgecolor=colour(given if drawn else marker.line.color or given),
        markeredgewidth=edge or (1.2 if drawn else 0),
    )
    return look
