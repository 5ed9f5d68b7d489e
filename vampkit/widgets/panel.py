"""A small panel: choose a prompt and a seed, press a button, hear the result beside the original.

`PanelModel` holds all that the panel knows and runs without a browser; `VampPanel` shows it with plain ipywidgets.
"""

from __future__ import annotations

import html
import operator
from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property

from vampkit import prompts


@dataclass(frozen=True)
class Kind:
    """One prompt the panel offers: what its number means, the number's range and its value at first."""

    title: str
    unit: str
    low: float
    high: float
    step: float
    start: float
    make: Callable


KINDS = {
    "compression": Kind(
        "Compression: keep the first codebooks", "codebooks kept", 1, 13, 1, 1, lambda n: prompts.Compression(int(n))
    ),
    "periodic": Kind(
        "Periodic: keep every n-th frame", "period in frames", 2, 64, 1, 7, lambda n: prompts.Periodic(int(n))
    ),
    "prefix": Kind("Prefix: keep the start", "seconds kept", 0.1, 5, 0.1, 1, lambda s: prompts.Prefix(float(s))),
    "suffix": Kind("Suffix: keep the end", "seconds kept", 0.1, 5, 0.1, 1, lambda s: prompts.Suffix(float(s))),
}
MOST_PASSES = 72  # twice the paper's 36; more only costs time
MOST_SEED = 2**31 - 1


def _whole(name: str, value, low: int, high: int) -> int:
    try:
        number = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}, a whole number was expected") from None
    if not low <= number <= high or isinstance(value, bool):
        raise ValueError(f"{name} is {value!r}, {low} to {high} was expected; choose a number in that range")
    return number


class PanelModel:
    """What the panel knows: a clip, a kind of prompt and its number, a seed, a number of passes, and the last take.

    vamp: Vamp. clip: Clip or Tokens. Nothing here needs a browser or Jupyter. Notebook: 00.
    """

    def __init__(
        self, vamp, clip, prompt: str = "periodic", value: float | None = None, seed: int = 0, passes: int = 36
    ):
        self.vamp, self.clip, self.take = vamp, clip, None
        self.kind, self.value, self.seed, self.passes = "periodic", KINDS["periodic"].start, 0, 36
        self.set(prompt=prompt, value=value, seed=seed, passes=passes)

    def set(
        self, prompt: str | None = None, value: float | None = None, seed: int | None = None, passes: int | None = None
    ) -> None:
        """Change what is named, leave the rest; another kind of prompt starts with its own usual number.

        prompt: one of KINDS. value: its number, in the unit that KINDS says. seed: 0 to 2^31 - 1. passes: 1 to 72.
        Nothing is changed where one of them is refused. Raises ValueError, TypeError.
        """
        kind = self.kind if prompt is None else prompt
        if kind not in KINDS:
            raise ValueError(f"there is no prompt called {kind!r}; {', '.join(KINDS)} were expected")
        facts = KINDS[kind]
        if value is None:
            value = self.value if kind == self.kind else facts.start
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise TypeError(f"the value is {value!r}, a number of {facts.unit} was expected")
        if not facts.low <= value <= facts.high or (facts.step == 1 and value != int(value)):
            kinds = "a whole number from " if facts.step == 1 else ""
            raise ValueError(
                f"the value is {value!r}, {kinds}{facts.low:g} to {facts.high:g} ({facts.unit}) was expected for {kind}"
            )
        seed = self.seed if seed is None else _whole("the seed", seed, 0, MOST_SEED)
        passes = self.passes if passes is None else _whole("the number of passes", passes, 1, MOST_PASSES)
        self.kind, self.value, self.seed, self.passes = kind, value, seed, passes

    @property
    def prompt(self):
        """The prompt that is set, as an object of `vampkit.prompts`."""
        return KINDS[self.kind].make(self.value)

    @cached_property
    def tokens(self):
        """Tokens of the clip; made once."""
        return self.clip if hasattr(self.clip, "codes") else self.vamp.codec.encode(self.clip)

    @cached_property
    def original(self):
        """The clip itself, or the sound of the tokens where tokens were given."""
        return self.vamp.codec.decode(self.clip) if hasattr(self.clip, "codes") else self.clip

    @property
    def mask(self):
        """What the prompt hides, bool [K, T], True = hidden."""
        return self.prompt.mask(self.tokens)

    def code(self) -> str:
        """The call that makes the same take without the panel."""
        return f"vamp.vamp(clip, {self.prompt!r}, seed={self.seed}, passes={self.passes})"

    def generate(self, progress: Callable[[int, int], None] | None = None):
        """Run the models with what is set; returns and keeps the Take. progress: called with (done, in all)."""
        self.take = self.vamp.vamp(self.tokens, self.prompt, seed=self.seed, passes=self.passes, progress=progress)
        return self.take


class VampPanel:
    """The panel in a notebook: prompt, number, seed, passes, a button, progress, and a player of original and result.

    vamp: Vamp. clip: Clip or Tokens. prompt, value, seed, passes: what is set at first, see `PanelModel.set`.
    Works by hand and by call: `panel.set(prompt="periodic", value=7, seed=3); take = panel.generate()`.
    A mistake made by hand is shown in the panel; one made by call is raised as well. `close()` frees all widgets.
    Notebook: 00.
    """

    def __init__(
        self, vamp, clip, prompt: str = "periodic", value: float | None = None, seed: int = 0, passes: int = 36
    ):
        self.model = PanelModel(vamp, clip, prompt, value, seed, passes)
        self._quiet = False  # set while Python moves the controls, so that they do not answer
        self._closed = False
        self._build()
        self._follow()
        self._preview()

    def _build(self) -> None:
        import ipywidgets as w

        style, wide = {"description_width": "9em"}, {"width": "34em"}
        self._prompt = w.Dropdown(
            options=[(k.title, name) for name, k in KINDS.items()], description="Prompt", style=style, layout=wide
        )
        self._value = w.FloatSlider(description="Number", style=style, layout=wide, continuous_update=False)
        self._seed = w.BoundedIntText(min=0, max=MOST_SEED, description="Seed", style=style, layout={"width": "18em"})
        self._passes = w.IntSlider(
            min=1, max=MOST_PASSES, description="Passes", style=style, layout=wide, continuous_update=False
        )
        self._button = w.Button(description="Vamp", button_style="primary", tooltip="Fill in what is hidden")
        self._bar = w.IntProgress(min=0, max=1, description="", layout={"width": "22em"})
        self._status = w.HTML()
        self._view = w.Output()
        self._row = w.HBox([self._button, self._bar])
        self.widget = w.VBox([self._prompt, self._value, self._seed, self._passes, self._row, self._status, self._view])
        for control in (self._prompt, self._value, self._seed, self._passes):
            control.observe(self._changed, names="value")
        self._button.on_click(self._pressed)

    def set(self, **changes) -> None:
        """Change prompt, value, seed, passes, as `PanelModel.set`; controls follow. Raises ValueError, TypeError."""
        self.model.set(**changes)
        self._follow()
        self._preview()

    def generate(self):
        """Make a take with what is set, show and return it. A mistake is shown in the panel and raised."""
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
        self._play(take)
        return take

    def close(self) -> None:
        """Free every widget the panel opened; the model and its last take stay."""
        if self._closed:
            return
        self._closed = True
        self._button.on_click(self._pressed, remove=True)
        self._view.outputs = ()
        parts = [
            self._prompt,
            self._value,
            self._seed,
            self._passes,
            self._button,
            self._bar,
            self._status,
            self._view,
            self._row,
            self.widget,
        ]
        for part in parts:
            part.unobserve_all()
            # A widget's layout and style are widgets of their own, which closing it leaves open.
            for piece in (getattr(part, "layout", None), getattr(part, "style", None), part):
                if hasattr(piece, "close"):
                    piece.close()

    def _check_open(self) -> None:
        if self._closed:
            raise ValueError("this panel was closed, an open one was expected; make a new VampPanel")

    def _repr_mimebundle_(self, **kwargs):
        self._check_open()
        bundle = self.widget._repr_mimebundle_(**kwargs)
        data = bundle[0] if isinstance(bundle, tuple) else bundle
        return {**(data or {}), "text/plain": repr(self)}

    def __repr__(self) -> str:
        return f"VampPanel: {self.model.code()}, {100 * float(self.model.mask.float().mean()):.1f} % hidden"

    def _follow(self) -> None:
        """Bring the controls to what the model holds."""
        self._check_open()
        facts = KINDS[self.model.kind]
        self._quiet = True
        try:
            self._prompt.value = self.model.kind
            # Wide before narrow: a slider refuses a lowest value above its highest.
            self._value.min, self._value.max = 0, 1e6
            self._value.value = self.model.value
            self._value.min, self._value.max, self._value.step = facts.low, facts.high, facts.step
            self._value.description = facts.unit.capitalize()
            self._value.readout_format = ".0f" if facts.step == 1 else ".1f"
            self._seed.value, self._passes.value = self.model.seed, self.model.passes
        finally:
            self._quiet = False

    def _changed(self, change) -> None:
        if self._quiet or self._closed:
            return
        try:
            if change["owner"] is self._prompt:
                self.model.set(prompt=change["new"])
            else:
                number = self._value.value
                self.model.set(
                    value=int(number) if KINDS[self.model.kind].step == 1 else round(number, 3),
                    seed=self._seed.value,
                    passes=self._passes.value,
                )
            self._follow()
            self._preview()
        except Exception as error:  # shown, as there is no cell to raise it in
            self._say(str(error), wrong=True)

    def _pressed(self, button) -> None:
        try:
            self.generate()
        except Exception as error:  # already shown by `generate`, save where the panel is closed
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
        """Show the mask under the original; no sound is packed until there is a result."""
        mask = self.model.mask
        self._bar.value, self._bar.description = 0, ""
        self._say(f"{100 * float(mask.float().mean()):.1f} % of the tokens are hidden. Press Vamp to fill them in.")
        player = self._player((self.model.original,), ("original",), mask)
        self._show(player.html(sound=False), f"mask {tuple(mask.shape)}")

    def _play(self, take) -> None:
        player = self._player((self.model.original, take.clip), ("original", "vamp"), take.mask)
        self._show(player.html(), repr(player))

    def _player(self, clips, labels, mask):
        from vampkit.show import Player

        return Player(clips, labels, mask, self.model.tokens)

    def _show(self, page: str, text: str) -> None:
        # Set rather than displayed: this works from a callback as well as from a cell, and replaces what was there.
        self._view.outputs = (
            {"output_type": "display_data", "data": {"text/html": page, "text/plain": text}, "metadata": {}},
        )
