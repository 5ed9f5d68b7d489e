"""A deck of slides a notebook in build/slides: its headings, figures, players and what to remember; shown offline.

`python .ci/slides.py build/slides`. nbconvert makes the decks; reveal.js, MathJax and two small libraries come from the
npm registry once and lie beside them. Every slide's words and pictures are the notebook's own.
"""

import copy
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
from nbconvert.exporters import SlidesExporter

FOLDER = Path(__file__).parents[1] / "notebooks"
PACKAGES = {"reveal.js": "4.6.1", "mathjax": "2.7.9", "requirejs": "2.3.7", "jquery": "3.7.1"}
MOST_WORDS = 70
"""Words of prose on a slide; whole sentences up to that."""
NO_MERMAID = "data:text/javascript,export default { initialize() {}, registerLayoutLoaders() {} }"
"""Diagrams in mermaid, of which there are none, would be drawn by a script from the network."""
NO_SLIDE = re.compile(r"## (?:\d+ · )?(?:Your turn|Questions)")


def fetch(lib: Path) -> None:
    """Bring what the decks load into `lib`, unless it lies there."""
    if (lib / "done").exists():
        return
    shutil.rmtree(lib, ignore_errors=True)
    lib.mkdir(parents=True)
    if not (npm := shutil.which("npm")):
        sys.exit("npm is not installed; install Node.js, or show the notebooks themselves")
    names = [f"{name}@{version}" for name, version in PACKAGES.items()]
    options = ["--prefix", str(lib), "--ignore-scripts", "--no-audit", "--no-fund", "--no-save"]
    subprocess.run([npm, "install", *options, *names], check=True, stdout=subprocess.DEVNULL)
    for rest in ("unpacked", "test", "docs"):
        shutil.rmtree(lib / "node_modules" / "mathjax" / rest, ignore_errors=True)
    (lib / "done").touch()


def shortened(prose: str) -> str:
    """The first paragraphs of a text, whole sentences of about MOST_WORDS words; tables and lists stay whole."""
    kept: list[str] = []
    for block in re.split(r"\n\s*\n", prose.strip()):
        if block.startswith(("#", "$$", "|", "- ", "1. ", ">")):
            kept.append(block)
            continue
        for sentence in re.split(r"(?<=[.:?!])\s+(?=[A-Z*\[])", block):
            if kept and sum(len(k.split()) for k in kept) + len(sentence.split()) > MOST_WORDS:
                return "\n\n".join(kept)
            kept.append(sentence)
    return "\n\n".join(kept)


def pictured(cell: dict) -> dict | None:
    """A cell that shows one thing of another cell's outputs, without its code: a player or a picture; None for none."""
    for output in cell.get("outputs", []):
        data = output.get("data", {})
        page = "".join(data.get("text/html", ""))
        kind = next((k for k in ("image/svg+xml", "image/png") if k in data), None)
        kind = "text/html" if "vampkit-player" in page or (kind is None and "<svg" in page) else kind
        if kind:
            made = nbformat.v4.new_code_cell(metadata={"slideshow": {"slide_type": "subslide"}})
            made["outputs"] = [nbformat.v4.new_output("display_data", {kind: data[kind]})]
            return made
    return None


def deck(path: Path) -> nbformat.NotebookNode:
    """A notebook of slides: a title, a slide a section with its figures below it, and what to remember."""
    notebook = nbformat.read(path, 4)
    slides, skipped = [], False
    for cell in notebook.cells:
        if cell.cell_type == "code":
            if not skipped and (made := pictured(cell)):
                slides.append(made)
            continue
        for part in re.split(r"(?m)^(?=#{1,2} )", cell.source):
            if part.startswith("#"):
                skipped = bool(NO_SLIDE.match(part))
            remember = re.search(r"(?ms)^\*\*To remember\.\*\*.*?(?=^Next:|\Z)", part)
            if remember:
                slides.append(_slide(remember[0]))
            elif part.startswith("#") and not skipped:
                slides.append(_slide(shortened(part.replace("*You need:*", "\n\n*You need:*"))))
    made = copy.deepcopy(notebook)
    made.cells, made.metadata["title"] = slides, path.stem
    return made


def _slide(prose: str) -> nbformat.NotebookNode:
    # Links lead to notebooks, which do not lie beside a deck.
    plain = re.sub(r"\[([^\]]+)\]\((?!https?:)[^)]*\)", r"\1", prose)
    return nbformat.v4.new_markdown_cell(plain, metadata={"slideshow": {"slide_type": "slide"}})


def main(out: str) -> None:
    """Write all decks."""
    folder = Path(out)
    fetch(folder / "lib")
    lib = "lib/node_modules"
    settings = dict(
        reveal_url_prefix=f"{lib}/reveal.js",
        require_js_url=f"{lib}/requirejs/require.js",
        jquery_url=f"{lib}/jquery/dist/jquery.min.js",
        mathjax_url=f"{lib}/mathjax/MathJax.js?config=TeX-AMS_CHTML-full,Safe",
        mermaid_js_url=NO_MERMAID,
        mermaid_layout_elk_js_url=NO_MERMAID,
        reveal_theme="white",  # its fonts lie beside it
        reveal_scroll=True,
        reveal_number="c/t",
        exclude_input=True,
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    paths = sorted(FOLDER.glob("[0-9a][0-9]_*.ipynb"))
    for path in paths:
        page, _ = SlidesExporter(**settings).from_notebook_node(deck(path))
        (folder / f"{path.stem}.html").write_text(page, encoding="utf-8")
    print(f"{len(paths)} decks in {folder}; open one in a browser, S shows a speaker's view, ? the keys")


if __name__ == "__main__":
    main(sys.argv[1] if len(sys.argv) > 1 else "build/slides")
