"""What all widgets share: `close` frees all resources, and a still picture is shown where widgets cannot run."""

from __future__ import annotations

import anywidget
import numpy as np

from vampkit.show import pictures


class Widget(anywidget.AnyWidget):
    """Base class of widgets. `_heard` answers messages from the page; `_still` gives the mask for the still picture."""

    _closed = True  # until `__init__` has run

    def __init__(self):
        super().__init__()
        self._closed = False
        self.on_msg(self._heard)

    def close(self) -> None:
        """Free the resources of the widget, in the kernel and in the page."""
        if not self._closed:
            self._closed = True
            self.on_msg(self._heard, remove=True)
            self.unobserve_all()
            self.layout.close()
            super().close()

    def _heard(self, widget, content: dict, buffers: list) -> None:
        """Answer one message from the page."""
        raise NotImplementedError

    def _still(self) -> np.ndarray:
        """The mask [codebooks, frames] that is shown where widgets cannot run."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs):
        """The widget, and a text and a still picture for pages in which widgets cannot run."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        still = pictures.uri(pictures.mask_png(self._still()), "image/png").split(",")[1]
        return {**data, "text/plain": repr(self), "image/png": still}, metadata
