"""Lanes: what the next takes of a studio follow, changed step by step. Plain Python, without browser or Jupyter."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from vampkit.audio import Clip
from vampkit.controls import Control, Rhythm
from vampkit.controls.control import FRAME
from vampkit.controls.kinds import stacked
from vampkit.pipeline import TakeSettings
from vampkit.widgets.cells import whole
from vampkit.widgets.steps import Steps

STROKE = 3.0
"""Height of a tapped stroke, which is that of a clear one in music."""
GRIDS = {"bars": ("bars", 1), "beats": ("beats", 1), "1/2": ("beats", 2), "1/4": ("beats", 4)}
"""What a rhythm can be quantized to: times, and places of the grid between two of them."""

SHOWN = {"rhythm": (0, 8), "harmony": (0, 1), "loudness": (-4, 2)}
"""Lowest and highest value that is drawn in each lane."""


@dataclass(frozen=True, eq=False)
class Lane:
    """One lane as it is at a moment.

    control: its curve; None: empty. on: whether takes follow it. words: where the curve comes from, for people. code:
    an expression that makes the same curve; "": there is none. own: the clip that is called `clip` in the code. taps:
    times and heights, if the curve is made of these alone.
    """

    control: Control | None = None
    on: bool = False
    words: str = ""
    code: str = ""
    own: Clip | None = None
    taps: tuple[tuple[float, float], ...] = ()


State = tuple[dict[str, Lane], float]
"""All lanes by their word, and the strength."""


@dataclass(frozen=True, eq=False)
class _Change:
    """One step of the history: all lanes before and after it."""

    lanes: Lanes
    before: State
    after: State

    def back(self) -> None:
        self.lanes.begin(self.before)

    def again(self) -> None:
        self.lanes.begin(self.after)


class Lanes:
    """A lane for each control: rhythm, harmony, loudness. At first all are empty, and nothing is followed.

    Each call that changes something is one step, which `undo` takes back as a whole. The steps are those of the mask if
    its `steps` are given. What changes a curve also switches its lane on. These methods return the lanes, so that calls
    can be chained.

    Notebook: 10

    Parameters
    ----------
    frames : int
        Number of frames of the sound.
    steps : Steps, optional
        Where the steps are kept; None: a history of its own.

    Raises
    ------
    ValueError
        For a sound without frames.
    """

    def __init__(self, frames: int, steps: Steps | None = None):
        self.frames = whole("the number of frames", frames, 1, 100_000_000)
        self.steps = Steps() if steps is None else steps
        self._lanes = {word: Lane() for word in Control.kinds}
        self._strength = TakeSettings().strength
        self._listeners: list[Callable] = []

    # What they hold

    def __getitem__(self, word: str) -> Lane:
        if word not in self._lanes:
            raise ValueError(f"there is no lane {word!r}, one of {', '.join(self._lanes)} was expected")
        return self._lanes[word]

    def __iter__(self) -> Iterator[str]:
        return iter(self._lanes)

    @property
    def state(self) -> State:
        """All lanes and the strength, for `recall`."""
        return dict(self._lanes), self._strength

    @property
    def strength(self) -> float:
        """How strongly takes follow: 0 not at all, 1 as trained."""
        return self._strength

    @property
    def follow(self) -> tuple[Control, ...]:
        """The controls of the lanes that are on."""
        return tuple(lane.control for lane in self._lanes.values() if lane.on and lane.control is not None)

    @property
    def seconds(self) -> float:
        """Length of the lanes in seconds."""
        return round(self.frames * FRAME, 6)

    def code(self, clip: Clip) -> str:
        """Write what is followed as Python: a list for `follow`.

        A curve that no short expression makes is written as its JSON.

        Parameters
        ----------
        clip : Clip
            The sound that the code may call `clip`.

        Returns
        -------
        str
            An expression that uses the names of `vampkit.controls` and `load_clip`.
        """
        lanes = [lane for lane in self._lanes.values() if lane.on and lane.control is not None]
        known = [lane.code if lane.own is None or lane.own is clip else "" for lane in lanes]
        return f"[{', '.join(code or _as_json(lane.control) for code, lane in zip(known, lanes, strict=True))}]"

    def strokes(self) -> list[tuple[float, float]]:
        """List the strokes of the rhythm, to be heard as clicks.

        Returns
        -------
        list of (float, float)
            Time in seconds and height of each; empty without a rhythm.
        """
        rhythm = self._lanes["rhythm"].control
        if rhythm is None:
            return []
        heights = rhythm.curve.mean(0)
        return [(time, float(heights[int(time / FRAME)])) for time in rhythm.times()]

    # What can be done

    def put(
        self, word: str, source: Clip | np.ndarray | Control, words: str = "", code: str = "", own: Clip | None = None
    ) -> Lanes:
        """Give a lane a curve.

        Parameters
        ----------
        word : str
            "rhythm", "harmony" or "loudness".
        source : Clip, ndarray or Control
            A sound, a curve [channels, frames], or a control. A longer curve is cut at the end of the lane.
        words : str
            Where the curve comes from, for people.
        code : str
            An expression that makes the same curve.
        own : Clip, optional
            The clip that is called `clip` in the code.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        TypeError
            For another kind of source, or the control of another lane.
        ValueError
            For another lane, a silent sound, or a curve that is too short or not finite or has other channels.
        """
        self[word]
        kind = Control.kinds[word]
        control = source if isinstance(source, Control) else kind(source)
        if type(control) is not kind:
            raise TypeError(f"{type(control).__name__} was given, {kind.__name__} was expected for this lane")
        fitting = self._fitting(control)
        return self._change(word, Lane(fitting, True, words, code if fitting is control else "", own))

    def place(self, word: str, sound: Clip, at: float, words: str = "") -> Lanes:
        """Give a lane the curve of a sound that begins at some place, such as a recording made while it played.

        Parameters
        ----------
        word : str
            "rhythm", "harmony" or "loudness".
        sound : Clip
            The sound. What reaches beyond the end is cut.
        at : float
            Where it begins, in seconds. The curve is 0 before and after the sound.
        words : str
            Where the curve comes from, for people.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        ValueError
            For a silent sound, or a place outside the lane.
        """
        self[word]
        control = Control.kinds[word](sound)
        if not 0 <= at < self.seconds:
            raise ValueError(f"a sound at {at} s was given, a place from 0 to {self.seconds:.2f} s was expected")
        first = min(int(at / FRAME), self.frames - 1)
        curve = np.zeros((control.channels, self.frames), np.float32)
        count = min(control.frames, self.frames - first)
        curve[:, first : first + count] = control.curve[:, :count]
        return self.put(word, curve, words)

    def draw(self, word: str, path: Sequence[tuple[int, float]], erase: bool = False) -> Lanes:
        """Draw by hand, one stroke of the pen.

        Parameters
        ----------
        word : str
            "rhythm", "harmony" or "loudness".
        path : sequence of (int, float)
            Frames and values in the order of the stroke; between them it is a straight line. A rhythm gets the value in
            all three bands; in the harmony a value is a pitch class, 0 (C) to 11 (B).
        erase : bool
            Set the curve to 0 instead; in the harmony, take the pitch class away.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        ValueError
            For another lane, a path that is empty, not finite or outside the lane.
        """
        lane, kind = self[word], Control.kinds[word]
        low, high = (0, kind.channels - 1) if word == "harmony" else (kind.low, kind.high)
        points = np.asarray(path, float)
        if points.ndim != 2 or points.shape[1] != 2 or not len(points) or not np.isfinite(points).all():
            raise ValueError("the path is no row of frames and values, such as [(10, 2.5), (20, 0)]")
        (frames, values), last = points.T, self.frames - 1
        if frames.min() < 0 or frames.max() > last or values.min() < low or values.max() > high:
            raise ValueError(
                f"the path leaves the {word}, frames from 0 to {last} and values from {low:g} to {high:g} were expected"
            )
        before = np.zeros((kind.channels, self.frames), np.float32) if lane.control is None else lane.control.curve
        curve = before.copy()
        for (a, b), (c, d) in zip(points, points[1:] if len(points) > 1 else points, strict=False):
            at = np.arange(round(min(a, c)), round(max(a, c)) + 1)
            line = np.interp(at, [a, c], [b, d]) if a <= c else np.interp(at, [c, a], [d, b])
            if word == "harmony":
                _paint(curve, at, line.round().astype(int), erase)
            else:
                curve[:, at] = 0 if erase else line
        return self._change(word, Lane(kind(curve), True, "drawn"))

    def tap(self, time: float, strength: float = STROKE) -> Lanes:
        """Add a stroke to the rhythm.

        Parameters
        ----------
        time : float
            When, in seconds.
        strength : float
            Height of the stroke, above 0.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        ValueError
            For a time outside the lane, or a height that a rhythm cannot have.
        """
        if not 0 <= time < self.seconds:
            raise ValueError(f"a tap at {time} s was given, a time from 0 to {self.seconds:.2f} s was expected")
        if not 0 < strength <= Rhythm.high:
            raise ValueError(f"a stroke of height {strength} was given, above 0 to {Rhythm.high:g} was expected")
        lane = self._lanes["rhythm"]
        tap = (round(float(time), 3), round(float(strength), 2))
        if lane.control is not None and not lane.taps:
            stroke = Rhythm.of_times(tap[:1], self.seconds, tap[1]).curve
            return self._change("rhythm", Lane(Rhythm(np.maximum(lane.control.curve, stroke)), True, "taps over it"))
        taps = (*lane.taps, tap)
        times, heights = ([each[n] for each in taps] for n in (0, 1))
        heights = heights[0] if len(set(heights)) == 1 else heights
        code = f"Rhythm.of_times({times}, {self.seconds}{'' if heights == STROKE else f', {heights}'})"
        made = Rhythm.of_times(times, self.seconds, heights)
        return self._change("rhythm", Lane(made, True, f"{len(taps)} taps", code, taps=taps))

    def quantize(self, times: Sequence[float], division: int = 1) -> Lanes:
        """Move the strokes of the rhythm to the nearest places of a grid.

        Parameters
        ----------
        times : sequence of float
            Beats, or the beginnings of bars, in seconds; two or more, rising. The grid goes on before and after them.
        division : int
            Places of the grid from one of these times to the next.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        ValueError
            Without a rhythm, for fewer than two times, or a division below 1.
        """
        lane = self._filled("rhythm")
        times = [round(float(t), 3) for t in times]
        if len(times) < 2 or (np.diff(times) <= 0).any():
            raise ValueError(f"{len(times)} times to quantize to were given, two or more rising ones were expected")
        first, last = times[1] - times[0], times[-1] - times[-2]
        before = [round(times[0] - n * first, 3) for n in range(math.ceil(times[0] / first), 0, -1)]
        after = [round(times[-1] + n * last, 3) for n in range(1, math.ceil((self.seconds - times[-1]) / last) + 1)]
        times = [*before, *times, *after]
        return self._derived("rhythm", lane.control.quantize(times, division), f".quantize({times}, {division})")

    def shift(self, word: str, seconds: float) -> Lanes:
        """Move a curve in time.

        Parameters
        ----------
        word : str
            "rhythm", "harmony" or "loudness".
        seconds : float
            To the right; below 0 to the left. What is left empty is 0.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        ValueError
            For another or an empty lane.
        """
        seconds = round(float(seconds), 4)
        return self._derived(word, self._filled(word).control.shift(seconds), f".shift({seconds})")

    def smooth(self, word: str, seconds: float) -> Lanes:
        """Average a curve over time.

        Parameters
        ----------
        word : str
            "rhythm", "harmony" or "loudness".
        seconds : float
            Length of the average.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        ValueError
            For another or an empty lane.
        """
        return self._derived(word, self._filled(word).control.smooth(seconds), f".smooth({seconds})")

    def clear(self, word: str) -> Lanes:
        """Empty a lane.

        Parameters
        ----------
        word : str
            "rhythm", "harmony" or "loudness".

        Returns
        -------
        Lanes
            The lanes themselves.
        """
        return self if self[word].control is None else self._change(word, Lane())

    def switch(self, word: str, on: bool) -> Lanes:
        """Follow a lane, or leave it out.

        Parameters
        ----------
        word : str
            "rhythm", "harmony" or "loudness".
        on : bool
            True follows it.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        ValueError
            For another or an empty lane.
        """
        lane = self._filled(word) if on else self[word]
        return self if lane.on == bool(on) else self._change(word, replace(lane, on=bool(on)))

    def follow_only(self, controls: Sequence[Control]) -> Lanes:
        """Put controls into their lanes and follow these alone, in one step.

        Parameters
        ----------
        controls : sequence of Control
            At most one of a kind.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        TypeError, ValueError
            For anything that is no control, two of a kind, or a curve that is too short.
        """
        stacked(controls, self.frames)  # which refuses what does not fit
        given = {control.word: Lane(self._fitting(control), True, "given") for control in controls}
        rest = {word: replace(lane, on=False) for word, lane in self._lanes.items() if lane.on}
        return self.recall((self._lanes | rest | given, self._strength))

    def set_strength(self, value: float) -> Lanes:
        """Set how strongly takes follow.

        Parameters
        ----------
        value : float
            0 follows nothing, 1 as trained.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        ValueError
            For anything but a number of at least 0.
        """
        value = TakeSettings(strength=value).strength
        return self if value == self._strength else self.recall((self._lanes, value))

    def recall(self, state: State) -> Lanes:
        """Bring back all lanes as they were, in one step.

        Parameters
        ----------
        state : tuple
            What `state` was then.

        Returns
        -------
        Lanes
            The lanes themselves.

        Raises
        ------
        ValueError
            For the lanes of a shorter sound.
        """
        lanes = {word: lane if lane.control is None else self._fitted(lane) for word, lane in state[0].items()}
        before, after = self.state, (lanes, state[1])
        if before[1] == after[1] and all(before[0][word] is lane for word, lane in lanes.items()):
            return self  # nothing changed, so there is nothing to undo
        self._lanes, self._strength = after
        self.steps.add(_Change(self, before, after))
        return self._tell()

    def begin(self, state: State) -> Lanes:
        """Set all lanes, which is no step, such as those of a sound before a part was cut out of it."""
        self._lanes, self._strength = dict(state[0]), state[1]
        return self._tell()

    def cut(self, first: int, end: int) -> State:
        """The lanes of a stretch of frames, for `begin`."""
        found = {}
        for word, lane in self._lanes.items():
            if lane.control is not None:
                part = type(lane.control)(lane.control.curve[:, first:end])
                lane = replace(lane, control=part, code="", own=None, taps=())
            found[word] = lane
        return found, self._strength

    def undo(self) -> bool:
        """Take back the last step. Returns False if there is none."""
        return self.steps.undo()

    def redo(self) -> bool:
        """Repeat the last step that `undo` took back. Returns False if there is none."""
        return self.steps.redo()

    def listen(self, callback: Callable[[Lanes], None]) -> Callable[[], None]:
        """Register a function that is called after each change. Returns a function that removes the registration."""
        self._listeners.append(callback)
        return lambda: self._listeners.remove(callback) if callback in self._listeners else None

    def __repr__(self) -> str:
        lanes = [(word, lane) for word, lane in self._lanes.items() if lane.control is not None]
        there = [f"{word} ({lane.words}{'' if lane.on else ', off'})" for word, lane in lanes]
        return f"Lanes: {', '.join(there) or 'nothing'}, strength {self._strength:g}"

    # Inside

    def _filled(self, word: str) -> Lane:
        if self[word].control is None:
            raise ValueError(f"the {word} is empty; take it from a sound or draw it first")
        return self[word]

    def _fitting(self, control: Control) -> Control:
        if control.frames < self.frames:
            raise ValueError(
                f"the {control.word} is {control.seconds:.2f} s long, {self.seconds:.2f} s were expected; "
                "stretch it, or take it from a longer sound"
            )
        return control if control.frames == self.frames else type(control)(control.curve[:, : self.frames])

    def _fitted(self, lane: Lane) -> Lane:
        control = self._fitting(lane.control)
        return lane if control is lane.control else replace(lane, control=control, code="", taps=())

    def _derived(self, word: str, control: Control, call: str) -> Lanes:
        """A curve made from that of the lane by a call."""
        lane = self._filled(word)
        if control == lane.control and lane.on:
            return self
        code = lane.code + call if lane.code else ""
        return self._change(word, replace(lane, control=control, on=True, code=code, taps=()))

    def _change(self, word: str, lane: Lane) -> Lanes:
        return self.recall((self._lanes | {word: lane}, self._strength))

    def _tell(self) -> Lanes:
        for listener in tuple(self._listeners):
            listener(self)
        return self


def curve_bytes(control: Control | None) -> bytes:
    """A curve for the page, uint8 [channels, frames]: 0 to 255 over the values that are shown; nothing without one."""
    if control is None:
        return b""
    low, high = SHOWN[control.word]
    return (np.clip((control.curve - low) / (high - low), 0, 1) * 255).round().astype(np.uint8).tobytes()


def _as_json(control: Control) -> str:
    return f"Control.from_json({control.to_json()!r})"


def _paint(curve: np.ndarray, frames: np.ndarray, classes: np.ndarray, erase: bool) -> None:
    """Add pitch classes to a harmony, or take them away; each frame keeps length 1."""
    loudest = curve[:, frames].max(0)
    curve[classes, frames] = 0 if erase else np.where(loudest > 0, loudest, 1)
    length = np.linalg.norm(curve[:, frames], axis=0)
    curve[:, frames] /= np.where(length > 0, length, 1)
