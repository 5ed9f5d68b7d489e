"""A plotly figure that carries a still picture of itself, for pages that run no scripts (GitHub, for one)."""

from __future__ import annotations

import base64
import os

import plotly.graph_objects as go
import plotly.io as pio

SERVED = "JPY_SESSION_NAME"  # set in kernels that JupyterLab and Notebook start, not in those of nbconvert


class Figure(go.Figure):
    """A plotly figure that carries a PNG beside plotly's own format, drawn when it is displayed, changes included."""

    def _repr_mimebundle_(self, include=None, exclude=None, validate=True, **settings) -> dict:
        from vampkit.show import twin

        bundle = super()._repr_mimebundle_(include, exclude, validate, **settings)
        bundle = bundle or pio.renderers["plotly_mimetype"].to_mimebundle(self.to_dict())
        # Given a PNG, JupyterLab would show that until the pointer is on it; so it gets none, draws at once, and adds
        # a PNG of its own to the notebook that it saves. Of other kinds of figures none is better than half of one.
        if SERVED in os.environ or not twin.knows(self):
            return bundle
        return {**bundle, "image/png": base64.b64encode(self.png()).decode("ascii")}

    def _ipython_display_(self) -> None:
        from IPython.display import display

        if super()._repr_mimebundle_():
            display(self._repr_mimebundle_(), raw=True)
        else:  # a terminal: plotly opens a browser
            super()._ipython_display_()

    def png(self) -> bytes:
        """The figure as it is now, drawn by matplotlib on white, 720 pixels wide; always the same bytes."""
        from vampkit.show import pictures, twin

        return pictures.figure_png(twin.draw(self))
