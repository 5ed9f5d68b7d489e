"""API pages of all public names in build/docs, offline, by pdoc; a warning is an error.

python .ci/docs.py [FOLDER] [--in-site]
"""

import argparse
import importlib
import re
import warnings
from pathlib import Path

import pdoc

ROOMS = ("audio", "codec", "files", "model", "sampling", "weights", "pipeline", "train", "widgets", "cli")
"""Beside the modules that `vampkit.__all__` names, which pdoc finds by itself."""


def main() -> None:
    """Write the pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path, nargs="?", default=Path("build/docs"))
    parser.add_argument("--in-site", action="store_true", help="the site lies one folder above: link to it")
    options = parser.parse_args()
    modules = [importlib.import_module(name) for name in ("vampkit", *(f"vampkit.{room}" for room in ROOMS))]
    for module in [*modules, *(getattr(modules[0], name) for name in modules[0].__all__)]:
        for name in getattr(module, "__all__", ()):
            getattr(module, name)  # loaded on first use: pdoc reads what is there
    warnings.simplefilter("error", UserWarning)
    templates = Path(__file__).with_name("pdoc")
    look = dict(docformat="numpy", footer_text="vampkit", search=True, favicon="data:,", template_directory=templates)
    pdoc.render.configure(**look, show_source=not options.in_site)  # with sources the pages weigh four times as much
    pdoc.render.env.globals["back"] = options.in_site
    pdoc.pdoc(*(module.__name__ for module in modules), output_directory=options.folder)
    pages = list(options.folder.rglob("*.html"))
    for page in pages:
        page.write_text(without_dead_links(page.read_text(encoding="utf-8")), encoding="utf-8")
    print(f"{len(pages)} pages in {options.folder}; open {options.folder / 'vampkit.html'}")


def without_dead_links(text: str) -> str:
    """A page whose links to names that it does not show (such as inherited ones) are plain text."""
    places = set(re.findall(r'\bid="([^"]+)"', text))
    return re.sub(r'<a href="#([^"]+)">(.*?)</a>', lambda link: link[0] if link[1] in places else link[2], text)


if __name__ == "__main__":
    main()
