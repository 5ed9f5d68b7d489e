"""The twin of a plotly figure, drawn by matplotlib: the kinds of traces and settings that this package's figures use.

Panels lie where plotly puts them; margins grow where texts need room. Nothing global is touched, no browser is asked.
"""

from __future__ import annotations

import textwrap

import numpy as np
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.lines import Line2D
from matplotlib.patches import Patch, Rectangle
from matplotlib.text import Annotation
from matplotlib.ticker import MaxNLocator, MultipleLocator, NullLocator
from matplotlib.transforms import ScaledTranslation, blended_transform_factory

from vampkit.show.marks import DPI, POINT, STEPS, cell_texts, colour, line_look, marker_look, plain, scale

WIDTH = 720
SIZE = 12 * POINT  # of texts
TRACES, SHAPES = {"bar", "heatmap", "scatter"}, {"line", "rect"}  # what is drawn
TEXT, GRID = "#4a4a4a", "#dddddd"  # on white, unlike the figure's own middle grey
CYCLE = ("#1f77b4", "#ff7f0e", "#2ca02c", "#d62728", "#9467bd", "#8c564b", "#e377c2", "#7f7f7f", "#bcbd22", "#17becf")
ANCHORS = {"middle": "center", "auto": "center", None: "center"}


def knows(figure) -> bool:
    """Whether all traces and shapes of a figure are of kinds that are drawn here."""
    return {t.type for t in figure.data} <= TRACES and {s.type for s in figure.layout.shapes} <= SHAPES


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
        self.panels, self.names, self.keys = {}, {}, []
        self.scaled = self.bar = None  # the heatmap whose colours are explained by a bar, and the bar
        self.paper = self.still.add_axes((0, 0, 1, 1), zorder=-1)  # plotly's "paper": the area within the margins
        self.paper.set_axis_off()
        for i, trace in enumerate(self.traces):
            getattr(self, f"_{trace.type}")(trace, CYCLE[i % len(CYCLE)])
        for (x, y), axes in self.panels.items():
            for shape in self.layout.shapes:  # limits take in shapes that are placed by values
                ends, sides = [(shape.x0, shape.y0), (shape.x1, shape.y1)], (shape.xref == x, shape.yref == y)
                if any(sides):
                    axes.update_datalim(ends, *sides)
                    axes.autoscale_view()
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
            log = settings.type == "log"
            limits(*(10**end if log and end is not None else end for end in settings.range))
        elif settings.rangemode == "tozero":
            low, high = getattr(axes, f"get_{side}lim")()
            limits(min(low, 0), max(high, 0))
        elif settings.autorange == "reversed":
            limits(*sorted(getattr(axes, f"get_{side}lim")(), reverse=True))
        if settings.scaleanchor:
            axes.set_aspect("equal", adjustable="box" if settings.constrain == "domain" else "datalim")
        self._ticks(axes, axis, settings, name)
        if settings.showgrid is not False:
            axis.grid(color=GRID, linewidth=0.8)
        axes.set_axisbelow(True)
        axes.tick_params(side, colors=GRID, labelcolor=TEXT, labelsize=SIZE, length=4, width=0.8, pad=3)
        if settings.showticklabels is False:
            axes.tick_params(side, **{"labelleft" if side == "y" else "labelbottom": False})
        axis.set_label_text(plain(settings.title.text), fontsize=SIZE, color=TEXT)
        axis.set_visible(settings.visible is not False)

    def _room(self, name: str) -> float:
        """Pixels along an axis, about."""
        low, high = self._settings(name).domain or (0, 1)
        return (high - low) * (WIDTH - 100 if name[0] == "x" else self.height - 80)

    def _ticks(self, axes, axis, settings, name: str) -> None:
        if settings.tickvals is not None and settings.tickmode != "auto":
            places = self._places(name, settings.tickvals)
            texts = [f"{place:g}" for place in places] if settings.ticktext is None else settings.ticktext
        elif name in self.names:
            texts = self.names[name]
            places = np.arange(len(texts))
        elif settings.dtick and settings.type != "log":
            return axis.set_major_locator(MultipleLocator(settings.dtick))
        elif settings.type != "log":
            most = max(2, int(self._room(name) / (70 if name[0] == "x" else 36)))
            axis.set_major_locator(MaxNLocator(most, steps=[1, 2, 5, 10]))
            return axes.ticklabel_format(axis=name[0], useOffset=False, style="plain")
        else:
            return None
        texts = [plain(str(text)) for text in texts]
        room = self._room(name) / max(len(texts), 1) / 6.6  # letters that fit beside those of the neighbours
        if name[0] == "x" and any(len(line) > room for text in texts for line in text.split("\n")):
            texts = ["\n".join(textwrap.fill(line, max(4, int(room))) for line in text.split("\n")) for text in texts]
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
        mode = trace.mode or ("lines+markers" if len(x) < 20 else "lines")
        usual = trace.line.color or trace.marker.color or usual
        look = {"linestyle": "none", "alpha": trace.opacity}
        if "lines" in mode:
            look |= line_look(trace.line, usual) | {"drawstyle": STEPS.get(trace.line.shape, "default")}
        if "markers" in mode:
            look |= marker_look(trace.marker, usual)
        if not (np.isnan(x) & np.isnan(y)).all():
            axes.plot(x, y, clip_on="lines" in mode or not self._inside(trace, x, y), **look)
            self._errors(axes, x, y, trace.error_y, usual)
            axes.margins(x=0.04 if "markers" in mode else 0, y=0.07)
        self._key(trace, Line2D([], [], **look))

    def _inside(self, trace, x, y) -> bool:
        """Whether markers may reach over the border: none lies outside of the range."""
        for name, values in ((trace.xaxis or "x", x), (trace.yaxis or "y", y)):
            limits = self._settings(name).range
            if limits and None not in limits and (np.nanmin(values) < min(limits) or np.nanmax(values) > max(limits)):
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
        x, wide = self._middles(trace.xaxis or "x", trace.x, trace.x0, trace.dx, cells.shape[1])
        y, high = self._middles(trace.yaxis or "y", trace.y, trace.y0, trace.dy, cells.shape[0])
        bounds = [np.nanmin(cells) if trace.zmin is None else trace.zmin]
        bounds += [np.nanmax(cells) if trace.zmax is None else trace.zmax]
        extent = (x[0] - wide / 2, x[-1] + wide / 2, y[0] - high / 2, y[-1] + high / 2)
        look = dict(cmap=scale(trace.colorscale), norm=Normalize(*bounds), extent=extent)
        picture = axes.imshow(cells, aspect="auto", origin="lower", interpolation="nearest", **look)
        for edge in y[1:] - high / 2 if trace.ygap else ():
            axes.axhline(edge, color="white", linewidth=trace.ygap * POINT)
        for edge in x[1:] - wide / 2 if trace.xgap else ():
            axes.axvline(edge, color="white", linewidth=trace.xgap * POINT)
        if trace.texttemplate:
            cell_texts(axes, trace, picture, x, y)
        if trace.showscale is not False and self.scaled is None:
            self.scaled = picture, plain(trace.colorbar.title.text)

    def _middles(self, name: str, values, first, step, cells: int) -> tuple[np.ndarray, float]:
        """The middles of cells of equal size along an axis, and how long a cell is."""
        if values is not None:
            places = self._places(name, values)
            first, step = places[0], (places[-1] - places[0]) / max(len(places) - 1, 1) or 1
        step = 1.0 if step is None else float(step)
        return float(first or 0) + step * np.arange(cells), step

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
        look = line_look(shape.line, TEXT) | dict(transform=transform, zorder=0.5 if shape.layer == "below" else 3)
        edge = colour(shape.line.color or TEXT, shape.opacity)
        if shape.type == "line":
            part = Line2D([shape.x0, shape.x1], [shape.y0, shape.y1], **look | dict(color=edge))
        else:
            look["facecolor"] = colour(shape.fillcolor, shape.opacity) if shape.fillcolor else "none"
            look["edgecolor"] = edge if look["linewidth"] else "none"
            del look["color"]
            part = Rectangle((shape.x0, shape.y0), shape.x1 - shape.x0, shape.y1 - shape.y0, **look)
        self.still.add_artist(part)
        if inside:
            part.set_clip_box(inside[0].bbox)

    def _annotation(self, note) -> None:
        transform = blended_transform_factory(self._transform(note.xref, "x"), self._transform(note.yref, "y"))
        across, along = (ANCHORS.get(anchor, anchor) for anchor in (note.xanchor, note.yanchor))
        look = dict(ha=across, va=along, fontsize=(note.font.size or 12) * POINT, color=TEXT)
        if note.showarrow is False:
            if along == "bottom":  # a title of a panel does not touch it
                transform += ScaledTranslation(0, 3 / DPI, self.still.dpi_scale_trans)
            self.still.text(note.x, note.y, plain(note.text), transform=transform, **look)
            return
        away = ((-10 if note.ax is None else note.ax) * POINT, (30 if note.ay is None else -note.ay) * POINT)
        look |= dict(textcoords="offset points", arrowprops=dict(arrowstyle="->", color=TEXT, linewidth=0.8))
        self.still.add_artist(Annotation(plain(note.text), (note.x, note.y), away, transform, **look))

    # Margins, title, legend

    def _arrange(self) -> None:
        title = textwrap.fill(plain(self.layout.title.text), 88)
        top = 8
        if title:
            top += 20 * (title.count("\n") + 1)
            size = (self.layout.title.font.size or 14) * POINT
            self.still.text(0.012, 1 - 7 / self.height, title, va="top", fontsize=size, color=TEXT)
        legend = self._legend()
        if legend is not None:
            top += legend.get_window_extent().height + 4
        if any(note.yref == "paper" and note.yanchor == "bottom" for note in self.layout.annotations):
            top += 18
        self.margin["top"] = max(self.margin["top"], top)
        if self.scaled:
            self.margin["right"] += 58
        self._place(legend)
        box = self.still.get_tightbbox(self.canvas.get_renderer())
        for side, room in (("left", box.x0 * DPI), ("bottom", box.y0 * DPI), ("right", WIDTH - box.x1 * DPI)):
            self.margin[side] += max(0.0, 5 - room)  # texts that would be cut off push their margin
        self._place(legend)

    def _legend(self):
        """The legend's lines in as few rows as the picture's width allows; None without any."""
        for columns in range(len(self.keys), 0, -1):
            rows = -(-len(self.keys) // columns)
            ordered = [self.keys[i] for start in range(columns) for i in range(start, len(self.keys), columns)]
            look = dict(fontsize=SIZE, frameon=False, labelcolor=TEXT, handlelength=2.4, borderaxespad=0)
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
        if self.scaled:
            self._colour_bar(left + wide + 12 / WIDTH, bottom, high)

    def _colour_bar(self, left: float, bottom: float, high: float) -> None:
        picture, title = self.scaled
        if self.bar is None:
            self.bar = self.still.add_axes((0, 0, 1, 1), label="bar")
            self.still.colorbar(ScalarMappable(picture.norm, picture.cmap), cax=self.bar).outline.set_visible(False)
            self.bar.tick_params(colors=GRID, labelcolor=TEXT, labelsize=SIZE, length=4, width=0.8)
            self.bar.set_title(title, fontsize=SIZE, color=TEXT, loc="left", pad=4)
        self.bar.set_position((left, bottom, 12 / WIDTH, high - (14 / self.height if title else 0)))
