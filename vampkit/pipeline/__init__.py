"""Pipeline: codec, coarse model and coarse-to-fine model in a row, and the takes they make."""

from vampkit.pipeline.take import Take, TakeSettings
from vampkit.pipeline.vamp import Vamp, adapt, load_vamp

__all__ = ["Take", "TakeSettings", "Vamp", "adapt", "load_vamp"]
