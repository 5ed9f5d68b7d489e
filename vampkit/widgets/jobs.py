"""Job: one generation, which can be watched, waited for and cancelled; Worker: the thread that does the jobs."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable
from queue import SimpleQueue


class Worker:
    """One thread that does one thing after another until `close()`, or until nobody holds it any more.

    A session has one for all its jobs, as each new thread brings pools of memory that are not all given back.
    """

    def __init__(self):
        self._waiting: SimpleQueue = SimpleQueue()
        self.close = weakref.finalize(self, self._waiting.put, None)
        threading.Thread(target=_work, args=(self._waiting,), name="vampkit-worker", daemon=True).start()

    def do(self, act: Callable[[], None]) -> None:
        """Do this when all that was asked for before is done."""
        self._waiting.put(act)


def _work(waiting: SimpleQueue) -> None:
    while (act := waiting.get()) is not None:
        act()
        del act  # while it waits it holds nothing


class Job:
    """One generation in a worker's thread, so that the notebook stays usable; `start(worker)` begins it.

    steps: makes the iterator, such as `lambda: vamp.steps(tokens, prompt)`; it is called in the thread. Its items are
    Progress; the last one holds the take.
    told: called in the thread with (job, progress) after each step, and with (job, None) at the end, whatever the end.
    state: "running", then "done", "cancelled" or "failed". Between two steps it looks whether it was cancelled; closing
    the iterator stops the models.
    """

    def __init__(self, steps: Callable[[], Iterable], told: Callable[[Job, object], None] = lambda job, progress: None):
        self.state, self.done, self.total, self.stage = "running", 0, 0, ""
        self.take, self.error, self.began, self.seconds = None, None, 0.0, 0.0
        self._steps, self._told, self._thread = steps, told, None
        self._stop, self._over = threading.Event(), threading.Event()

    def start(self, worker: Worker) -> Job:
        """Begin; returns the job."""
        self.began = time.perf_counter()
        worker.do(self._run)
        return self

    @property
    def left(self) -> float:
        """Seconds that it will still take, by the steps made so far."""
        return (time.perf_counter() - self.began) * (self.total - self.done) / max(1, self.done)

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.state == "running"

    def cancel(self) -> None:
        """Stop after the step that is being made."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended and everyone was told, at most `timeout` seconds; whether it has."""
        return self._over.wait(timeout if self._thread is not threading.current_thread() else 0)

    def result(self):
        """Wait for the take. Raises what the generation raised; None where it was cancelled."""
        self.wait()
        if self.error is not None:
            raise self.error
        return self.take

    def _run(self) -> None:
        self._thread, state = threading.current_thread(), "done"
        try:
            steps = iter(self._steps())
            try:
                for progress in steps:
                    self.done, self.total, self.stage = progress.done, progress.total, progress.stage
                    self.take = progress.take if progress.take is not None else self.take
                    self._told(self, progress)
                    if self._stop.is_set() and self.take is None:
                        state = "cancelled"
                        break
            finally:
                if hasattr(steps, "close"):
                    steps.close()
        except Exception as error:  # kept for `result`, shown by whoever started the job
            self.error, state = error, "failed"
        self.seconds = time.perf_counter() - self.began
        self.state, self._steps = state, None
        try:
            self._told(self, None)
        except Exception as error:  # the worker goes on
            self.error, self.state = error, "failed"
        self._over.set()
