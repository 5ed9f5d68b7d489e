"""MaskEditor: the token grid on a canvas, on which you draw with the pointer, with keys or by code.

The mask is stored in a MaskModel. The page sends one message per gesture (see operations.toml). Python does the gesture
and sends the mask back as packed bits.
"""

from __future__ import annotations

import functools
import inspect
import json
import re
import threading
from collections.abc import Callable, Sequence

import numpy as np
import traitlets as t
from jaxtyping import Bool

from vampkit import masks, prompts
from vampkit.audio import Clip
from vampkit.codec import Codec, Tokens
from vampkit.show import spectra
from vampkit.widgets import assets, operations, still
from vampkit.widgets.base import Widget
from vampkit.widgets.mask_model import SNAPS, Mask, MaskModel
from vampkit.widgets.pace import Pace
from vampkit.widgets.sound import find_times, sound_pictures

PASSES = 40  # assumed number of passes per run, for the estimated time
VIEWS = 8  # number of open views of an editor for which the last answered message is remembered
SCRIPTS = ("geometry.js", "dom.js", "draw.js", "grid.js", "keys.js", "editor.js")
TOOLS = {"tool": "brush", "width": 3, "height": 1, "sound": "mel"}


def shown(method: Callable) -> Callable:
    """Decorator: update the widget after the call. If the call fails, show the error in the widget and raise it."""

    @functools.wraps(method)
    def call(self, *args, **kwargs):
        try:
            done = method(self, *args, **kwargs)
        except Exception as error:
            self.say(str(error) or type(error).__name__, wrong=True)
            raise
        self._refresh()
        return done

    return call


def passed_on(owner: type, name: str, to: str) -> Callable:
    """A method that calls the one of this name of `self.<to>`, an `owner`, with its signature and docstring; `shown`.

    Methods that return their owner return None here.
    """
    own = getattr(owner, name)

    @functools.wraps(own)
    def call(self, *args, **kwargs):
        target = getattr(self, to)
        done = getattr(target, name)(*args, **kwargs)
        return None if done is target else done

    chained = rf"\n\nReturns\n-+\n{owner.__name__}\n.*?(?=\n\n|$)"
    call.__doc__ = re.sub(chained, "", inspect.getdoc(own), flags=re.DOTALL)
    given = inspect.signature(own)
    given = given.replace(return_annotation="None") if given.return_annotation == owner.__name__ else given
    call.__signature__ = given
    return shown(call)


class MaskEditor(Widget):
    """An editor for the mask of a sound.

    `editor.mask` is the mask as an array. All that can be done by hand can also be done by code: `editor.paint([(0,
    5)], width=3)`. Errors are shown in the editor. In a call by code they are also raised. `close()` frees all
    resources, but keeps the model.

    Notebook: 06, 08, 09, 10

    Parameters
    ----------
    source : Tokens, Clip, MaskModel or (int, int)
        Tokens; a clip, which is encoded; a model, which several editors can share; or (codebooks, frames).
    clip : Clip, optional
        The sound of the tokens. It is drawn above the grid, and prompts find beats in it.
    codec : Codec, optional
        The codec that encodes a clip; None: the bundled one.
    pace : Pace, optional
        Estimates the seconds that generating takes, which are then shown.

    Raises
    ------
    TypeError, ValueError
        For any other source, or an empty grid.
    """

    _esm = assets.module(*SCRIPTS, render="mountEditor(model, el)")
    _css = assets.text("editor.css")
    _operations = operations.EDITOR

    bits = t.Bytes().tag(sync=True)
    state = t.Dict().tag(sync=True)
    sheet = t.Dict().tag(sync=True)
    codes = t.Bytes().tag(sync=True)
    wave = t.Bytes().tag(sync=True)
    spectrum = t.Bytes().tag(sync=True)
    tools = t.Dict(TOOLS).tag(sync=True)
    region = t.List().tag(sync=True)

    def __init__(
        self,
        source: Tokens | Clip | MaskModel | tuple[int, int],
        clip: Clip | None = None,
        *,
        codec: Codec | None = None,
        pace: Pace | None = None,
    ):
        opened = _opened(source, clip, codec)
        super().__init__()
        self._lock = threading.RLock()
        self._acks: dict[str, int] = {}
        self._sounds = 0
        self._message = {"text": "", "wrong": False}
        self.pace = pace
        self._leave = lambda: None
        self._open(*opened)

    # What it holds

    @property
    def mask(self) -> Bool[np.ndarray, "codebooks frames"]:
        """A copy of the mask, bool [codebooks, frames], True = hidden. Assigning a mask is the gesture `draw`."""
        return self.model.mask

    @mask.setter
    def mask(self, value: Mask) -> None:
        self.draw(value)

    @property
    def clip(self) -> Clip | None:
        """The sound above the grid."""
        return self.model.clip

    def code(self) -> str:
        """Write a Python expression that makes the mask.

        Returns
        -------
        str
            Python code. It uses MaskModel and the names of `vampkit.prompts`.
        """
        return self.model.code()

    def to_json(self) -> dict:
        """Write the mask, the locks and the snapping as plain JSON, for `read` and `MaskModel.from_json`.

        Returns
        -------
        dict
            Shape, time axis, the mask as text, and the settings.
        """
        return self.model.to_json()

    def facts(self) -> str:
        """Describe the mask in one line.

        Returns
        -------
        str
            The fraction of the tokens that is hidden, and the bit rate that is kept.
        """
        return f"{100 * self.model.mask_ratio:.1f} % hidden, {self.model.bits_per_second:,.0f} bits/s kept"

    # What it does: the gestures of MaskModel

    draw = passed_on(MaskModel, "draw", "model")
    hide = passed_on(MaskModel, "hide", "model")
    keep = passed_on(MaskModel, "keep", "model")
    paint = passed_on(MaskModel, "paint", "model")
    erase = passed_on(MaskModel, "erase", "model")
    rectangle = passed_on(MaskModel, "rectangle", "model")
    time = passed_on(MaskModel, "time", "model")
    row = passed_on(MaskModel, "row", "model")
    column = passed_on(MaskModel, "column", "model")
    stamp = passed_on(MaskModel, "stamp", "model")
    invert = passed_on(MaskModel, "invert", "model")
    clear = passed_on(MaskModel, "clear", "model")
    fill = passed_on(MaskModel, "fill", "model")
    roll = passed_on(MaskModel, "roll", "model")
    repeat = passed_on(MaskModel, "repeat", "model")
    undo = passed_on(MaskModel, "undo", "model")
    redo = passed_on(MaskModel, "redo", "model")

    @shown
    def read(self, data: dict | str) -> None:
        """Draw a mask from JSON or from text, as one gesture.

        Parameters
        ----------
        data : dict or str
            The result of `to_json`, its JSON text, or the text of a mask such as `0:4 10:20 30:40; 4:14 0:575`.

        Raises
        ------
        ValueError
            For any other data.
        """
        text = data.strip() if isinstance(data, str) else data
        json_like = isinstance(text, dict) or text.startswith("{")
        self.model.draw(MaskModel.from_json(text).mask if json_like else text)

    @shown
    def snap_to(self, what: str, times: Sequence[float] | None = None) -> None:
        """Choose what gestures snap to.

        Parameters
        ----------
        what : str
            "frames", "onsets", "beats" or "bars".
        times : sequence of float, optional
            Times of the onsets, beats or downbeats in seconds. If they are not given or known, they are found in the
            clip.

        Raises
        ------
        ValueError
            For another word, or if no times are found.
        """
        if what in self.model.times and times is None and not self.model.times[what] and self.clip is not None:
            times = find_times(self.clip)[what]
        self.model.snap_to(what, times)
        self._draw_sheet()

    def say(self, text: str, wrong: bool = False) -> None:
        """Show a message in the editor.

        Parameters
        ----------
        text : str
            The message.
        wrong : bool
            Whether it is an error.
        """
        self._message = {"text": text, "wrong": wrong}
        self._refresh()

    def close(self) -> None:
        """Free the resources of the editor, in the kernel and in the page. The model is kept."""
        if not self._closed:
            self._leave()
        super().close()

    # Inside

    def _open(self, model: MaskModel, clip: Clip | None) -> None:
        """Show another mask and another sound."""
        self._leave()
        self._sounds += 1
        self.model = model
        if clip is not None:
            model.clip = clip
        self._leave = model.listen(lambda _: self._refresh())
        with self._lock, self.hold_sync():
            self.region = []
            self._draw_sheet()
            self._refresh()

    def _draw_sheet(self) -> None:
        """Send the data that changes only when another sound is opened."""
        model, tokens, clip = self.model, self.model.tokens, self.model.clip
        facts = {
            "opened": self._sounds,
            "codebooks": model.codebooks,
            "frames": model.frames,
            "frame": tokens.hop / tokens.rate,
            "seconds": tokens.seconds,
            "bits": tokens.bits_per_second,
            "name": tokens.name,
            "credit": tokens.credit,
            "coarse": spectra.COARSE,
            "names": spectra.codebook_names(model.codebooks),
            "times": {what: list(times) for what, times in model.times.items()},
            "snaps": SNAPS,
            "presets": list(prompts.PRESETS),
            "keys": operations.list_of_keys(self._operations),
        }
        with self._lock, self.hold_sync():
            # A model without a codec has no sound, so its codes (zeros) are not sent.
            self.codes = tokens.codes.numpy().astype("<u2").tobytes() if tokens.codec else b""
            if clip is not None and clip.samples.size:
                sizes, self.wave, self.spectrum = sound_pictures(clip, model.frames)
                facts |= sizes
            else:
                self.wave = self.spectrum = b""
            self.sheet = facts

    def _estimate(self) -> str:
        """The estimated time of a generation as a text; "" if the editor has no pace."""
        return self.pace.words(self.model.frames, PASSES) if self.pace is not None else ""

    def _facts(self) -> dict:
        """The data that the page shows in addition to the mask."""
        model = self.model
        return {
            "acks": dict(self._acks),
            "undos": model.undos,
            "redos": model.redos,
            "locked": model.locked,
            "coarse_only": model.coarse_only,
            "snap": model.snap,
            "points": None if model.snap == "frames" else model.snap_points(),
            "estimate": self._estimate(),
            "message": self._message,
        }

    def _refresh(self) -> None:
        if self._closed:
            return
        with self._lock, self.hold_sync():
            self.bits = masks.pack(self.model.mask)
            self.state = self._facts()

    def _heard(self, widget, content: dict, buffers: list) -> None:
        """Handle one message from the page. Errors are shown. The page gets an answer in any case."""
        content = content if isinstance(content, dict) else {}
        self._message = {"text": "", "wrong": False}
        try:
            operations.perform(self, content | {"buffers": buffers}, self._operations)
        except Exception as error:  # shown, as there is no cell to raise it in
            self._message = {"text": str(error) or type(error).__name__, "wrong": True}
        if isinstance(content.get("n"), int):
            view = str(content.get("view"))[:40]
            self._acks = {**{k: v for k, v in list(self._acks.items())[-VIEWS:] if k != view}, view: content["n"]}
        self._refresh()

    def _lock_row(self, row: int, on: bool) -> None:
        self.model.lock(row, on=on)

    def _draw_coarse_only(self, on: bool) -> None:
        self.model.coarse_only = on

    def _print(self, form: str) -> None:
        """Send the mask as text to the page."""
        text = self.code() if form == "python" else json.dumps(self.to_json())
        self.send({"type": "printed", "text": text})

    def _still(self) -> bytes:
        return still.editor(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.model.codebooks} x {self.model.frames}, {self.facts()}"


def _opened(source, clip: Clip | None, codec: Codec | None) -> tuple[MaskModel, Clip | None]:
    """The model and the sound for an editor."""
    if isinstance(source, MaskModel):
        return source, clip
    if isinstance(source, Clip):
        if codec is None:
            from vampkit.weights import load_codec

            codec = load_codec("tiny")
        return MaskModel.of(codec.encode(source), source), source
    if isinstance(source, Tokens):
        return MaskModel.of(source, clip), clip
    if isinstance(source, tuple) and len(source) == 2:
        return MaskModel(*source, clip=clip), clip
    raise TypeError(
        f"{type(source).__name__} was given, Tokens, a Clip, a MaskModel or (codebooks, frames) was expected"
    )
