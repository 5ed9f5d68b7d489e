"""Tables and feedback of graded notebooks; what needs otter-grader stands in tests/course."""

import csv
import json

import pytest

from vampkit.check import grading
from vampkit.check.grades import Grade, feedback, read_results


def test_notebooks_in_folders_keep_the_names_of_their_students(tmp_path, monkeypatch):
    for folder, points in (("ann", 1.0), ("bob", 2.0)):
        (tmp_path / "in" / folder).mkdir(parents=True)
        (tmp_path / "in" / folder / "hw.ipynb").write_text(str(points))
    given = lambda _, path, *__: Grade(path.name, {"task": float(path.read_text())}, {"task": 2.0})  # noqa: E731
    monkeypatch.setattr(grading, "grade", given)
    grading.grade_all("autograder.zip", [tmp_path / "in"], tmp_path / "grades")
    rows = list(csv.DictReader((tmp_path / "grades" / "grades.csv").open(encoding="utf-8")))
    assert [row["notebook"] for row in rows] == ["ann/hw.ipynb", "bob/hw.ipynb"]
    assert [row["total"] for row in rows] == ["1", "2"]
    for name, total in (("ann", 1), ("bob", 2)):
        page = (tmp_path / "grades" / name / "hw.txt").read_text(encoding="utf-8")
        assert page.startswith(f"{name}/hw.ipynb: {total} of 2 points by tests")
    one = grading.grade_all("autograder.zip", [tmp_path / "in" / "ann"], tmp_path / "late")
    assert [grade.notebook for grade in one] == ["hw.ipynb"]
    files = [tmp_path / "in" / name / "hw.ipynb" for name in ("ann", "bob")]
    for alike in (files, [file.parent for file in files]):
        two = grading.grade_all("autograder.zip", alike, tmp_path / "late")
        assert [grade.notebook for grade in two] == ["ann/hw.ipynb", "bob/hw.ipynb"]


@pytest.mark.parametrize("jobs, own, threads", [(1, None, None), (2, None, "4"), (16, None, "1"), (2, "3", "3")])
def test_notebooks_that_are_graded_at_once_share_the_cores(tmp_path, monkeypatch, jobs, own, threads):
    """Each with the threads of all would wait for the others; what the instructor has set stays."""
    monkeypatch.setattr(grading.os, "cpu_count", lambda: 8)
    monkeypatch.delenv("OMP_NUM_THREADS", raising=False)
    if own:
        monkeypatch.setenv("OMP_NUM_THREADS", own)
    seen = []

    def given(_, path, limits, *__):
        seen.append(grading._environment(tmp_path, limits).get("OMP_NUM_THREADS"))
        return Grade(path.name, {"task": 1.0}, {"task": 2.0})

    monkeypatch.setattr(grading, "grade", given)
    (tmp_path / "hw.ipynb").touch()
    grading.grade_all("autograder.zip", [tmp_path / "hw.ipynb"], tmp_path / "grades", jobs=jobs)
    assert seen == [threads]


def test_a_folder_is_searched_with_the_folders_in_it(tmp_path, monkeypatch):
    for folder in ("ann", "bob", "bob/.ipynb_checkpoints"):
        (tmp_path / "handed in" / folder).mkdir(parents=True)
        (tmp_path / "handed in" / folder / "hw.ipynb").touch()
    monkeypatch.setattr(grading, "grade", lambda _, path, *__: Grade(path.name, {"task": 1.0}, {"task": 2.0}))
    found = grading.grade_all("autograder.zip", [tmp_path / "handed in"], tmp_path / "grades")
    assert [grade.notebook for grade in found] == ["ann/hw.ipynb", "bob/hw.ipynb"]


@pytest.mark.parametrize(
    "left, note, points, told",
    [
        ({"tests": [{"name": "task", "score": 1, "output": "right"}]}, "", 1.0, ""),
        ({"tests": [{"name": "task", "score": 9}, {"name": "other", "score": 5}]}, "", 2.0, ""),
        ({"tests": [{"name": "task", "score": "many"}]}, "", 0.0, "it left no results"),
        ({"tests": []}, "", 0.0, "it left no results"),
        ([], "", 0.0, "it left no results"),
        (None, "", 0.0, "it left no results"),
        (None, "it was stopped after 3 s", 0.0, "it was stopped after 3 s"),
    ],
)
def test_points_are_bounded_and_what_is_missing_is_told(left, note, points, told, tmp_path):
    path, result = tmp_path / "results.json", Grade("hw.ipynb", {"task": 0.0}, {"task": 2.0})
    if left is not None:
        path.write_text(json.dumps(left), encoding="utf-8")
    read_results(path, result, note)
    assert result.points == {"task": points} and result.note.startswith(told) and bool(result.note) == bool(told)


def test_feedback_says_one_thing_a_task_and_keeps_the_seeds_of_hidden_cases():
    said = "    beside - 1 result:\n        ✅ Test case passed\n"
    said += "    beside - 2 result:\n        ❌ Test case failed\n        Error at line 19 in test beside:\n"
    said += "              demand(check.hw2.beside, beside, hidden=271)\n"
    failed = said + "        AssertionError: beside: not yet; in hidden case 1 yours is False\n"
    broken = said + "        NameError: name 'torch' is not defined\n"
    points, possible = {"beside": 0.0, "only": 2.0, "runs": 0.0}, {"beside": 3.0, "only": 2.0, "runs": 3.0}
    told = {"beside": failed, "only": "only results: All test cases passed!", "runs": broken}
    titles, unread = {"beside": "Task 1 · Windows"}, {"Task 7 · What you hear": 2.0}
    page = feedback(Grade("hw.ipynb", points, possible, told=told, titles=titles, unread=unread))
    assert page.startswith("hw.ipynb: 2 of 8 points by tests\n2 more can be had by reading: Task 7 · What you hear\n")
    assert "## Task 1 · Windows (`beside`): 0 of 3\nnot yet; in hidden case 1 yours is False\n" in page
    assert "## only: 2 of 2\nright\n" in page and "NameError: name 'torch' is not defined" in page
    assert "271" not in page and "Error at line" not in page
