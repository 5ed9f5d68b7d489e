"""Job: one generation, which can be observed, waited for and cancelled. Worker: the thread that runs the jobs."""

from __future__ import annotations

import threading
import time
import weakref
from collections.abc import Callable, Iterable
from queue import SimpleQueue


class Worker:
    """One thread that runs functions one after another, until `close()`, or until the Worker is garbage collected.

    A session has one worker for all its jobs, since each new thread allocates memory that is not all freed later.
    """

    def __init__(self):
        self._waiting: SimpleQueue = SimpleQueue()
        self.close = weakref.finalize(self, self._waiting.put, None)
        threading.Thread(target=_work, args=(self._waiting,), name="vampkit-worker", daemon=True).start()

    def do(self, act: Callable[[], None]) -> None:
        """Add a function to the queue."""
        self._waiting.put(act)


def _work(waiting: SimpleQueue) -> None:
    while (act := waiting.get()) is not None:
        act()
        del act  # so that a waiting worker keeps no object alive


class Job:
    """One generation in the thread of a worker, so that the notebook is not blocked. `start(worker)` begins it.

    steps: a function that makes an iterator of Progress, such as `lambda: vamp.steps(tokens, prompt)`. It is called in
    the thread. The last Progress holds the take.
    told: a callback, called in the thread with (job, progress) after each step, and with (job, None) when the job ends
    for any reason.
    state: "running", then "done", "cancelled" or "failed". After each step the job checks whether it was cancelled.
    """

    def __init__(self, steps: Callable[[], Iterable], told: Callable[[Job, object], None] = lambda job, progress: None):
        self.state, self.done, self.total, self.stage = "running", 0, 0, ""
        self.take, self.error, self.began, self.seconds = None, None, 0.0, 0.0
        self._steps, self._told, self._thread = steps, told, None
        self._stop, self._over = threading.Event(), threading.Event()

    def start(self, worker: Worker) -> Job:
        """Begin. Returns the job itself."""
        self.began = time.perf_counter()
        worker.do(self._run)
        return self

    @property
    def left(self) -> float:
        """Estimated seconds that are left, from the steps made so far."""
        return (time.perf_counter() - self.began) * (self.total - self.done) / max(1, self.done)

    @property
    def running(self) -> bool:
        """Whether the job has not ended."""
        return self.state == "running"

    def cancel(self) -> None:
        """Stop the job after the current step."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until the job has ended and `told` has returned, at most `timeout` seconds. Returns whether it has."""
        return self._over.wait(timeout if self._thread is not threading.current_thread() else 0)

    def result(self):
        """Wait for the take and return it; None if the job was cancelled. Raises the error if the job failed."""
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
        except Exception as error:  # kept for `result`
            self.error, state = error, "failed"
        self.seconds = time.perf_counter() - self.began
        self.state, self._steps = state, None
        try:
            self._told(self, None)
        except Exception as error:  # the worker goes on
            self.error, self.state = error, "failed"
        self._over.set()
