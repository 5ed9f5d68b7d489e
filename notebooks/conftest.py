"""Notebooks under nbval: text is compared strictly, payloads that no text comparison serves are left out."""

import os

# The kernels inherit these. The committed outputs were made with two threads, and with the products of AVX2: MKL rounds
# otherwise with AVX-512, and one token that falls the other way changes the rest of a take.
os.environ.setdefault("OMP_NUM_THREADS", "2")
os.environ.setdefault("MKL_CBWR", "AVX2")

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
