"""MaskEditor: the token grid on a canvas, drawn on by pointer, by keys and by calls.

What is drawn lives in a MaskModel. The page draws and sends messages, one a gesture (see operations.py); Python does
what they ask for and sends the mask back as packed bits.
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
from vampkit.widgets.mask_model import COARSE, SNAPS, Mask, MaskModel
from vampkit.widgets.pace import Pace
from vampkit.widgets.sound import find_times, sound_pictures

PASSES = 40  # of one run as the pipeline's defaults have it, for the read-out of an editor that is given a pace
VIEWS = 8  # open views of one editor whose gestures are answered one by one
TOOLS = {"tool": "brush", "width": 3, "height": 1, "sound": "mel"}


def shown(method: Callable) -> Callable:
    """Show a mistake made by a call in the widget, and raise it; otherwise show what the call changed."""

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


def gesture(method: Callable) -> Callable:
    """A gesture of the editor: `shown`, with the docstring of MaskModel's method, as they do the same."""
    text = inspect.getdoc(getattr(MaskModel, method.__name__))
    method.__doc__ = re.sub(r"\n\nReturns\n-+\nMaskModel\n.*?(?=\n\n|$)", "", text, flags=re.DOTALL)
    return shown(method)


class MaskEditor(Widget):
    """An editor of a mask over the sound it belongs to.

    `editor.mask` is the array. All that a hand can do, a call can do: `editor.paint([(0, 5)], width=3)`. A mistake made
    by hand is shown in the editor; one made by call is raised as well. `close()` frees all it opened; the model stays.

    Notebook: 06, 08, 09, 10

    Parameters
    ----------
    source : Tokens, Clip, MaskModel or (int, int)
        Tokens; a clip, which is encoded; a model, which two editors may share; or numbers of codebooks and frames.
    clip : Clip, optional
        The sound of the tokens, to be seen above the grid and heard by prompts that look for beats.
    codec : Codec, optional
        What encodes a clip; the bundled one where it is not given.
    pace : Pace, optional
        For a read-out of the seconds that generating takes. An editor without one shows none, as it generates nothing.

    Raises
    ------
    TypeError, ValueError
        For another source, or one without cells.
    """

    _esm = assets.module(
        *("geometry.js", "dom.js", "draw.js", "grid.js", "keys.js", "editor.js"), render="mountEditor(model, el)"
    )
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
        """A copy of the mask, bool [codebooks, frames], True = hidden; assigning one is a gesture, see `draw`."""
        return self.model.mask

    @mask.setter
    def mask(self, value: Mask) -> None:
        self.draw(value)

    @property
    def clip(self) -> Clip | None:
        """The sound above the grid."""
        return self.model.clip

    def code(self) -> str:
        """Print the mask as one Python expression that makes it again.

        Returns
        -------
        str
            Python; its names are MaskModel and those of `vampkit.prompts`.
        """
        return self.model.code()

    def to_json(self) -> dict:
        """Write the mask, the locks and the snapping as plain JSON, which `read` and `MaskModel.from_json` read.

        Returns
        -------
        dict
            Shape, time axis, what is hidden as text, and the settings.
        """
        return self.model.to_json()

    def facts(self) -> str:
        """Give the read-outs in one line, without the seconds, which differ from run to run.

        Returns
        -------
        str
            The part of the tokens that is hidden, and the rate that is kept.
        """
        return f"{100 * self.model.mask_ratio:.1f} % hidden, {self.model.bits_per_second:,.0f} bits/s kept"

    # What it does

    @gesture
    def draw(self, mask: Mask, rows: Sequence[int] | None = None) -> None:
        self.model.draw(mask, rows)

    @gesture
    def hide(self, where: Mask, rows: Sequence[int] | None = None) -> None:
        self.model.hide(where, rows)

    @gesture
    def keep(self, where: Mask, rows: Sequence[int] | None = None) -> None:
        self.model.keep(where, rows)

    @gesture
    def paint(
        self,
        path: Sequence[tuple[int, int]],
        width: int = 1,
        height: int = 1,
        hidden: bool = True,
        rows: Sequence[int] | None = None,
        snap: bool = False,
    ) -> None:
        self.model.paint(path, width, height, hidden, rows, snap)

    @gesture
    def erase(
        self,
        path: Sequence[tuple[int, int]],
        width: int = 1,
        height: int = 1,
        rows: Sequence[int] | None = None,
        snap: bool = False,
    ) -> None:
        self.model.erase(path, width, height, rows, snap)

    @gesture
    def rectangle(
        self,
        codebooks: tuple[int, int] | None = None,
        frames: tuple[int, int] | None = None,
        hidden: bool = True,
        rows: Sequence[int] | None = None,
        snap: bool = False,
    ) -> None:
        self.model.rectangle(codebooks, frames, hidden, rows, snap)

    @gesture
    def time(
        self, start: float, end: float, hidden: bool = True, rows: Sequence[int] | None = None, snap: bool = False
    ) -> None:
        self.model.time(start, end, hidden, rows, snap)

    @gesture
    def row(self, codebook: int, hidden: bool = True) -> None:
        self.model.row(codebook, hidden)

    @gesture
    def column(self, frame: int, hidden: bool = True, snap: bool = False) -> None:
        self.model.column(frame, hidden, snap)

    @gesture
    def stamp(self, prompt: prompts.Prompt | str, how: str = "replace", rows: Sequence[int] | None = None) -> None:
        self.model.stamp(prompt, how, rows)

    @gesture
    def invert(self, rows: Sequence[int] | None = None) -> None:
        self.model.invert(rows)

    @gesture
    def clear(self, rows: Sequence[int] | None = None) -> None:
        self.model.clear(rows)

    @gesture
    def fill(self, rows: Sequence[int] | None = None) -> None:
        self.model.fill(rows)

    @gesture
    def roll(self, by: int, rows: Sequence[int] | None = None) -> None:
        self.model.roll(by, rows)

    @gesture
    def repeat(self, first: int, end: int, rows: Sequence[int] | None = None) -> None:
        self.model.repeat(first, end, rows)

    @gesture
    def undo(self) -> bool:
        return self.model.undo()

    @gesture
    def redo(self) -> bool:
        return self.model.redo()

    @shown
    def read(self, data: dict | str) -> None:
        """Draw a mask from JSON or from text, as one gesture.

        Parameters
        ----------
        data : dict or str
            What `to_json` gave, its text, or a mask's text such as `0:4 10:20 30:40; 4:14 0:575`.

        Raises
        ------
        ValueError
            For other data.
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
            Seconds of the onsets, beats or downbeats; looked for in the clip where they are neither given nor known.

        Raises
        ------
        ValueError
            For another word, and where no times are found.
        """
        if what in self.model.times and times is None and not self.model.times[what] and self.clip is not None:
            times = find_times(self.clip)[what]
        self.model.snap_to(what, times)
        self._draw_sheet()

    def say(self, text: str, wrong: bool = False) -> None:
        """Show a line in the editor.

        Parameters
        ----------
        text : str
            The line.
        wrong : bool
            Whether it tells of a mistake.
        """
        self._message = {"text": text, "wrong": wrong}
        self._refresh()

    def close(self) -> None:
        """Free all that the editor opened, in the kernel and in the page; the model stays."""
        if not self._closed:
            self._leave()
        super().close()

    # Inside

    def _open(self, model: MaskModel, clip: Clip | None) -> None:
        """Show another mask over another sound."""
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
        """Send what changes with the sound alone."""
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
            "coarse": COARSE,
            "names": spectra.codebook_names(model.codebooks),
            "times": {what: list(times) for what, times in model.times.items()},
            "snaps": SNAPS,
            "presets": list(prompts.PRESETS),
            "keys": operations.list_of_keys(self._operations),
        }
        with self._lock, self.hold_sync():
            # A blank model has no codec: its zeros are no codes of a sound.
            self.codes = tokens.codes.numpy().astype("<u2").tobytes() if tokens.codec else b""
            if clip is not None and clip.samples.size:
                sizes, self.wave, self.spectrum = sound_pictures(clip, model.frames)
                facts |= sizes
            else:
                self.wave = self.spectrum = b""
            self.sheet = facts

    def _estimate(self) -> str:
        """Seconds to generate in words; "" where it is not asked."""
        return self.pace.words(self.model.frames, PASSES) if self.pace is not None else ""

    def _facts(self) -> dict:
        """What the page shows beside the mask."""
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
        """Do what one message of the page asks for; a mistake is shown, and the page is answered in any case."""
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
        """Answer the page with the mask as text."""
        text = self.code() if form == "python" else json.dumps(self.to_json())
        self.send({"type": "printed", "text": text})

    def _still(self) -> bytes:
        return still.editor(self)

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.model.codebooks} x {self.model.frames}, {self.facts()}"


def _opened(source, clip: Clip | None, codec: Codec | None) -> tuple[MaskModel, Clip | None]:
    """The model and the sound that an editor is to show."""
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
