"""Every public name says, in NumPy form, what it takes and gives, with shapes, and which notebook teaches it."""

import importlib
import inspect
import json
import logging
import re
from pathlib import Path

import griffe
import pytest

from vampkit import check as checks

ROOT = Path(__file__).resolve().parent.parent
FILES = ("masks", "schedules", "model", "sampling")
ROOMS = (
    *("audio", "codec", "files", "prompts", "prompts.beats", "weights", "pipeline"),
    *("train", "paper", "probes", "music", "paint", "metrics", "show", "widgets", "check", "cli"),
)
SOURCES = "\n".join(
    "".join(cell["source"])
    for path in sorted((ROOT / "notebooks").glob("[0-9a]*.ipynb"))
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
    if cell["cell_type"] == "code"
)
TAUGHT = set(re.findall(r"\.(\w+)", SOURCES)) | {
    name for line in re.findall(r"import (.+)", SOURCES) for name in re.findall(r"\w+", line)
}
"""What the notebooks import, and what they ask modules and objects for."""


def public():
    """Functions and classes that are public, by their whole names."""
    found = {}
    for name in (*FILES, *ROOMS, *(f"check.{name}" for name in checks.__all__)):
        module = importlib.import_module(f"vampkit.{name}")
        own = [
            n
            for n, v in vars(module).items()
            if not n.startswith("_") and getattr(v, "__module__", "") == module.__name__
        ]
        for word in getattr(module, "__all__", own):
            value = getattr(module, word)
            if inspect.isfunction(value) or inspect.isclass(value):
                found[f"{value.__module__}.{value.__qualname__}"] = value
    return found


def members(kind):
    """Methods and properties that a class defines and no class above it describes."""
    for name, value in vars(kind).items():
        above = any(getattr(getattr(base, name, None), "__doc__", None) for base in kind.__mro__[1:])
        if name.startswith("_") or above:
            continue
        if isinstance(value, (classmethod, staticmethod)):
            value = value.__func__
        if inspect.isfunction(value) or isinstance(value, property):
            yield name, value


def sections(text):
    """Sections of a docstring by kind: names of what it takes, or whether it is there."""
    logging.disable(logging.CRITICAL)
    parsed = griffe.Docstring(inspect.cleandoc(text), lineno=1, parser="numpy").parse()
    logging.disable(logging.NOTSET)
    return {section.kind.value: section.value for section in parsed}


def wanted(function):
    """Names of the parameters of a call, stars included."""
    stars = {inspect.Parameter.VAR_POSITIONAL: "*", inspect.Parameter.VAR_KEYWORD: "**"}
    try:
        rows = inspect.signature(function).parameters.values()
    except ValueError:  # a class without a constructor of its own
        return []
    return [stars.get(p.kind, "") + p.name for p in rows if p.name not in ("self", "cls")]


def check(name, function, teaches=True):
    text = inspect.getdoc(function) or ""
    assert text, f"{name} has no docstring"
    assert text.split("\n")[0].rstrip().endswith((".", "?")), f"{name}: one sentence on the first line was expected"
    found = sections(text)
    documented = [p.name for p in found.get("parameters", [])]
    assert documented == wanted(function), f"{name} documents {documented}, it takes {wanted(function)}"
    given = inspect.signature(function).return_annotation if inspect.isroutine(function) else None
    if given not in (None, "None", inspect.Signature.empty):
        assert {"returns", "yields"} & set(found), f"{name} does not say what it returns"
    for parameter in found.get("parameters", []):
        kind = str(parameter.annotation or "")
        if re.search(r"Tensor|ndarray", kind):
            assert "[" in kind + parameter.description, f"{name}: the shape of {parameter.name} was expected"
    if teaches and function.__name__ in TAUGHT:
        head = re.split(r"\n\w[\w ]*\n-{4,}\n", text)[0]
        assert "Notebook:" in head, f"{name} stands in a notebook: before its sections, a line such as 'Notebook: 05'"


@pytest.mark.parametrize("name", public())
def test_public_names_are_documented(name):
    value = public()[name]
    check(name, value)
    if inspect.isclass(value):
        for member, function in members(value):
            if isinstance(function, property):
                assert function.__doc__, f"{name}.{member} has no docstring"
            else:
                check(f"{name}.{member}", function, teaches=False)
