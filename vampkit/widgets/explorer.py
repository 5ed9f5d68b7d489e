"""Explorer: sliders and menus above what a function makes of their values."""

from __future__ import annotations

import html
import inspect
import io
from collections.abc import Callable, Sequence
from contextlib import redirect_stdout

from vampkit.show.pictures import uri
from vampkit.widgets import shown, still
from vampkit.widgets.base import Assembly, as_still

LABEL, WIDE = "13em", "40em"


class Explorer(Assembly):
    """Sliders and menus above what a function makes of their values: figures, players, and what it prints.

    Use it by hand or by code: `explorer.set(temperature=0.5)` moves the slider and returns what the function made. On a
    page where widgets do not run, a picture of the controls stands above the last result.

    Notebook: 02 to 05

    Parameters
    ----------
    draw : callable
        It gets one argument a control, by name, and returns a figure, a player, a str, or a tuple of them. The defaults
        in its signature are the values at the start.
    **choices : sequence
        For each argument, the values to choose from: a slider for numbers, a menu for words, a tick for (False, True).

    Raises
    ------
    ValueError
        If an argument has no choices or no default among them.

    Examples
    --------
    >>> def draw(period=7):
    ...     return vk.show.mask(vk.masks.periodic(14, 120, period))
    >>> Explorer(draw, period=range(1, 33))
    """

    def __init__(self, draw: Callable, **choices: Sequence):
        self.draw = draw
        self.choices = {name: tuple(values) for name, values in choices.items()}
        defaults = {name: p.default for name, p in inspect.signature(draw).parameters.items()}
        if set(defaults) != set(self.choices):
            raise ValueError(
                f"choices for {sorted(self.choices)} were given, but the function takes {sorted(defaults)}; "
                "give each of its arguments a list of values"
            )
        self.values, self.shown, self.printed = {}, (), ""
        self._quiet = False  # True while Python moves the controls, so that their callbacks do nothing
        super().__init__(self._box())
        self.set(**defaults)

    def set(self, **values):
        """Choose values; the controls and what is shown follow.

        Parameters
        ----------
        **values
            New values by the names of the controls; the others stay.

        Returns
        -------
        object
            What the function returned.

        Raises
        ------
        ValueError
            For a name that has no control, or a value that is not among the choices. What is shown stays.
        """
        for name, value in values.items():
            if name not in self.choices:
                raise ValueError(f"{name!r} has no control, one of {', '.join(self.choices)} was expected")
            if value not in self.choices[name]:
                offered = ", ".join(str(v) for v in self.choices[name])
                raise ValueError(f"{name} was {value!r}, one of these was expected: {offered}")
        chosen, said = {**self.values, **values}, io.StringIO()
        with redirect_stdout(said):
            made = self.draw(**chosen)
        self.values, self.printed = chosen, said.getvalue().strip()
        self.shown = made if isinstance(made, tuple) else () if made is None else (made,)
        self._follow()
        return made

    def __repr__(self) -> str:
        chosen = ", ".join(f"{name} {value}" for name, value in self.values.items())
        return "\n".join([f"Explorer: {chosen}", *filter(None, [self.printed]), *map(shown.in_words, self.shown)])

    def _box(self):
        import ipywidgets as w

        look = {"style": {"description_width": LABEL}, "layout": {"width": WIDE}}
        self.controls = {}
        for name, values in self.choices.items():
            look["description"] = words(name)
            if values == (False, True):
                control = w.Checkbox(indent=True, **look)
            elif all(isinstance(value, (int, float)) for value in values):
                options = [(f"{value:g}", value) for value in values]
                control = w.SelectionSlider(options=options, continuous_update=False, **look)
            else:
                control = w.Dropdown(options=values, **look)
            control.observe(self._moved, names="value")
            self.controls[name] = control
        self._message, self._view = w.HTML(), w.Output()
        return w.VBox([*self.controls.values(), self._message, self._view])

    def _moved(self, change) -> None:
        if self._quiet:
            return
        try:
            self.set(**{name: control.value for name, control in self.controls.items()})
        except Exception as error:  # shown, as there is no cell to raise it in
            self._message.value = f'<div role="alert"><b>Error:</b> {html.escape(str(error))}</div>'

    def _follow(self) -> None:
        self._quiet = True
        try:
            for name, value in self.values.items():
                self.controls[name].value = value
        finally:
            self._quiet = False
        self._message.value = f'<pre role="status">{html.escape(self.printed)}</pre>' if self.printed else ""
        self._view.outputs = shown.outputs(*self.shown)

    def _still(self) -> dict[str, str]:
        rows = []
        for name, value in self.values.items():
            values = self.choices[name]
            part = values.index(value) / max(1, len(values) - 1)
            rows.append((words(name), value, part if isinstance(value, (int, float)) else None))
        if self.shown and all(hasattr(thing, "png") for thing in self.shown):
            return as_still(repr(self), still.explorer(rows, self.printed, tuple(thing.png() for thing in self.shown)))
        chosen = ", ".join(f"{name} {value}" for name, value, _ in rows)
        picture = uri(still.explorer(rows), "image/png")
        page = f'<img width="720" alt="Controls: {html.escape(chosen, quote=True)}" src="{picture}">'
        page += f"<pre>{html.escape(self.printed)}</pre>" if self.printed else ""
        page += "".join(map(shown.as_page, self.shown))
        text = repr(self)
        return {"text/plain": text, "text/html": page, "image/svg+xml": shown.lines(*text.splitlines())}


def words(name: str) -> str:
    """The name of an argument as a label: `mask_temperature` is "Mask temperature"."""
    return name[:1].upper() + name[1:].replace("_", " ")
