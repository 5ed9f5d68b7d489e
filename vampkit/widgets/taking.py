"""What a lane can take its curve from: this sound, a take, a sound opened before, a bundled clip, or any other."""

from __future__ import annotations

from pathlib import Path

from vampkit.audio import Clip, clips
from vampkit.controls import Control
from vampkit.widgets.history import Entry


def sources(session) -> list[list]:
    """What the page offers: for each sound what `take_from` is given, and its name."""
    takes = [[entry.number, entry.name] for entry in session.history]
    others = [name for name in session.opened if name != session.clip.name]
    return [[0, "this sound"], *takes, *([name, name] for name in (*others, *clips()))]


def taken(session, word: str, source, start: float, stretch: bool) -> tuple[Control, str, str, Clip | None]:
    """The curve of a sound for a lane, as arguments of `Lanes.put`.

    See `Session.take_from`, also for the errors.
    """
    lanes = session.lanes
    lanes[word]  # there is one
    clip, words, code, own = _sound(session, source)
    control, start = Control.kinds[word](clip), round(float(start), 6)
    left = control.seconds - start
    if start < 0 or left < control.seconds / control.frames:
        raise ValueError(
            f"from second is {start:g}, 0 to less than {clip.seconds:.2f} was expected, as {words} ends there"
        )
    if not stretch and left < lanes.seconds - 1e-3:
        raise ValueError(
            f"{words} lasts {clip.seconds - start:.2f} s from {start:g} s on, {lanes.seconds:.2f} s were expected; "
            "stretch it, or take a longer sound"
        )
    calls = ""
    if start or (control.frames != lanes.frames and not stretch):
        seconds = round(left if stretch else lanes.seconds, 6)
        control, calls = control.cut(start, seconds), f".cut({start}, {seconds})"
    if control.frames != lanes.frames:
        control, calls = control.stretch(lanes.seconds), f"{calls}.stretch({lanes.seconds})"
    return control, f"of {words}", f"{type(control).__name__}({code}){calls}" if code else "", own


def _sound(session, source) -> tuple[Clip, str, str, Clip | None]:
    """A sound to take from: the clip, its name, an expression for it, and what the expression calls `clip`."""
    if source is session.clip or (isinstance(source, int) and not source):
        return session.clip, "this sound", "clip", session.clip
    if isinstance(source, (int, Entry)):
        entry = session.history[source]
        return entry.take.clip, entry.name, "", None
    if isinstance(source, str) and source in session.opened:
        return session.opened[source], source, "", None
    clip = session.clip_of(source)
    bundled = isinstance(source, str) and not Path(source).is_file() and clip.name in clips()
    return clip, clip.name, f"load_clip({clip.name!r})" if bundled else "", None
