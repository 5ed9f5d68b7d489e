"""Job: one generation in a thread, which can be watched, waited for and cancelled."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterable


class Job:
    """Goes through the steps of a generation in a thread of its own, so that the notebook stays usable.

    steps: makes the iterator, such as `lambda: vamp.steps(tokens, prompt)`; it is called in the thread. Its items are Progress; the last one holds the take.
    told: called in the thread with (job, progress) after each step, and with (job, None) at the end, whatever the end is.
    state: "running", then "done", "cancelled" or "failed". Between two steps it looks whether it was cancelled; closing the iterator stops the models.
    """

    def __init__(self, steps: Callable[[], Iterable], told: Callable[[Job, object], None] = lambda job, progress: None):
        self.state, self.done, self.total, self.stage = "running", 0, 0, ""
        self.take, self.error, self.seconds = None, None, 0.0
        self._steps, self._told, self._stop = steps, told, threading.Event()
        self._thread = threading.Thread(target=self._run, name="vampkit-job", daemon=True)
        self._thread.start()

    @property
    def running(self) -> bool:
        """Whether it has not ended."""
        return self.state == "running"

    def cancel(self) -> None:
        """Stop after the step that is being made."""
        self._stop.set()

    def wait(self, timeout: float | None = None) -> bool:
        """Wait until it has ended and everyone was told, at most `timeout` seconds; whether it has."""
        if threading.current_thread() is not self._thread:
            self._thread.join(timeout)
        return not self._thread.is_alive()

    def result(self):
        """Wait for the take. Raises what the generation raised; None where it was cancelled."""
        self.wait()
        if self.error is not None:
            raise self.error
        return self.take

    def _run(self) -> None:
        began, state = time.perf_counter(), "done"
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
        self.seconds = time.perf_counter() - began
        self.state, self._steps = state, None
        self._told(self, None)
