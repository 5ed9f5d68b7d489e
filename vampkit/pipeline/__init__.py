"""Pipeline: codec, coarse model and coarse-to-fine model, one after another, and the takes that they make."""

from vampkit.pipeline.run import Progress
from vampkit.pipeline.settings import SETTINGS, TakeSettings, take_settings
from vampkit.pipeline.soundfiles import again_file, vamp_file
from vampkit.pipeline.take import Take
from vampkit.pipeline.vamp import Vamp, load_vamp
from vampkit.pipeline.windows import Windows

__all__ = ["SETTINGS", "Progress", "Take", "TakeSettings", "Vamp", "Windows"]
__all__ += ["again_file", "load_vamp", "take_settings", "vamp_file"]
