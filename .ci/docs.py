"""API pages of all public names in build/docs, offline, by pdoc; a warning is an error."""

import importlib
import sys
import warnings
from pathlib import Path

import pdoc

ROOMS = ("audio", "codec", "files", "model", "sampling", "weights", "pipeline", "train", "widgets", "cli")
"""Beside the modules that `vampkit.__all__` names, which pdoc finds by itself."""


def main() -> None:
    """Write the pages."""
    modules = [importlib.import_module(name) for name in ("vampkit", *(f"vampkit.{room}" for room in ROOMS))]
    for module in [*modules, *(getattr(modules[0], name) for name in modules[0].__all__)]:
        for name in getattr(module, "__all__", ()):
            getattr(module, name)  # loaded on first use: pdoc reads what is there
    warnings.simplefilter("error", UserWarning)
    pdoc.render.configure(docformat="numpy", footer_text="vampkit", search=True)
    out = Path(sys.argv[1] if len(sys.argv) > 1 else "build/docs")
    pdoc.pdoc(*(module.__name__ for module in modules), output_directory=out)
    print(f"{len(list(out.rglob('*.html')))} pages in {out}; open {out / 'vampkit.html'}")


if __name__ == "__main__":
    main()
