"""What all widgets share: they are closed whole, and stand as a picture where widgets do not run."""

from __future__ import annotations

import anywidget
import numpy as np

from vampkit.show import pictures


class Widget(anywidget.AnyWidget):
    """A widget that answers messages of its page (`_heard`) and has a mask for its still picture (`_still`)."""

    _closed = True  # until it is made

    def __init__(self):
        super().__init__()
        self._closed = False
        self.on_msg(self._heard)

    def close(self) -> None:
        """Free all that the widget opened, in the kernel and in the page."""
        if not self._closed:
            self._closed = True
            self.on_msg(self._heard, remove=True)
            self.unobserve_all()
            self.layout.close()
            super().close()

    def _heard(self, widget, content: dict, buffers: list) -> None:
        """Answer one message of the page."""
        raise NotImplementedError

    def _still(self) -> np.ndarray:
        """A mask [codebooks, frames] to be seen where widgets do not run."""
        raise NotImplementedError

    def _repr_mimebundle_(self, **kwargs):
        """The widget; its words and a still picture for pages where widgets do not run."""
        bundle = super()._repr_mimebundle_(**kwargs)
        data, metadata = bundle if isinstance(bundle, tuple) else (bundle or {}, {})
        still = pictures.uri(pictures.mask_png(self._still()), "image/png").split(",")[1]
        return {**data, "text/plain": repr(self), "image/png": still}, metadata
