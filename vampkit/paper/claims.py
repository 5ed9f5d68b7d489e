"""What the paper claims, and the rule by which results judge it. The rule was written down before the long run.

The paper prints no numbers in its results (section 5), only orderings; margins are ours. Statements that said more or
less than the paper were put right after the run had begun: whether 36 passes are lowest is asked of the passes in
figure 3, noise is compared with all prompts, and beats are asked to be closer than periodic prompts alone.

Each claim is made of statements: "the value of A is between `low` and `high` times that of B". A statement is asked of
several measures, and each answer is an interval of the ratio A / B over tracks:

    shown         the interval lies inside `low` to `high`
    contradicted  it lies outside
    open          it holds one of the two ends

A claim holds if every answer is shown. It holds in part if some are, and more are shown than contradicted. It does not
hold here if some are contradicted, and no more are shown. It cannot be judged if all are open.

Notebook: 11.
"""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

ALIKE = (0.8, 1.25)
"""Two values are alike if their ratio lies between these."""
MEL = ("paper mel",)
DISTANCES = ("FD log-mel, originals", "FD tagger, originals", "FD log-mel, others", "FD tagger, others")
"""Frechet distances that stand for the paper's FAD: on two embeddings, to the originals of the same excerpts, as the
paper's are, and to other tracks."""
TEMPO = ("beat F", "pulse")
"""Beats in common with the original, and the peak of the mean tempogram over its mean. Here more is better."""
SECONDS = ("seconds",)
NOISE = "noise"
"""Stands for the ratio of token noise whose mel error is nearest to that of A."""


@dataclass(frozen=True)
class Statement:
    """The ratio of A to B lies between two numbers, by each of some measures.

    Notebook: 11

    Parameters
    ----------
    a, b : str
        Names of two conditions.
    measures : tuple of str
        What is measured.
    low, high : float
        The ends of the ratio.
    """

    a: str
    b: str
    measures: tuple[str, ...]
    low: float = 0.0
    high: float = math.inf


def less(a: str, b: str, measures: tuple[str, ...], factor: float = 1.0) -> Statement:
    """State that A has less than B, or less than `factor` times B.

    Notebook: 11

    Parameters
    ----------
    a, b : str
        Names of two conditions.
    measures : tuple of str
        What is measured.
    factor : float
        What B is multiplied by.

    Returns
    -------
    Statement
        The statement.
    """
    return Statement(a, b, measures, high=factor)


def more(a: str, b: str, measures: tuple[str, ...]) -> Statement:
    """State that A has more than B.

    Notebook: 11

    Parameters
    ----------
    a, b : str
        Names of two conditions.
    measures : tuple of str
        What is measured.

    Returns
    -------
    Statement
        The statement.
    """
    return Statement(a, b, measures, low=1.0)


def alike(a: str, b: str, measures: tuple[str, ...]) -> Statement:
    """State that A and B are alike: neither has more than a quarter more than the other.

    Notebook: 11

    Parameters
    ----------
    a, b : str
        Names of two conditions.
    measures : tuple of str
        What is measured.

    Returns
    -------
    Statement
        The statement.
    """
    return Statement(a, b, measures, *ALIKE)


@dataclass(frozen=True)
class Claim:
    """A claim of the paper.

    Notebook: 11

    Parameters
    ----------
    name : str
        A short name.
    source : str
        Figure and section.
    words : str
        The claim in a sentence.
    statements : tuple of Statement
        What it says of the results.
    """

    name: str
    source: str
    words: str
    statements: tuple[Statement, ...]


WHOLE_FRAMES = ("P = 8", "P = 16", "P = 32", "context 1 s", "context 2 s")
"""The prompts of figure 4 beside beats that generate whole frames; compression does not."""
LOW_RATES = ("P = 4", "P = 8", "P = 16", "P = 32")
"""Four codebooks of every P-th frame: nominally 200, 100, 50 and 25 bit/s."""


def _better_than_noise(*names: str) -> tuple[Statement, ...]:
    """Token noise of a like mel error has at least twice the Frechet distance of each."""
    return tuple(s for name in names for s in (alike(name, NOISE, MEL), less(name, NOISE, DISTANCES, factor=0.5)))


CLAIMS = (
    Claim(
        "lowest at 36",
        "figure 3, section 5",
        "Of 1 to 72 passes, 36 give the lowest FAD.",
        tuple(less("36 passes", other, DISTANCES) for other in ("1 pass", "4 passes", "12 passes", "72 passes")),
    ),
    Claim(
        "12 comparable",
        "figure 3, section 5",
        "12 passes are comparable to 36.",
        (alike("12 passes", "36 passes", DISTANCES),),
    ),
    Claim(
        "24 a trade-off",
        "section 5",
        "24 passes are a fair trade-off: like 36, in less time.",
        (alike("P = 16", "36 passes", DISTANCES),),
    ),
    Claim(
        "ten times faster",
        "section 5",
        "24 passes take 6 s for 10 s of music, an autoregressive model would take a minute (at least 5 times as long).",
        (less("masked, 24 passes, whole", "autoregressive, whole", SECONDS, factor=0.2),),
    ),
    Claim(
        "beats lowest",
        "figure 4, section 5",
        "Of all prompts, beats have the lowest FAD.",
        tuple(less("beats", other, DISTANCES) for other in ("compression", *WHOLE_FRAMES)),
    ),
    Claim(
        "spread-out prompts",
        "figure 4, section 5",
        "35 frames spread out (P = 16) do as well as 57 in two blocks (1 s of context).",
        (alike("P = 16", "context 1 s", MEL + DISTANCES),),
    ),
    Claim(
        "noise",
        "figure 4, section 5",
        "Token noise of a comparable mel error has a very poor FAD (at least twice).",
        _better_than_noise("compression", *WHOLE_FRAMES, "beats"),
    ),
    Claim(
        "beats keep tempo",
        "section 5, by ear",
        "Beats keep the tempo steadier than the other prompts that generate whole frames.",
        tuple(more("beats", other, TEMPO) for other in WHOLE_FRAMES),
    ),
    Claim(
        "beats closer",
        "section 5, by ear",
        "Beats stay closer to the original than periodic prompts.",
        tuple(less("beats", other, MEL) for other in ("P = 8", "P = 16", "P = 32")),
    ),
    Claim(
        "high rates",
        "figure 5, section 5",
        "At nominally 600 bit/s and more, mel error and FAD are low: lower than at any rate of 200 and less.",
        tuple(less(high, low, MEL + DISTANCES) for high in ("fine alone", "compression") for low in LOW_RATES),
    ),
    Claim(
        "low rates",
        "figure 5, section 5",
        "At nominally 200 bit/s and less, the mel error is like that of noise, and FAD is much lower (at most half).",
        _better_than_noise(*LOW_RATES),
    ),
)
"""The paper's claims, in the order of its figures. All prompts have 24 passes, so "P = 16" is figure 3's 24."""

VERDICTS = ("holds", "holds in part", "does not hold here", "cannot be judged")
ANSWERS = ("shown", "contradicted", "open")
Ratio = Sequence[float]
"""A ratio, the two ends of its interval, and the number of tracks."""


def answered(statement: Statement, ratio: Ratio) -> str:
    """Answer a statement by the interval of the ratio.

    Notebook: 11

    Parameters
    ----------
    statement : Statement
        The statement.
    ratio : sequence of float
        The ratio of A to B, the ends of its interval, and n.

    Returns
    -------
    str
        "shown", "contradicted" or "open".
    """
    _, low, high, _ = ratio
    if statement.low < low and high < statement.high:
        return "shown"
    return "contradicted" if high < statement.low or low > statement.high else "open"


@dataclass(frozen=True)
class Judgement:
    """A verdict with what it rests on. It prints as a few lines.

    Notebook: 11

    Parameters
    ----------
    claim : Claim
        The claim.
    verdict : str
        One of `VERDICTS`.
    answers : tuple of tuple
        Of each statement and measure: A, B, the measure, the ratio with its interval and n, and the answer.
    """

    claim: Claim
    verdict: str
    answers: tuple[tuple[str, str, str, Ratio, str], ...]

    def __str__(self) -> str:
        """The claim, the verdict, and a line for each pair: ratios by all measures, and how far intervals reach."""
        counts = ", ".join(f"{self.count(answer)} {answer}" for answer in ANSWERS)
        n = min(row[3][3] for row in self.answers)
        lines = [self.claim.words, f"-> {self.verdict} ({counts}; n = {n:g})"]
        for a, b in dict.fromkeys(row[:2] for row in self.answers):
            own = [row for row in self.answers if row[:2] == (a, b)]
            middle, low, high, _ = zip(*(row[3] for row in own), strict=True)
            shown = sum(row[-1] == "shown" for row in own)
            span = f"{min(middle):.2f}" if len(own) == 1 else f"{min(middle):.2f} to {max(middle):.2f}"
            lines.append(f"   {a} / {b}: {shown} of {len(own)} shown, {span} [{min(low):.2f}, {max(high):.2f}]")
        return "\n".join(lines)

    def count(self, answer: str) -> int:
        """Count the answers of one kind.

        Parameters
        ----------
        answer : str
            "shown", "contradicted" or "open".

        Returns
        -------
        int
            How many there are.
        """
        return sum(row[-1] == answer for row in self.answers)


def nearest_noise(prompt: str, conditions: Mapping[str, Mapping]) -> str:
    """Find the ratio of token noise whose mel error is nearest to that of a prompt.

    Notebook: 11

    Parameters
    ----------
    prompt : str
        Name of a condition.
    conditions : mapping
        Results: `conditions[name]["measures"]["paper mel"][0]` is a mean.

    Returns
    -------
    str
        Name of the noise condition.
    """
    mel = {name: row["measures"][MEL[0]][0] for name, row in conditions.items() if MEL[0] in row["measures"]}
    noises = [name for name in mel if name.startswith(f"{NOISE} ")]
    return min(noises, key=lambda name: abs(math.log(mel[name] / mel[prompt])))


def pairs(conditions: Mapping[str, Mapping], claims: Sequence[Claim] = CLAIMS) -> list[tuple[str, str, str]]:
    """List all comparisons that the claims need: A, B and the measure.

    Notebook: 11

    Parameters
    ----------
    conditions : mapping
        Results, see `nearest_noise`.
    claims : sequence of Claim
        The claims.

    Returns
    -------
    list of (str, str, str)
        Each comparison once.
    """
    return list(dict.fromkeys(pair for claim in claims for _, pair in _compared(claim, conditions)))


def _compared(claim: Claim, conditions: Mapping[str, Mapping]) -> Iterator[tuple[Statement, tuple[str, str, str]]]:
    """Each statement of a claim with what it compares: A, B and the measure."""
    for s in claim.statements:
        b = nearest_noise(s.a, conditions) if s.b == NOISE else s.b
        yield from ((s, (s.a, b, measure)) for measure in s.measures)


def judge(claim: Claim, conditions: Mapping[str, Mapping], ratios: Mapping[str, Ratio]) -> Judgement:
    """Judge a claim by the rule above.

    Notebook: 11

    Parameters
    ----------
    claim : Claim
        The claim.
    conditions : mapping
        Results of each condition, see `nearest_noise`.
    ratios : mapping
        Ratios by "A / B: measure".

    Returns
    -------
    Judgement
        The verdict, and what it rests on.
    """
    answers = []
    for statement, (a, b, measure) in _compared(claim, conditions):
        ratio = ratios[f"{a} / {b}: {measure}"]
        answers.append((a, b, measure, ratio, answered(statement, ratio)))
    kinds = [row[-1] for row in answers]
    shown, contradicted = kinds.count("shown"), kinds.count("contradicted")
    if shown == len(kinds):
        verdict = "holds"
    elif shown > contradicted:
        verdict = "holds in part"
    else:
        verdict = "does not hold here" if contradicted else "cannot be judged"
    return Judgement(claim, verdict, tuple(answers))
