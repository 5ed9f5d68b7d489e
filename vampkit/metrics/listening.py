"""What listeners said: scores and answers of listening tests, with intervals."""

from __future__ import annotations

import csv
import os
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path

from vampkit.errors import VampkitError
from vampkit.metrics.statistics import CONFIDENCE, Estimate, bootstrap

COLUMNS = ("listener", "session", "test", "kind", "question", "trial", "position", "condition", "score", "x", "answer")
REFERENCE = "reference"
SEEN, MISSED = 90.0, 0.15
"""Who gave the hidden reference less than 90 in more than 15 % of the trials is left out (BS.1534-3, 4.1.2)."""


def read_listening(paths: str | os.PathLike | Iterable[str | os.PathLike]) -> list[dict[str, str]]:
    """Read the results that pages of `show.listening_test` saved.

    Notebook: 12

    Parameters
    ----------
    paths : str or PathLike, or several
        CSV files, or folders of them.

    Returns
    -------
    list of dict
        A row for each rating or answer.

    Raises
    ------
    FileNotFoundError
        If a file is missing.
    VampkitError
        For other contents, or the same session twice.
    """
    given = [paths] if isinstance(paths, str | os.PathLike) else list(paths)
    files = [f for path in map(Path, given) for f in (sorted(path.glob("*.csv")) if path.is_dir() else [path])]
    rows: list[dict[str, str]] = []
    sessions: dict[str, str] = {}
    for file in files:
        with file.open(newline="", encoding="utf-8-sig") as lines:
            table = csv.DictReader(lines)
            if not set(COLUMNS) <= set(table.fieldnames or ()):
                raise VampkitError(
                    f"{file.name} lacks columns of a listening test, those that its page saves were expected"
                )
            found = list(table)
        for row in found:
            if sessions.setdefault(row["session"], file.name) != file.name:
                raise VampkitError(
                    f"{file.name} and {sessions[row['session']]} hold one session, each file once was expected; "
                    "remove the copy"
                )
        rows += found
    return rows


def screened(rows: Iterable[dict[str, str]]) -> tuple[list[dict[str, str]], list[str]]:
    """Leave out listeners who did not hear the hidden reference.

    Source: ITU-R BS.1534-3, section 4.1.2, its first criterion: a score below 90 in more than 15 % of the trials.

    Notebook: 12

    Parameters
    ----------
    rows : iterable of dict
        Ratings, from `read_listening`.

    Returns
    -------
    list of dict
        The rows of the others.
    list of str
        The listeners who were left out.

    Raises
    ------
    VampkitError
        If a score is not one.
    """
    rows, given = list(rows), defaultdict(list)
    for row in rows:
        if row["condition"] == REFERENCE:
            given[row["listener"]].append(_score(row))
    out = [who for who, scores in given.items() if sum(s < SEEN for s in scores) > MISSED * len(scores)]
    return [row for row in rows if row["listener"] not in out], out


def mushra_scores(rows: Iterable[dict[str, str]], *, seed: int = 0) -> dict[str, Estimate]:
    """Compute the mean score of each condition, with a bootstrap interval over listeners.

    All ratings of a listener are drawn together, since they are not independent.

    Notebook: 12

    Parameters
    ----------
    rows : iterable of dict
        Ratings, from `read_listening` or `screened`.
    seed : int
        Seed of the draws.

    Returns
    -------
    dict of str to Estimate
        Score from 0 to 100 by condition, the highest first; n is the number of listeners.

    Raises
    ------
    VampkitError
        If there are no ratings, or a score is not one.
    """
    scores, listeners = defaultdict(list), defaultdict(list)
    for row in rows:
        if row["kind"] == "mushra":
            scores[row["condition"]].append(_score(row))
            listeners[row["condition"]].append(row["listener"])
    if not scores:
        raise VampkitError("there are no ratings, rows of a MUSHRA test were expected")
    found = {name: bootstrap(values, listeners[name], seed=seed) for name, values in scores.items()}
    return dict(sorted(found.items(), key=lambda item: -item[1].mean))


def mushra_difference(rows: Iterable[dict[str, str]], first: str, second: str, *, seed: int = 0) -> Estimate:
    """Compute how much higher one condition was rated than another in the same trial by the same listener.

    Notebook: 12

    Parameters
    ----------
    rows : iterable of dict
        Ratings.
    first, second : str
        Names of two conditions.
    seed : int
        Seed of the draws.

    Returns
    -------
    Estimate
        Mean of first - second in points, with a bootstrap interval over listeners.

    Raises
    ------
    VampkitError
        If no trial has both.
    """
    given = {(r["session"], r["question"], r["condition"]): r for r in rows if r["kind"] == "mushra"}
    pairs = [(row, given.get((*key[:2], second))) for key, row in given.items() if key[2] == first]
    pairs = [(a, b) for a, b in pairs if b is not None]
    if not pairs:
        raise VampkitError(f"no trial has both {first!r} and {second!r}, names of two conditions were expected")
    return bootstrap([_score(a) - _score(b) for a, b in pairs], [a["listener"] for a, _ in pairs], seed=seed)


def abx_scores(rows: Iterable[dict[str, str]]) -> dict[str, tuple[Estimate, float]]:
    """Compute how often X was named rightly in each trial, and how likely guessing does as well.

    Notebook: 12

    Parameters
    ----------
    rows : iterable of dict
        Answers, from `read_listening`.

    Returns
    -------
    dict of str to (Estimate, float)
        By trial: the share of right answers with its 95 % interval (Wilson), n the number of answers; and the one-sided
        p of the exact binomial test against guessing. Both count answers as independent: with several listeners look
        at each of them, too.

    Raises
    ------
    VampkitError
        If there are no answers.
    """
    from scipy.stats import binomtest

    right = defaultdict(list)
    for row in rows:
        if row["kind"] == "abx":
            right[row["trial"]].append(row["answer"] == row["x"])
    if not right:
        raise VampkitError("there are no answers, rows of an ABX test were expected")
    found = {}
    for trial, answers in right.items():
        hits, count = sum(answers), len(answers)
        ends = binomtest(hits, count, 0.5).proportion_ci(CONFIDENCE, "wilson")
        p = binomtest(hits, count, 0.5, alternative="greater").pvalue
        found[trial] = (Estimate(hits / count, float(ends.low), float(ends.high), count), float(p))
    return found


def _score(row: dict[str, str]) -> float:
    try:
        score = float(row["score"])
    except ValueError:
        score = -1.0
    if not 0 <= score <= 100:
        raise VampkitError(f"a score is {row['score']!r}, 0 to 100 was expected")
    return score
