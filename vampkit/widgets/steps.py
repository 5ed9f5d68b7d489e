"""Steps: what was done to a mask and to its lanes, in one order, so that it is taken back in the reverse order."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Protocol


class Step(Protocol):
    """Something that was done, and can be taken back and repeated."""

    def back(self) -> None:
        """Take it back."""

    def again(self) -> None:
        """Do it again."""


class Together:
    """Several steps that count as one."""

    def __init__(self, parts: list[Step]):
        self.parts = parts

    def back(self) -> None:
        """Take all of them back, the last one first."""
        for part in reversed(self.parts):
            part.back()

    def again(self) -> None:
        """Do all of them again."""
        for part in self.parts:
            part.again()


class Steps:
    """The steps that were done, and those that were taken back since the last one."""

    def __init__(self):
        self.done: list[Step] = []
        self.undone: list[Step] = []

    def add(self, step: Step) -> None:
        """Remember a step that was just done. What was taken back before can no longer be repeated."""
        self.done.append(step)
        self.undone.clear()

    def undo(self) -> bool:
        """Take the last step back. Returns False if there is none."""
        if not self.done:
            return False
        step = self.done.pop()
        self.undone.append(step)
        step.back()
        return True

    def redo(self) -> bool:
        """Do the step again that was taken back last. Returns False if there is none."""
        if not self.undone:
            return False
        step = self.undone.pop()
        self.done.append(step)
        step.again()
        return True

    @contextmanager
    def as_one(self) -> Iterator[None]:
        """What is done inside counts as one step."""
        before = len(self.done)
        yield
        parts = self.done[before:]
        if len(parts) > 1:
            self.done[before:] = [Together(parts)]

    def of(self, kind: type) -> list:
        """The steps of a kind that were done, also those inside others."""
        flat = [part for step in self.done for part in (step.parts if isinstance(step, Together) else [step])]
        return [step for step in flat if isinstance(step, kind)]
