"""Windows: long sounds are made piece by piece, so that memory, and time per frame, do not grow with the length.

A window is the stretch of frames that the model sees at once. It makes only the frames from `first` to `last` - 1. The
frames to the left are its context: they are kept, or were made by earlier windows. The frames to the right are its
look-ahead: the model sees the tokens that the prompt keeps there; all others are hidden, and later windows make them.

           left        first                     last       right
    ---------|-----------|-------------------------|----------|------- frames
             |  context  |  made by this window    |  ahead   |

Source: the chunks of the reference code's interface, which share no context. Notebook: 08.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, fields, replace

import torch
import torch.nn.functional as F
from torch import Tensor

from vampkit.files.outer import MOST_WINDOW, flag, number


@dataclass(frozen=True)
class Windows:
    """Sizes of the windows of both models, in frames (57.42 a second).

    Notebook: 08

    Parameters
    ----------
    coarse : int
        Length of a coarse window. 575 frames are 10 s, as in the reference code (the bundled model is trained on 9 s).
    coarse_context : int
        Context of a coarse window. 172 frames are 3 s. From 91 frames on the model cannot tell distances apart.
    coarse_ahead : int
        Look-ahead of a coarse window. 57 frames are 1 s.
    fine : int
        Length of a fine window. 172 frames are 3 s, the length that coarse-to-fine models are trained on.
    fine_context, fine_ahead : int
        Context and look-ahead of a fine window. 0 is enough, because the model sees the coarse tokens.
    reference : bool
        Cut as the reference code does. Windows do not share frames. A coarse window in which the prompt keeps anything
        also keeps its first and last frame. The last fine window is padded with hidden frames.

    Raises
    ------
    TypeError, ValueError
        For windows without frames of their own, or of more than 4096 frames (their memory grows with the square).
    """

    coarse: int = 575
    coarse_context: int = 172
    coarse_ahead: int = 57
    fine: int = 172
    fine_context: int = 0
    fine_ahead: int = 0
    reference: bool = False

    def __post_init__(self):
        for field in fields(self):
            value, lead = getattr(self, field.name), f"the windows' {field.name} is "
            right = (
                flag(lead, value)
                if field.name == "reference"
                else number(lead, value, -MOST_WINDOW, MOST_WINDOW, whole=True)
            )
            object.__setattr__(self, field.name, right)
        for stage in ("coarse", "fine"):
            size, context, ahead = self.sizes(stage)
            if min(context, ahead) < 0 or size - context - ahead < 1:
                raise ValueError(
                    f"a window of {size} frames with {context} of context and {ahead} ahead was asked for; "
                    "at least one frame of its own was expected"
                )

    def sizes(self, stage: str) -> tuple[int, int, int]:
        """Look up the window sizes of one model.

        Parameters
        ----------
        stage : str
            "coarse" or "fine".

        Returns
        -------
        tuple of int
            Length, context and look-ahead, in frames.
        """
        if stage == "coarse":
            return self.coarse, self.coarse_context, self.coarse_ahead
        return self.fine, self.fine_context, self.fine_ahead


SHARED = Windows()
"""Windows that share context."""
REFERENCE = Windows(575, 0, 0, 173, 0, 0, reference=True)
"""The chunks of the reference code: ceil(10 s) and ceil(3 s)."""


@dataclass(frozen=True)
class Window:
    """One window. It sees the frames `left` to `right` - 1 and makes the frames `first` to `last` - 1.

    number: number of the window, which changes its noise. In a loop `left` may be below 0 and `right` beyond the end.
    circular: the window is the whole loop. padded: `right` may lie beyond the end (reference code only). edges: if
    anything is kept in the window, its first and last frame are kept too (reference code only).
    """

    left: int
    right: int
    first: int
    last: int
    number: int = 0
    circular: bool = False
    padded: bool = False
    edges: bool = False

    @property
    def made(self) -> slice:
        """The place, among the frames that it sees, of the frames that it makes."""
        return slice(self.first - self.left, self.last - self.left)


def line(hidden: Tensor, size: int, context: int = 0, ahead: int = 0) -> list[Window]:
    """Plan windows, in order, that make all hidden frames. hidden: bool [frames], True = something is hidden there.

    Each window makes frames from the next hidden frame on, so a short gap lies in one window. Without context and
    look-ahead the windows lie side by side, and those with nothing hidden are left out. The last window starts earlier
    instead of being padded. If all frames are hidden, there are 1 + ceil((frames - size) / (size - context - ahead))
    windows.
    """
    if not context + ahead:
        return [
            replace(w, left=max(0, min(w.left, len(hidden) - size)), edges=False)
            for w in chunks(hidden, size, pad=False)
        ]
    frames, last = len(hidden), 0
    found: list[Window] = []
    places = hidden.nonzero()[:, 0].tolist()
    while (at := bisect_left(places, last)) < len(places):
        first = places[at]
        left = max(0, min(first - context, frames - size))
        right = min(left + size, frames)
        goes_on = right < frames and bool(hidden[right - ahead : right].any())
        last = right - ahead if goes_on else right
        found.append(Window(left, right, first, last, len(found)))
    return found


def circle(hidden: Tensor, size: int, context: int = 0, ahead: int = 0) -> list[Window]:
    """Plan windows for a loop. hidden: bool [frames], True = something is hidden there.

    A loop that is not longer than a window is made at once. Otherwise the context of the first window lies at the end
    of the loop, and the look-ahead of the last window at its start.
    """
    frames, own = len(hidden), size - context - ahead
    if frames <= size:
        return [Window(0, frames, 0, frames, circular=True)] if hidden.any() else []
    starts = [first for first in range(0, frames, own) if hidden[first : first + own].any()]
    return [
        Window(first - context, first - context + size, first, min(first + own, frames), first // own)
        for first in starts
    ]


def chunks(hidden: Tensor, size: int, pad: bool) -> list[Window]:
    """Plan the windows of the reference code: side by side, the last one shorter or padded. hidden: bool [frames]."""
    frames, found = len(hidden), []
    for first in range(0, frames, size):
        last = min(first + size, frames)
        if hidden[first:last].any():
            right = first + size if pad else last
            found.append(Window(first, right, first, last, first // size, padded=pad, edges=not pad))
    return found


def plan(hidden: Tensor, windows: Windows, stage: str, circular: bool = False) -> list[Window]:
    """Plan the windows of a stage, "coarse" or "fine". hidden: bool [frames], True = something is hidden there."""
    sizes = windows.sizes(stage)
    if windows.reference:
        return chunks(hidden, sizes[0], pad=stage == "fine")
    return (circle if circular else line)(hidden, *sizes)


def cut(rows: Tensor, window: Window, fill: int | bool = 0) -> Tensor:
    """Cut the frames that a window sees out of rows [.., frames]. Beyond the end they wrap around, or are `fill`."""
    frames = rows.shape[-1]
    if window.padded:
        return F.pad(rows[..., window.left : window.right], (0, max(0, window.right - frames)), value=fill)
    return rows[..., torch.arange(window.left, window.right, device=rows.device) % frames]


def seed_of(seed: int, stage: str, number: int, turn: int = 0) -> int:
    """Derive the seed of a window's noise from the seed of the take; it differs for each window, stage and turn.

    turn: number of the round of feedback.
    """
    if stage == "coarse" and number == turn == 0:
        return seed
    return (seed * 100_003 + number + 1 + (2 * turn + (stage == "coarse")) * 2**40) % 2**63


def ready(window: Window, frontier: int, frames: int) -> bool:
    """Whether all frames that a window sees are there, if those before `frontier` are.

    A window that wraps around the start of a loop needs all frames.
    """
    return frontier >= frames or (window.left >= 0 and frontier >= window.right)


def settled(windows: list[Window], done: int, frames: int) -> int:
    """How many frames at the start are final after the first `done` windows."""
    return windows[done].first if done < len(windows) else frames
