"""Files: where they lie, and how they are written so that none is ever left half done.

Everything is written beside its place and then renamed. Tensors go into safetensors, never into a pickle.
"""

from vampkit.files.folders import cache_folder, data_folder
from vampkit.files.tensors import read_safetensors, write_safetensors
from vampkit.files.written import written

__all__ = ["cache_folder", "data_folder", "read_safetensors", "write_safetensors", "written"]
