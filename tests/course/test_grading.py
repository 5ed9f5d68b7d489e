"""otter-grader on all homework, in the sandbox: `make course`. Needs the extra `grading` and bubblewrap."""

import copy
import json
import socket
import subprocess
import sys

import pytest

from tests.course.masters import HOMEWORK, KINDS, PROJECTS, answered, questions, read, text
from vampkit.check.grading import Limits, grade, grade_all, worth
from vampkit.errors import VampkitError

pytestmark = [pytest.mark.course, pytest.mark.timeout(3600)]

DESTRUCTION = """
import os, shutil, socket
from pathlib import Path
for path in (%r, "/etc/hostname"):
    try:
        Path(path).unlink()
    except OSError:
        pass
shutil.rmtree(os.path.expanduser("~"), ignore_errors=True)
try:
    socket.create_connection(("127.0.0.1", %d), timeout=2).sendall(b"out")
except OSError:
    pass
"""
PATIENT = Limits(seconds=800, cell_seconds=300, threads=1)
"""For a machine that is busy with other work."""
CELLS = {
    "an endless cell": "while True: pass",
    "a large file": 'open("big", "wb").write(bytes(2**29))',
    "much memory": "held = [bytearray(2**30) for _ in range(64)]",
    "its own end": "import os; os._exit(3)",
    "an answer that ends it": "def bitrate(*_):\n    raise SystemExit",
}


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
    solution, untouched, *wrong = grade_all(autograder, notebooks, tmp_path / "grades", PATIENT, jobs=2)
    assert solution.points == possible and solution.note == ""
    assert untouched.total == 0 and all("not attempted yet" in words for words in untouched.told.values())
    for kind, found in zip(KINDS, wrong, strict=True):
        assert found.points == dict.fromkeys(possible, 0.0), kind
        assert set(found.told) == set(possible), f"{kind}: the notebook did not run to its end: {found.note}"
    rows = (tmp_path / "grades" / "grades.csv").read_text(encoding="utf-8").splitlines()
    assert len(rows) == 8 and rows[0].startswith("notebook,")


def with_cell(notebook, source, last=True):
    """A notebook with one more cell, as its last or right after the imports."""
    made = copy.deepcopy(notebook)
    cell = dict(cell_type="code", execution_count=None, metadata={}, outputs=[], source=source)
    made["cells"].insert(len(made["cells"]) if last else 3, cell)
    return made


@pytest.fixture(scope="session")
def answered_first(built):
    """The first homework's autograder, its solved notebook, and the points of that."""
    folder, autograder = built[HOMEWORK[0].stem]
    return autograder, read(folder / "autograder" / HOMEWORK[0].name), worth(autograder)


def test_an_endless_answer_costs_its_own_task_alone(answered_first, tmp_path):
    autograder, notebook, possible = answered_first
    endless = with_cell(notebook, "def bitrate(*_):\n    while True: pass")
    found = grade(autograder, write(endless, tmp_path / "endless.ipynb"), PATIENT)
    assert found.points == possible | {"bitrate": possible["bitrate"]}, "the check ran before that cell: points stay"
    first = copy.deepcopy(notebook)
    (cell,) = [c for c in first["cells"] if "def bitrate(" in text(c)]
    cell["source"] = "def bitrate(*_):\n    while True: pass"
    found = grade(autograder, write(first, tmp_path / "first.ipynb"), PATIENT)
    assert found.points == possible | {"bitrate": 0.0}
    assert "does every loop end?" in found.told["bitrate"]


@pytest.mark.parametrize("name", CELLS)
def test_a_bad_cell_is_bounded(answered_first, name, tmp_path):
    autograder, notebook, possible = answered_first
    path = write(with_cell(notebook, CELLS[name], last=False), tmp_path / "bad.ipynb")
    found = grade(autograder, path, Limits(seconds=800, cell_seconds=60))
    if name == "its own end":
        assert found.total == 0 and found.note
    else:
        assert found.points == possible and found.note == ""  # that cell alone is lost


def test_a_whole_notebook_is_stopped_in_time(answered_first, tmp_path):
    autograder, notebook, _ = answered_first
    path = write(with_cell(notebook, "while True: pass", last=False), tmp_path / "slow.ipynb")
    found = grade(autograder, path, Limits(seconds=15, cell_seconds=600))
    assert found.total == 0 and found.note == "it was stopped after 15 s" and found.seconds < 60


def test_nothing_outside_is_deleted_and_nothing_is_sent(answered_first, tmp_path):
    autograder, notebook, possible = answered_first
    precious = tmp_path / "precious.txt"
    precious.write_text("kept")
    with socket.create_server(("127.0.0.1", 0)) as server:
        server.settimeout(0.5)
        source = DESTRUCTION % (str(precious), server.getsockname()[1])
        found = grade(autograder, write(with_cell(notebook, source, last=False), tmp_path / "bad.ipynb"), PATIENT)
        with pytest.raises(TimeoutError):
            server.accept()
    assert precious.read_text() == "kept" and found.points == possible


def test_forged_names_and_points_are_bounded_by_the_masters(answered_first, tmp_path):
    """A notebook can forge its own results, as guide and docstrings say; more than all points it cannot get."""
    autograder, notebook, possible = answered_first
    forged = """
from otter.test_files import GradingResults
def to_gradescope_dict(self, *_):
    return {"tests": [{"name": "bitrate", "score": 1e9}, {"name": "other", "score": 5}]}
GradingResults.to_gradescope_dict = to_gradescope_dict
"""
    found = grade(autograder, write(with_cell(notebook, forged), tmp_path / "forged.ipynb"), PATIENT)
    assert set(found.points) == set(possible) and all(found.points[n] <= possible[n] for n in possible)


def test_another_homework_is_named(built, tmp_path):
    path = write(student(built, HOMEWORK[1]), tmp_path / "hw1_tokens.ipynb")
    found = grade(built[HOMEWORK[0].stem][1], path)
    assert found.total == 0 and found.note == "it is hw2_masks, hw1_tokens was expected"


def test_what_is_no_notebook_or_no_autograder_is_told(built, tmp_path):
    _, autograder = built[HOMEWORK[0].stem]
    for content in ("", "[]", '{"cells": 3}'):
        path = tmp_path / "odd.ipynb"
        path.write_text(content)
        assert grade(autograder, path).note.startswith("it is no notebook")
    with pytest.raises(VampkitError, match="no autograder"):
        worth(path)
    with pytest.raises(FileNotFoundError):
        grade(autograder, tmp_path / "missing.ipynb")


def test_without_bubblewrap_it_says_what_to_do(answered_first, tmp_path, monkeypatch):
    autograder, notebook, _ = answered_first
    monkeypatch.setattr("vampkit.check.grading.shutil.which", lambda _: None)
    with pytest.raises(VampkitError, match="install it .* or pass --no-sandbox"):
        grade(autograder, write(notebook, tmp_path / "fine.ipynb"))


@pytest.mark.parametrize("master", [*HOMEWORK, *PROJECTS], ids=lambda p: p.stem)
def test_a_solved_notebook_runs_without_an_error(built, master, tmp_path):
    solved = built[master.stem][0] / "autograder" / master.name
    command = [sys.executable, "-m", "nbconvert", "--to", "notebook", "--execute", "--output-dir", str(tmp_path)]
    done = subprocess.run([*command, str(solved)], capture_output=True, text=True, timeout=600)
    assert done.returncode == 0, done.stderr[-3000:]
    shown = [c for c in read(tmp_path / master.name)["cells"] if c["cell_type"] == "code"]
    assert not any(o.get("name") == "stderr" for c in shown for o in c["outputs"])
