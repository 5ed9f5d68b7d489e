"""Notebooks under nbval: text is compared strictly, payloads that no text comparison serves are left out."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from tests.outputs import ARITHMETIC, fingerprint, settled  # noqa: E402

collect_ignore_glob = ["course/*"]  # homework has stubs and no outputs; tests/course runs it

PAYLOADS = (
    "text/html",  # players: sound as base64
    "application/vnd.plotly.v1+json",
    "application/javascript",
    "application/vnd.jupyter.widget-view+json",  # a random id
    "image/png",
    "image/svg+xml",
)
"""MIME types that are not compared. A cell that shows one of them prints the fact it shows beside it."""


def pytest_collectstart(collector):
    """Tell nbval's collector of a notebook what to leave out."""
    if hasattr(collector, "skip_compare"):
        collector.skip_compare += PAYLOADS


@pytest.hookimpl(tryfirst=True)
def pytest_runtest_setup(item):
    """The kernels inherit the arithmetic that made the outputs. Elsewhere numbers may differ a little."""
    os.environ.update(ARITHMETIC)
    made_by = item.parent.nb.metadata.get("vampkit", {}).get("arithmetic")
    if made_by != fingerprint():
        item.strict = item.compare_outputs
        item.compare_outputs = lambda test, ref, skip_compare=None: item.strict(settled(test, ref), ref, skip_compare)
