"""A small panel: choose a prompt and its numbers, what to follow, see what is hidden, hear original and result.

`PanelModel` (panel_model.py) holds the state of the panel and works without a browser. `VampPanel` shows it with plain
ipywidgets.
"""

from __future__ import annotations

import html

from vampkit.pipeline import TakeSettings
from vampkit.widgets import still
from vampkit.widgets.base import Assembly, as_still, free
from vampkit.widgets.panel_model import (
    MOST_PASSES,
    MOST_SEED,
    MOST_STRENGTH,
    NOTHING,
    Menu,
    PanelModel,
    follows,
    offered,
)

__all__ = ["PanelModel", "VampPanel"]

STYLE, WIDE = {"description_width": "11em"}, {"width": "36em"}


class VampPanel(Assembly):
    """A panel in a notebook: prompt, numbers, seed, passes, what to follow, the mask under the sound, and a player.

    Use it by hand or by code: `panel.set(prompt="periodic", period=7, width=3, seed=3); take = panel.generate()`.
    Errors are shown in the panel. In a call by code they are also raised.

    Notebook: 00, 06 to 09

    Parameters
    ----------
    vamp : Vamp
        The pipeline.
    clip : Clip or Tokens
        The sound.
    prompt : str
        The word of a prompt type.
    value : float, optional
        The first number of the prompt.
    seed : int
        0 to 2^31 - 1.
    passes : int
        1 to 72.
    beats : BeatGrid or tuple of float, optional
        Beats for prompts that need them. Without them `LibrosaBeats` finds the beats of the clip, once.
    follow : str
        What takes follow: "nothing", "own rhythm", "own rhythm and harmony", or "rhythm of " and the name of a bundled
        clip.
    strength : float
        How strongly they follow, 0 to 2.
    **numbers
        Numbers of the prompt by name.
    """

    def __init__(
        self,
        vamp,
        clip,
        prompt: str = "periodic",
        value=None,
        seed: int = 0,
        passes: int = 36,
        beats=None,
        follow: str = NOTHING,
        strength: float = TakeSettings().strength,
        **numbers,
    ):
        self.model = PanelModel(vamp, clip, prompt, value, seed, passes, beats, follow, strength, **numbers)
        self.controls, self._kind = {}, ""  # the prompt type that the controls belong to
        self._quiet = False  # True while Python changes the controls, so that their callbacks do nothing
        super().__init__(self._box())
        self._show_state()
        self._preview()

    def _box(self):
        import ipywidgets as w

        kinds = [(kind.title, word) for word, kind in offered().items()]
        self._prompt = w.Dropdown(options=kinds, description="Prompt", style=STYLE, layout=WIDE)
        self._numbers = w.VBox()
        self._seed = w.BoundedIntText(min=0, max=MOST_SEED, description="Seed", style=STYLE, layout={"width": "20em"})
        self._passes = w.IntSlider(min=1, max=MOST_PASSES, description="Passes", style=STYLE, layout=WIDE)
        self._follow = w.Dropdown(options=follows(), description="Follow", style=STYLE, layout=WIDE)
        strength = {"min": 0.0, "max": MOST_STRENGTH, "step": 0.05, "description": "Strength"}
        self._strength = w.FloatSlider(**strength, style=STYLE, layout=WIDE)
        self._button = w.Button(description="Vamp", button_style="primary", tooltip="Fill in what is hidden")
        self._bar = w.IntProgress(min=0, max=1, description="", layout={"width": "22em"})
        self._status = w.HTML()
        self._view = w.Output()
        self._row = w.HBox([self._button, self._bar])
        chosen = [self._seed, self._passes, self._follow, self._strength]
        self._parts = [self._prompt, self._numbers, *chosen, self._row, self._status, self._view]
        for control in (self._prompt, *chosen):
            control.observe(self._changed, names="value")
        self._button.on_click(self._pressed)
        return w.VBox(self._parts)

    def set(self, **changes) -> None:
        """Change prompt, numbers, seed, passes or what is followed, and update the controls.

        Parameters
        ----------
        **changes
            The arguments of `PanelModel.set`.

        Raises
        ------
        ValueError
            See `PanelModel.set`; also if the panel was closed.
        TypeError
            See `PanelModel.set`.
        """
        self._check_open()
        self.model.set(**changes)
        self._show_state()
        self._preview()

    def generate(self):
        """Make a take with the current settings, and show it. Errors are shown in the panel and raised.

        Returns
        -------
        Take
            The take.
        """
        self._check_open()
        self._button.disabled, self._bar.value, self._bar.max = True, 0, self.model.passes
        self._say("Working …")
        try:
            take = self.model.generate(self._progress)
        except Exception as error:
            self._say(str(error) or type(error).__name__, wrong=True)
            raise
        finally:
            self._button.disabled = False
        self._say(f"Done. The same by code: <code>{html.escape(self.model.code())}</code>", markup=True)
        player = self._player((self.model.original, take.clip), ("original", "vamp"), take.mask)
        self._show(player.html(), repr(player))
        return take

    def close(self) -> None:
        """Free all widgets of the panel. The model and its last take are kept."""
        if not self._closed:
            self._button.on_click(self._pressed, remove=True)
            self._view.outputs = ()
        super().close()

    def _still(self) -> dict[str, str]:
        return as_still(repr(self), still.panel(self.model))

    def __repr__(self) -> str:
        return f"VampPanel: {self.model.code()}, {100 * float(self.model.mask.float().mean()):.1f} % hidden"

    def _show_state(self) -> None:
        """Set the controls to the state of the model. If the prompt type has changed, make new controls."""
        self._quiet = True
        try:
            if self._kind != self.model.kind:
                self._renew()
            self._prompt.value = self.model.kind
            for name, value in self.model.values.items():
                self.controls[name].value = value
            self._seed.value, self._passes.value = self.model.seed, self.model.passes
            self._follow.value, self._strength.value = self.model.follow, self.model.strength
            self._strength.disabled = self.model.follow == NOTHING
        finally:
            self._quiet = False

    def _renew(self) -> None:
        old, self._kind = self.controls.values(), self.model.kind
        self.controls = {number.name: _control(number) for number in self.model.numbers}
        self._numbers.children = tuple(self.controls.values())
        free(*old)
        for control in self.controls.values():
            control.observe(self._changed, names="value")

    def _changed(self, change) -> None:
        if self._quiet or self._closed:
            return
        try:
            if change["owner"] is self._prompt:
                self.model.set(prompt=change["new"])
                self._show_state()
            else:
                numbers = {
                    name: round(c.value, 6) if isinstance(c.value, float) else c.value
                    for name, c in self.controls.items()
                }
                numbers |= {"follow": self._follow.value, "strength": round(self._strength.value, 6)}
                self.model.set(seed=self._seed.value, passes=self._passes.value, **numbers)
                self._strength.disabled = self.model.follow == NOTHING
            self._preview()
        except Exception as error:  # shown, as there is no cell to raise it in
            if change["owner"] in (self._prompt, self._follow):
                self._show_state()  # resets the menu if what it chose was refused
            self._say(str(error), wrong=True)

    def _pressed(self, button) -> None:
        try:
            self.generate()
        except Exception as error:  # `generate` has already shown it, unless the panel is closed
            if not self._closed:
                self._say(str(error) or type(error).__name__, wrong=True)

    def _progress(self, done: int, total: int) -> None:
        self._bar.max, self._bar.value = total, done
        self._bar.description = f"{done} of {total}"

    def _say(self, text: str, wrong: bool = False, markup: bool = False) -> None:
        text = text if markup else html.escape(text)
        role, start = ("alert", "<b>Error:</b> ") if wrong else ("status", "")
        self._status.value = f'<div role="{role}">{start}{text}</div>'

    def _preview(self) -> None:
        """Show the mask under the sound. The sound can only be played after a take was made."""
        mask = self.model.mask
        hidden = float(mask.float().mean())
        self._bar.value, self._bar.description = 0, ""
        kept = self.model.made.bits_per_second * (1 - hidden)
        self._say(
            f"{100 * hidden:.1f} % of the tokens are hidden, {kept:.0f} bits a second are kept. "
            "Press Vamp to fill them in."
        )
        player = self._player((self.model.given,), ("original",), mask)
        self._show(player.html(sound=False), f"mask {tuple(mask.shape)}")

    def _player(self, clips, labels, mask):
        from vampkit.show import Player

        return Player(clips, labels, mask, self.model.made)

    def _show(self, page: str, text: str) -> None:
        # Setting `outputs` instead of calling display also works in callbacks, and replaces the old content.
        data = {"text/html": page, "text/plain": text}
        self._view.outputs = ({"output_type": "display_data", "data": data, "metadata": {}},)


def _control(number):
    """A slider for a number, a menu for a choice."""
    import ipywidgets as w

    look = {"description": number.unit[0].upper() + number.unit[1:], "style": STYLE, "layout": WIDE}
    if isinstance(number, Menu):
        return w.Dropdown(options=number.options, **look)
    limits = {"min": number.low, "max": number.high, "value": number.start}
    if number.whole:
        return w.IntSlider(**limits, **look)
    digits = len(f"{number.step:g}".partition(".")[2])
    return w.FloatSlider(**limits, step=number.step, readout_format=f".{digits}f", **look)
