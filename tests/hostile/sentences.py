"""What a hostile or careless input may come to: a take, or one sentence, within 5 s and 1 GB."""

import contextlib
import resource
import time
from pathlib import Path

import vampkit
from vampkit.errors import VampkitError

ALLOWED = (VampkitError, ValueError, TypeError, FileNotFoundError)
SECONDS, MEMORY = 5.0, 2**30
HOME = str(Path(vampkit.__file__).parent)


@contextlib.contextmanager
def bounded(memory=MEMORY):
    """No more than 1 GB of address space beyond what the process has."""
    now = int(Path("/proc/self/statm").read_text().split()[0]) * resource.getpagesize()
    before = resource.getrlimit(resource.RLIMIT_AS)
    resource.setrlimit(resource.RLIMIT_AS, (now + memory, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_AS, before)


def outcome(call, *given, **named):
    """Call it. Returns its result or the error, having checked that the error is one of ours, as a sentence."""
    began = time.process_time()
    try:
        with bounded():
            found = call(*given, **named)
    except ALLOWED as error:
        check(error)
        found = error
    took = time.process_time() - began
    assert took < SECONDS, f"it took {took:.1f} s"
    return found


def check(error):
    """The error was raised by this package, and says on one line what was wrong and what to do."""
    trace = error.__traceback__
    while trace.tb_next is not None:
        trace = trace.tb_next
    where, text = trace.tb_frame.f_code.co_filename, str(error)
    assert where.startswith(HOME), f"{type(error).__name__} of {where}:{trace.tb_lineno}: {text}"
    check_text(text)


def check_text(text):
    assert "\n" not in text and len(text) < 1500, text
    assert "expected" in text or ";" in text, f"this says not what to do: {text}"
