"""What listeners said: read, screened, averaged, with intervals."""

import csv

import numpy as np
import pytest

from vampkit.errors import VampkitError
from vampkit.metrics import abx_scores, bootstrap, mushra_difference, mushra_scores, read_listening, screened

HEAD = [
    "listener",
    "session",
    "test",
    "kind",
    "question",
    "trial",
    "position",
    "condition",
    "score",
    "x",
    "answer",
    "seconds",
]


def write(path, rows):
    with path.open("w", newline="") as file:
        csv.writer(file).writerows([HEAD, *rows])
    return path


def rated(who, question, **scores):
    return [
        [who, f"session of {who}", "t", "mushra", question, f"song {question}", i, c, s, "", "", 9.0]
        for i, (c, s) in enumerate(scores.items(), 1)
    ]


def test_scores_differences_and_screening(tmp_path):
    draws = np.random.default_rng(0)
    base = {who: draws.integers(20, 60, 3) for who in ("ann", "bob", "cem", "deaf")}
    for who, scores in base.items():
        rows = []
        for question, score in enumerate(scores, 1):
            rows += rated(who, question, reference=40 if who == "deaf" else 97, base=score, tuned=score + 10)
        write(tmp_path / f"{who}.csv", rows)
    rows = read_listening(tmp_path)
    assert len(rows) == 36
    rows, out = screened(rows)
    assert out == ["deaf"] and len(rows) == 27
    found = mushra_scores(rows)
    assert list(found) == ["reference", "tuned", "base"] and found["reference"].mean == 97
    values = np.concatenate([base[who] for who in ("ann", "bob", "cem")])
    assert found["base"] == bootstrap(values, [who for who in ("ann", "bob", "cem") for _ in range(3)])
    assert found["base"].n == 3 and found["base"].low <= values.mean() <= found["base"].high
    assert tuple(mushra_difference(rows, "tuned", "base")) == (10, 10, 10, 3)
    with pytest.raises(VampkitError, match="no trial has both 'tuned' and 'other'"):
        mushra_difference(rows, "tuned", "other")


def test_abx_counts_and_compares_with_guessing(tmp_path):
    rows = [["", "s", "t", "abx", i, "pair", 1, "a|b", "", "a", "a" if i <= 9 else "b", 3] for i in range(1, 11)]
    rows += [["", "s", "t", "abx", i, "other", 1, "a|b", "", "a", "ab"[i % 2], 3] for i in range(10)]
    found = abx_scores(read_listening(write(tmp_path / "abx.csv", rows)))
    share, p = found["pair"]
    assert (share.mean, share.n) == (0.9, 10) and p == pytest.approx(11 / 1024)
    assert share.low == pytest.approx(0.596, abs=1e-3) and share.high == pytest.approx(0.982, abs=1e-3)
    assert found["other"][1] > 0.5


def test_what_is_no_result_is_refused(tmp_path):
    (tmp_path / "odd.csv").write_text("a,b\n1,2\n")
    with pytest.raises(VampkitError, match=r"odd\.csv lacks columns"):
        read_listening(tmp_path / "odd.csv")
    one = write(tmp_path / "one.csv", rated("ann", 1, reference=97, base=101))
    two = write(tmp_path / "two.csv", rated("ann", 1, reference=97, base=50))
    with pytest.raises(VampkitError, match="hold one session"):
        read_listening([one, two])
    with pytest.raises(VampkitError, match="a score is '101'"):
        mushra_scores(read_listening(one))
    with pytest.raises(VampkitError, match="a score is 'high'"):
        screened(read_listening(write(tmp_path / "word.csv", rated("ann", 1, reference="high"))))
    for nothing in (mushra_scores, abx_scores):
        with pytest.raises(VampkitError, match="there are no"):
            nothing([])
    with pytest.raises(FileNotFoundError):
        read_listening(tmp_path / "missing.csv")
