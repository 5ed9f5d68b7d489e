"""MaskEditor: the token grid on a canvas, drawn on by pointer, by keys and by calls.

What is drawn lives in a MaskModel.

The page draws and reports gestures, one message each; Python does them and sends the mask back as packed bits.
"""

from __future__ import annotations

import functools
import json
import threading

import anywidget
import numpy as np
import traitlets as t

from vampkit import prompts
from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.show import pictures, spectra
from vampkit.widgets import assets, cells
from vampkit.widgets.mask_model import MaskModel
from vampkit.widgets.pace import Pace

PASSES = 40  # of one run as the pipeline's defaults have it, for the read-out of an editor that is given a pace
VIEWS = 8  # open views of one editor whose gestures are answered one by one
TOOLS = {"tool": "brush", "width": 3, "height": 1, "sound": "mel"}
COLUMNS = 2400  # of waveform and spectrogram: enough to zoom in tenfold on a wide page

CALLS = (
    "paint",
    "erase",
    "rectangle",
    "time",
    "row",
    "column",
    "stamp",
    "invert",
    "clear",
    "fill",
    "roll",
    "repeat",
    "draw",
    "hide",
    "keep",
    "undo",
    "redo",
)


def perform(model: MaskModel, op: dict) -> None:
    """Do one gesture the page reported, such as {"type".

    "paint", "path": [[0, 5]], "width": 3, "height": 1, "hidden": True, "snap": True}.

    Raises ValueError and TypeError for what is no gesture; the model is then as it was.
    """
    kind, hidden, snap = op.get("type"), bool(op.get("hidden", True)), bool(op.get("snap"))
    acts = {
        "paint": lambda: model.paint(
            [(r, f) for r, f in op["path"]],
            min(op["width"], model.frames),
            min(op["height"], model.codebooks),
            hidden,
            snap=snap,
        ),
        "rectangle": lambda: model.rectangle(tuple(op["rows"]), tuple(op["frames"]), hidden, snap=snap),
        "column": lambda: model.column(op["frame"], hidden, snap),
        "stamp": lambda: model.stamp(op["text"], op.get("how", "replace")),
        "roll": lambda: model.roll(op["by"]),
        "repeat": lambda: model.repeat(*op["frames"]),
        "lock": lambda: model.lock(op["row"], on=bool(op["on"])),
        "coarse": lambda: setattr(model, "coarse_only", op["on"]),
    }
    acts |= {name: getattr(model, name) for name in ("invert", "clear", "fill", "undo", "redo")}
    if kind not in acts:
        raise ValueError(f"{kind!r} is no gesture, one of {', '.join(acts)} was expected")
    try:
        acts[kind]()
    except KeyError as error:
        raise ValueError(f"the gesture {kind!r} came without {error}, it cannot be done") from None


def _delegate(name: str):
    """A method of the editor that does what the model's does; a mistake is shown in the editor and raised."""
    original = getattr(MaskModel, name)

    @functools.wraps(original)
    def call(self, *args, **kwargs):
        try:
            done = original(self.model, *args, **kwargs)
        except Exception as error:
            self.say(str(error), wrong=True)
            raise
        return done if isinstance(done, bool) else None

    return call


class MaskEditor(anywidget.AnyWidget):
    """An editor of a mask over the sound it belongs to.

    `editor.mask` is the array; every gesture is also a call, such as `editor.paint([(0, 5)], width=3)`.

    source: Tokens, a Clip (encoded by `codec`, else by the bundled one), a MaskModel (two editors may share one), or
    (codebooks, frames).
    clip: the sound of the tokens, to be seen above the grid and heard by prompts that look for beats. pace: Pace, for a
    read-out of the seconds that one generating takes; an editor without shows none, as it generates nothing itself.
    `close()` frees all it opened; the model stays. Notebook: 10.
    """

    _esm = assets.module(
        "geometry.js", "dom.js", "draw.js", "grid.js", "keys.js", "editor.js", render="mountEditor(model, el)"
    )
    _css = assets.text("editor.css")

    bits = t.Bytes().tag(sync=True)
    state = t.Dict().tag(sync=True)
    sheet = t.Dict().tag(sync=True)
    codes = t.Bytes().tag(sync=True)
    wave = t.Bytes().tag(sync=True)
    spectrum = t.Bytes().tag(sync=True)
    tools = t.Dict(TOOLS).tag(sync=True)
    region = t.List().tag(sync=True)
    _closed = True  # until it is made

    def __init__(self, source, clip: Clip | None = None, *, codec=None, pace: Pace | None = None, **kwargs):
        super().__init__(**kwargs)
        self._lock, self._closed = threading.RLock(), False
        self._acks: dict[str, int] = {}
        self._sounds = 0
        self._message = {"text": "", "wrong": False}
        self.pace = pace
        self.model: MaskModel | None = None
        self._leave = lambda: None
        self._open(*_opened(source, clip, codec))
        self.on_msg(self._heard)

    # What it holds

    @property
    def mask(self) -> np.ndarray:
        """The mask, bool [K, T], True = hidden; assigning an array is one gesture."""
        return self.model.mask

    @mask.setter
    def mask(self, value) -> None:
        self.draw(value)

    @property
    def clip(self) -> Clip | None:
        """The sound above the grid."""
        return self.model.clip

    def code(self) -> str:
        """The mask as one Python expression, see `MaskModel.code`."""
        return self.model.code()

    def to_json(self) -> dict:
        """The mask as JSON, see `MaskModel.to_json`."""
        return self.model.to_json()

    def facts(self) -> str:
        """The read-outs in one line: share hidden, rate kept. Seconds are left out, as they differ from run to run."""
        return f"{100 * self.model.share:.1f} % hidden, {self.model.bits_per_second:,.0f} bits/s kept"

    # What it does

    def snap_to(self, what: str, times=None) -> None:
        """Choose what gestures snap to.

        "frames", "onsets", "beats" or "bars"; looked for in the clip where `times` are not given and not known.
        """
        try:
            if what in self.model.times and times is None and not self.model.times[what] and self.clip is not None:
                times = find_times(self.clip)[what]
            self.model.snap_to(what, times)
        except Exception as error:
            self.say(str(error), wrong=True)
            raise
        self._draw_sheet()

    def read(self, data: dict | str) -> None:
        """Draw a mask from JSON or from text such as `0:4 10:20.

        4:14 0:575`, as one gesture. Raises ValueError for other data.
        """
        text = data.strip() if isinstance(data, str) else data
        json_like = isinstance(text, dict) or text.startswith("{")
        self.draw(MaskModel.from_json(text).mask if json_like else text)

    def say(self, text: str, wrong: bool = False) -> None:
        """Show a line in the editor: a status, or a mistake that stays until the next gesture."""
        self._message = {"text": text, "wrong": wrong}
        self._refresh()

    def close(self) -> None:
        """Free all the editor opened, in the kernel and in the page."""
        if self._closed:
            return
        self._closed = True
        self._leave()
        self.on_msg(self._heard, remove=True)
        self.unobserve_all()
        self.layout.close()
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
        model, clip = self.model, self.model.clip
        facts = {
            "codebooks": model.codebooks,
            "frames": model.frames,
            "frame": model.tokens.hop / model.tokens.rate,
            "seconds": model.tokens.seconds,
        }
        facts |= {
            "coarse": spectra.COARSE,
            "bits": model.tokens.bits_per_second,
            "times": {k: list(v) for k, v in model.times.items()},
        }
        facts |= {
            "opened": self._sounds,
            "presets": list(prompts.PRESETS),
            "names": spectra.codebook_names(model.codebooks),
        }
        facts |= {"name": model.tokens.name, "credit": model.tokens.credit}
        with self._lock, self.hold_sync():
            # A blank model has no codec: its zeros are no codes of a sound.
            self.codes = model.tokens.codes.numpy().astype("<u2").tobytes() if model.tokens.codec else b""
            if clip is not None and clip.samples.size:
                sound, self.wave, self.spectrum = sound_pictures(clip, model.frames)
                facts |= sound
            else:
                self.wave = self.spectrum = b""
            self.sheet = facts

    def _estimate(self) -> str:
        """Seconds to generate in words; "" where it is not asked."""
        return self.pace.words(self.model.frames, PASSES) if self.pace is not None else ""

    def _facts(self) -> dict:
        """What the page shows beside the mask."""
        model = self.model
        points = None if model.snap == "frames" else model.snap_points()
        return {
            "acks": dict(self._acks), "undos": model.undos, "redos": model.redos, "locked": model.locked, "coarse_only": model.coarse_only, "snap": model.snap,
            "points": points, "share": model.share, "estimate": self._estimate(), "message": self._message,
        }  # fmt: skip

    def _refresh(self) -> None:
        if self._closed or self.model is None:
            return
        with self._lock, self.hold_sync():
            self.bits = cells.pack(self.model.mask)
            self.state = self._facts()

    def _heard(self, widget, content: dict, buffers: list) -> None:
        """One message of the page.

        A gesture, or something it asks for. A mistake is shown, and the page is answered in any case.
        """
        content = content if isinstance(content, dict) else {}
        self._message = {"text": "", "wrong": False}
        try:
            self._act(content, buffers)
        except Exception as error:  # shown, as there is no cell to raise it in
            self._message = {"text": str(error) or type(error).__name__, "wrong": True}
        if isinstance(content.get("n"), int):
            view = str(content.get("view"))[:40]
            self._acks = {**{k: v for k, v in list(self._acks.items())[-VIEWS:] if k != view}, view: content["n"]}
        self._refresh()

    def _act(self, content: dict, buffers: list) -> None:
        kind = content.get("type")
        if kind == "gesture":
            perform(self.model, content.get("op", {}))
        elif kind == "snap":
            self.snap_to(content["to"])
        elif kind == "read":
            self.read(content["text"])
        elif kind == "print":
            text = self.code() if content.get("as") == "python" else json.dumps(self.to_json())
            self.send({"type": "printed", "as": content.get("as"), "text": text})
        else:
            raise ValueError(
                f"the page sent {kind!r}, which this editor does not know; run the cell again that shows it"
            )

    def __repr__(self) -> str:
        return f"{type(self).__name__}: {self.model.codebooks} x {self.model.frames}, {self.facts()}"

    def _repr_mimebundle_(self, **kwargs):
        """The widget, and for pages where widgets do not run its facts and a still picture."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        still = pictures.uri(pictures.mask_png(self.mask), "image/png").split(",")[1]
        return {**data, "text/plain": repr(self), "image/png": still}, metadata


for _name in CALLS:
    setattr(MaskEditor, _name, _delegate(_name))


def find_times(clip: Clip) -> dict[str, tuple[float, ...]]:
    """Onsets, beats and bars of a clip, in seconds."""
    from vampkit.prompts.beats import LibrosaBeats, onset_times

    grid = LibrosaBeats().track(clip)
    return {"onsets": tuple(map(float, onset_times(clip))), "beats": grid.times(), "bars": grid.downbeats}


def sound_pictures(clip: Clip, frames: int, beside: Clip | None = None) -> tuple[dict, bytes, bytes]:
    """Waveform and mel spectrogram of a clip for the page.

    Their sizes, int8 [2, columns] of lowest and highest sample, uint8 [bands, columns].

    High bands come first. beside: a clip whose range of decibels holds for this one too, so that their colours compare.
    """
    columns = min(COLUMNS, max(200, frames * 4))
    low, high = spectra.outline(clip, columns)
    wave = (
        (np.stack([low, high]) * 127 / max(float(np.abs(clip.samples).max()), 1e-6))
        .round()
        .clip(-127, 127)
        .astype(np.int8)
    )
    spectrum = spectra.spectrum(clip, bands=64, columns=columns)
    floor, _ = spectra.shared_range(spectrum if beside is None else spectra.spectrum(beside, bands=64, columns=columns))
    mel = (np.clip((spectrum.db.astype(float) - floor) / spectra.RANGE, 0, 1) * 255).round().astype(np.uint8)[::-1]
    sizes = {"wave": len(low), "bands": len(spectrum.hz), "columns": spectrum.db.shape[1], "sound": clip.seconds}
    return sizes, wave.tobytes(), mel.tobytes()


def _opened(source, clip: Clip | None, codec) -> tuple[MaskModel, Clip | None]:
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
