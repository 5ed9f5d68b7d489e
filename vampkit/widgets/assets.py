"""The widgets' script and style as text: several files joined into one module, so that no build step is needed.

As text, not as paths: anywidget watches the files it is given as paths, and a watched widget is never freed.
"""

from __future__ import annotations

import re
from functools import lru_cache
from pathlib import Path


@lru_cache(maxsize=64)
def text(name: str) -> str:
    """One file of this folder, or of the listening cell's."""
    here = Path(__file__).with_name(name)
    return (here if here.is_file() else here.parents[1] / "show" / name).read_text(encoding="utf-8")


def module(*names: str, render: str) -> str:
    """Several ES modules as one, which shows a widget by calling `render`.

    Each file stands below those that it imports from, so imports and exports are taken out.
    """
    body = "\n".join(text(name) for name in names)
    body = re.sub(r'^import .*? from "\./.*?";\n', "", body, flags=re.MULTILINE)
    body = re.sub(r"^export (.*?;?)$", _bare, body, flags=re.MULTILINE)
    return f"{body}\nexport default {{ render: ({{ model, el }}) => {render} }};\n"


def _bare(line: re.Match) -> str:
    return "" if line[1].startswith("{") else line[1]
