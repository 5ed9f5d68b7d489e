"""Projects: what can be tested of them is, the rest has points, minutes and a row in the rubric."""

import re

import numpy as np
import pytest
import torch

from tests.course.masters import FOLDER, PROJECTS, questions, solutions, text
from tests.course.test_homework import run
from vampkit import check, metrics

TASKS = [(path, name) for path in PROJECTS for name in solutions(path)]


def found(path, name):
    return run(f"from vampkit import metrics\n{solutions(path)[name]}", name)


@pytest.mark.parametrize("path, name", TASKS, ids=lambda v: getattr(v, "stem", v))
def test_a_solution_is_right_and_a_stub_is_not_attempted(path, name, capsys):
    task = getattr(check.projects, name)
    for hidden in (None, 2, 77):
        assert task(found(path, name), hidden), capsys.readouterr().out
    assert set(capsys.readouterr().out.splitlines()) == {f"{name}: right"}

    def stub(*_):
        raise NotImplementedError

    assert not task(stub) and capsys.readouterr().out == f"{name}: not attempted yet\n"
    for result in (None, 0, "music", [[1], [1, 2]], torch.zeros(2, 7), np.nan, {}):
        assert task(lambda *_, result=result: result) is False
        assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize(
    "yours, words",
    [
        (lambda k, t, gesture: torch.ones(k, t, dtype=torch.bool), "hides everything or nothing"),
        (lambda k, t, gesture: torch.arange(t).remainder(7).bool().expand(k, t), "different gestures gave the same"),
        (lambda k, t, gesture: torch.rand(k, t) < 0.5, "one gesture gave two masks"),
        (lambda k, t, gesture: torch.zeros(t, k, dtype=torch.bool), "bool of shape"),
        (lambda k, t, gesture: torch.full((k, t), torch.nan), "it returned float32"),
        (lambda k, t, gesture: [][1], "it stopped with IndexError"),
    ],
)
def test_what_cannot_be_played_is_told_why(yours, words, capsys):
    assert check.projects.playable(yours, 4) is False
    assert words in capsys.readouterr().out


@pytest.mark.parametrize(
    "name, yours, words",
    [
        ("difference", lambda rows, a, b, seed: check.projects._difference(rows, b, a, seed), "Which minus which?"),
        (
            "difference",
            lambda rows, a, b, seed: check.projects._difference(rows, a, b, seed, by_track=False),
            "draw whole tracks",
        ),
        (
            "heard",
            lambda rows, a, b: (lambda e: (e.n, e.mean, e.low, e.high),)[0](metrics.mushra_difference(rows, a, b)),
            "is left out",
        ),
    ],
)
def test_a_usual_mistake_gets_a_helpful_line(name, yours, words, capsys):
    assert getattr(check.projects, name)(yours) is False
    assert words in capsys.readouterr().out


@pytest.mark.parametrize("path", PROJECTS, ids=lambda p: p.stem)
def test_a_project_is_worth_thirty_points_and_the_rubric_has_its_rows(path):
    rubric = (FOLDER.parent / "rubric.md").read_text(encoding="utf-8")
    total = 0
    for settings, cells in questions(path):
        stated = re.search(r"\*(\d+) points · \d+ minutes · teaches: [^*]+\*", text(cells[0]))
        assert int(stated[1]) == settings["points"]
        total += settings["points"]
        if settings.get("manual"):
            (answer,) = [text(c) for c in cells if "**SOLUTION**" in text(c)]
            rows = re.findall(r"\*([A-Z][^*]+)\*", answer.partition("rubric")[2])
            assert rows and all(f"| {row} |" in rubric for row in rows), rows
    assert total == 30
