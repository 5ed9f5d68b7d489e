"""The committed results of notebook 11: its verdicts follow from them by the rule, and rows come out again."""

import json

import numpy as np
import pytest

from tests.bench.paper_measures import measured
from tests.bench.paper_results import ratio_of_means, told
from tests.bench.paper_run import SEED, Bench, beside, figures
from vampkit import load_vamp, metrics
from vampkit.files import data_folder
from vampkit.paper import CLAIMS, judge, nearest_noise, pairs
from vampkit.weights import model_hash

SCALARS = ("paper mel", "mel", "onset F", "beat F", "pulse", "seconds")


@pytest.fixture(scope="module")
def results():
    return json.loads((data_folder() / "paper.json").read_text())


@pytest.fixture(scope="module")
def vamp():
    return load_vamp("tiny")


def groups(results, condition):
    """The track of each row of a condition."""
    settings = results["settings"]
    rows = len(next(iter(results["conditions"][condition]["rows"].values())))
    return settings["excerpts"] if rows == len(settings["excerpts"]) else settings["beside"]


def test_the_results_are_of_the_bundled_models_and_small(results, vamp):
    settings = results["settings"]
    assert settings["codec"] == vamp.codec.hash and settings["fine"] == model_hash(vamp.fine)
    assert settings["models"]["masked, bundled"] == model_hash(vamp.coarse)
    assert (data_folder() / "paper.json").stat().st_size < 300_000
    assert len({len(row["rows"]["mel"]) for name, row in results["conditions"].items() if "mel" in row["rows"]}) <= 2


def test_verdicts_follow_from_the_ratios_by_the_rule(results):
    found = {claim.name: judge(claim, results["conditions"], results["ratios"]).verdict for claim in CLAIMS}
    assert found == results["verdicts"]


def test_means_and_ratios_follow_from_the_rows(results):
    """Every mean of the rows, and every ratio of means that a claim needs, is computed anew."""
    conditions, counted = results["conditions"], 0
    for name, condition in conditions.items():
        for measure, values in condition["rows"].items():
            assert condition["measures"][measure] == told(metrics.bootstrap(values, groups(results, name))), name
    for a, b, measure in pairs(conditions):
        if measure in SCALARS:
            rows = [np.array(conditions[c]["rows"][measure]) for c in (a, b)]
            assert results["ratios"][f"{a} / {b}: {measure}"] == told(ratio_of_means(*rows, groups(results, a)))
            counted += 1
    assert counted > 10


def test_noise_rows_are_there_for_every_ratio(results):
    assert nearest_noise("P = 16", results["conditions"]) in ("noise 0.25", "noise 0.5", "noise 0.75")


@pytest.mark.parametrize("name", ["noise 0.5", "one pass 0.5", "1 pass"])
def test_rows_come_out_again_from_their_seed(results, vamp, tmp_path, name):
    """The first excerpt is composed, so nothing is needed but the seed. Some tokens may fall another way elsewhere."""
    bench = Bench(tmp_path, None, vamp)
    assert results["settings"]["excerpts"][0] == "composed/1000000" and results["settings"]["first seed"] == SEED
    x = bench.excerpt(0)
    found = measured(x.heard, (figures(bench) | beside(bench))[name](x))
    for measure, value in found.items():
        assert value == pytest.approx(results["conditions"][name]["rows"][measure][0], rel=0.03), measure


def test_a_ratio_of_means_by_hand():
    a, b = np.array([1.0, 3.0, 2.0, 2.0]), np.array([2.0, 6.0, 4.0, 4.0])
    found = ratio_of_means(a, b, ["x", "y", "z", "z"])
    assert found.mean == found.low == found.high == 0.5 and found.n == 3
