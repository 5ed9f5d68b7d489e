"""The rule that judges the paper's claims."""

import pytest

from vampkit.paper import CLAIMS, Claim, alike, answered, judge, less, more, nearest_noise, pairs

CONDITIONS = {
    "P = 16": {"measures": {"paper mel": [2.0, 1.9, 2.1, 9]}},
    "noise 0.25": {"measures": {"paper mel": [1.0, 0.9, 1.1, 9]}},
    "noise 0.5": {"measures": {"paper mel": [1.8, 1.7, 1.9, 9]}},
    "noise 0.75": {"measures": {"paper mel": [3.0, 2.9, 3.1, 9]}},
}


@pytest.mark.parametrize(
    "statement, low, high, answer",
    [
        (less("a", "b", ("m",)), 0.5, 0.99, "shown"),
        (less("a", "b", ("m",)), 0.5, 1.01, "open"),
        (less("a", "b", ("m",)), 1.01, 2.0, "contradicted"),
        (less("a", "b", ("m",), factor=0.5), 0.3, 0.49, "shown"),
        (less("a", "b", ("m",), factor=0.5), 0.51, 0.9, "contradicted"),
        (more("a", "b", ("m",)), 1.01, 2.0, "shown"),
        (more("a", "b", ("m",)), 0.9, 0.99, "contradicted"),
        (alike("a", "b", ("m",)), 0.81, 1.24, "shown"),
        (alike("a", "b", ("m",)), 0.79, 1.24, "open"),
        (alike("a", "b", ("m",)), 0.81, 1.26, "open"),
        (alike("a", "b", ("m",)), 1.26, 2.0, "contradicted"),
        (alike("a", "b", ("m",)), 0.2, 0.79, "contradicted"),
    ],
)
def test_an_interval_answers_a_statement(statement, low, high, answer):
    assert answered(statement, [(low + high) / 2, low, high, 9]) == answer


@pytest.mark.parametrize(
    "first, second, verdict",
    [
        ((0.5, 0.9), (0.5, 0.9), "holds"),
        ((0.5, 0.9), (0.5, 1.5), "holds in part"),
        ((0.5, 0.9), (1.1, 1.5), "does not hold here"),
        ((0.5, 1.5), (1.1, 1.5), "does not hold here"),
        ((0.5, 1.5), (0.5, 1.5), "cannot be judged"),
    ],
)
def test_the_answers_make_a_verdict(first, second, verdict):
    claim = Claim("c", "figure", "words", (less("P = 16", "noise 0.5", ("m", "k")),))
    ratios = {"P = 16 / noise 0.5: m": [1, *first, 9], "P = 16 / noise 0.5: k": [1, *second, 9]}
    found = judge(claim, CONDITIONS, ratios)
    assert found.verdict == verdict
    assert sum(found.count(kind) for kind in ("shown", "contradicted", "open")) == 2


def test_noise_is_the_one_of_the_nearest_mel_error():
    assert nearest_noise("P = 16", CONDITIONS) == "noise 0.5"
    claim = Claim("c", "figure", "words", (alike("P = 16", "noise", ("m",)),))
    assert pairs(CONDITIONS, [claim, claim]) == [("P = 16", "noise 0.5", "m")]
    assert judge(claim, CONDITIONS, {"P = 16 / noise 0.5: m": [1, 0.9, 1.1, 9]}).verdict == "holds"


def test_every_claim_of_the_paper_is_there_once_with_statements():
    assert len({claim.name for claim in CLAIMS}) == len(CLAIMS) == 11
    assert {claim.source.partition(",")[0] for claim in CLAIMS} >= {"figure 3", "figure 4", "figure 5"}
    assert all(claim.statements for claim in CLAIMS)
