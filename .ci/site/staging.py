"""The site's source, laid into a folder: the notebooks as a page shows them, and the texts beside them."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

from launch import repository
from outputs import for_page, joined

ROOT = Path(__file__).resolve().parents[2]
TEXTS = {
    "CONTRIBUTING.md": "CONTRIBUTING.md",
    "CHANGELOG.md": "CHANGELOG.md",
    "data/clips/ATTRIBUTION.md": "reference/clips.md",
}
"""Texts from outside of notebooks/, and where they stand in the site."""

SKIPPED = {"__pycache__", ".ipynb_checkpoints", "conftest.py", "masters"}  # masters hold the answers of the course
PAGES, PLAIN = {".ipynb", ".md"}, {".png", ".jpg", ".svg"}
TO_FILE = re.compile(r"(?<!!)\[([^\]]+)\]\(((?!https?:)[^)\s]+\.(?:html|zip|csv|json|wav|flac|mp3|toml|py|txt))\)")
"""A link of Markdown to a file that is no page."""


def stage(target: Path) -> list[Path]:
    """Lay everything into an empty folder.

    Returns
    -------
    list of Path
        The pages, relative to the folder.
    """
    shutil.rmtree(target, ignore_errors=True)
    for path in sorted((ROOT / "notebooks").rglob("*")):
        inside = path.relative_to(ROOT)
        if path.is_dir() or SKIPPED & set(inside.parts) or any(part.startswith(".") for part in inside.parts):
            continue
        folder = target if path.suffix in PAGES | PLAIN else target / "_extra"
        _put(path, folder / inside)
    for source, place in TEXTS.items():
        _put(ROOT / source, target / place)
    for card in sorted((ROOT / "data" / "models").glob("*.md")):
        _put(card, target / "reference" / "models" / card.name)
    here = Path(__file__).parent
    _put(here / "api.md", target / "api.md")
    launch, place = (here / "launch.md").read_text(encoding="utf-8"), repository() or "OWNER/vampkit"
    (target / "launch.md").write_text(launch.replace("OWNER/vampkit", place), encoding="utf-8")
    (target / "index.md").write_text(_front(target), encoding="utf-8")
    return sorted(p.relative_to(target) for p in target.rglob("*") if p.suffix in PAGES)


def _put(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    if source.suffix == ".ipynb":
        target.write_text(json.dumps(notebook_page(json.loads(source.read_text(encoding="utf-8")))), encoding="utf-8")
    elif source.suffix == ".md":
        target.write_text(links(without_front_matter(source.read_text(encoding="utf-8"))), encoding="utf-8")
    else:
        shutil.copyfile(source, target)


def notebook_page(notebook: dict) -> dict:
    """A notebook whose outputs and links are those of a page."""
    cells = []
    for cell in notebook["cells"]:
        if cell["cell_type"] == "code":
            cell = cell | {"outputs": [for_page(output) for output in cell["outputs"]]}
        else:
            cell = cell | {"source": links(joined(cell["source"]))}
        cells.append(cell)
    return notebook | {"cells": cells}


def links(markdown: str) -> str:
    """Markdown in which links to files that are no pages are plain HTML, so that Sphinx leaves the files in place."""
    return TO_FILE.sub(r'<a href="\2">\1</a>', markdown)


def without_front_matter(text: str) -> str:
    """A card without the head that the hub reads."""
    return text.split("---\n", 2)[2] if text.startswith("---\n") else text


def _front(target: Path) -> str:
    """The front page: README, and what the list at the left shows."""
    course = target / "notebooks" / "course"
    guide = ["notebooks/course/guide"] if (course / "guide.md").is_file() else []
    guide += ["notebooks/course/*"] if course.is_dir() else []
    parts = [
        ("Notebooks", ["notebooks/[0-9]*", "notebooks/a*", "notebooks/bibliography"]),
        ("Course", guide + (["notebooks/course/*/*"] if any(course.glob("*/*.*")) else [])),
        (
            "Reference",
            ["launch", "Python names <api>", "reference/models/*", "reference/clips", "CONTRIBUTING", "CHANGELOG"],
        ),
    ]
    text = links((ROOT / "README.md").read_text(encoding="utf-8")).replace("(.ci/site/", "(")
    for caption, rows in parts:
        if rows:
            text += "\n".join(["\n```{toctree}", ":hidden:", ":glob:", f":caption: {caption}", "", *rows, "```\n"])
    return text
