"""Homework: solutions pass, five kinds of wrong answers do not, and each task says what it is worth and teaches."""

import math
import re

import numpy as np
import pytest
import torch

from tests.course.masters import HOMEWORK, KINDS, SAME, module_of, questions, solutions, text, wrong
from vampkit import check
from vampkit.check.cases import demand

TASKS = [(path, name) for path in HOMEWORK for name in solutions(path)]
NAMES = [f"{module_of(path)}-{name}" for path, name in TASKS]


def run(source, name):
    """The function of that name that a notebook would have after running a cell."""
    import vampkit as vk

    space = {"math": math, "np": np, "torch": torch, "vk": vk, "check": check}
    exec(source, space)  # noqa: S102
    return space[name]


def checked(path, name):
    return getattr(getattr(check, module_of(path)), name)


@pytest.mark.parametrize("path, name", TASKS, ids=NAMES)
def test_a_solution_is_right_and_a_stub_is_not_attempted(path, name, capsys):
    task, solution = checked(path, name), run(solutions(path)[name], name)
    for hidden in (None, 3, 314):
        assert task(solution, hidden), capsys.readouterr().out
    assert set(capsys.readouterr().out.splitlines()) == {f"{name}: right"}

    def stub(*_):
        raise NotImplementedError

    assert not task(stub)
    assert capsys.readouterr().out == f"{name}: not attempted yet\n"


@pytest.mark.parametrize("path, name", TASKS, ids=NAMES)
@pytest.mark.parametrize("kind", KINDS)
def test_a_wrong_answer_is_refused_and_told_why(path, name, kind, capsys):
    task, answer = checked(path, name), run(wrong(path, name, kind), name)
    capsys.readouterr()
    for hidden in (5, 271):
        assert task(answer, hidden) is False
    lines = capsys.readouterr().out.splitlines()
    assert all(line.startswith(f"{name}: ") and len(line) < 330 for line in lines)
    if kind == "library":
        assert task(answer) is False
        assert all("calls the library's" in line for line in lines), lines
    if kind == "nan":
        assert all("not a number" in line or "whole number" in line or "True or False" in line for line in lines), lines
    if kind == "fixed":
        assert task(answer) is True, "a table of the visible answers passes where only these are asked"
    if kind in ("off", "axis"):
        assert task(answer) is False, "it should be caught by the visible cases already"


@pytest.mark.parametrize("path, name", TASKS, ids=NAMES)
def test_every_usual_mistake_is_refused_and_named(path, name, capsys, monkeypatch):
    task, traps = checked(path, name), {}
    with monkeypatch.context() as patched:
        patched.setattr("vampkit.check.cases.judge", lambda *_, **settings: traps.update(settings["traps"]))
        task(None)
    for sentence, trap in traps.items():
        for hidden in (None, 7):
            assert task(trap, hidden) is False, sentence
            line = capsys.readouterr().out
            assert sentence in line or "calls the library's" in line, (sentence, line)


@pytest.mark.parametrize("path, name", TASKS, ids=NAMES)
@pytest.mark.parametrize("result", [None, 0, "music", [[1], [1, 2]], torch.zeros(2, 7), np.nan, {}, 1j])
def test_no_result_makes_a_check_raise(path, name, result, capsys):
    assert checked(path, name)(lambda *_: result) is False
    assert len(capsys.readouterr().out.splitlines()) == 1


@pytest.mark.parametrize("path", HOMEWORK, ids=lambda p: p.stem)
def test_each_task_says_points_minutes_and_what_it_teaches_and_has_three_hints(path):
    total = 0
    for settings, cells in questions(path):
        told = text(cells[0])
        stated = re.search(r"\*(\d+) points? · (\d+) minutes · teaches: ([^*]+)\*", told)
        assert stated and int(stated[1]) == settings["points"]
        total += settings["points"]
        if not settings.get("manual"):
            assert re.findall(r"<summary>Hint (\d)</summary>", told) == ["1", "2", "3"]
            assert settings["all_or_nothing"] is True
            code = "\n".join(text(c) for c in cells if c["cell_type"] == "code")
            assert f"demand(check.{module_of(path)}.{settings['name']}, {settings['name']}, hidden=" in code
    assert total == 20


def test_a_demand_repeats_what_the_check_says():
    with pytest.raises(AssertionError, match="bitrate: not yet; in hidden case 1 yours is 0"):
        demand(check.hw1.bitrate, lambda *_: 0, 4)
    assert run(SAME, "_same")([torch.ones(2)], [torch.ones(2)])
