"""Points of a notebook: what an autograder says can be had, what a sandbox left, as a table and as feedback."""

from __future__ import annotations

import ast
import csv
import json
import os
import re
import zipfile
from dataclasses import dataclass, field
from pathlib import Path

from vampkit.errors import VampkitError

HEADINGS = "headings.json"
"""In an autograder: how the notebook calls its tasks."""


@dataclass
class Grade:
    """Points of one notebook.

    Parameters
    ----------
    notebook : str
        Its file's name.
    points : dict of str to float
        Points by task.
    possible : dict of str to float
        Points that can be had.
    seconds : float
        How long it ran.
    note : str
        What went wrong, empty if nothing did.
    told : dict of str to str
        What the tests said, by task.
    titles : dict of str to str
        Headings of the tasks in the notebook, as far as they are known.
    unread : dict of str to float
        Most points of the tasks that are graded by reading, by heading.
    """

    notebook: str
    points: dict[str, float]
    possible: dict[str, float]
    seconds: float = 0.0
    note: str = ""
    told: dict[str, str] = field(default_factory=dict)
    titles: dict[str, str] = field(default_factory=dict)
    unread: dict[str, float] = field(default_factory=dict)

    @property
    def total(self) -> float:
        """All points."""
        return sum(self.points.values())


def worth(autograder: str | os.PathLike) -> dict[str, float]:
    """Points of each task, by name, as the tests in an autograder zip say.

    Parameters
    ----------
    autograder : str or PathLike
        The zip that `otter assign` made.

    Returns
    -------
    dict of str to float
        Points by task, in the order of the zip; .ci/course.py puts the tests in the order of the notebook.

    Raises
    ------
    VampkitError
        For a file that is no autograder.
    """
    found = {}
    try:
        with zipfile.ZipFile(autograder) as archive:
            for name in (n for n in archive.namelist() if n.startswith("tests/") and n.endswith(".py")):
                values = {
                    node.targets[0].id: node.value.value
                    for node in ast.parse(archive.read(name).decode("utf-8")).body
                    if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
                }
                found[str(values["name"])] = float(values["points"])
    except (zipfile.BadZipFile, KeyError, TypeError, ValueError, SyntaxError) as error:
        raise VampkitError(f"{autograder} is no autograder ({error}); make one with otter assign") from None
    if not found:
        raise VampkitError(f"{autograder} holds no tests, the zip that otter assign makes was expected")
    return found


def assignment(autograder: str | os.PathLike) -> str:
    """The name of the homework that an autograder is for, "" if it does not say so."""
    with zipfile.ZipFile(autograder) as archive:
        settings = json.loads(archive.read("otter_config.json")) if "otter_config.json" in archive.namelist() else {}
    return str(settings.get("assignment_name", ""))


def headings(autograder: str | os.PathLike) -> tuple[dict[str, str], dict[str, float]]:
    """Headings of the tasks, and most points of those graded by reading, where .ci/course.py put them into the zip."""
    with zipfile.ZipFile(autograder) as archive:
        if HEADINGS not in archive.namelist():
            return {}, {}
        about = json.loads(archive.read(HEADINGS))
    return about["titles"], about["unread"]


def read_results(path: Path, result: Grade, note: str) -> None:
    """Take the points from what the sandbox left. It is the student's word: names and the most are the master's."""
    try:
        for test in json.loads(path.read_text(encoding="utf-8"))["tests"]:
            name = test.get("name")
            if name in result.points:
                result.points[name] = min(result.possible[name], max(0.0, float(test.get("score", 0))))
                result.told[name] = str(test.get("output", ""))
        whole = bool(result.told)
    except (OSError, ValueError, TypeError, KeyError, AttributeError):
        whole = False
    nothing = "" if whole else "it left no results: the notebook ended its own process or deleted its tests"
    result.note = note or nothing


def feedback(result: Grade) -> str:
    """A page for the student: points by task, and the first thing that the tests of each have to say."""
    most = sum(result.possible.values())
    lines = [f"{result.notebook}: {result.total:g} of {most:g} points by tests"]
    lines += [f"{points:g} more can be had by reading: {title}" for title, points in result.unread.items()]
    lines += [result.note, ""]
    for name, possible in result.possible.items():
        title = f"{result.titles[name]} (`{name}`)" if name in result.titles else name
        lines += [f"## {title}: {result.points[name]:g} of {possible:g}", _said(name, result), ""]
    return "\n".join(lines)


def _said(name: str, result: Grade) -> str:
    """The first message of a task's tests; otter-grader's own words where no check spoke.

    otter-grader quotes the lines of a test that failed, which hold the seed of the hidden cases: they are left out.
    """
    output = result.told.get(name, "")
    if found := re.search(r"(?m)^ *AssertionError: (.+)$", output):
        return found[1].removeprefix(f"{name}: ")
    if result.points[name] == result.possible[name]:
        return "right"
    lines, quoted = [], None
    for line in output.splitlines():
        indent = len(line) - len(line.lstrip())
        if line.lstrip().startswith("Error at line "):
            quoted = indent
        elif quoted is None or indent <= quoted:
            quoted = None
            lines.append(line)
    return "\n".join(lines)


def write_csv(path: Path, grades: list[Grade]) -> None:
    """A row a notebook: points by task, total, possible, seconds, note."""
    tasks = list(grades[0].possible)
    with path.open("w", newline="", encoding="utf-8") as file:
        table = csv.writer(file)
        table.writerow(["notebook", *tasks, "total", "possible", "seconds", "note"])
        for g in grades:
            numbers = [f"{g.points[t]:g}" for t in tasks]
            table.writerow(
                [g.notebook, *numbers, f"{g.total:g}", f"{sum(g.possible.values()):g}", f"{g.seconds:.0f}", g.note]
            )
