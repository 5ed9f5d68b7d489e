"""History: the takes of a session, each with its mask and settings."""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from vampkit.pipeline import Take, TakeSettings
from vampkit.widgets.lanes import State


@dataclass(repr=False)
class Entry:
    """One take of the history.

    number: counts from 1 and is never used again. mask: bool [K, T], True = was hidden. circular: made as a loop.
    seconds: how long it took to make. source: name of the sound it was made from. lanes: the lanes as they were. star:
    the user marked it as a favourite. live: made by live vamping, not on request.
    """

    number: int
    take: Take
    mask: np.ndarray
    settings: TakeSettings
    circular: bool
    seconds: float
    source: str
    name: str
    lanes: State
    star: bool = False
    live: bool = False

    @property
    def seed(self) -> int:
        """The seed of the take."""
        return self.settings.seed

    def __repr__(self) -> str:
        return f"Entry {self.number} {self.name!r}: seed {self.seed}, {100 * float(self.mask.mean()):.1f} % hidden"

    def facts(self) -> dict:
        """The facts that the list of takes shows, as plain JSON."""
        return {
            "id": self.number,
            "name": self.name,
            "star": self.star,
            "seed": self.seed,
            "hidden": round(100 * float(self.mask.mean()), 1),
            "source": self.source,
            "passes": self.settings.coarse.passes,
            "follows": [control.word for control in self.settings.follow],
            "seconds": round(self.seconds, 1),
            "length": self.take.clip.seconds,
        }


Which = int | str | Entry
"""How a take is named: its number, its name or its entry."""


class History:
    """The takes in the order in which they were made. `history[which]` takes a number, a name or an Entry."""

    def __init__(self):
        self.entries: list[Entry] = []
        self._last = 0

    def __len__(self) -> int:
        return len(self.entries)

    def __iter__(self):
        return iter(self.entries)

    def __getitem__(self, which: Which) -> Entry:
        found = [e for e in self.entries if e is which or (not isinstance(which, bool) and which in (e.number, e.name))]
        if not found:
            name = which.name if isinstance(which, Entry) else which
            there = ", ".join(f"{e.number} {e.name!r}" for e in self.entries) or "none yet"
            raise ValueError(f"there is no take {name!r}; the takes are: {there}")
        return found[-1]

    def add(self, **facts) -> Entry:
        """Add a take, of the fields of an Entry but its number and name: "take 1", "take 2" and so on at first."""
        self._last += 1
        self.entries.append(Entry(number=self._last, name=f"take {self._last}", **facts))
        return self.entries[-1]

    def rename(self, which: Which, name: str) -> Entry:
        """Give a take another name.

        Parameters
        ----------
        which : int, str or Entry
            Number, name or entry of a take.
        name : str
            The new name.

        Returns
        -------
        Entry
            The take.

        Raises
        ------
        ValueError
            If there is no such take, or if the name is empty.
        """
        entry, name = self[which], " ".join(str(name).split())[:80]
        if not name:
            raise ValueError("the new name is empty, some letters were expected")
        entry.name = name
        return entry

    def star(self, which: Which, on: bool = True) -> Entry:
        """Mark a take as a favourite.

        Parameters
        ----------
        which : int, str or Entry
            Number, name or entry of a take.
        on : bool
            True marks it, False removes the mark.

        Returns
        -------
        Entry
            The take.

        Raises
        ------
        ValueError
            If there is no such take.
        """
        entry = self[which]
        entry.star = bool(on)
        return entry

    def discard(self, which) -> Entry:
        """Remove a take and its sound."""
        entry = self[which]
        self.entries.remove(entry)
        return entry

    def prune(self, most: int) -> list[Entry]:
        """Remove the oldest live takes without a star until at most `most` are left. Returns the removed ones."""
        plain = [e for e in self.entries if e.live and not e.star]
        return [self.discard(e) for e in plain[: max(0, len(plain) - most)]]

    def export(self, which, folder: str | Path = ".") -> Path:
        """Write a take as WAV and its record as JSON, with the name of the take. Returns the path of the WAV file.

        If the file exists already, a number is added to the name.
        """
        entry = self[which]
        stem = re.sub(r"[^\w.-]+", "-", entry.name).strip("-.") or f"take-{entry.number}"
        path, count = Path(folder) / f"{stem}.wav", 1
        while path.exists():
            count += 1
            path = Path(folder) / f"{stem}-{count}.wav"
        return entry.take.save(path)
