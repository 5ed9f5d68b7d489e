"""Where the bundled clips and models lie: beside the package in a checkout, inside it when installed from a wheel."""

from pathlib import Path

from vampkit.errors import VampkitError


def data_folder() -> Path:
    """The folder that holds `clips/` and `models/`. Raises VampkitError where neither place has it."""
    package = Path(__file__).resolve().parent
    for folder in (package / "data", package.parent / "data"):
        if (folder / "clips").is_dir() or (folder / "models").is_dir():
            return folder
    raise VampkitError(f"the bundled clips and models are missing beside {package}; install vampkit again from a wheel or a whole clone")
