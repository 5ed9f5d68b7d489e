"""otter-grader on all homework, in the sandbox: `make course`. Needs the extra `grading` and bubblewrap."""

import json
import subprocess
import sys

import pytest

from tests.course.masters import HOMEWORK, KINDS, PROJECTS, answered, questions, read
from vampkit.check.grading import grade_all, worth

pytestmark = [pytest.mark.course, pytest.mark.timeout(900)]

DESTRUCTION = """
import os, shutil, socket
from pathlib import Path
try:
    Path(os.environ["TARGET"]).unlink()
except OSError as error:
    print("refused:", type(error).__name__)
shutil.rmtree("tests", ignore_errors=True)
"""


@pytest.fixture(scope="session")
def built(tmp_path_factory):
    """Folders that `otter assign` makes of each master, by its stem."""
    found = {}
    for master in (*HOMEWORK, *PROJECTS):
        folder = tmp_path_factory.mktemp(master.stem)
        command = [sys.executable, "-m", "otter", "assign", "--no-run-tests", str(master), str(folder)]
        subprocess.run(command, check=True, capture_output=True, timeout=120)
        (autograder,) = (folder / "autograder").glob("*.zip")
        found[master.stem] = (folder, autograder)
    return found


def student(built, master):
    return read(built[master.stem][0] / "student" / master.name)


def write(notebook, path):
    path.write_text(json.dumps(notebook), encoding="utf-8")
    return path


@pytest.mark.parametrize("master", HOMEWORK, ids=lambda p: p.stem)
def test_solutions_get_all_points_students_and_wrong_answers_none(built, master, tmp_path):
    folder, autograder = built[master.stem]
    possible = {s["name"]: s["points"] for s, _ in questions(master) if not s.get("manual")}
    assert worth(autograder) == possible
    notebooks = [folder / "autograder" / master.name, folder / "student" / master.name]
    notebooks += [write(answered(student(built, master), master, kind), tmp_path / f"{kind}.ipynb") for kind in KINDS]
    solution, untouched, *wrong = grade_all(autograder, notebooks, tmp_path / "grades")
    assert solution.points == possible and solution.note == ""
    assert untouched.total == 0 and all("not attempted yet" in words for words in untouched.told.values())
    for kind, found in zip(KINDS, wrong, strict=True):
        assert found.points == dict.fromkeys(possible, 0.0), kind
        assert set(found.told) == set(possible), f"{kind}: the notebook did not run to its end: {found.note}"
    rows = (tmp_path / "grades" / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 8 and rows[0].startswith("notebook,")
