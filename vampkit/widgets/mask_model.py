"""MaskModel: a mask to draw on, with undo and redo. It is plain Python, without browser or Jupyter."""

from __future__ import annotations

import json
import zlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import pairwise

import numpy as np
import torch
from jaxtyping import Bool

from vampkit import masks, prompts
from vampkit.audio import Clip
from vampkit.codec import Tokens
from vampkit.show.spectra import COARSE
from vampkit.widgets import cells, printed, stamps
from vampkit.widgets.steps import Steps

FORMAT = "vampkit.mask/1"
SNAPS = ("frames", "onsets", "beats", "bars")
HOW = ("replace", "or", "and")

Mask = np.ndarray | torch.Tensor | Sequence | str
"""What is accepted as a mask: bool [codebooks, frames], or text such as `0:4 10:20 30:40; 4:14 0:575`."""


@dataclass(frozen=True)
class _Gesture:
    """One step of the history: the cells it changed (compressed bits), and the call that made it."""

    model: MaskModel
    change: bytes
    code: str
    total: bool  # whether it replaces the whole mask

    def back(self) -> None:
        self.model._turn(self.change)

    again = back  # turning the same cells once more


class MaskModel:
    """A mask to draw on, step by step. At first nothing is hidden.

    Each call of a drawing method is one gesture, which `undo` reverts as a whole. These methods return the model, so
    that calls can be chained. Locked codebooks never change.

    Notebook: 10

    Parameters
    ----------
    codebooks, frames : int
        Rows and columns of the grid.
    rate : int
        Samples per second of the codec.
    hop : int
        Samples per frame.
    entries : int
        Entries in each codebook.
    length : int, optional
        Length of the sound in samples, if it ends inside the last frame.
    clip : Clip, optional
        The sound, for prompts that find beats or onsets in it.

    Raises
    ------
    ValueError
        For a grid without cells.
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
        clip: Clip | None = None,
    ):
        cells.whole("the number of codebooks", codebooks, 1, 10_000)
        cells.whole("the number of frames", frames, 1, 100_000_000)
        codes = torch.zeros(codebooks, frames, dtype=torch.int64)
        blank = Tokens(codes, "", rate, hop, entries, frames * hop if length is None else length, rate)
        self._start(blank, clip)

    @classmethod
    def of(cls, tokens: Tokens, clip: Clip | None = None) -> MaskModel:
        """Make a model for some tokens, with their shape and time axis. Stamped prompts are applied to these tokens.

        Parameters
        ----------
        tokens : Tokens
            Tokens of one sound. From a batch the first item is taken.
        clip : Clip, optional
            The sound.

        Returns
        -------
        MaskModel
            A new model.
        """
        model = cls.__new__(cls)
        model._start(cells.first_of(tokens), clip)
        return model

    def _start(self, tokens: Tokens, clip: Clip | None) -> None:
        self.tokens, self.clip = tokens, clip
        self._mask = np.zeros((tokens.codebooks, tokens.frames), bool)
        self._base = ""  # what was hidden before the first gesture, as text
        self.steps = Steps()
        self._listeners: list[Callable] = []
        self._locked, self._coarse_only, self._snap = frozenset(), False, "frames"
        self.times: dict[str, tuple[float, ...]] = {"onsets": (), "beats": (), "bars": ()}

    # What it holds

    @property
    def codebooks(self) -> int:
        """Number of rows."""
        return self._mask.shape[0]

    @property
    def frames(self) -> int:
        """Number of columns."""
        return self._mask.shape[1]

    @property
    def mask(self) -> Bool[np.ndarray, "codebooks frames"]:
        """A copy of the mask, bool [codebooks, frames], True = hidden. Assigning a mask is the gesture `draw`."""
        return self._mask.copy()

    @mask.setter
    def mask(self, value: Mask) -> None:
        self.draw(value)

    @property
    def tensor(self) -> Bool[torch.Tensor, "codebooks frames"]:
        """The mask as a tensor, for the pipeline."""
        return torch.from_numpy(self.mask)

    @property
    def mask_ratio(self) -> float:
        """Fraction of the tokens that is hidden, 0 to 1."""
        return float(self._mask.mean())

    @property
    def bits_per_second(self) -> float:
        """Bit rate of the tokens that are kept."""
        return self.tokens.bits_per_second * (1 - self.mask_ratio)

    @property
    def undos(self) -> int:
        """Number of gestures that `undo` can revert."""
        return len(self.steps.done)

    @property
    def redos(self) -> int:
        """Number of gestures that `redo` can repeat."""
        return len(self.steps.undone)

    # Drawing

    def draw(self, mask: Mask, rows: Sequence[int] | None = None) -> MaskModel:
        """Replace the mask by another one.

        Parameters
        ----------
        mask : ndarray, Tensor or str
            bool [codebooks, frames], True = hidden; or its text, such as `0:4 10:20 30:40; 4:14 0:575`, which hides
            frames 10 to 19 and 30 to 39 of codebooks 0 to 3, and frames 0 to 574 of codebooks 4 to 13.
        rows : sequence of int, optional
            Codebooks that may change; None: all.

        Returns
        -------
        MaskModel
            The model itself.

        Raises
        ------
        TypeError, ValueError
            For anything that is not a mask of this shape.
        """
        wanted = self._cells(mask)
        return self._apply(wanted, f"draw({cells.to_text(wanted)!r}", rows, total=True)

    def hide(self, where: Mask, rows: Sequence[int] | None = None) -> MaskModel:
        """Hide some cells.

        Parameters
        ----------
        where : ndarray, Tensor or str
            bool [codebooks, frames], True = hide this cell; or its text, see `draw`.
        rows : sequence of int, optional
            Codebooks that may change; None: all.

        Returns
        -------
        MaskModel
            The model itself.
        """
        where = self._cells(where)
        return self._apply(self._mask | where, f"hide({cells.to_text(where)!r}", rows)

    def keep(self, where: Mask, rows: Sequence[int] | None = None) -> MaskModel:
        """Keep some cells.

        Parameters
        ----------
        where : ndarray, Tensor or str
            bool [codebooks, frames], True = keep this cell; or its text, see `draw`.
        rows : sequence of int, optional
            Codebooks that may change; None: all.

        Returns
        -------
        MaskModel
            The model itself.
        """
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
        """Draw one stroke of a brush.

        Parameters
        ----------
        path : sequence of (int, int)
            Cells (codebook, frame) in the order of the stroke. The brush moves in straight lines between them.
        width, height : int
            Size of the brush, in frames and in codebooks.
        hidden : bool
            True hides the cells, False keeps them.
        rows : sequence of int, optional
            Codebooks that may change; None: all.
        snap : bool
            Paint the whole beat (or bar, or stretch between onsets) around each cell, see `snap_to`.

        Returns
        -------
        MaskModel
            The model itself.

        Raises
        ------
        TypeError, ValueError
            For an empty path, or a brush that is larger than the grid.

        Examples
        --------
        >>> MaskModel(14, 575).paint([(0, 20), (0, 39)], width=3)
        """
        cells.whole("the width of the brush", width, 1, self.frames)
        cells.whole("the height of the brush", height, 1, self.codebooks)
        where = cells.stroke(self.codebooks, self.frames, path, width, height)
        if snap and self._snap != "frames":
            points = self.snap_points()
            for first, end in pairwise(points):
                where[:, first:end] = where[:, first:end].any(1, keepdims=True)
            return self.hide(where, rows) if hidden else self.keep(where, rows)
        points = [tuple(int(n) for n in cell) for cell in path]
        usual = (("width", width, 1), ("height", height, 1), ("hidden", bool(hidden), True))
        extra = "".join(f", {name}={value}" for name, value, plain in usual if value != plain)
        return self._apply(self._mask | where if hidden else self._mask & ~where, f"paint({points}{extra}", rows)

    def erase(
        self,
        path: Sequence[tuple[int, int]],
        width: int = 1,
        height: int = 1,
        rows: Sequence[int] | None = None,
        snap: bool = False,
    ) -> MaskModel:
        """Draw one stroke of the eraser. It is a brush that keeps cells.

        Parameters
        ----------
        path : sequence of (int, int)
            Cells (codebook, frame) in the order of the stroke. The eraser moves in straight lines between them.
        width, height : int
            Size of the eraser, in frames and in codebooks.
        rows : sequence of int, optional
            Codebooks that may change; None: all.
        snap : bool
            Erase the whole beat (or bar, or stretch between onsets) around each cell, see `snap_to`.

        Returns
        -------
        MaskModel
            The model itself.
        """
        return self.paint(path, width, height, False, rows, snap)

    def rectangle(
        self,
        codebooks: tuple[int, int] | None = None,
        frames: tuple[int, int] | None = None,
        hidden: bool = True,
        rows: Sequence[int] | None = None,
        snap: bool = False,
    ) -> MaskModel:
        """Hide or keep a box.

        Parameters
        ----------
        codebooks, frames : (int, int), optional
            The first one and the end, which is not included; None: all.
        hidden : bool
            True hides the cells, False keeps them.
        rows : sequence of int, optional
            Codebooks that may change; None: all.
        snap : bool
            Move the left and right sides to the nearest beats (or bars, or onsets), see `snap_to`.

        Returns
        -------
        MaskModel
            The model itself.

        Raises
        ------
        TypeError, ValueError
            For a box that is not inside the grid.
        """
        top, bottom = cells.span("codebooks", codebooks, self.codebooks)
        first, end = cells.span("frames", frames, self.frames)
        if snap and self._snap != "frames":
            first, end = cells.snap_range(self.snap_points(), first, end)
        after = self._mask.copy()
        after[top:bottom, first:end] = hidden
        call = f"rectangle(({top}, {bottom}), ({first}, {end}){'' if hidden else ', hidden=False'}"
        return self._apply(after, call, rows)

    def time(
        self, start: float, end: float, hidden: bool = True, rows: Sequence[int] | None = None, snap: bool = False
    ) -> MaskModel:
        """Hide or keep a stretch of time, in all codebooks.

        Parameters
        ----------
        start, end : float
            Start and end in seconds.
        hidden : bool
            True hides the cells, False keeps them.
        rows : sequence of int, optional
            Codebooks that may change; None: all.
        snap : bool
            Move both ends to the nearest beats (or bars, or onsets), see `snap_to`.

        Returns
        -------
        MaskModel
            The model itself.

        Raises
        ------
        ValueError
            For an end that is not later than the start.
        """
        if not 0 <= start < end:
            raise ValueError(
                f"the time from {start} to {end} s was given, a start of 0 or more and a later end were expected"
            )
        rate = self.tokens.frame_rate
        first, last = min(round(start * rate), self.frames - 1), min(round(end * rate), self.frames)
        return self.rectangle(None, (first, max(last, first + 1)), hidden, rows, snap)

    def row(self, codebook: int, hidden: bool = True) -> MaskModel:
        """Hide or keep one codebook, in all frames.

        Parameters
        ----------
        codebook : int
            Number of the codebook, from 0.
        hidden : bool
            True hides the cells, False keeps them.

        Returns
        -------
        MaskModel
            The model itself.
        """
        return self.rectangle((codebook, codebook + 1), hidden=hidden)

    def column(self, frame: int, hidden: bool = True, snap: bool = False) -> MaskModel:
        """Hide or keep one frame, in all codebooks.

        Parameters
        ----------
        frame : int
            Number of the frame, from 0.
        hidden : bool
            True hides the cells, False keeps them.
        snap : bool
            Use the whole beat (or bar, or stretch between onsets) that the frame lies in, see `snap_to`.

        Returns
        -------
        MaskModel
            The model itself.
        """
        cells.whole("the frame", frame, 0, self.frames - 1)
        first, end = cells.segment(self.snap_points(), frame) if snap else (frame, frame + 1)
        return self.rectangle(None, (first, end), hidden)

    def stamp(self, prompt: prompts.Prompt | str, how: str = "replace", rows: Sequence[int] | None = None) -> MaskModel:
        """Apply a prompt to the mask.

        Parameters
        ----------
        prompt : Prompt or str
            A prompt, the name of a preset, or a text such as "periodic:7+prefix:3".
        how : str
            "replace" replaces the mask. "or" keeps what mask or prompt keeps (like `|` of prompts), "and" keeps what
            both keep (like `&`).
        rows : sequence of int, optional
            Codebooks that may change; None: all.

        Returns
        -------
        MaskModel
            The model itself.

        Raises
        ------
        ValueError
            For a text that is not a prompt, or a prompt that changes the length.
        """
        if how not in HOW:
            raise ValueError(f"a stamp combined by {how!r} was asked for, one of {', '.join(HOW)} was expected")
        prompt = prompts.parse(prompt) if isinstance(prompt, str) else prompt
        stamp = self._cells(stamps.hidden(prompt, self.tokens, self.clip))
        if not stamps.repeats(prompt, self.tokens, stamp):
            if how == "or":
                return self.keep(~stamp, rows)
            return self.draw(stamp, rows) if how == "replace" else self.hide(stamp, rows)
        after = {"replace": stamp, "or": self._mask & stamp, "and": self._mask | stamp}[how]
        call = f"stamp({prompt!r}{'' if how == 'replace' else f', {how!r}'}"
        return self._apply(after, call, rows, total=how == "replace")

    def invert(self, rows: Sequence[int] | None = None) -> MaskModel:
        """Hide what is kept and keep what is hidden.

        Parameters
        ----------
        rows : sequence of int, optional
            Codebooks that may change; None: all.

        Returns
        -------
        MaskModel
            The model itself.
        """
        return self._apply(~self._mask, "invert(", rows)

    def clear(self, rows: Sequence[int] | None = None) -> MaskModel:
        """Keep everything.

        Parameters
        ----------
        rows : sequence of int, optional
            Codebooks that may change; None: all.

        Returns
        -------
        MaskModel
            The model itself.
        """
        return self._apply(np.zeros_like(self._mask), "clear(", rows, total=True)

    def fill(self, rows: Sequence[int] | None = None) -> MaskModel:
        """Hide everything.

        Parameters
        ----------
        rows : sequence of int, optional
            Codebooks that may change; None: all.

        Returns
        -------
        MaskModel
            The model itself.
        """
        return self._apply(np.ones_like(self._mask), "fill(", rows, total=True)

    def roll(self, by: int, rows: Sequence[int] | None = None) -> MaskModel:
        """Shift the mask in time. What leaves at one end comes in at the other.

        Parameters
        ----------
        by : int
            Number of frames to shift it later; earlier if negative.
        rows : sequence of int, optional
            Codebooks that may change; None: all.

        Returns
        -------
        MaskModel
            The model itself.
        """
        cells.whole("the number of frames to roll by", by, -self.frames, self.frames)
        return self._apply(np.roll(self._mask, by, 1), f"roll({by}", rows)

    def repeat(self, first: int, end: int, rows: Sequence[int] | None = None) -> MaskModel:
        """Repeat a stretch of the mask over the whole length. The stretch itself stays at its place.

        Parameters
        ----------
        first, end : int
            First frame of the stretch, and the one after its last.
        rows : sequence of int, optional
            Codebooks that may change; None: all.

        Returns
        -------
        MaskModel
            The model itself.
        """
        first, end = cells.span("frames", (first, end), self.frames)
        source = first + (np.arange(self.frames) - first) % (end - first)
        return self._apply(self._mask[:, source], f"repeat({first}, {end}", rows)

    # Locks, snapping, history

    def lock(self, *codebooks: int, on: bool = True) -> MaskModel:
        """Lock codebooks, so that no gesture changes them. Locking is not a gesture, so `undo` does not revert it.

        Parameters
        ----------
        *codebooks : int
            Numbers of the codebooks, from 0. If none is given, all are locked.
        on : bool
            True locks them, False unlocks them.

        Returns
        -------
        MaskModel
            The model itself.
        """
        rows = {cells.whole("the codebook", k, 0, self.codebooks - 1) for k in codebooks} or set(range(self.codebooks))
        self._locked = frozenset(self._locked | rows if on else self._locked - rows)
        return self._tell()

    @property
    def locked(self) -> list[int]:
        """The locked codebooks, sorted."""
        return sorted(self._locked)

    @property
    def coarse_only(self) -> bool:
        """Whether gestures change only the coarse codebooks (the first 4)."""
        return self._coarse_only

    @coarse_only.setter
    def coarse_only(self, on: bool) -> None:
        self._coarse_only = bool(on)
        self._tell()

    @property
    def snap(self) -> str:
        """What snapping gestures snap to: "frames", "onsets", "beats" or "bars"."""
        return self._snap

    def snap_to(self, what: str, times: Sequence[float] | None = None) -> MaskModel:
        """Choose what gestures snap to.

        Parameters
        ----------
        what : str
            "frames", "onsets", "beats" or "bars".
        times : sequence of float, optional
            Times of the onsets, beats or downbeats in seconds, if they are not known yet.

        Returns
        -------
        MaskModel
            The model itself.

        Raises
        ------
        ValueError
            For another word, or if no times are known.
        """
        if what not in SNAPS:
            raise ValueError(f"snapping to {what!r} was asked for, one of {', '.join(SNAPS)} was expected")
        if times is not None and what != "frames":
            self.times[what] = tuple(sorted(float(t) for t in times))
        if what != "frames" and not self.times[what]:
            raise ValueError(
                f"no {what} are known for this sound, their times in seconds were expected; "
                "give them, or a clip with some"
            )
        self._snap = what
        return self._tell()

    def snap_points(self, what: str | None = None) -> list[int]:
        """List the frames that gestures snap to.

        Parameters
        ----------
        what : str, optional
            "frames", "onsets", "beats" or "bars"; None: what `snap_to` chose.

        Returns
        -------
        list of int
            Sorted frames, including 0 and the end of the grid.
        """
        what = what or self._snap
        if what == "frames":
            return list(range(self.frames + 1))
        inside = {round(t * self.tokens.frame_rate) for t in self.times[what]}
        return sorted({0, self.frames} | {p for p in inside if 0 < p < self.frames})

    def undo(self) -> bool:
        """Revert the last gesture.

        Returns
        -------
        bool
            False if there is none.
        """
        return self.steps.undo()

    def redo(self) -> bool:
        """Repeat the last gesture that `undo` reverted.

        Returns
        -------
        bool
            False if there is none.
        """
        return self.steps.redo()

    def listen(self, callback: Callable[[MaskModel], None]) -> Callable[[], None]:
        """Register a function that is called with the model after each change.

        Parameters
        ----------
        callback : callable
            The function.

        Returns
        -------
        callable
            A function that removes the registration.
        """
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    # Saving and printing

    def to_json(self) -> dict:
        """Write the mask, the locks and the snapping as plain JSON, for `from_json`.

        Returns
        -------
        dict
            Shape, time axis, the mask as text, and the settings.
        """
        return {
            "format": FORMAT,
            "codebooks": self.codebooks,
            "frames": self.frames,
            "hidden": cells.to_text(self._mask),
            **{name: getattr(self.tokens, name) for name in ("rate", "hop", "entries", "length")},
            "locked": self.locked,
            "coarse_only": self.coarse_only,
            "snap": self.snap,
            "times": {what: list(times) for what, times in self.times.items()},
        }

    @classmethod
    def from_json(cls, data: dict | str) -> MaskModel:
        """Read the model that `to_json` wrote, without its history.

        Parameters
        ----------
        data : dict or str
            Plain JSON, or its text.

        Returns
        -------
        MaskModel
            A new model.

        Raises
        ------
        ValueError
            For any other data.
        """
        data = json.loads(data) if isinstance(data, str) else data
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise ValueError(f"this is no mask of format {FORMAT}; JSON written by MaskModel.to_json was expected")
        axis = {name: data[name] for name in ("rate", "hop", "entries", "length") if name in data}
        model = cls(data["codebooks"], data["frames"], **axis)
        model._base = data["hidden"]
        model._mask = cells.from_text(model._base, model.codebooks, model.frames)
        if data.get("locked"):
            model.lock(*data["locked"])
        model.times |= {k: tuple(v) for k, v in data.get("times", {}).items() if k in model.times}
        model.coarse_only = data.get("coarse_only", False)
        return model.snap_to(data.get("snap", "frames"))

    def code(self) -> str:
        """Write a Python expression that makes the mask.

        Returns
        -------
        str
            Python code. It uses MaskModel and the names of `vampkit.prompts`.
        """
        gestures = [(g.code, g.total) for g in self.steps.of(_Gesture)]
        return printed.expression(self.tokens, self._base, gestures, self._mask)

    def __repr__(self) -> str:
        return (
            f"MaskModel: {self.codebooks} x {self.frames}, {100 * self.mask_ratio:.1f} % hidden, {self.undos} gestures"
        )

    # Inside

    def _cells(self, value) -> np.ndarray:
        if isinstance(value, str):
            return cells.from_text(value, self.codebooks, self.frames)
        mask = masks.as_mask(value).numpy()
        if mask.shape != self._mask.shape:
            raise ValueError(f"a mask of shape {mask.shape} was given, {self._mask.shape} was expected for this sound")
        return mask

    def _apply(self, after: np.ndarray, code: str, rows: Sequence[int] | None, total: bool = False) -> MaskModel:
        rows = range(self.codebooks) if rows is None else rows
        free = {cells.whole("the codebook", k, 0, self.codebooks - 1) for k in rows}
        free -= self._locked | (set(range(COARSE, self.codebooks)) if self._coarse_only else set())
        if len(free) < self.codebooks:
            limited = self._mask.copy()
            limited[sorted(free)] = after[sorted(free)]
            comma = "" if code.endswith("(") else ", "
            code, after, total = f"{code}{comma}rows={sorted(free)}", limited, False
        if (after == self._mask).all():
            return self  # nothing changed, so there is no gesture to undo
        change = zlib.compress(masks.pack(after ^ self._mask))
        self._mask = after.copy()
        self.steps.add(_Gesture(self, change, code + ")", total))
        return self._tell()

    def _turn(self, change: bytes) -> None:
        """Hide what is kept and keep what is hidden, in the cells of a gesture."""
        self._mask = self._mask ^ masks.unpack(zlib.decompress(change), self.codebooks, self.frames).numpy()
        self._tell()

    def _tell(self) -> MaskModel:
        for listener in tuple(self._listeners):
            listener(self)
        return self
