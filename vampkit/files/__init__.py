"""Files: where they lie, and how they are written so that no half-written file is ever left behind.

A file is first written under another name in the same folder and then renamed. Tensors are saved as safetensors, never
as a pickle.
"""

from vampkit.files.folders import cache_folder, data_folder
from vampkit.files.tensors import read_safetensors, write_safetensors
from vampkit.files.written import written

__all__ = ["cache_folder", "data_folder", "read_safetensors", "write_safetensors", "written"]
