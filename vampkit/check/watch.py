"""Run a reader's function with an eye on it: which functions of the library it calls, and how long it takes."""

from __future__ import annotations

import inspect
import signal
import sys
import threading
from collections.abc import Callable, Iterable
from types import CodeType, FrameType
from typing import Any

SECONDS = 5
"""How long a function may compute for a case. Where there are no signals (Windows, other threads) nothing stops it."""


class TooLong(BaseException):
    """A function took longer than `seconds`. It is no Exception: `except Exception` in a loop must not go on."""

    def __init__(self, seconds: float):
        super().__init__(f"stopped after {seconds} s")
        self.seconds = seconds


class LibraryCall(Exception):
    """A function called one that it was to replace."""


class Watch:
    """Runs functions and notes the first call of a function that is forbidden, whichever way it was reached.

    forbidden: functions, methods, properties, or functions built in. Of those written in Python the code is what is
    looked for, so that another name, an import from elsewhere or a call through a third function is noted too.
    """

    def __init__(self, forbidden: Iterable[Callable | property] = (), seconds: float = SECONDS):
        self.names: dict[CodeType, str] = {}
        self.built_in: list[Callable] = []
        for function in forbidden:
            self._forbid(function)
        self.seconds = seconds
        self.called = ""

    def _forbid(self, function: Callable | property) -> None:
        function = function.fget if isinstance(function, property) else function
        if inspect.isbuiltin(function):
            self.built_in.append(function)
            return
        plain = inspect.unwrap(function)  # what wraps functions may be shared by many
        self.names[getattr(plain, "__func__", plain).__code__] = function.__qualname__

    def run(self, function: Callable, arguments: tuple) -> Any:
        """Call the function. Raises what it raises, `LibraryCall` or `TooLong`."""
        before = sys.getprofile()
        try:
            with _Alarm(self.seconds):
                if self.names or self.built_in:
                    sys.setprofile(self._see)
                return function(*arguments)
        finally:
            sys.setprofile(before)

    def _see(self, frame: FrameType, event: str, argument: Any) -> None:
        if event == "call" and frame.f_code in self.names:
            self.called = self.names[frame.f_code]
        elif event == "c_call" and any(argument is function for function in self.built_in):
            self.called = argument.__name__
        else:
            return
        raise LibraryCall(self.called)


class _Alarm:
    """Raises TooLong in the main thread after some seconds of computing; those of other programs do not count."""

    def __init__(self, seconds: float):
        self.seconds = seconds
        self.usable = hasattr(signal, "setitimer") and threading.current_thread() is threading.main_thread()

    def __enter__(self) -> None:
        if self.usable:
            self.handler = signal.signal(signal.SIGVTALRM, self._ring)
            signal.setitimer(signal.ITIMER_VIRTUAL, self.seconds)

    def __exit__(self, *_: object) -> None:
        if self.usable:
            signal.setitimer(signal.ITIMER_VIRTUAL, 0)
            signal.signal(signal.SIGVTALRM, self.handler)

    def _ring(self, *_: object) -> None:
        raise TooLong(self.seconds)
