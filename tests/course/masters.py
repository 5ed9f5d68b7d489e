"""Masters of the course: their tasks, and notebooks with one kind of wrong answer in every task."""

import copy
import importlib
import inspect
import json
import re
from pathlib import Path

import yaml

FOLDER = Path(__file__).parents[2] / "notebooks" / "course" / "masters"
HOMEWORK = sorted(FOLDER.glob("hw*.ipynb"))
PROJECTS = sorted(FOLDER.glob("project*.ipynb"))
KINDS = ("library", "fixed", "off", "axis", "nan")

SAME = """
def _same(a, b):
    if isinstance(a, torch.Tensor):
        return isinstance(b, torch.Tensor) and a.shape == b.shape and bool((a == b).all())
    if isinstance(a, (list, tuple)):
        return type(a) is type(b) and len(a) == len(b) and all(_same(x, y) for x, y in zip(a, b))
    try:
        return bool(torch.equal(torch.as_tensor(a), torch.as_tensor(b)))
    except (TypeError, ValueError, RuntimeError):
        return type(a) is type(b)
"""
FIXED = """
_seen_{name} = []
def _record_{name}(*case):
    _seen_{name}.append((case, _right_{name}(*case)))
    return _seen_{name}[-1][1]
check.{module}.{name}(_record_{name})
def {name}(*case):  # a table of the answers to the cases that everybody sees
    for known, result in _seen_{name}:
        if _same(known, case):
            return result
    return _seen_{name}[-1][1]
"""
NAN = """
def {name}(*case):
    import numpy as np
    from vampkit.check.core import as_value
    right = _right_{name}(*case)
    found = np.full(np.shape(as_value(right)), np.nan)
    return torch.from_numpy(found) if isinstance(right, torch.Tensor) else found
"""


def read(path):
    return json.loads(path.read_text(encoding="utf-8"))


def text(cell):
    return cell["source"] if isinstance(cell["source"], str) else "".join(cell["source"])


def module_of(path):
    return path.stem.split("_")[0]


def questions(path):
    """Settings and cells of each question of a master."""
    found, inside = [], None
    for cell in read(path)["cells"]:
        body = text(cell)
        if cell["cell_type"] == "raw" and body.startswith("# BEGIN QUESTION"):
            inside = (yaml.safe_load(body), [])
        elif cell["cell_type"] == "raw" and body.startswith("# END QUESTION"):
            found.append(inside)
            inside = None
        elif inside is not None:
            inside[1].append(cell)
    return found


def solutions(path):
    """Source of the solution of each task that is graded by tests, by its name."""
    return {
        settings["name"]: re.sub(r'    """ # BEGIN PROMPT.*', "", body, flags=re.DOTALL)
        for settings, cells in questions(path)
        if not settings.get("manual")
        for body in [next(text(c) for c in cells if "# BEGIN SOLUTION" in text(c) and c["cell_type"] == "code")]
    }


def wrong(path, name, kind):
    """Source of a wrong answer, to stand in a notebook that has imported math, torch and check."""
    if kind in ("fixed", "nan"):
        right = solutions(path)[name].replace(f"def {name}(", f"def _right_{name}(")
        made = {"fixed": SAME + FIXED, "nan": NAN}[kind]
        return right + made.format(name=name, module=module_of(path))
    answers = importlib.import_module(f"tests.course.wrong.{module_of(path)}")
    return inspect.getsource(getattr(answers, f"{name}_{kind}")).replace(f"def {name}_{kind}(", f"def {name}(")


def answered(student, path, kind):
    """A student's notebook with one kind of wrong answer in every task."""
    notebook = copy.deepcopy(student)
    for name in solutions(path):
        (cell,) = [c for c in notebook["cells"] if c["cell_type"] == "code" and f"def {name}(" in text(c)]
        cell["source"] = wrong(path, name, kind)
    return notebook
