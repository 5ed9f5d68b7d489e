"""Checks: a stub is not attempted yet, the answer is right, a wrong answer gets one helpful line and no exception."""

import importlib
import inspect
import json
import math
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from vampkit import check, schedules
from vampkit.check import core
from vampkit.check.hw1 import _nearest as nearest
from vampkit.model import relative_buckets

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
MODULES = {name: getattr(check, name) for name in check.__all__ if name.startswith("nb")}
TASKS = [
    (module, name)
    for module, content in MODULES.items()
    for name, function in inspect.getmembers(content, inspect.isfunction)
    if function.__module__ == content.__name__ and not name.startswith("_")
]


def stub(*_):
    raise NotImplementedError


def answer(module, name):
    return getattr(importlib.import_module(f"tests.answers.{module}"), name)


def said(capsys, verdict, expected):
    """The one line that a check printed."""
    lines = capsys.readouterr().out.splitlines()
    assert verdict is expected and len(lines) == 1
    return lines[0]


@pytest.mark.parametrize("module", MODULES)
def test_a_notebook_has_three_tasks_and_poses_each(module):
    (path,) = NOTEBOOKS.glob(f"{module[2:]}_*.ipynb")
    cells = [
        "".join(c["source"]) for c in json.loads(path.read_text(encoding="utf-8"))["cells"] if c["cell_type"] == "code"
    ]
    names = [name for m, name in TASKS if m == module]
    assert len(names) == 3
    for name in names:
        (cell,) = [c for c in cells if f"check.{module}.{name}({name})" in c]
        assert f"def {name}(" in cell and "raise NotImplementedError" in cell
        stated = re.search(r"yours\(([^)]*)\)", getattr(MODULES[module], name).__doc__)[1]
        assert re.findall(r"\w+", re.sub(r" ?\[[^]]*\]", "", stated)) == re.findall(
            r"\w+", re.search(rf"def {name}\(([^)]*)\)", cell)[1]
        )


@pytest.mark.parametrize("module, name", TASKS)
def test_the_stub_fails_and_the_answer_passes(module, name, capsys):
    task = getattr(MODULES[module], name)
    assert said(capsys, task(stub), False) == f"{name}: not attempted yet"
    assert said(capsys, task(answer(module, name)), True) == f"{name}: right"
    assert said(capsys, task(answer(module, name)), True) == f"{name}: right"  # a second time: no case was spoiled


@pytest.mark.parametrize("module, name", TASKS)
@pytest.mark.parametrize(
    "result",
    [None, 0, 3.5, "music", [[1], [1, 2]], torch.zeros(2, 7), np.nan, torch.zeros(1, dtype=torch.bool), {}, 1j],
)
def test_no_result_makes_a_check_raise(module, name, result, capsys):
    line = said(capsys, getattr(MODULES[module], name)(lambda *_: result), False)
    assert line.startswith(f"{name}: not yet; in case 1 ") and len(line) < 300


@pytest.mark.parametrize("module, name", TASKS)
def test_exceptions_and_things_that_are_no_function_are_named(module, name, capsys):
    task = getattr(MODULES[module], name)

    def fails(*_):
        values = []
        return values[3]

    line = said(capsys, task(fails), False)
    assert line.startswith(f"{name}: in case 1 ")
    assert line.endswith("it stopped with IndexError, line 3 of your function: list index out of range")
    assert "it stopped with TypeError" in said(capsys, task(lambda: 0), False)
    assert said(capsys, task(7), False) == f"{name}: a function was expected, int was given"


WRONG = {
    ("nb00", "share"): (lambda mask: float(mask.float().mean()), "Percent, not a fraction"),
    ("nb00", "per_pass"): (lambda hidden, left: [hidden - n for n in left], "Each pass for itself"),
    ("nb00", "away"): (
        lambda frames, period: [min(t % period, -t % period) for t in range(frames)],
        "After the last pillar",
    ),
    ("nb01", "places"): (lambda stages, entries: (stages * entries, np.log2(stages * entries)), "Stages multiply"),
    ("nb01", "chosen"): (lambda point, table: ((table - point) ** 2).sum(1).argmin(), "by distance"),
    ("nb01", "decoded"): (lambda codes, tables: tables[0][codes].sum(0), "a table of its own"),
    ("nb02", "agreed"): (lambda a, b, c: a | b | c, "what all of them keep"),
    ("nb02", "stairs"): (
        lambda k, t, period: (torch.arange(t) % period != 0).expand(k, t),
        "a frame later than the one above",
    ),
    ("nb02", "half"): (lambda hidden, passes: (passes + 1) // 2, "Half of the passes write less"),
    ("nb03", "parameters"): (
        lambda n, d, h, k, c: answer("nb03", "parameters")(n, d, h, k, c) + 32 * h * (n - 1),
        "too large. Which layers hold a table",
    ),
    ("nb03", "circular_bias"): (
        lambda table, frames: table[
            relative_buckets(torch.arange(frames)[None] - torch.arange(frames)[:, None])
        ].permute(2, 0, 1),
        "neighbours here",
    ),
    ("nb03", "reach"): (
        lambda logits, fraction: (logits.softmax(-1).cumsum(-1) < fraction).sum(-1) + 1,
        "In which order",
    ),
    ("nb04", "masked_mean"): (
        lambda logits, codes, mask: torch.nn.functional.cross_entropy(logits.movedim(-1, 1), codes),
        "Which tokens count?",
    ),
    ("nb04", "rate"): (
        lambda step, steps, warmup: step / warmup if step < warmup else min(1, 2 - 2 * step / steps),
        "should learn a little",
    ),
    ("nb04", "shares"): (lambda sums, counts: sums / counts, "local mean"),
    ("nb11", "judged"): (
        lambda low, high, least, most: 2 * ((least < low) & (high < most)).long() - 1,
        "one that holds an end leaves it open",
    ),
    ("nb11", "delay"): (lambda codes: answer("nb11", "delay")(codes.flip(0)).flip(0), "Which way is it moved?"),
    ("nb11", "spread"): (lambda digits: list(range(2**digits)), "the order of the frames themselves"),
    ("nb13", "avoided"): (lambda wrong, constant: 1 - wrong.mean(), "compared with"),
    ("nb13", "together"): (
        lambda pieces, sounds: [sorted(set(pieces.tolist())).index(p) for p in pieces.tolist()],
        "A shared sound binds, too",
    ),
    ("nb13", "erased"): (lambda states, way: states - way, "how far does each state reach"),
    ("nb14", "rise"): (
        lambda level: torch.diff(level, dim=1, prepend=level[:, :1]),
        "A fall counts as nothing",
    ),
    ("nb14", "strokes"): (lambda curve, least: curve >= least, "Every loud frame is not a stroke"),
    ("nb14", "quantized"): (
        lambda taps, beats, division: beats[(taps[:, None] - beats).abs().argmin(1)],
        "Where are the places between two beats?",
    ),
    ("nb15", "guided"): (
        lambda said, other, guidance: (guidance * said + (1 - guidance) * other).softmax(-1),
        "the caption alone should count",
    ),
    ("nb15", "nearest"): (lambda patches, table: (patches @ table.T).argmax(-1), "large products with everything"),
    ("nb15", "grown"): (
        lambda hidden: torch.stack(
            [hidden.roll(step, (0, 1)) for step in [(a, b) for a in (-1, 0, 1) for b in (-1, 0, 1)]]
        ).any(0),
        "A picture has edges",
    ),
    ("nb12", "adapted"): (lambda weight, a, b, alpha: weight + alpha * b @ a, "depend on the rank?"),
    ("nb12", "size"): (lambda layers, width, rank: 6 * layers * width * rank, "The feed-forward layers have"),
    ("nb12", "held_out"): (
        lambda minutes, share: torch.arange(len(minutes)) >= len(minutes) - round(share * len(minutes)),
        "Count minutes",
    ),
    ("nb05", "freed"): (lambda n, s, curve: [int(n * curve(i / s)) for i in range(1, s + 1)], "still hidden"),
    ("nb05", "rank"): (
        lambda c, n: torch.where(c.isfinite(), -c, c).flatten(1).argsort().argsort().lt(n[:, None]).view_as(c),
        "least sure?",
    ),
    ("nb05", "finish"): (
        lambda ask, codes, mask, counts: torch.where(mask, ask(codes, mask).argmax(-1), codes),
        "ask again after each",
    ),
    ("nb06", "bits"): (
        lambda mask, entries, rate: int((~mask).sum()) * rate / mask.shape[1],
        "name one of the entries?",
    ),
    ("nb06", "compress"): (
        lambda k, t, n, every: (torch.arange(k)[:, None] >= n) & (torch.arange(t) % every != 0),
        "pass both tests",
    ),
    ("nb06", "pyramid"): (
        lambda frames, periods: torch.stack([torch.arange(frames) % (p or 1) != 0 for p in periods]),
        "a row of period 0",
    ),
    ("nb07", "pillars"): (
        lambda t, p, w, o: torch.tensor([(f - o + w // 2) % p >= w for f in range(t)]),
        "one frame more after",
    ),
    ("nb07", "longest"): (lambda hidden: int(hidden.sum()), "side by side?"),
    ("nb07", "stretched"): (lambda codes, factor: codes.repeat_interleave(factor, 1), "Only the first of each group"),
    ("nb08", "stands_out"): (
        lambda flux, border: float((flux < flux[border]).sum()) / len(flux),
        "one of the other frames?",
    ),
    ("nb08", "windows"): (
        lambda frames, size, context: [
            (max(0, min(a, frames - size)), a, min(a + size, frames)) for a in range(0, frames, size)
        ],
        "made already",
    ),
    ("nb08", "put_back"): (
        lambda original, made, start, end, fade: torch.cat([original[:start], made[start:end], original[end:]]),
        "a step at the borders",
    ),
    ("nb09", "hidden"): (lambda *case: ~answer("nb09", "hidden")(*case), "what is kept"),
    ("nb09", "snap"): (
        lambda taps, onsets, reach: sorted({min(onsets, key=lambda o: abs(o - t)) for t in taps}),
        "without an onset in reach?",
    ),
    ("nb09", "track"): (lambda *case: answer("nb09", "track")(*case)[::-1], "comes first?"),
    ("nb10", "states"): (
        lambda moves: [len(m) - 2 * m.count("u") for m in (moves[: i + 1] for i in range(len(moves)))],
        "where there is nothing to take back",
    ),
    ("nb10", "chance"): (lambda right, trials: math.comb(trials, right) / 2**trials, "not exactly so many"),
    ("nb10", "until_bar"): (
        lambda now, bars, start, end: min([bar for bar in bars if bar > now], default=end) - now,
        "may begin anew before",
    ),
}


@pytest.mark.parametrize("module, name", TASKS)
def test_a_usual_mistake_gets_a_helpful_line(module, name, capsys):
    wrong, help_ = WRONG[module, name]
    line = said(capsys, getattr(MODULES[module], name)(wrong), False)
    assert help_ in line and line.startswith(f"{name}: not yet; in case ")


@pytest.mark.parametrize("module, name", TASKS)
def test_every_trap_is_a_mistake_that_is_caught(module, name, capsys, monkeypatch):
    kept = {}
    monkeypatch.setattr(MODULES[module], "judge", lambda *a, **settings: kept.update(all=a, settings=settings) or True)
    getattr(MODULES[module], name)(stub)
    called, _, cases, right, traps = kept["all"]
    assert called == name and traps
    for sentence, trap in traps.items():
        line = said(capsys, core.judge(name, trap, cases, right, traps, **kept["settings"]), False)
        assert sentence in line
    # Whatever a trap gives in one case, a constant is not told that it is this mistake.
    for constant in {str(value): value for value in (trap(*cases[0]) for trap in traps.values())}.values():
        core.judge(name, lambda *_, found=constant: found, cases, right, traps, **kept["settings"])
        told = capsys.readouterr().out
        assert not any(sentence in told for sentence in traps)


def test_a_constant_is_not_told_what_it_is_not(capsys):
    """It once was: the longest kept stretch of the first row has three frames."""
    line = said(capsys, check.nb07.longest(lambda hidden: 3), False)
    assert line == "longest: not yet; in case 1 yours is 3, which is too small"


def test_a_check_leaves_the_readers_chance_alone_and_refuses_what_changes_its_arguments(capsys):
    torch.manual_seed(5)
    expected = torch.rand(3)
    torch.manual_seed(5)

    def spoils(confidence, counts):
        found = answer("nb05", "rank")(confidence, counts)
        confidence.zero_()
        counts.zero_()
        return found

    line = said(capsys, check.nb05.rank(spoils), False)
    assert line == "rank: in case 1 it changes its argument `confidence`; work on a copy"
    assert check.nb05.rank(answer("nb05", "rank"))
    assert torch.equal(torch.rand(3), expected)


@pytest.mark.parametrize(
    "yours, words",
    [
        (lambda vectors, table: nearest(vectors, table).tolist(), "returned a list, a tensor was expected"),
        (lambda vectors, table: nearest(vectors, table).numpy(), "returned a ndarray, a tensor was expected"),
        (lambda vectors, table: nearest(vectors, table).float(), "holds numbers, whole numbers were expected"),
        (lambda vectors, table: nearest(vectors, table.div_(2)), "changes its argument `table`"),
    ],
)
def test_homework_that_the_next_task_calls_is_of_the_right_kind(yours, words, capsys):
    assert words in said(capsys, check.hw1.nearest(yours), False)


def test_homework_shows_the_arguments_of_numbers_and_asks_for_no_stage_at_all(capsys):
    line = said(capsys, check.hw1.bitrate(lambda *sizes: 1.0), False)
    call = re.search(r"in case 1 \(bitrate\(([\d, ]+)\)\) yours is 1, which is too small", line)
    assert len(call[1].split(", ")) == 4

    def crashes(codes, tables, stages):
        return torch.stack([tables[k][codes[k]] for k in range(stages)]).sum(0)

    assert "in case 2 it stopped with RuntimeError" in said(capsys, check.hw1.summed(crashes), False)


def test_a_wrong_function_of_an_earlier_task_is_named(capsys):
    source = """
def residual(vectors, tables):
    codes = []
    for table in tables:
        codes.append(nearest(vectors, table))
        vectors = vectors - table[codes[-1]]
    return torch.stack(codes)
"""
    for choose, words in ((lambda v, t: torch.cdist(v, t).argmin(1), "It calls your nearest"), (nearest, "right")):
        space = {"torch": torch, "nearest": choose}
        exec(source, space)
        for hidden in (None, 3):
            assert words in said(capsys, check.hw1.residual(space["residual"], hidden), choose is nearest)


@pytest.mark.parametrize(
    "found, expected, words",
    [
        (
            torch.tensor([1.0, 2.5]),
            [1.0, 2.0],
            "the first of 1 wrong places (of 2) is 1: yours is 2.5, which is too large",
        ),
        (
            torch.zeros(2, 3),
            np.eye(2, 3),
            "the first of 2 wrong places (of 6) is [0, 0]: yours is 0, which is too small",
        ),
        (torch.zeros(3), np.zeros((1, 3)), "yours has shape (3,), shape (1, 3) was expected"),
        ([True, False, False], [True, True, False], "is 1: yours is False; True occurs 1 times in yours, too seldom"),
        ([1, 0], [True, False], "yours holds whole numbers, True or False was expected"),
        (float("nan"), 1.0, "yours is not a number (nan)"),
        (None, 1.0, "does it end with return?"),
        ("high", 1, "your function returned a str, a whole number was expected"),
        (7, 9, "yours is 7, which is too small"),
        (1_000_001, 1_000_000, "yours is 1000001, which is too large"),
        (999_999.99999, 1_000_000, ""),
        ([0.0, float("inf")], [0.0, float("inf")], ""),
        (torch.tensor([1e6 + 1.0], requires_grad=True), [1e6], ""),
    ],
)
def test_differences_in_words(found, expected, words):
    line = core.difference(core.as_value(found), core.as_value(expected))
    assert words in line and bool(line) == bool(words)


def test_a_single_number_need_not_be_a_tensor(capsys):
    def si_sdr(original, decoded):
        x, y = (v.double() - v.double().mean() for v in (original, decoded))
        target = (x @ y) / (x @ x) * x
        return 10 * math.log10(float((target @ target) / ((y - target) @ (y - target))))

    said(capsys, check.hw1.si_sdr(si_sdr, 5), True)


@pytest.mark.parametrize("case", range(40))
def test_no_error_of_rounding_decides_a_homework(capsys, case):
    """In single precision as in double, and in whatever order the terms are multiplied."""

    def left(hidden, passes):
        counts, now = [], hidden
        for i in range(1, passes + 1):
            wanted = int(hidden * torch.cos(torch.tensor(math.pi / 2 * i / passes)))
            now = 0 if i == passes else max(1, min(now - 1, wanted))
            counts.append(now)
        return counts

    def buckets(distance, count, most):
        side, exact, away = count // 2, count // 4, distance.abs()
        ratio = away.clamp(min=1).to(torch.float64 if case % 2 else torch.float32) / exact
        far = exact + ((side - exact) * ratio.log() / math.log(most / exact)).floor().long()
        return side * (distance > 0).long() + torch.where(away < exact, away, far.clamp(max=side - 1))

    said(capsys, check.hw2.left(left, case), True)
    said(capsys, check.hw3.buckets(buckets, case), True)


@given(st.lists(st.integers(-50, 50), min_size=1, max_size=30), st.data())
def test_the_first_wrong_place_is_named(values, data):
    place = data.draw(st.integers(0, len(values) - 1))
    other = [*values]
    other[place] += data.draw(st.sampled_from([-1, 1]))
    line = core.difference(core.as_value(other), core.as_value(values))
    verdict = "large" if other[place] > values[place] else "small"
    assert f"wrong places (of {len(values)}) is {place}: yours is {other[place]}, which is too {verdict}" in line
    assert core.difference(core.as_value(values), core.as_value(torch.tensor(values))) == ""


def test_an_unknown_notebook_is_refused_with_those_there_are():
    with pytest.raises(AttributeError, match="has no 'nb99'; its names are: hw1, hw2"):
        _ = check.nb99


def test_the_answers_count_as_the_library_does():
    assert answer("nb03", "parameters")(20, 1280, 20, 4, 0) == 333_026_464
    cosine = answer("nb05", "freed")(500, 12, lambda u: float(schedules.cosine(torch.tensor(u))))
    assert np.cumsum(cosine).tolist() == [500 - left for left in schedules.hidden_counts(500, 12)]
