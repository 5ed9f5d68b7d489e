"""Scripts and styles of the widgets as text. Several files are joined into one module, so no build step is needed.

They are given to anywidget as text, not as paths: it would watch the files, and a watched widget is never freed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=64)
def text(name: str) -> str:
    """Read a file from this folder, or else from vampkit/show."""
    here = Path(__file__).with_name(name)
    return (here if here.is_file() else here.parents[1] / "show" / name).read_text(encoding="utf-8")


def module(*names: str, render: str) -> str:
    """Join several ES modules into one, which shows a widget by calling `render`.

    Each file comes after those that it imports from, so the import and export statements are removed.
    """
    body = "\n".join(text(name) for name in names)
    body = re.sub(r'^import .*? from "\./.*?";\n', "", body, flags=re.MULTILINE)
    body = re.sub(r"^export (?:\{.*)?", "", body, flags=re.MULTILINE)
    return f"{body}\nexport default {{ render: ({{ model, el }}) => {render} }};\n"
