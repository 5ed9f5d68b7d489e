"""Tables and feedback of graded notebooks; what needs otter-grader stands in tests/course."""

import csv
import json

import pytest

from vampkit.check import grading
from vampkit.check.grades import Grade, feedback, read_results


@pytest.mark.parametrize(
    "folders, names",
    [(("ann", "bob"), ["ann/hw.ipynb", "bob/hw.ipynb"]), (("ann", "ann/second"), ["hw.ipynb", "second/hw.ipynb"])],
)
def test_notebooks_of_one_name_have_rows_and_feedback_of_their_own(folders, names, tmp_path, monkeypatch):
    paths = [tmp_path / folder / "hw.ipynb" for folder in folders]
    points = dict(zip(paths, (1.0, 2.0), strict=True))
    monkeypatch.setattr(grading, "grade", lambda _, path, *__: Grade(path.name, {"task": points[path]}, {"task": 2.0}))
    grading.grade_all("autograder.zip", paths, tmp_path / "grades")
    rows = list(csv.DictReader((tmp_path / "grades" / "grades.csv").open(encoding="utf-8")))
    assert [row["notebook"] for row in rows] == names and [row["total"] for row in rows] == ["1", "2"]
    for name, total in zip(names, (1, 2), strict=True):
        page = (tmp_path / "grades" / name.replace(".ipynb", ".txt")).read_text(encoding="utf-8")
        assert page.startswith(f"{name}: {total} of 2 points")


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


def test_feedback_says_what_a_check_said_and_keeps_the_seeds_of_hidden_cases():
    said = "    beside - 2 result:\n        ❌ Test case failed\n        Error at line 19 in test beside:\n"
    said += "              demand(check.hw2.beside, beside, hidden=271)\n"
    said += "        AssertionError: beside: not yet; in hidden case 1 yours is False\n"
    page = feedback(Grade("hw.ipynb", {"beside": 0.0}, {"beside": 3.0}, told={"beside": said + "after"}))
    assert "in hidden case 1 yours is False\nafter" in page and "beside - 2 result" in page
    assert "271" not in page and "Error at line" not in page
