"""BlindTest: can two sounds be told apart? The number of right answers is compared with guessing."""

from __future__ import annotations

import random
from dataclasses import dataclass, field


@dataclass
class BlindTest:
    """An ABX test between two sounds (names or numbers). In each trial X is one of them, chosen at random.

    seed: seed of these choices. Source: the ABX protocol (Munson and Gardner 1950). Raises ValueError for fewer than
    one trial, or if both sounds are the same.
    """

    a: int | str
    b: int | str
    trials: int = 10
    seed: int = 0
    answers: list[bool] = field(default_factory=list)

    def __post_init__(self):
        if self.trials < 1:
            raise ValueError(f"{self.trials} trials were asked for, at least 1 was expected")
        if self.a == self.b:
            raise ValueError(f"{self.a!r} was chosen twice, two sounds were expected; choose another one")
        draw = random.Random(self.seed)
        self._hidden = [draw.choice("ab") for _ in range(self.trials)]

    @property
    def over(self) -> bool:
        """Whether all trials were answered."""
        return len(self.answers) >= self.trials

    @property
    def x(self) -> int | str:
        """The sound that X is in this trial. It is needed to play X; the listener must not see it."""
        self._check()
        return getattr(self, self._hidden[len(self.answers)])

    def answer(self, which: str) -> None:
        """Answer that X is "a" or "b". Raises ValueError for another letter, or after the last trial."""
        self._check()
        if which not in ("a", "b"):
            raise ValueError(f'the answer was {which!r}, "a" or "b" was expected')
        self.answers.append(which == self._hidden[len(self.answers)])

    def _check(self) -> None:
        if self.over:
            raise ValueError(f"all {self.trials} trials were answered; begin another test")

    def result(self) -> dict:
        """Right answers, trials so far, and statistics.

        p: the probability of at least that many right answers by guessing (exact binomial test, one-sided). low, high:
        95 % confidence interval of the fraction of right answers (Wilson).
        """
        from scipy.stats import binomtest

        right, count = sum(self.answers), len(self.answers)
        if not count:
            return {"right": 0, "trials": 0, "p": 1.0, "low": 0.0, "high": 1.0}
        test = binomtest(right, count, 0.5, alternative="greater")
        bounds = binomtest(right, count, 0.5).proportion_ci(0.95, "wilson")
        return {
            "right": right,
            "trials": count,
            "p": float(test.pvalue),
            "low": float(bounds.low),
            "high": float(bounds.high),
        }

    def words(self) -> str:
        """The result in one line."""
        r = self.result()
        told = "they are told apart" if r["p"] < 0.05 else "guessing would do as well"
        chance = f"{r['p']:.3f}" if r["p"] >= 0.001 else "below 0.001"
        share = f"{100 * r['low']:.0f} to {100 * r['high']:.0f} %"
        right = f"{r['right']} of {r['trials']} right (95 % interval of the share: {share})"
        return f"{right}; by guessing that or better has a chance of {chance}: {told}."
