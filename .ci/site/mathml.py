"""Formulas as MathML, which browsers draw themselves: no script and no font has to be fetched."""

from __future__ import annotations

import re

from docutils import nodes
from docutils.utils.math import MathError
from docutils.utils.math.latex2mathml import tex2mathml
from sphinx.errors import ExtensionError


def setup(app) -> dict:
    """Register the renderer with Sphinx; `html_math_renderer = "mathml"` chooses it."""
    app.add_html_math_renderer("mathml", (inline, None), (display, None))
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def inline(writer, node) -> None:
    """Write a formula inside a line."""
    _write(writer, node, as_block=False)


def display(writer, node) -> None:
    """Write a formula that stands alone."""
    writer.body.append('<div class="vk-formula" tabindex="0" role="group" aria-label="Formula">')
    _write(writer, node, as_block=True)
    writer.body.append("</div>")


def _write(writer, node, as_block: bool) -> None:
    tex = re.sub(r"\\[bB]ig(?![a-zA-Z])", "", node.astext().strip())  # the converter knows only \bigl and \bigr
    try:
        writer.body.append(tex2mathml(tex, as_block=as_block))
    except (MathError, AttributeError, ValueError) as error:  # the converter meets some mistakes unprepared
        raise ExtensionError(f"a formula has no MathML, {node.astext()!r} was given: {error}") from error
    raise nodes.SkipNode
