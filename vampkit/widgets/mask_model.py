"""MaskModel: a mask one draws, step by step, with undo and redo; plain Python, no browser and no Jupyter."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
import torch

from vampkit import prompts
from vampkit.codec import Tokens
from vampkit.show.spectra import COARSE, mask_array
from vampkit.widgets import cells, printed, stamps

FORMAT = "vampkit.mask/1"
SNAPS = ("frames", "onsets", "beats", "bars")
HOW = ("replace", "or", "and")


@dataclass(frozen=True)
class _Gesture:
    """One step of the history.

    Which cells changed (compressed bits), the call that did it, and whether it forgets all before.
    """

    change: bytes
    code: str
    total: bool


class MaskModel:
    """A mask of `codebooks` x `frames` that one draws on: True = hidden, to be generated. At first nothing is hidden.

    rate, hop, entries: the codec's samples a second, samples a frame, entries a codebook. length: samples of the sound,
    where it ends inside the last frame.
    clip: the sound, for prompts that look for beats or onsets. Every method that draws is one gesture: `undo()` takes
    it back whole, and it returns the model, so that calls can be chained. `rows` limits a gesture to some codebooks;
    locked rows never change. Raises ValueError for a grid without cells. Notebook: 10.
    """

    def __init__(
        self,
        codebooks: int = 14,
        frames: int = 575,
        *,
        rate: int = 44_100,
        hop: int = 768,
        entries: int = 1024,
        length: int | None = None,
        clip=None,
    ):
        cells.whole("the number of codebooks", codebooks, 1, 10_000)
        cells.whole("the number of frames", frames, 1, 100_000_000)
        codes = torch.zeros(codebooks, frames, dtype=torch.int64)
        blank = Tokens(codes, "", rate, hop, entries, frames * hop if length is None else length, rate)
        self._start(blank, clip)

    @classmethod
    def of(cls, tokens: Tokens, clip=None) -> MaskModel:
        """A model of the shape and the time axis of these tokens, whose prompts see the tokens and the clip."""
        model = cls.__new__(cls)
        model._start(
            tokens if tokens.codes.ndim == 2 else tokens.replace(codes=tokens.codes[0], gains=tokens.gains[:1]), clip
        )
        return model

    def _start(self, tokens: Tokens, clip) -> None:
        self.tokens, self.clip = tokens, clip
        self._mask, self._base = (
            np.zeros((tokens.codebooks, tokens.frames), bool),
            "",
        )  # _base: what was hidden before the first gesture, as text
        self._done: list[_Gesture] = []
        self._undone: list[_Gesture] = []
        self._listeners: list[Callable] = []
        self._locked, self._coarse_only, self._snap = frozenset(), False, "frames"
        self.times: dict[str, tuple[float, ...]] = {"onsets": (), "beats": (), "bars": ()}

    # What it holds

    @property
    def codebooks(self) -> int:
        """Number of rows K."""
        return self._mask.shape[0]

    @property
    def frames(self) -> int:
        """Number of columns T."""
        return self._mask.shape[1]

    @property
    def mask(self) -> np.ndarray:
        """The mask, a boolean array [K, T] of one's own.

        Assigning one is a gesture. Raises TypeError, ValueError for another type or shape.
        """
        return self._mask.copy()

    @mask.setter
    def mask(self, value) -> None:
        self.draw(value)

    @property
    def tensor(self) -> torch.Tensor:
        """The mask as the pipeline takes it, torch.bool [K, T]."""
        return torch.from_numpy(self.mask)

    @property
    def share(self) -> float:
        """Share of the tokens that is hidden."""
        return float(self._mask.mean())

    @property
    def bits_per_second(self) -> float:
        """Rate of the tokens that are kept."""
        return self.tokens.bits_per_second * (1 - self.share)

    @property
    def undos(self) -> int:
        """Gestures that can be taken back."""
        return len(self._done)

    @property
    def redos(self) -> int:
        """Gestures that were taken back and can come again."""
        return len(self._undone)

    # Drawing

    def draw(self, mask, rows: Sequence[int] | None = None) -> MaskModel:
        """Replace the mask by an array or tensor [K, T], or by text such as `0:4 10:20.

        4:14 0:575` (see `cells.to_text`).
        """
        wanted = self._cells(mask)
        return self._apply(wanted, f"draw({cells.to_text(wanted)!r}", rows, total=True)

    def hide(self, where, rows: Sequence[int] | None = None) -> MaskModel:
        """Hide these cells: a boolean array [K, T] or its text."""
        where = self._cells(where)
        return self._apply(self._mask | where, f"hide({cells.to_text(where)!r}", rows)

    def keep(self, where, rows: Sequence[int] | None = None) -> MaskModel:
        """Keep these cells: a boolean array [K, T] or its text."""
        where = self._cells(where)
        return self._apply(self._mask & ~where, f"keep({cells.to_text(where)!r}", rows)

    def paint(
        self,
        path: Sequence[tuple[int, int]],
        width: int = 1,
        height: int = 1,
        hidden: bool = True,
        rows: Sequence[int] | None = None,
        snap: bool = False,
    ) -> MaskModel:
        """One stroke of a brush of `width` frames x `height` codebooks along cells (codebook, frame).

        `hidden=False` erases.

        snap: paint the whole beat (bar, stretch between onsets) of every cell passed, by what `snap_to` was told.
        """
        width, height = (
            cells.whole("the width of the brush", width, 1, self.frames),
            cells.whole("the height of the brush", height, 1, self.codebooks),
        )
        where = cells.stroke(self.codebooks, self.frames, path, width, height)
        if snap and self._snap != "frames":
            points = self.snap_points()
            for first, end in zip(points, points[1:], strict=False):
                where[:, first:end] = where[:, first:end].any(1, keepdims=True)
            return self.hide(where, rows) if hidden else self.keep(where, rows)
        points = [tuple(int(n) for n in cell) for cell in path]
        extra = "".join(
            [f", width={width}" * (width != 1), f", height={height}" * (height != 1), ", hidden=False" * (not hidden)]
        )
        return self._apply(self._mask | where if hidden else self._mask & ~where, f"paint({points}{extra}", rows)

    def erase(
        self, path, width: int = 1, height: int = 1, rows: Sequence[int] | None = None, snap: bool = False
    ) -> MaskModel:
        """One stroke of the eraser: the brush with the opposite value."""
        return self.paint(path, width, height, False, rows, snap)

    def rectangle(
        self,
        codebooks: tuple[int, int] | None = None,
        frames: tuple[int, int] | None = None,
        hidden: bool = True,
        rows: Sequence[int] | None = None,
        snap: bool = False,
    ) -> MaskModel:
        """Hide (or keep) a box.

        Codebooks and frames as (first, end), the end not included; None is all of them. snap: its sides go to the grid
        in time.
        """
        top, bottom = cells.span("codebooks", codebooks, self.codebooks)
        first, end = cells.span("frames", frames, self.frames)
        if snap and self._snap != "frames":
            first, end = cells.snap_range(self.snap_points(), first, end)
        after = self._mask.copy()
        after[top:bottom, first:end] = hidden
        return self._apply(
            after, f"rectangle(({top}, {bottom}), ({first}, {end}){'' if hidden else ', hidden=False'}", rows
        )

    def time(
        self, start: float, end: float, hidden: bool = True, rows: Sequence[int] | None = None, snap: bool = False
    ) -> MaskModel:
        """Hide (or keep) all codebooks from `start` to `end`, in seconds."""
        if not 0 <= start < end:
            raise ValueError(
                f"the time from {start} to {end} s was given, a start of 0 or more and a later end were expected"
            )
        rate = self.tokens.frame_rate
        first, last = min(round(start * rate), self.frames - 1), min(round(end * rate), self.frames)
        return self.rectangle(None, (first, max(last, first + 1)), hidden, rows, snap)

    def row(self, codebook: int, hidden: bool = True) -> MaskModel:
        """Hide (or keep) one codebook, all its frames."""
        return self.rectangle((codebook, codebook + 1), hidden=hidden)

    def column(self, frame: int, hidden: bool = True, snap: bool = False) -> MaskModel:
        """Hide (or keep) one frame, all its codebooks; with snap, the whole beat it lies in."""
        cells.whole("the frame", frame, 0, self.frames - 1)
        first, end = cells.segment(self.snap_points(), frame) if snap else (frame, frame + 1)
        return self.rectangle(None, (first, end), hidden)

    def stamp(self, prompt, how: str = "replace", rows: Sequence[int] | None = None) -> MaskModel:
        """Lay a prompt of the library on the mask.

        "replace" it, keep what either keeps ("or"), or what both keep ("and"), as `|` and `&` of prompts.

        prompt: a Prompt, a preset's name, or words such as "periodic:7+prefix:3". Raises ValueError for a prompt that
        changes the length, and what it raises.
        """
        if how not in HOW:
            raise ValueError(f"a stamp combined by {how!r} was asked for, one of {', '.join(HOW)} was expected")
        prompt = prompts.parse(prompt) if isinstance(prompt, str) else prompt
        stamp = self._cells(stamps.hidden(prompt, self.tokens, self.clip))
        after = {"replace": stamp, "or": self._mask & stamp, "and": self._mask | stamp}[how]
        if stamps.repeats(prompt, self.tokens, stamp):
            return self._apply(
                after, f"stamp({prompt!r}{'' if how == 'replace' else f', {how!r}'}", rows, total=how == "replace"
            )
        return {"replace": self.draw, "or": lambda m, r: self.keep(~m, r), "and": self.hide}[how](stamp, rows)

    def invert(self, rows: Sequence[int] | None = None) -> MaskModel:
        """Hide what is kept and keep what is hidden."""
        return self._apply(~self._mask, "invert(", rows)

    def clear(self, rows: Sequence[int] | None = None) -> MaskModel:
        """Keep everything."""
        return self._apply(np.zeros_like(self._mask), "clear(", rows, total=True)

    def fill(self, rows: Sequence[int] | None = None) -> MaskModel:
        """Hide everything."""
        return self._apply(np.ones_like(self._mask), "fill(", rows, total=True)

    def roll(self, by: int, rows: Sequence[int] | None = None) -> MaskModel:
        """Move the mask `by` frames later (earlier where negative); what leaves at one end enters at the other."""
        by = cells.whole("the number of frames to roll by", by, -self.frames, self.frames)
        return self._apply(np.roll(self._mask, by, 1), f"roll({by}", rows)

    def repeat(self, first: int, end: int, rows: Sequence[int] | None = None) -> MaskModel:
        """Repeat the mask of frames first .. end - 1 over the whole length, both ways from where it stands."""
        first, end = cells.span("frames", (first, end), self.frames)
        source = first + (np.arange(self.frames) - first) % (end - first)
        return self._apply(self._mask[:, source], f"repeat({first}, {end}", rows)

    # Locks, snapping, history

    def lock(self, *codebooks: int, on: bool = True) -> MaskModel:
        """Lock codebooks, so that no gesture changes them.

        `on=False` frees them. Without a number: all of them. Not a gesture: undo leaves it.
        """
        rows = {cells.whole("the codebook", k, 0, self.codebooks - 1) for k in codebooks} or set(range(self.codebooks))
        self._locked = frozenset(self._locked | rows if on else self._locked - rows)
        return self._tell()

    @property
    def locked(self) -> list[int]:
        """Locked codebooks, in order."""
        return sorted(self._locked)

    @property
    def coarse_only(self) -> bool:
        """Whether gestures change the coarse codebooks alone (the first 4)."""
        return self._coarse_only

    @coarse_only.setter
    def coarse_only(self, on: bool) -> None:
        self._coarse_only = bool(on)
        self._tell()

    @property
    def snap(self) -> str:
        """Where snapping gestures go to: "frames", "onsets", "beats" or "bars"."""
        return self._snap

    def snap_to(self, what: str, times: Sequence[float] | None = None) -> MaskModel:
        """Choose what gestures snap to; times: seconds of the onsets, beats or downbeats, where they are not known yet.

        Raises ValueError for another word, and where no times are known.
        """
        if what not in SNAPS:
            raise ValueError(f"snapping to {what!r} was asked for, one of {', '.join(SNAPS)} was expected")
        if times is not None and what != "frames":
            self.times[what] = tuple(sorted(float(t) for t in times))
        if what != "frames" and not self.times[what]:
            raise ValueError(
                f"no {what} are known for this sound, their times in seconds were expected; give them, or a clip with some"
            )
        self._snap = what
        return self._tell()

    def snap_points(self, what: str | None = None) -> list[int]:
        """Frames that snapping goes to, the first and the end of the grid included."""
        what = what or self._snap
        if what == "frames":
            return list(range(self.frames + 1))
        inside = {round(t * self.tokens.frame_rate) for t in self.times[what]}
        return sorted({0, self.frames} | {p for p in inside if 0 < p < self.frames})

    def undo(self) -> bool:
        """Take back the last gesture, whole; False where there is none."""
        return self._turn(self._done, self._undone)

    def redo(self) -> bool:
        """Do again what undo took back; False where there is nothing."""
        return self._turn(self._undone, self._done)

    def listen(self, callback: Callable[[MaskModel], None]) -> Callable[[], None]:
        """Call `callback(model)` after every change, until the function that is returned is called."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    # On paper

    def to_json(self) -> dict:
        """The mask, locks and snapping as plain JSON; `from_json` reads it."""
        facts = {
            "format": FORMAT,
            "codebooks": self.codebooks,
            "frames": self.frames,
            "hidden": cells.to_text(self._mask),
        }
        facts |= {
            "rate": self.tokens.rate,
            "hop": self.tokens.hop,
            "entries": self.tokens.entries,
            "length": self.tokens.length,
        }
        return facts | {
            "locked": self.locked,
            "coarse_only": self.coarse_only,
            "snap": self.snap,
            "times": {k: list(v) for k, v in self.times.items()},
        }

    @classmethod
    def from_json(cls, data: dict | str) -> MaskModel:
        """The model that `to_json` described, without its history. Raises ValueError for other data."""
        data = json.loads(data) if isinstance(data, str) else data
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"this is no mask of format {FORMAT}; JSON written by MaskModel.to_json was expected")
        model = cls(
            data["codebooks"], data["frames"], **{k: data[k] for k in ("rate", "hop", "entries", "length") if k in data}
        )
        model._base = data["hidden"]
        model._mask = cells.from_text(model._base, model.codebooks, model.frames)
        if data.get("locked"):
            model.lock(*data["locked"])
        model.times |= {k: tuple(v) for k, v in data.get("times", {}).items() if k in model.times}
        model.coarse_only = data.get("coarse_only", False)
        return model.snap_to(data.get("snap", "frames"))

    def code(self) -> str:
        """One Python expression that makes the same mask again; names: MaskModel and those of vampkit.prompts."""
        return printed.expression(self.tokens, self._base, [(g.code, g.total) for g in self._done], self._mask)

    def __repr__(self) -> str:
        return f"MaskModel: {self.codebooks} x {self.frames}, {100 * self.share:.1f} % hidden, {self.undos} gestures"

    # Inside

    def _cells(self, value) -> np.ndarray:
        mask = cells.from_text(value, self.codebooks, self.frames) if isinstance(value, str) else mask_array(value)
        if mask.shape != self._mask.shape:
            raise ValueError(f"a mask of shape {mask.shape} was given, {self._mask.shape} was expected for this sound")
        return mask

    def _apply(self, after: np.ndarray, code: str, rows: Sequence[int] | None, total: bool = False) -> MaskModel:
        free = {
            cells.whole("the codebook", k, 0, self.codebooks - 1)
            for k in (range(self.codebooks) if rows is None else rows)
        }
        free -= self._locked | (set(range(COARSE, self.codebooks)) if self._coarse_only else set())
        if len(free) < self.codebooks:
            limited = self._mask.copy()
            limited[sorted(free)] = after[sorted(free)]
            code, after, total = f"{code}{'' if code.endswith('(') else ', '}rows={sorted(free)}", limited, False
        if (after == self._mask).all():
            return self  # nothing changed: no step to take back
        self._done.append(_Gesture(zlib.compress(cells.pack(after ^ self._mask)), code + ")", total))
        self._undone.clear()
        self._mask = after.copy()
        return self._tell()

    def _turn(self, source: list[_Gesture], goal: list[_Gesture]) -> bool:
        if not source:
            return False
        gesture = source.pop()
        self._mask = self._mask ^ cells.unpack(zlib.decompress(gesture.change), self.codebooks, self.frames)
        goal.append(gesture)
        self._tell()
        return True

    def _tell(self) -> MaskModel:
        for listener in tuple(self._listeners):
            listener(self)
        return self
