"""Windows: a long row of frames worked through piece by piece, so that memory and time a frame do not grow.

A window is what the model sees at once. Of what it sees it makes only the frames from `first` to `last`. Those to the
left of them are kept or were made by earlier windows, and are its context. Those to the right of them are its
look-ahead: what a prompt keeps there counts, the rest is made by later windows.

           left        first                     last       right
    ---------|-----------|-------------------------|----------|------- frames
             |  context  |    made by this one     |  ahead   |

Source: the chunks of the reference code's interface, which share no context. Notebook: 08.
"""

from __future__ import annotations

from bisect import bisect_left
from dataclasses import dataclass, replace

import torch
import torch.nn.functional as F
from torch import Tensor


@dataclass(frozen=True)
class Windows:
    """Sizes of the windows of both models, in frames (57.42 a second).

    Notebook: 08

    Parameters
    ----------
    coarse : int
        575, the 10 s that the coarse model is used on in the paper; the bundled one is trained on 9 s.
    coarse_context : int
        172, 3 s: a third more than the 128 frames up to which the model can tell distances apart.
    coarse_ahead : int
        57, 1 s, in which what the prompt keeps next counts.
    fine : int
        172, the 3 s that coarse-to-fine models are trained on.
    fine_context, fine_ahead : int
        The same for that model; the coarse tokens tell it enough.
    reference : bool
        Cut as the reference code does: windows share nothing, the coarse ones keep their first and last frame wherever
        a prompt keeps anything in them, and the last fine one is padded with hidden frames.

    Raises
    ------
    ValueError
        For windows without frames of their own.
    """

    coarse: int = 575
    coarse_context: int = 172
    coarse_ahead: int = 57
    fine: int = 172
    fine_context: int = 0
    fine_ahead: int = 0
    reference: bool = False

    def __post_init__(self):
        for stage in ("coarse", "fine"):
            size, context, ahead = self.sizes(stage)
            if min(context, ahead) < 0 or size - context - ahead < 1:
                raise ValueError(
                    f"a window of {size} frames with {context} of context and {ahead} ahead was asked for; "
                    "at least one frame of its own was expected"
                )

    def sizes(self, stage: str) -> tuple[int, int, int]:
        """Look up the sizes of one model's windows.

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
"""The reference's chunks: ceil(10 s) and ceil(3 s)."""


@dataclass(frozen=True)
class Window:
    """One piece of the way: it sees frames left to right - 1 and makes first to last - 1.

    number: its place in the row, for its noise. On a circle left may lie before 0 and right beyond the end; `circular`
    says that it is the whole circle. In the reference's cut, `padded` says that right may lie beyond the end, `edges`
    that the first and last frame are kept where any is.
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
        """Where its own frames lie in what it sees."""
        return slice(self.first - self.left, self.last - self.left)


def line(hidden: Tensor, size: int, context: int = 0, ahead: int = 0) -> list[Window]:
    """Windows over all frames of which something is hidden, bool [frames], in order.

    Each starts where the next hidden frame is, so that a gap lies whole in one; without context, side by side wherever
    something is hidden. The last one starts earlier instead of being padded. With all frames hidden there are 1 +
    ceil((frames - size) / (size - context - ahead)) of them.
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
    """Windows around a circle of frames, bool [frames]; the whole circle at once where it is no longer than a window.

    Otherwise the first looks back over the end, and the last looks ahead to what the first made.
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
    """The reference's windows over bool [frames]: side by side, the last one shorter, or padded."""
    frames, found = len(hidden), []
    for first in range(0, frames, size):
        last = min(first + size, frames)
        if hidden[first:last].any():
            found.append(
                Window(first, first + size if pad else last, first, last, first // size, padded=pad, edges=not pad)
            )
    return found


def plan(hidden: Tensor, windows: Windows, stage: str, circular: bool = False) -> list[Window]:
    """The windows of a stage, "coarse" or "fine", over frames of which something is hidden, bool [frames]."""
    sizes = windows.sizes(stage)
    if windows.reference:
        return chunks(hidden, sizes[0], pad=stage == "fine")
    return (circle if circular else line)(hidden, *sizes)


def cut(rows: Tensor, window: Window, fill: int | bool = 0) -> Tensor:
    """What a window sees of rows [.., frames]: around the circle, or `fill` beyond the end where it is padded."""
    frames = rows.shape[-1]
    if window.padded:
        return F.pad(rows[..., window.left : window.right], (0, max(0, window.right - frames)), value=fill)
    return rows[..., torch.arange(window.left, window.right, device=rows.device) % frames]


def seed_of(seed: int, stage: str, number: int, turn: int = 0) -> int:
    """Where a window's noise starts: another place for every window, stage and turn of one take, from its one seed."""
    if stage == "coarse" and number == turn == 0:
        return seed
    return (seed * 100_003 + number + 1 + (2 * turn + (stage == "coarse")) * 2**40) % 2**63


def ready(window: Window, frontier: int, frames: int) -> bool:
    """Whether all that a window sees is there, when the frames before `frontier` are.

    Around a circle only when all are.
    """
    return frontier >= frames or (window.left >= 0 and frontier >= window.right)


def settled(windows: list[Window], done: int, frames: int) -> int:
    """Frames from the start on that no window after the first `done` ones will change."""
    return windows[done].first if done < len(windows) else frames
